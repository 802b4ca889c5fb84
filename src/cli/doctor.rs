//! `rollcall doctor`: looks for what is wrong, and says how to mend it.

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use rollcall::config::{Config, Database as DatabaseConfig, Role};
use rollcall::db::{Database, migrate};
use rollcall::error::Error;
use serde::Serialize;
use serde_json::Value;

use super::output::{Form, table};
use super::session;

/// A token that expires within this is worth a warning.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 20);

/// Clocks further apart than this break tokens and assertions.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scope {
    /// The service and its database.
    Service,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to look at.
    #[arg(long, value_enum, default_value_t = Scope::Service)]
    scope: Scope,
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

pub(crate) async fn doctor(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let findings = match arguments.scope {
        Scope::Service => match session::with(config, async |db| Ok(database(config, db).await)).await {
            Ok(findings) => findings,
            Err(error) => vec![wrong(
                "database",
                format!("{error:#}"),
                "check database-uri and that the database is up; data-dir must be writable for a private one",
            )],
        },
    };
    arguments.form.print(&findings, |findings| {
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

async fn database(config: &Config, db: &Database) -> Vec<Finding> {
    let mut findings = Vec::new();
    match db.primary_status().await {
        Ok(status) => {
            let version = status.server_version / 10_000;
            findings.push(fine("database", format!("PostgreSQL {version} answers")));
            if status.in_recovery && config.listeners.role == Role::All {
                findings.push(wrong(
                    "database role",
                    "database-uri leads to a standby",
                    "add target_session_attrs=read-write and all hosts to database-uri",
                ));
            }
            let skew = status.at.duration_since(Timestamp::now()).abs();
            findings.push(if skew > CLOCK_TOLERANCE {
                let fix = "synchronise the clocks (chrony)";
                warning(
                    "clock",
                    format!("the database's clock differs by {} s", skew.as_secs()),
                    fix,
                )
            } else {
                fine("clock", "agrees with the database's")
            });
        }
        Err(error) => {
            findings.push(wrong(
                "database",
                error.to_string(),
                "run `rollcall migrate`; check database-uri",
            ));
            return findings;
        }
    }
    findings.push(schema(db).await);
    match db.doctor().await {
        Ok(report) => findings.extend(report_findings(config, &report)),
        Err(error) => findings.push(wrong("database report", error.to_string(), "run `rollcall migrate`")),
    }
    findings.extend(headroom(db).await);
    findings.extend(tokens(db).await);
    findings.push(invariants(db).await);
    findings
}

async fn schema(db: &Database) -> Finding {
    match db.schema_state().await {
        Ok(Some(state)) if state.version > migrate::newest() => fine(
            "schema",
            format!(
                "version {}, newer than this binary's {}",
                state.version,
                migrate::newest()
            ),
        ),
        Ok(Some(state)) if state.version == migrate::newest() && state.functions_hash == migrate::functions_hash() => {
            fine("schema", format!("version {}", state.version))
        }
        Ok(_) => wrong("schema", "older than this binary needs", "rollcall migrate"),
        Err(error) => wrong("schema", error.to_string(), "rollcall migrate"),
    }
}

fn report_findings(config: &Config, report: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let text = |key: &str| report.get(key).and_then(Value::as_str).unwrap_or_default();
    let is = |key: &str| report.get(key).and_then(Value::as_bool).unwrap_or_default();
    if text("fsync") == "off" || text("full_page_writes") == "off" {
        let fix = "alter system set fsync = on; alter system set full_page_writes = on; select pg_reload_conf()";
        findings.push(wrong(
            "durability",
            "fsync or full_page_writes is off: a crash loses acknowledged ids",
            fix,
        ));
    }
    if text("synchronous_commit") == "off" {
        let fix = "set synchronous_commit = on";
        findings.push(wrong(
            "durability",
            "synchronous_commit is off: a crash loses acknowledged writes",
            fix,
        ));
    }
    if matches!(config.database, DatabaseConfig::External(_)) {
        findings.push(if text("synchronous_standby_names").is_empty() {
            warning(
                "synchronous standby",
                "none is configured: a failover may lose acknowledged writes, and users may get other ids",
                "configure synchronous replication (Patroni synchronous_mode, CloudNativePG dataDurability: required)",
            )
        } else {
            fine("synchronous standby", text("synchronous_standby_names"))
        });
        findings.push(if is("caller_can_write_audit") || text("owner") == text("caller") {
            warning(
                "roles",
                "one role for all: the audit log is not tamper-proof",
                "rollcall migrate --roles-sql | psql, then use rollcall_app in database-uri",
            )
        } else {
            fine("roles", format!("{} cannot change the audit log", text("caller")))
        });
    }
    let strays = report.get("audit_default_rows").and_then(Value::as_i64).unwrap_or(0);
    if strays > 0 {
        let evidence = format!("{strays} rows are outside the monthly partitions");
        findings.push(warning(
            "audit partitions",
            evidence,
            "check that a replica of role all is running",
        ));
    }
    findings
}

async fn headroom(db: &Database) -> Vec<Finding> {
    match db.id_headroom().await {
        Ok(pools) => pools
            .iter()
            .map(|pool| {
                let evidence = format!(
                    "{} of {} numbers are left for {}s",
                    pool.remaining, pool.size, pool.pool
                );
                let setting = if pool.pool == "user" {
                    "user-provisioning-max-uid"
                } else {
                    "group-provisioning-max-gid"
                };
                if pool.remaining == 0 {
                    wrong("id headroom", evidence, format!("raise {setting}"))
                } else if pool.remaining < pool.size / 10 {
                    warning("id headroom", evidence, format!("raise {setting}"))
                } else {
                    fine("id headroom", evidence)
                }
            })
            .collect(),
        Err(error) => vec![wrong("id headroom", error.to_string(), "rollcall migrate")],
    }
}

async fn tokens(db: &Database) -> Vec<Finding> {
    let list = match db.token_list(false).await {
        Ok(list) => list,
        Err(error) => return vec![wrong("tokens", error.to_string(), "rollcall migrate")],
    };
    let now = Timestamp::now();
    let mut findings: Vec<_> = list
        .iter()
        .filter_map(|token| {
            let left = token.expires_at?.duration_since(now);
            let fix = format!(
                "rollcall token generate {:?}, then revoke {}",
                token.name, token.public_id
            );
            if left.is_negative() {
                Some(warning(
                    "tokens",
                    format!("{:?} ({}) has expired", token.name, token.public_id),
                    fix,
                ))
            } else if left < SOON {
                let evidence = format!("{:?} expires in {} days", token.name, left.as_hours() / 24);
                Some(warning("tokens", evidence, fix))
            } else {
                None
            }
        })
        .collect();
    if findings.is_empty() {
        findings.push(fine("tokens", format!("{} valid", list.len())));
    }
    findings
}

async fn invariants(db: &Database) -> Finding {
    match db.check_invariants().await {
        Ok(violations) if violations.is_empty() => fine("invariants", "all hold"),
        Ok(violations) => {
            let (first, subject) = &violations[0];
            let evidence = format!("{} violations, the first: {first} ({subject})", violations.len());
            wrong("invariants", evidence, "keep a backup, and report this as a defect")
        }
        Err(Error::TooMuchWork) => warning(
            "invariants",
            "not checked: the database is too large for one statement",
            "run it at a quiet time",
        ),
        Err(error) => wrong("invariants", error.to_string(), "rollcall migrate"),
    }
}
