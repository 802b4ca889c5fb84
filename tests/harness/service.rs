//! The real `rollcall serve`, on free ports.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::children::{self, Running};
use super::command::{ROLLCALL, without_settings};

/// How long the service may take to get ready; a debug build that makes a private PostgreSQL needs most of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service that is ready; killed when dropped.
#[derive(Debug)]
pub struct Service {
    process: Running,
    addresses: BTreeMap<String, String>,
    log: Arc<Mutex<Vec<String>>>,
    _rest: Receiver<()>,
}

impl Service {
    /// Starts `rollcall serve` with these settings as flags on top of free ports, and waits until it says that it is
    /// ready. Fails the test, with the log, when it does not.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        Self::try_start(settings).unwrap_or_else(|log| panic!("rollcall serve did not get ready:\n{log}"))
    }

    /// Like [`start`](Self::start), but gives the log back when the service ends before it is ready.
    pub fn try_start(settings: &[(&str, &str)]) -> Result<Self, String> {
        Self::start_program(ROLLCALL, settings)
    }

    /// Like [`try_start`](Self::try_start), from another binary.
    pub fn start_program(program: &str, settings: &[(&str, &str)]) -> Result<Self, String> {
        let mut command = children::mortal(program);
        without_settings(&mut command).arg("serve");
        let free = [
            ("listen", "127.0.0.1:0"),
            ("read-listen", "127.0.0.1:0"),
            ("ops-listen", "127.0.0.1:0"),
        ];
        let given: BTreeMap<&str, &str> = free.into_iter().chain(settings.iter().copied()).collect();
        for (name, value) in given {
            command.arg(format!("--{name}={value}"));
        }
        command
            .arg("--log-format=json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = children::start(command);
        let stderr = process.pipes().stderr.take().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (ready, started) = channel();
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let is_ready = message(&line).as_deref() == Some("ready");
                    log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    if is_ready {
                        let _ = ready.send(());
                    }
                }
            }
        });
        let text = || log.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
        match started.recv_timeout(PATIENCE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(text()),
            Err(RecvTimeoutError::Timeout) => panic!("rollcall serve is not ready after {PATIENCE:?}:\n{}", text()),
        }
        let addresses = addresses(&log.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Self {
            process,
            addresses,
            log,
            _rest: started,
        })
    }

    /// `http://address:port` of a listener: `api`, `read`, `ops`, `proxy`.
    pub fn url(&self, listener: &str) -> String {
        format!(
            "http://{}",
            self.addresses
                .get(listener)
                .unwrap_or_else(|| panic!("no listener {listener}"))
        )
    }

    /// Every line of its log so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How much memory it has used at most so far, in KiB (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        self.memory("VmHWM:")
    }

    /// How much memory it uses, in KiB (`VmRSS`).
    pub fn memory_now(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
        value.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Whether its process is still there.
    pub fn is_alive(&mut self) -> bool {
        self.process.exit_code().is_none()
    }

    /// Asks it to stop (SIGTERM) and gives its exit code; fails the test when it has not ended within `deadline`.
    pub async fn stop(&mut self, deadline: Duration) -> i32 {
        self.process.signal("TERM");
        let end = Instant::now() + deadline;
        loop {
            if let Some(code) = self.process.exit_code() {
                return code;
            }
            assert!(
                Instant::now() < end,
                "still running {deadline:?} after SIGTERM:\n{}",
                self.log().join("\n")
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The message of a log line, which is one JSON object.
fn message(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    Some(line.get("message")?.as_str()?.to_owned())
}

/// The address of each listener: a line `{"message":"listening","listener":"api","address":"127.0.0.1:1234",…}`.
fn addresses(log: &[String]) -> BTreeMap<String, String> {
    let address = |line: &String| {
        let line: Value = serde_json::from_str(line).ok()?;
        if line.get("message")? != "listening" {
            return None;
        }
        Some((
            line.get("listener")?.as_str()?.to_owned(),
            line.get("address")?.as_str()?.to_owned(),
        ))
    };
    log.iter().filter_map(address).collect()
}
