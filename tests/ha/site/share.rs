//! Shares of the processors. Hosts that lie on one machine get one each (a control group, cgroups(7)): the work of one host may slow
//! down its own programs, not those of the others, as it would not if they were machines.
//!
//! Without them the kernel deals by session, and each backend of PostgreSQL is one: a busy primary takes nearly everything.

use std::path::{Path, PathBuf};

use crate::harness::children::Running;

/// What begins the name of a group: the variable holds the run's own.
const RUN: &str = "ROLLCALL_HA_SHARES";

/// How large a share is: for version 1 and version 2 the file and what it holds for one host.
const WEIGHT: [(&str, u32); 2] = [("cpu.shares", 1024), ("cpu.weight", 100)];

/// How many times a host's share those have who are not to be slowed down by what is tested: the balancers and the clients, which
/// have little to do and no processors to spare for it here.
const BYSTANDER: u32 = 10;

/// A host's share; nothing where no group can be made.
pub struct Share(Option<PathBuf>);

impl Share {
    /// The share of `host`, new or, after a program has been started again, as it was.
    pub fn of(host: &str) -> Self {
        Self::weighing(host, 1)
    }

    /// The same for one who only stands by.
    pub fn of_bystander(name: &str) -> Self {
        Self::weighing(name, BYSTANDER)
    }

    fn weighing(host: &str, times: u32) -> Self {
        let (Some(root), Ok(run)) = (root(), std::env::var(RUN)) else {
            return Self(None);
        };
        let group = root.join(format!("{run}-{host}"));
        if !group.is_dir() && std::fs::create_dir(&group).is_err() {
            return Self(None);
        }
        for (file, weight) in WEIGHT {
            let file = group.join(file);
            if file.exists() {
                std::fs::write(file, (times * weight).to_string()).unwrap();
            }
        }
        Self(Some(group))
    }

    /// Gives a program its place in it, with all that it starts from now on.
    pub fn take_in(&self, program: &Running) {
        let Some(group) = &self.0 else { return };
        // A container may let groups be made that nobody can be put into: the run goes on as where none can be made.
        if let Err(error) = std::fs::write(group.join("cgroup.procs"), program.id().to_string()) {
            println!("no share of the processors for {}: {error}", group.display());
        }
    }

    /// The same for this process, whose threads can leave it by [`join_alone`](Self::join_alone): where they cannot (version 2) it
    /// stays where it is.
    pub fn join(&self) {
        self.write("cgroup.procs");
    }

    /// The same for the calling thread and those it starts, where single threads can be told apart.
    pub fn join_alone(&self) {
        self.write("tasks");
    }

    /// Zero is whoever writes.
    fn write(&self, file: &str) {
        let Some(group) = self.0.as_ref().filter(|group| group.join("tasks").exists()) else {
            return;
        };
        std::fs::write(group.join(file), "0").unwrap_or_else(|error| panic!("{}: {error}", group.display()));
    }

    /// Whether there is one.
    pub fn is_real(&self) -> bool {
        self.0.is_some()
    }
}

/// A new run: the variable that tells its name to what runs in it, and the name.
pub fn new_run() -> (&'static str, String) {
    (RUN, format!("rollcall-ha-{}", uuid::Uuid::new_v4().simple()))
}

/// Removes the groups of a run that has ended.
pub fn clean(run: &str) {
    let groups = root().and_then(|root| std::fs::read_dir(root).ok());
    for group in groups.into_iter().flatten().flatten() {
        if group.file_name().to_string_lossy().starts_with(run) {
            let _ = std::fs::remove_dir(group.path());
        }
    }
}

/// Where groups with a share of the processors are made: of version 1, or of version 2 where it deals them out.
fn root() -> Option<&'static Path> {
    let (first, second) = (Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup"));
    if first.join("cpu.shares").exists() || first.join("tasks").exists() {
        return Some(first);
    }
    let dealt = std::fs::read_to_string(second.join("cgroup.subtree_control")).ok()?;
    dealt.split_whitespace().any(|word| word == "cpu").then_some(second)
}
