//! Prometheus beside the site while it is broken, when `make watch` asks for it: what it is told, and whether its alerts clear.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::children::{self, Running};
use crate::harness::wait_until;

/// Names a folder with `prometheus.yml`; Prometheus keeps its data there, and the times of faults are added.
const FOLDER: &str = "ROLLCALL_HA_WATCH";

/// How long the whole database is away while somebody watches: an alert needs longer than a client. The one on sign-ins looks at
/// a minute of them and waits for half of one more.
pub const AWAY: Duration = Duration::from_secs(100);

/// Longest time until Prometheus is ready: half a second, on a quiet machine.
const START: Duration = Duration::from_mins(2);

/// Longest time until alerts clear after the last fault; the rules of `make watch` are ten times as fast as written.
const CLEAR: Duration = Duration::from_mins(5);

/// What the clients cause by themselves, all the time: they delete users.
const CAUSED_BY_CLIENTS: &str = "RollcallDeletionRate";

/// What tells an outage of the database without calling anybody.
const TELLS_AN_OUTAGE: &str = "RollcallStaleReads";

/// Where Prometheus answers.
const ADDRESS: &str = "127.0.0.1:9099";

/// A Prometheus that scrapes the replicas.
pub struct Watch {
    folder: PathBuf,
    http: reqwest::Client,
    _prometheus: Running,
}

impl Watch {
    /// Starts it, if it is asked for, and waits until it is ready.
    pub async fn start() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os(FOLDER)?);
        let mut command = children::mortal("prometheus");
        command
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
            .arg(format!("--web.listen-address={ADDRESS}"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let watch = Self {
            folder,
            http: reqwest::Client::new(),
            _prometheus: children::start(command),
        };
        wait_until("Prometheus is ready", START, async || {
            let answer = watch.http.get(format!("http://{ADDRESS}/-/ready")).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        Some(watch)
    }

    /// Notes that a fault of this name began then and has been healed now.
    pub fn note(&self, name: &str, began: SystemTime) {
        let line = json!({"fault": name, "began": seconds(began), "ended": seconds(SystemTime::now())});
        let path = self.folder.join("faults.jsonl");
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    /// Waits, with the clients at work, until no alert calls anybody any more or is about to, and none tells an outage; notes when.
    pub async fn await_clear(&self) {
        wait_until("alerts clear", CLEAR, async || self.alerts().await.is_empty()).await;
        let now = seconds(SystemTime::now()).to_string();
        std::fs::write(self.folder.join("cleared"), now).unwrap();
    }

    async fn alerts(&self) -> Vec<String> {
        let answer = self
            .http
            .get(format!("http://{ADDRESS}/api/v1/alerts"))
            .send()
            .await
            .unwrap();
        let told: Value = answer.json().await.unwrap();
        let alerts = told["data"]["alerts"].as_array().unwrap().iter();
        alerts
            .filter(|alert| {
                let labels = &alert["labels"];
                let calls = labels["severity"] == "page" && labels["alertname"] != CAUSED_BY_CLIENTS;
                calls || labels["alertname"] == TELLS_AN_OUTAGE
            })
            .map(|alert| alert["labels"]["alertname"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Seconds since 1970, as Prometheus counts them.
fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
