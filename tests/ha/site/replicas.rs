//! Three replicas of the service, each with another way to the primary: `HAProxy`, several hosts, `PgBouncer`.

use std::io::Write as _;
use std::time::Duration;

use super::files::Folder;
use super::front::{self, POOLED_PORT, PRIMARY_PORT, STANDBY_PORT};
use super::share::Share;
use crate::harness::command::ROLLCALL;
use crate::harness::service::Service;

/// How long a replica may take to drain.
const DRAIN: Duration = Duration::from_secs(20);

/// The replicas; one that was killed is `None` until it is started again.
pub struct Replicas {
    services: Vec<Option<Service>>,
}

impl Replicas {
    /// Starts all three, from the binary `program`, and waits until they are ready.
    pub fn start(folder: &Folder, program: &str) -> Self {
        Self {
            services: (0..3).map(|number| Some(start(folder, number, program))).collect(),
        }
    }

    /// A replica that runs.
    pub fn get(&mut self, number: usize) -> &mut Service {
        self.services[number].as_mut().expect("the replica runs")
    }

    /// Kills one (SIGKILL).
    pub fn kill(&mut self, number: usize) {
        self.services[number] = None;
    }

    /// Freezes one (SIGSTOP), or lets it go on.
    pub fn freeze(&mut self, number: usize, frozen: bool) {
        self.get(number).process().signal(if frozen { "STOP" } else { "CONT" });
    }

    /// Asks one to stop, waits until it has, and starts it again, from the binary `program`.
    pub async fn roll(&mut self, folder: &Folder, number: usize, program: &str) {
        let mut old = self.services[number].take().expect("the replica runs");
        assert_eq!(old.stop(DRAIN).await, 0, "a drained replica ends well");
        write_log(folder, number, &old);
        self.services[number] = Some(tokio::task::block_in_place(|| start(folder, number, program)));
    }

    /// Starts what was killed, and checks that nothing else has ended: no fault may need a restart.
    pub fn heal(&mut self, folder: &Folder) {
        for (number, service) in self.services.iter_mut().enumerate() {
            match service {
                Some(service) => assert!(
                    service.is_alive(),
                    "replica {number} has ended by itself:\n{}",
                    service.log().join("\n")
                ),
                None => *service = Some(tokio::task::block_in_place(|| start(folder, number, ROLLCALL))),
            }
        }
    }

    /// The most memory that any of them has used, in MiB.
    pub fn peak_memory(&self) -> u64 {
        self.services
            .iter()
            .flatten()
            .map(|service| service.peak_memory() / 1024)
            .max()
            .unwrap_or(0)
    }

    /// Writes their logs into the folder of the run.
    pub fn write_logs(&self, folder: &Folder) {
        for (number, service) in self.services.iter().enumerate() {
            if let Some(service) = service {
                write_log(folder, number, service);
            }
        }
    }
}

/// Adds a replica's log to the folder of the run.
fn write_log(folder: &Folder, number: usize, service: &Service) {
    let text = service.log().join("\n");
    let _ = folder
        .log(&format!("replica-{}", number + 1))
        .write_all(text.as_bytes());
}

fn start(folder: &Folder, number: usize, program: &str) -> Service {
    let several = || {
        let one = front::uri(folder, "rollcall_app", 5432);
        one.replace(
            &format!("host={}", super::BALANCER),
            "host=10.77.0.11,10.77.0.12,10.77.0.13",
        ) + " target_session_attrs=read-write"
    };
    let primary = match number {
        0 => front::uri(folder, "rollcall_app", PRIMARY_PORT),
        1 => several(),
        _ => front::uri(folder, "rollcall_app", POOLED_PORT),
    };
    let standby = front::uri(folder, "rollcall_read", STANDBY_PORT);
    let address = format!("10.77.0.{}", 21 + number);
    let (api, read, ops) = (
        format!("{address}:8080"),
        format!("{address}:8081"),
        format!("{address}:9090"),
    );
    let public = format!("http://{}:8080", super::BALANCER);
    let settings: [(&str, &str); 11] = [
        ("listen", &api),
        ("read-listen", &read),
        ("ops-listen", &ops),
        ("public-url", &public),
        ("database-uri", &primary),
        ("database-read-uri", &standby),
        ("user-provisioning-register-on-first-login", "1"),
        ("user-provisioning-start-uid", "10000"),
        ("user-provisioning-max-uid", "60000"),
        ("shutdown-notice", "3"),
        // Three replicas share a small database server: twelve statements at once keep its processors busy.
        ("database-pool-size", "4"),
    ];
    let mut service = Service::start_program(program, &settings)
        .unwrap_or_else(|log| panic!("replica {number} did not get ready:\n{log}"));
    Share::of(&format!("replica{}", number + 1)).take_in(service.process());
    service
}
