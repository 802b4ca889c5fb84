//! Populating through files: what `rollcall user import` and `rollcall group import` read as CSV.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use super::Arguments;
use crate::population::Population;
use crate::population::groups::EVEN;

/// Writes `users.csv`, and `groups.csv` when there are groups. Users have numbers from `--start-uid` on, in their order.
/// Raises a folder that cannot be written, and users that even groups do not divide.
pub fn write(folder: &Path, population: &Population, arguments: &Arguments) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    write_users(open(folder, "users.csv")?, population, arguments)?;
    if arguments.groups > 0 {
        anyhow::ensure!(
            arguments.users > 0 && arguments.users.is_multiple_of(EVEN),
            "even groups need a multiple of {EVEN} users"
        );
        write_groups(open(folder, "groups.csv")?, population, arguments)?;
    }
    Ok(())
}

fn open(folder: &Path, name: &str) -> anyhow::Result<BufWriter<File>> {
    let path = folder.join(name);
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::new(file))
}

fn write_users(mut out: impl Write, population: &Population, arguments: &Arguments) -> anyhow::Result<()> {
    writeln!(out, "userName,posixUserName,posixUserId,displayName,emails,externalId")?;
    for index in 0..arguments.users {
        let user = population.user(index);
        let uid = arguments.start_uid + i64::try_from(index)?;
        let display_name = user.display_name().replace('"', "\"\"");
        writeln!(
            out,
            "{},{},{uid},\"{display_name}\",{},{}",
            user.user_name, user.posix_name, user.email, user.external_id
        )?;
    }
    Ok(out.flush()?)
}

fn write_groups(mut out: impl Write, population: &Population, arguments: &Arguments) -> anyhow::Result<()> {
    writeln!(out, "displayName,externalId,members")?;
    for index in 0..arguments.groups {
        let group = population.even_group(index, arguments.users);
        let names: Vec<String> = group
            .members
            .iter()
            .map(|member| population.user(*member).posix_name)
            .collect();
        writeln!(
            out,
            "{},{},\"{}\"",
            group.display_name,
            group.external_id,
            names.join(",")
        )?;
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn arguments(text: &str) -> Arguments {
        Line::try_parse_from(text.split(' ')).unwrap().arguments
    }

    #[test]
    fn every_user_has_a_line_with_his_name_and_number() {
        let mut out = Vec::new();
        let arguments = arguments("populate --files x --users 3 --start-uid 500");
        write_users(&mut out, &Population::new(1, ""), &arguments).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        let heads = lines[0].split(',').count();
        assert!(lines[1..].iter().all(|line| line.split(',').count() == heads), "{text}");
        assert!(lines[3].contains(&format!("{},502,", Population::new(1, "").user(2).posix_name)));
    }

    #[test]
    fn groups_name_their_members_as_the_users_file_does() {
        let mut out = Vec::new();
        let arguments = arguments("populate --files x --users 100 --groups 2");
        let population = Population::new(1, "");
        write_groups(&mut out, &population, &arguments).unwrap();
        let text = String::from_utf8(out).unwrap();
        let members = text.lines().nth(1).unwrap().split('"').nth(1).unwrap();
        assert_eq!(members.split(',').count() as u64, EVEN);
        let expected = population.user(population.even_group(0, 100).members[0]).posix_name;
        assert!(members.starts_with(&expected), "{members}");
    }

    #[test]
    fn users_that_even_groups_do_not_divide_are_refused() {
        let arguments = arguments("populate --files x --users 70 --groups 2");
        let folder = std::env::temp_dir().join(format!("rollcall-files-{}", std::process::id()));
        assert!(write(&folder, &Population::new(1, ""), &arguments).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
