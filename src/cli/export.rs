//! `rollcall user export` and `rollcall group export`: files that can be imported again.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use rollcall::config::Config;
use rollcall::db::Moment;
use rollcall::scim::schema::ResourceType;
use rollcall::transfer::{Format, GroupLine, MemberName, Writer};

use super::import::FileFormat;
use super::whole_file::Growing;
use super::{Misconfigured, output, session};

/// Rows of a page.
const PAGE: i32 = 5_000;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to write. json holds all; csv leaves out SSH keys, the parts of names, titles, addresses and other profile data, and the
    /// types and labels of e-mail addresses; passwd and group hold what passwd(5) and group(5) do, members of groups at any depth.
    /// What is left out is told on standard error.
    #[arg(long, value_enum)]
    format: FileFormat,
    /// The file, readable by its owner alone; it is replaced when all is written. Without it, or with -, standard output.
    file: Option<PathBuf>,
}

pub(crate) async fn run(config: &Config, resource: ResourceType, arguments: Arguments) -> anyhow::Result<()> {
    let fits = match arguments.format {
        FileFormat::Ldif => false,
        FileFormat::Passwd => resource == ResourceType::User,
        FileFormat::Group => resource == ResourceType::Group,
        FileFormat::Csv | FileFormat::Json => true,
    };
    if !fits {
        return Err(
            Misconfigured("users are written as passwd, csv or json, groups as group, csv or json".into()).into(),
        );
    }
    let format = arguments.format.format();
    let file = arguments.file.as_deref().filter(|path| path.as_os_str() != "-");
    let Some(path) = file else {
        return output::unless_unread(write(config, resource, format, std::io::stdout()).await);
    };
    // What is no file, as a pipe or a terminal, can't be replaced by one.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        let device = OpenOptions::new().write(true).open(path);
        let device = device.with_context(|| format!("cannot write {}", path.display()))?;
        return output::unless_unread(write(config, resource, format, device).await);
    }
    let growing = Growing::begin(path)?;
    write(config, resource, format, growing.file()).await?;
    growing.complete()
}

async fn write(config: &Config, resource: ResourceType, format: Format, out: impl Write) -> anyhow::Result<()> {
    let shell = &config.provisioning.login_shell;
    let mut writer = Writer::new(format, resource, shell, BufWriter::new(out));
    let left_out = session::with(config, async |db| {
        let moment = db.moment().await?;
        writer.begin()?;
        match resource {
            ResourceType::User => users(&moment, &mut writer).await?,
            ResourceType::Group => groups(&moment, format, &mut writer).await?,
        }
        writer.end().map_err(Into::into)
    })
    .await?;
    if !left_out.is_empty() {
        output::complain(&format!(
            "left out, because this format cannot hold it: {left_out}; json holds all"
        ));
    }
    Ok(())
}

async fn users<W: Write>(moment: &Moment, writer: &mut Writer<W>) -> anyhow::Result<()> {
    let mut after = -1;
    loop {
        let page = moment.users(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.uid;
        for user in &page {
            writer.user(user)?;
        }
    }
}

async fn groups<W: Write>(moment: &Moment, format: Format, writer: &mut Writer<W>) -> anyhow::Result<()> {
    let mut after = -1;
    // Nodes see the private groups of users too; as resources they do not exist.
    let is_flat = format == Format::Group;
    loop {
        let page = moment.groups(after, PAGE, is_flat).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.gid;
        for group in &page {
            writer.group(group)?;
            if is_flat {
                flat_members(moment, group, writer).await?;
            } else {
                direct_members(moment, group, writer).await?;
            }
            writer.group_end()?;
        }
    }
}

async fn flat_members<W: Write>(moment: &Moment, group: &GroupLine, writer: &mut Writer<W>) -> anyhow::Result<()> {
    let names = moment.member_names(group.id).await?;
    let members = names.into_iter().map(|name| MemberName {
        id: group.id,
        name,
        number: 0,
        is_group: false,
    });
    Ok(writer.members(&members.collect::<Vec<_>>())?)
}

async fn direct_members<W: Write>(moment: &Moment, group: &GroupLine, writer: &mut Writer<W>) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = moment.members(group.id, after.as_ref(), PAGE).await?;
        writer.members(&page)?;
        after = match page.into_iter().next_back() {
            Some(last) => Some(last),
            None => return Ok(()),
        };
    }
}
