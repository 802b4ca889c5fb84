//! `rollcall doctor`: looks for what is wrong, and says how to mend it.
//!
//! Exit code 0 without errors (warnings may be there), 1 with one.

mod certificate;
mod database;
mod listeners;
mod node;
mod numbers;
mod settings;
mod sign_in;
mod tokens;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rollcall::config::{Config, Warning};
use serde::Serialize;

use super::output::{Form, table};
use super::{Misconfigured, bootstrap, session};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scope {
    /// The service, its database, its providers and its certificates.
    Service,
    /// The NSS set-up of this machine.
    Node,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to look at.
    #[arg(long, value_enum, default_value_t = Scope::Service)]
    scope: Scope,
    /// Look at the files beneath this folder, as those of a mounted image.
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    #[command(flatten)]
    form: Form,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Ok,
    Warning,
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    severity: Severity,
    evidence: String,
    fix: Option<String>,
}

/// The exit code, carried as an error so that everything is closed first.
#[derive(Debug, thiserror::Error)]
#[error("doctor has findings")]
pub(crate) struct Findings(Severity);

impl Findings {
    /// 1 with an error among the findings, 0 with warnings alone.
    pub(crate) fn exit_code(&self) -> u8 {
        u8::from(self.0 == Severity::Error)
    }
}

fn fine(check: &'static str, evidence: impl Into<String>) -> Finding {
    Finding {
        check,
        severity: Severity::Ok,
        evidence: evidence.into(),
        fix: None,
    }
}

fn warning(check: &'static str, evidence: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        check,
        severity: Severity::Warning,
        evidence: evidence.into(),
        fix: Some(fix.into()),
    }
}

fn wrong(check: &'static str, evidence: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        check,
        severity: Severity::Error,
        evidence: evidence.into(),
        fix: Some(fix.into()),
    }
}

impl Arguments {
    /// Whether a node is looked at, which has none of the service's settings.
    pub(crate) fn is_of_node(&self) -> bool {
        self.scope == Scope::Node
    }

    fn check(&self) -> Result<(), Misconfigured> {
        if self.root.is_dir() {
            return Ok(());
        }
        Err(Misconfigured(format!(
            "--root {}: there is no such folder",
            self.root.display()
        )))
    }
}

/// Looks at this node.
pub(crate) async fn of_node(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.check()?;
    tell(&node::look(&arguments.root).await, arguments.form)
}

/// Looks at the service; `warnings`: what reading the settings warned of.
pub(crate) async fn of_service(config: &Config, warnings: &[Warning], arguments: &Arguments) -> anyhow::Result<()> {
    arguments.check()?;
    tell(&service(config, warnings, arguments).await, arguments.form)
}

fn tell(findings: &[Finding], form: Form) -> anyhow::Result<()> {
    form.print(&findings, |findings| {
        let rows: Vec<_> = findings
            .iter()
            .map(|f| {
                let severity = match f.severity {
                    Severity::Ok => "ok",
                    Severity::Warning => "warning",
                    Severity::Error => "ERROR",
                };
                let fix = f.fix.clone().unwrap_or_default();
                vec![severity.to_owned(), f.check.to_owned(), f.evidence.clone(), fix]
            })
            .collect();
        table(&["", "CHECK", "EVIDENCE", "FIX"], &rows)
    })?;
    let worst = if findings.iter().any(|f| f.severity == Severity::Error) {
        Severity::Error
    } else {
        Severity::Ok
    };
    if worst == Severity::Error {
        Err(Findings(worst).into())
    } else {
        Ok(())
    }
}

async fn service(config: &Config, warnings: &[Warning], arguments: &Arguments) -> Vec<Finding> {
    let of_database = session::with(config, async |db| {
        let mut findings = database::look(config, db).await;
        // Without an answer, or without a schema, the rest would say the same again.
        if findings
            .iter()
            .any(|finding| finding.check == "database" && finding.severity == Severity::Error)
        {
            return Ok(findings);
        }
        findings.extend(numbers::look(config, db, &arguments.root).await);
        findings.extend(tokens::look(db).await);
        findings.extend(settings::brake(config, db).await);
        Ok(findings)
    });
    let mut findings = match of_database.await {
        Ok(findings) => findings,
        Err(error) => vec![wrong(
            "database",
            format!("{error:#}"),
            "check database-uri and that the database is up, or data-dir for a private one",
        )],
    };
    findings.extend(database::standby(config).await);
    findings.extend(settings::unknown(warnings));
    findings.extend(bootstrap_file(config));
    findings.extend(listeners::look(config, &arguments.root).await);
    findings.extend(sign_in::look(config).await);
    findings
}

/// The file that `serve` reads first, and does not start with when it is wrong.
fn bootstrap_file(config: &Config) -> Option<Finding> {
    let check = "bootstrap file";
    let path = config.provisioning.bootstrap_file.as_ref()?;
    Some(match bootstrap::read(path) {
        Ok(_) => fine(check, path.display().to_string()),
        Err(error) => wrong(
            check,
            format!("{error:#}"),
            "mend the file, or take bootstrap-file out of the settings: serve does not start with it",
        ),
    })
}
