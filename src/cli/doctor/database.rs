//! The database: whether it answers, its roles, schema, durability, standbys, clock and invariants.

use jiff::{SignedDuration, Timestamp};
use rollcall::config::{Config, Database as DatabaseConfig, Role};
use rollcall::db::{Database, migrate};
use rollcall::error::Error;
use serde_json::Value;

use super::{Finding, fine, warning, wrong};
use crate::cli::session;

/// Clocks further apart than this break tokens and assertions.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

pub(super) async fn look(config: &Config, db: &Database) -> Vec<Finding> {
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
        Err(error @ Error::Unavailable { .. }) => {
            let evidence = match cause(config).await {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            };
            let fix = "check database-uri, that PostgreSQL runs there, and that it lets this role in from here";
            findings.push(wrong("database", evidence, fix));
            return findings;
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
    findings.push(invariants(db).await);
    findings
}

/// Why a connection can't be made now; `None` when one can, or when it takes too long to say.
async fn cause(config: &Config) -> Option<String> {
    let addresses = session::addresses(config, None).ok()?;
    let fault = addresses.primary.as_ref()?.fault();
    let outcome = tokio::time::timeout(config.database.settings().connect_timeout, fault).await;
    outcome.ok()?
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
    let nameless = report.get("nameless_primary_gids").and_then(Value::as_i64).unwrap_or(0);
    if nameless > 0 {
        findings.push(warning(
            "primary groups",
            format!("{nameless} users have a primary gid that is no group's: nodes show its number"),
            "rollcall group import the file with these groups; the numbers are kept for them",
        ));
    }
    let retired = report.get("retired_primary_gids").and_then(Value::as_i64).unwrap_or(0);
    if retired > 0 {
        findings.push(warning(
            "primary groups",
            format!("{retired} users have the gid of a deleted group as their primary one"),
            "nothing has to be done: the number is never given again, and is shown without a name after posix-retain-deleted days",
        ));
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

/// The standby behind `database-read-uri`: whether it answers, is one, and how far it trails.
pub(super) async fn standby(config: &Config) -> Option<Finding> {
    let check = "standby";
    let DatabaseConfig::External(external) = &config.database else {
        return None;
    };
    external.read_uri.as_ref()?;
    let fix = "check database-read-uri, its host and the role rollcall_read";
    let status = async {
        let addresses = session::addresses(config, None)?;
        let settings = session::pools(&config.database);
        let db = Database::new(None, addresses.standby.as_ref(), settings, session::options(config))?;
        let status = db.read_status().await;
        db.close();
        anyhow::Ok(status?)
    };
    Some(match status.await {
        Err(error) => wrong(check, format!("database-read-uri: {error:#}"), fix),
        Ok(status) if !status.in_recovery => fine(
            check,
            "database-read-uri leads to a primary: reads are as fresh as writes",
        ),
        Ok(status) => {
            let bound = config.database.settings().read_staleness.as_secs_f64();
            let lag = status.lag.unwrap_or_default();
            if lag > bound {
                let evidence =
                    format!("it trails by {lag:.0} s, more than database-read-staleness allows ({bound:.0} s)");
                let fix =
                    "select * from pg_stat_replication on the primary; look at the network and the standby's disk";
                warning(check, evidence, fix)
            } else {
                fine(check, format!("it trails by {lag:.1} s"))
            }
        }
    })
}
