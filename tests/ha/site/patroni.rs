//! One member of the cluster: etcd, Patroni and its PostgreSQL on one host.

use std::process::Command;
use std::time::Duration;

use rollcall::private_postgres::PrivatePostgres;

use super::disk;
use super::files::{Folder, PASSWORD};
use super::host::Host;
use super::variables;
use crate::harness::children::{self, Running};
use crate::isolation::PATRONI_PYTHON;

/// What a member is, by Patroni's REST interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It takes writes.
    Primary,
    /// A standby that has every commit.
    Synchronous,
    /// Another standby.
    Replica,
    /// It does not say.
    Down,
}

/// A member.
pub struct Member {
    /// Its host.
    pub host: Host,
    folder: Folder,
    etcd: Option<Running>,
    patroni: Option<Running>,
}

impl Member {
    /// A host with a running etcd, whose Patroni is still to be started.
    pub fn build(folder: &Folder, number: u8) -> Self {
        let mut member = Self {
            host: Host::create(number),
            folder: folder.clone(),
            etcd: None,
            patroni: None,
        };
        member.start_etcd();
        member
    }

    /// Starts etcd unless it runs.
    pub fn start_etcd(&mut self) {
        if !is_running(&mut self.etcd) {
            self.etcd = Some(self.start("etcd", "etcd", &[]));
        }
    }

    /// Starts Patroni unless it runs; it starts PostgreSQL.
    pub fn start_patroni(&mut self) {
        if !is_running(&mut self.patroni) {
            let settings = self.folder.path("etc/rollcall-ha/patroni.yml").display().to_string();
            let python = std::env::var(PATRONI_PYTHON).unwrap();
            self.patroni = Some(self.start("patroni", &python, &["-m", "patroni", &settings]));
        }
    }

    fn start(&self, name: &str, program: &str, arguments: &[&str]) -> Running {
        let Host {
            name: host, address, ..
        } = &self.host;
        let mut text = self.folder.reference(&format!("{name}.env"));
        text = text.replace("THIS_HOST", host).replace("THIS_ADDRESS", address);
        for whose in ["SUPERUSER", "REPLICATION", "REWIND"] {
            text = text.replace(&format!("={whose}_PASSWORD"), &format!("={PASSWORD}"));
        }
        let log = self.folder.log(&format!("{name}-{host}"));
        let mut command = self.host.command(program);
        command
            .args(arguments)
            .envs(variables(&text))
            .env(
                "PATRONI_POSTGRESQL_BIN_DIR",
                PrivatePostgres::installed_binaries().unwrap(),
            )
            .env("LD_PRELOAD", disk::library(&self.folder))
            .env(disk::SWITCH, disk::switch(&self.folder, host))
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.folder.path(&format!("var/lib/rollcall-ha/{host}")))
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let running = children::start(command);
        self.host.share.take_in(&running);
        running
    }

    /// Kills PostgreSQL (SIGKILL), and before it Patroni unless PostgreSQL alone is to die.
    pub fn kill(&mut self, with_patroni: bool) {
        if with_patroni && let Some(mut patroni) = self.patroni.take() {
            patroni.kill();
        }
        if let Some(pid) = self.postmaster() {
            let _ = Command::new("kill").args(["-s", "KILL", &pid]).status();
        }
    }

    /// Makes the disk below PostgreSQL slow, or as fast as it is.
    pub fn set_slow_disk(&self, slow: bool) {
        let switch = disk::switch(&self.folder, &self.host.name);
        if slow {
            std::fs::write(switch, "").unwrap();
        } else {
            let _ = std::fs::remove_file(switch);
        }
    }

    /// Kills etcd (SIGKILL).
    pub fn kill_etcd(&mut self) {
        if let Some(mut etcd) = self.etcd.take() {
            etcd.kill();
        }
    }

    /// The process id of PostgreSQL.
    pub fn postmaster(&self) -> Option<String> {
        let file = self
            .folder
            .path(&format!("var/lib/rollcall-ha/{}/data/postmaster.pid", self.host.name));
        let pid = std::fs::read_to_string(file).ok()?.lines().next()?.trim().to_owned();
        std::path::Path::new("/proc").join(&pid).exists().then_some(pid)
    }

    /// What it is now.
    pub async fn part(&self, http: &reqwest::Client) -> Part {
        for (path, part) in [
            ("primary", Part::Primary),
            ("synchronous", Part::Synchronous),
            ("replica", Part::Replica),
        ] {
            let url = format!("http://{}:8008/{path}", self.host.address);
            let answer = http.get(url).timeout(Duration::from_secs(1)).send().await;
            match answer {
                Ok(answer) if answer.status().as_u16() == 200 => return part,
                Ok(_) => {}
                Err(_) => return Part::Down,
            }
        }
        Part::Down
    }

    /// Whether a synchronous standby is named in etcd: without one nobody becomes primary. What members say of themselves is as old as
    /// their last look there; this is read for the question.
    pub async fn knows_synchronous(&self, http: &reqwest::Client) -> bool {
        let url = format!("http://{}:8008/cluster", self.host.address);
        let answer = http.get(url).timeout(Duration::from_secs(2)).send().await;
        let Ok(answer) = answer else { return false };
        let Ok(cluster) = answer.json::<serde_json::Value>().await else {
            return false;
        };
        let members = cluster["members"].as_array().into_iter().flatten();
        members.into_iter().any(|member| member["role"] == "sync_standby")
    }

    /// Whether its etcd leads.
    pub async fn leads_etcd(&self, http: &reqwest::Client) -> bool {
        let url = format!("http://{}:2379/v3/maintenance/status", self.host.address);
        let answer = http.post(url).body("{}").timeout(Duration::from_secs(1)).send().await;
        let Ok(answer) = answer else { return false };
        let Ok(status) = answer.json::<serde_json::Value>().await else {
            return false;
        };
        status["leader"].is_string() && status["leader"] == status["header"]["member_id"]
    }
}

fn is_running(process: &mut Option<Running>) -> bool {
    process.as_mut().is_some_and(|process| process.exit_code().is_none())
}
