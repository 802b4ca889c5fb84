//! What stands in front: `HAProxy`, `PgBouncer` and nginx, on the very configurations of packaging/ha.

use std::process::Command;
use std::time::Duration;

use super::BALANCER;
use super::files::{ACCOUNT, Folder, PASSWORD};
use super::share::Share;
use crate::harness::children::{self, Running};

/// `HAProxy`'s port for the primary.
pub const PRIMARY_PORT: u16 = 5000;

/// `HAProxy`'s port for the standbys.
pub const STANDBY_PORT: u16 = 5001;

/// `PgBouncer`'s port.
pub const POOLED_PORT: u16 = 6432;

/// The balancers.
pub struct Front {
    haproxy: Running,
    leaving: Vec<Running>,
    pgbouncer: Running,
}

impl Front {
    /// Starts them.
    pub fn start(folder: &Folder) -> Self {
        folder.write_reference("haproxy.cfg");
        folder.write_reference("pgbouncer.ini");
        let users: String = ["rollcall_app", "rollcall_read"]
            .map(|user| format!("\"{user}\" \"{PASSWORD}\"\n"))
            .concat();
        std::fs::write(folder.path("etc/rollcall-ha/userlist.txt"), users).unwrap();
        folder.give_away();
        Self {
            haproxy: haproxy(folder, None),
            leaving: Vec::new(),
            pgbouncer: pgbouncer(folder),
        }
    }

    /// Starts `HAProxy` anew, as a reload of its unit does: the old one hands its listeners over, and ends five seconds later with
    /// every connection to PostgreSQL that went through it.
    pub fn restart_haproxy(&mut self, folder: &Folder) {
        let new = haproxy(folder, Some(self.haproxy.id()));
        self.leaving.push(std::mem::replace(&mut self.haproxy, new));
    }

    /// The same with `PgBouncer`.
    pub fn restart_pgbouncer(&mut self, folder: &Folder) {
        self.pgbouncer.kill();
        self.pgbouncer = pgbouncer(folder);
    }

    /// Starts what has ended.
    pub fn heal(&mut self, folder: &Folder) {
        self.leaving.retain_mut(|old| old.exit_code().is_none());
        if self.haproxy.exit_code().is_some() {
            self.haproxy = haproxy(folder, None);
        }
        if self.pgbouncer.exit_code().is_some() {
            self.pgbouncer = pgbouncer(folder);
        }
    }
}

/// Starts nginx on its reference configuration, in the foreground.
pub fn nginx(folder: &Folder) -> Running {
    let settings = folder.write_reference("nginx.conf");
    let mut command = children::mortal_as(ACCOUNT, "nginx");
    command
        .arg("-c")
        .arg(settings)
        .args(["-e", "stderr", "-g", "daemon off;"]);
    logged(command, folder, "nginx")
}

/// A connection string through a port of the balancer, checked by `verify-full`.
pub fn uri(folder: &Folder, user: &str, port: u16) -> String {
    let authority = folder.path("etc/rollcall-ha/ca.pem");
    format!(
        "host={BALANCER} port={port} user={user} password={PASSWORD} dbname=rollcall sslmode=verify-full sslrootcert={}",
        authority.display()
    )
}

/// Waits until a port of the balancer takes connections.
fn await_port(port: u16) {
    let address = format!("{BALANCER}:{port}").parse().unwrap();
    for _ in 0..1000 {
        if std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("nobody listens on {address}");
}

fn haproxy(folder: &Folder, predecessor: Option<u32>) -> Running {
    let mut command = children::mortal_as(ACCOUNT, "haproxy");
    command
        .arg("-db")
        .arg("-f")
        .arg(folder.path("etc/rollcall-ha/haproxy.cfg"));
    if let Some(predecessor) = predecessor {
        command.arg("-x").arg(folder.path("run/rollcall-ha/haproxy.sock"));
        command.arg("-sf").arg(predecessor.to_string());
    }
    let running = logged(command, folder, "haproxy");
    await_port(PRIMARY_PORT);
    running
}

fn pgbouncer(folder: &Folder) -> Running {
    let mut command = children::mortal_as(ACCOUNT, "pgbouncer");
    command.arg(folder.path("etc/rollcall-ha/pgbouncer.ini"));
    let running = logged(command, folder, "pgbouncer");
    await_port(POOLED_PORT);
    running
}

fn logged(mut command: Command, folder: &Folder, name: &str) -> Running {
    let log = folder.log(name);
    command
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let running = children::start(command);
    Share::of_bystander("front").take_in(&running);
    running
}
