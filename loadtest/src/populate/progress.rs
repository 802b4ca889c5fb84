//! How far a populate has come: a file to take it up again, and a line for people.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// How often the file and the line are written.
const EVERY: Duration = Duration::from_millis(500);

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    population: String,
    users: u64,
    groups: u64,
}

/// Which kind of resource is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Users come first.
    Users,
    /// Groups need them.
    Groups,
}

/// The state of one populate.
#[derive(Debug)]
pub struct Progress {
    file: Option<PathBuf>,
    mark: Mark,
    ahead: BTreeSet<(u64, u64)>,
    written: Instant,
    began: Instant,
    began_at: u64,
}

impl Progress {
    /// Takes up the work that the file tells of. Raises a file that belongs to another population.
    pub fn open(file: Option<PathBuf>, population: &str) -> anyhow::Result<Self> {
        let mut mark = Mark {
            population: population.to_owned(),
            ..Mark::default()
        };
        if let Some(file) = file.as_ref().filter(|file| file.exists()) {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let stored: Mark = serde_json::from_str(&text).with_context(|| format!("{}: damaged", file.display()))?;
            anyhow::ensure!(
                stored.population == mark.population,
                "{} belongs to the population {:?}; delete it to start anew",
                file.display(),
                stored.population
            );
            mark = stored;
        }
        let now = Instant::now();
        Ok(Self {
            file,
            began_at: mark.users + mark.groups,
            mark,
            ahead: BTreeSet::new(),
            written: now,
            began: now,
        })
    }

    /// All resources of this kind below this index are there.
    pub fn done(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Users => self.mark.users,
            Kind::Groups => self.mark.groups,
        }
    }

    /// The resources from `first` to before `end` are there; chunks may be told in any order.
    pub fn add(&mut self, kind: Kind, first: u64, end: u64, of: u64) -> anyhow::Result<()> {
        self.ahead.insert((first, end));
        let mut mark = self.done(kind);
        while let Some(&(first, end)) = self.ahead.first().filter(|(first, _)| *first <= mark) {
            mark = mark.max(end);
            self.ahead.remove(&(first, end));
        }
        match kind {
            Kind::Users => self.mark.users = mark,
            Kind::Groups => self.mark.groups = mark,
        }
        if self.written.elapsed() >= EVERY || mark >= of {
            self.written = Instant::now();
            self.write(kind, of)?;
        }
        Ok(())
    }

    fn write(&self, kind: Kind, of: u64) -> anyhow::Result<()> {
        if let Some(file) = &self.file {
            // A rename is atomic: an interrupted run leaves the old file or the new one.
            let fresh = file.with_extension("new");
            std::fs::write(&fresh, serde_json::to_string(&self.mark)?)?;
            std::fs::rename(&fresh, file)?;
        }
        let done = self.done(kind);
        let made = (self.mark.users + self.mark.groups - self.began_at) as f64;
        let rate = made / self.began.elapsed().as_secs_f64().max(0.001);
        let name = if kind == Kind::Users { "users" } else { "groups" };
        let end = if done >= of { "\n" } else { "" };
        // Nobody may be watching.
        let _ = write!(std::io::stderr(), "\r{name} {done} of {of}, {rate:.0}/s {end}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_complete_from_the_start_counts_as_done() {
        let mut progress = Progress::open(None, "1/").unwrap();
        progress.add(Kind::Users, 10, 20, 100).unwrap();
        assert_eq!(progress.done(Kind::Users), 0);
        progress.add(Kind::Users, 0, 10, 100).unwrap();
        assert_eq!(progress.done(Kind::Users), 20);
    }

    #[test]
    fn a_run_is_taken_up_where_the_file_says_and_for_the_same_population_only() {
        let file = std::env::temp_dir().join(format!("rollcall-progress-{}", std::process::id()));
        let mut progress = Progress::open(Some(file.clone()), "1/").unwrap();
        progress.add(Kind::Users, 0, 100, 100).unwrap();
        progress.add(Kind::Groups, 0, 7, 7).unwrap();
        let again = Progress::open(Some(file.clone()), "1/").unwrap();
        assert_eq!((again.done(Kind::Users), again.done(Kind::Groups)), (100, 7));
        assert!(Progress::open(Some(file.clone()), "2/").is_err());
        std::fs::remove_file(file).unwrap();
    }
}
