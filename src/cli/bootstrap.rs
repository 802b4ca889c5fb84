//! `rollcall bootstrap`: makes what a file asks for and is missing or different; so does `serve` at its start.

mod apply;
mod report;
mod settings;
mod tokens;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use rollcall::bootstrap::{Bootstrap, Fault, MAX_BYTES};
use rollcall::config::{Collision, Config};
use rollcall::db::{Database, Origin, Turn};
use rollcall::error::Error;
use serde_json::json;

use super::output::{Form, table};
use super::{Misconfigured, Refused, session};
use apply::Work;
use report::Report;

/// How often a process that waits for its turn looks again.
const LOOK: Duration = Duration::from_millis(250);

/// Longest wait for the turn: what another replica may need for a whole file.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file (TOML); without it the one that the setting bootstrap-file names.
    file: Option<PathBuf>,
    /// Look and report; write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    form: Form,
}

pub(crate) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let file = arguments.file.as_ref().or(config.provisioning.bootstrap_file.as_ref());
    let file = file.ok_or_else(|| Misconfigured("name a file, or set bootstrap-file".into()))?;
    let bootstrap = match read(file) {
        Err(error) => {
            if let Some(Faulty { faults, .. }) = error.downcast_ref() {
                arguments.form.print(&json!({"faults": faults}), |_| listed(faults))?;
                return Err(Misconfigured(format!("{} is not applied: nothing was changed", file.display())).into());
            }
            return Err(error);
        }
        Ok(bootstrap) => bootstrap,
    };
    let report = session::with(config, async |db| {
        let origin = Origin {
            path: "bootstrap",
            ..session::origin()
        };
        apply(config, db, &bootstrap, arguments.dry_run, origin).await
    })
    .await?;
    arguments.form.print(&report, Report::text)?;
    match report.conflicts {
        0 => Ok(()),
        1 => Err(Refused("one entry is in conflict; the others hold".into()).into()),
        many => Err(Refused(format!("{many} entries are in conflict; the others hold")).into()),
    }
}

/// A file that is not applied.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", path.display(), faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub(crate) struct Faulty {
    path: PathBuf,
    faults: Vec<Fault>,
}

fn listed(faults: &[Fault]) -> String {
    let row = |fault: &Fault| vec![fault.line.to_string(), fault.message.clone()];
    table(&["LINE", "FAULT"], &faults.iter().map(row).collect::<Vec<_>>())
}

/// Reads a bootstrap file. Raises all that is wrong with it, with the lines.
pub(crate) fn read(path: &Path) -> anyhow::Result<Bootstrap> {
    let open = || -> std::io::Result<Vec<u8>> {
        use std::io::Read as _;
        let mut text = Vec::new();
        // One byte more than may be there, so that a file that is too long is told from one that just fits.
        let most = u64::try_from(MAX_BYTES + 1).unwrap_or(u64::MAX);
        std::fs::File::open(path)?.take(most).read_to_end(&mut text)?;
        Ok(text)
    };
    let text = open().map_err(|error| Misconfigured(format!("cannot read {}: {error}", path.display())))?;
    Bootstrap::parse(&text).map_err(|faults| {
        let path = path.to_owned();
        Faulty { path, faults }.into()
    })
}

/// What `serve` does with the file: tries until a database answers, and logs what is in conflict. A line that no longer fits
/// what is in the database must not keep the service down.
pub(crate) async fn at_start(config: &Config, db: &Database, bootstrap: &Bootstrap) {
    let origin = || Origin {
        actor: "service".to_owned(),
        path: "bootstrap",
        request_id: uuid::Uuid::new_v4().simple().to_string(),
        address: None,
    };
    let report = loop {
        match apply(config, db, bootstrap, false, origin()).await {
            Ok(report) => break report,
            Err(error) if matches!(error.downcast_ref(), Some(Error::Unavailable { .. })) => {
                tracing::warn!("the bootstrap file waits for the database");
                tokio::time::sleep(LOOK).await;
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the bootstrap file could not be applied");
                return;
            }
        }
    };
    for entry in report.conflicting() {
        // Names are personal: the line of the file says who it is.
        tracing::error!(
            line = entry.line,
            "an entry of the bootstrap file is in conflict: see rollcall bootstrap --dry-run"
        );
    }
    for entry in report.kept_otherwise() {
        tracing::warn!(
            line = entry.line,
            "an entry of the bootstrap file stays other than the file says: see rollcall bootstrap --dry-run"
        );
    }
    let (made, changed, conflicts) = (report.made, report.changed, report.conflicts);
    tracing::info!(made, changed, conflicts, "the bootstrap file is applied");
}

/// Makes what is missing or different, in this process's turn. Raises what ends the whole run: no database, a defect.
async fn apply(
    config: &Config,
    db: &Database,
    bootstrap: &Bootstrap,
    dry_run: bool,
    origin: Origin,
) -> anyhow::Result<Report> {
    let _turn = if dry_run { None } else { Some(turn(db).await?) };
    let work = Work {
        db,
        origin,
        dry_run,
        rule: rollcall::http::state::user_name_rule(&config.provisioning.user_name_rule)?,
        rule_text: &config.provisioning.user_name_rule,
        ssh_key_options: config.provisioning.ssh_key_options,
        suffix: config.provisioning.collision == Collision::Suffix,
    };
    work.run(bootstrap).await
}

async fn turn(db: &Database) -> anyhow::Result<Turn> {
    let wait = async {
        loop {
            if let Some(turn) = db.bootstrap_turn().await? {
                return anyhow::Ok(turn);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .context("another process is applying a bootstrap file")?
}
