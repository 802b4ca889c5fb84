//! `rollcall user import` and `rollcall group import`: reads a file, looks at all of it, then writes, in this order.

mod apply;
mod directory;
mod report;
mod source;

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use rollcall::config::Config;
use rollcall::db::{Database, Origin};
use rollcall::scim::schema::ResourceType;
use rollcall::transfer::{Fault, Format, Rules, circles, held_by_themselves};
use uuid::Uuid;

use super::output::{Form, Output};
use super::progress::{Unit, bar};
use super::{Misconfigured, Refused, session};
use apply::{Work, Written};
use report::Report;

/// Conflicts, and warnings, that a report lists for people: more than anybody reads.
const LISTED: i32 = 1_000;

/// The same for scripts: some 30 MB of memory.
const LISTED_AS_JSON: i32 = 100_000;

/// A format as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// passwd(5), or what `getent passwd` prints.
    Passwd,
    /// group(5), or what `getent group` prints.
    Group,
    /// Comma-separated values; the first line names the columns.
    Csv,
    /// LDIF: entries of posixAccount, posixGroup and groupOfNames.
    Ldif,
    /// SCIM resources.
    Json,
}

impl FileFormat {
    pub(crate) fn format(self) -> Format {
        match self {
            Self::Passwd => Format::Passwd,
            Self::Group => Format::Group,
            Self::Csv => Format::Csv,
            Self::Ldif => Format::Ldif,
            Self::Json => Format::Json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file; - reads standard input.
    #[arg(required_unless_present = "ldap_uri", conflicts_with = "ldap_uri")]
    file: Option<PathBuf>,
    /// What the file is.
    #[arg(long, value_enum, required_unless_present = "ldap_uri")]
    format: Option<FileFormat>,
    /// Look and report; write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Only records with numbers in this range, as 1000-60000: leaves out the local accounts in the output of getent.
    #[arg(long, value_name = "LOW-HIGH", value_parser = range)]
    ids: Option<(u32, u32)>,
    /// Make userNames of POSIX names by putting @DOMAIN behind them, as the identity provider will send them.
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    domain: Option<String>,
    /// Leave members out who are nobody, with a warning each, instead of refusing the file.
    #[arg(long)]
    skip_unknown_members: bool,
    /// List so many conflicts and so many warnings; all are counted. By default 1000 in a table and 100000 in JSON.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1_000_000))]
    list: Option<i32>,
    #[command(flatten)]
    directory: directory::Directory,
    #[command(flatten)]
    form: Form,
}

pub(crate) async fn run(config: &Config, resource: ResourceType, arguments: Arguments) -> anyhow::Result<()> {
    check_format(resource, arguments.format)?;
    let rules = Rules {
        resource,
        user_name_rule: rollcall::http::state::user_name_rule(&config.provisioning.user_name_rule)?,
        domain: arguments.domain.clone(),
        ssh_key_options: config.provisioning.ssh_key_options,
        ids: arguments.ids.map(|(low, high)| i64::from(low)..=i64::from(high)),
    };
    let form = arguments.form;
    let report = session::with(config, async |db| {
        let import = Uuid::now_v7();
        let origin = Origin {
            path: "import",
            ..session::origin()
        };
        db.import_begin(import, &origin).await?;
        let outcome = work(db, import, &origin, &rules, &arguments).await;
        // What cannot be cleared away now is cleared by the next import.
        let _ = db.import_end(import).await;
        outcome
    })
    .await?;
    form.print(&report, Report::text)?;
    match (report.conflicts, report.refused) {
        (0, _) => Ok(()),
        (1, 0) => Err(Refused("one conflict: nothing was written".into()).into()),
        (many, 0) => Err(Refused(format!("{many} conflicts: nothing was written")).into()),
        (_, records) => Err(Refused(format!(
            "left out: {records}, of whom somebody took a name or number while the file was imported; the others stand: settle these \
             and start the import again"
        ))
        .into()),
    }
}

fn check_format(resource: ResourceType, format: Option<FileFormat>) -> anyhow::Result<()> {
    let wrong = match resource {
        ResourceType::User => FileFormat::Group,
        ResourceType::Group => FileFormat::Passwd,
    };
    if format == Some(wrong) {
        return Err(Misconfigured("a passwd file holds users and a group file groups".into()).into());
    }
    Ok(())
}

async fn work(
    db: &Database,
    import: Uuid,
    origin: &Origin,
    rules: &Rules,
    arguments: &Arguments,
) -> anyhow::Result<Report> {
    let began = Instant::now();
    let most = arguments.list.unwrap_or(match arguments.form.output {
        Output::Table => LISTED,
        Output::Json => LISTED_AS_JSON,
    });
    let most_listed = usize::try_from(most).unwrap_or_default();
    let mut read = match (&arguments.file, arguments.format) {
        (Some(file), Some(format)) => source::stage(db, import, rules, file, format.format(), most_listed).await?,
        _ => arguments.directory.stage(db, import, rules, most_listed).await?,
    };
    let looking = bar("checking", Unit::Rows, None);
    let (faults, total) = db
        .import_check(import, rules.resource, arguments.skip_unknown_members, most)
        .await?;
    read.conflicts += total;
    read.faults.extend(faults);
    if let Some(fault) = db.import_headroom(import, rules.resource).await? {
        read.conflicts += 1;
        read.faults.push(fault);
    }
    let (differences, differing) = db.import_differences(import, rules.resource, most).await?;
    let (mut warnings, mut warned) = (std::mem::take(&mut read.warnings), read.warned + differing);
    warnings.extend(differences);
    if rules.resource == ResourceType::Group {
        if arguments.skip_unknown_members {
            let (unknown, total) = db.import_unknown_members(import, most).await?;
            warned += total;
            warnings.extend(unknown);
        }
        let nestings = db.import_nesting(import).await?;
        let (own, circles) = (held_by_themselves(&nestings), circles(&nestings));
        read.conflicts += own.len() as u64;
        read.faults.extend(own);
        warned += circles.len() as u64;
        warnings.extend(circles);
    }
    let staged = db.import_count(import, rules.resource).await?;
    looking.finish_and_clear();
    if staged.rows == 0 && read.passed_over == 0 && read.conflicts == 0 {
        warned += 1;
        let what = if rules.resource == ResourceType::User {
            "user"
        } else {
            "group"
        };
        warnings.push(Fault::of_line(
            1,
            format!("no {what} was found: is it the right file, base or filter?"),
        ));
    }
    let written = if read.conflicts > 0 || arguments.dry_run {
        Written::default()
    } else {
        let work = Work {
            db,
            import,
            origin,
            resource: rules.resource,
        };
        work.apply(staged).await?
    };
    read.conflicts += written.conflicts;
    read.faults.extend(written.faults);
    for list in [&mut read.faults, &mut warnings] {
        list.sort_by_key(|fault| fault.line);
        list.truncate(most_listed);
    }
    let was_written = read.conflicts == written.conflicts && !arguments.dry_run;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Report {
        resource: rules.resource.name(),
        dry_run: arguments.dry_run,
        records: staged.rows,
        passed_over: read.passed_over,
        // Whoever was made by somebody else meanwhile, just as the file has him, is there too.
        present: if was_written {
            staged.rows - written.created - written.refused
        } else {
            staged.present
        },
        created: written.created,
        changed: written.changed,
        refused: written.refused,
        in_soft_ranges: staged.soft,
        conflicts: read.conflicts,
        faults: read.faults,
        warned,
        warnings,
        seconds,
        rows_per_second: staged.rows as f64 / seconds.max(0.001),
    })
}

fn domain(text: &str) -> Result<String, String> {
    let is_one = !text.is_empty() && !text.contains(|character: char| character == '@' || character.is_whitespace());
    if is_one {
        Ok(text.to_owned())
    } else {
        Err("what stands behind the @, as example.org".to_owned())
    }
}

fn range(text: &str) -> Result<(u32, u32), String> {
    let parse = || {
        let (low, high) = text.split_once('-')?;
        let range = (low.parse().ok()?, high.parse().ok()?);
        (range.0 <= range.1).then_some(range)
    };
    parse().ok_or_else(|| "two numbers with a hyphen between them, as 1000-60000".to_owned())
}
