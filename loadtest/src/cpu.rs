//! CPU time and memory of processes on this machine, from `/proc` (proc(5)): what an operation costs, whoever else runs.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, bail};

/// Clock ticks per second in `/proc/PID/stat`; Linux reports 100 on every architecture it runs on today.
const TICKS: u64 = 100;

/// Processes to watch, by the name they have in reports.
#[derive(Debug, Clone, Default)]
pub struct Watched(Vec<(String, u32)>);

impl Watched {
    /// From arguments as `service=1234`. Raises what has another form.
    pub fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let parse = |argument: &String| {
            let (name, pid) = argument
                .split_once('=')
                .with_context(|| format!("{argument}: expected NAME=PID"))?;
            Ok((
                name.to_owned(),
                pid.parse().with_context(|| format!("{pid}: not a process id"))?,
            ))
        };
        Ok(Self(arguments.iter().map(parse).collect::<anyhow::Result<_>>()?))
    }

    /// Their names and process ids.
    pub fn processes(&self) -> &[(String, u32)] {
        &self.0
    }

    /// CPU time that each has used so far with all of its children, living and reaped, in microseconds, and this
    /// process's own as `loadtest`. Raises a process that is gone.
    pub fn cpu_us(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let table = process_table()?;
        let own = [("loadtest".to_owned(), std::process::id())];
        let mut used = BTreeMap::new();
        for (name, pid) in self.0.iter().chain(&own) {
            if !table.contains_key(pid) {
                bail!("process {pid} ({name}) is gone");
            }
            used.insert(name.clone(), tree_ticks(*pid, &table) * (1_000_000 / TICKS));
        }
        Ok(used)
    }
}

/// What `/proc/PID/stat` says of one process, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usage {
    parent: u32,
    own: u64,
    reaped: u64,
}

fn process_table() -> anyhow::Result<HashMap<u32, Usage>> {
    let mut table = HashMap::new();
    for entry in std::fs::read_dir("/proc")
        .context("this needs Linux's /proc")?
        .flatten()
    {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end between the listing and the reading.
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(usage) = parse(&stat) {
            table.insert(pid, usage);
        }
    }
    Ok(table)
}

/// The fields after the command, which is in parentheses and may hold anything.
fn parse(stat: &str) -> Option<Usage> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Usage {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        reaped: ticks(13)? + ticks(14)?,
    })
}

fn tree_ticks(root: u32, table: &HashMap<u32, Usage>) -> u64 {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, usage) in table {
        children.entry(usage.parent).or_default().push(*pid);
    }
    let (mut total, mut open) = (0, vec![root]);
    while let Some(pid) = open.pop() {
        total += table.get(&pid).map_or(0, |usage| usage.own + usage.reaped);
        open.extend(children.remove(&pid).unwrap_or_default());
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_blanks_and_parentheses_is_skipped() {
        let stat = "12 (a) b (c)) S 7 1 1 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0";
        let expected = Usage {
            parent: 7,
            own: 120,
            reaped: 7,
        };
        assert_eq!(parse(stat), Some(expected));
        assert_eq!(parse("12 (a"), None);
    }

    #[test]
    fn children_count_and_strangers_do_not() {
        let usage = |parent, own| Usage { parent, own, reaped: 1 };
        let table = HashMap::from([
            (1, usage(0, 5)),
            (2, usage(1, 10)),
            (3, usage(2, 20)),
            (9, usage(0, 99)),
        ]);
        assert_eq!(tree_ticks(1, &table), 38);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let watched = Watched::parse(&[format!("me={}", std::process::id())]).unwrap();
        assert!(watched.cpu_us().unwrap().contains_key("me"));
        assert!(Watched::parse(&["me".to_owned()]).is_err());
    }
}
