//! Who has used the processors: the run, or others on the same machine. Times under overload say nothing where others took part.

use std::fs::DirEntry;

/// Processor time until now, in ticks.
pub(super) struct Machine {
    /// Of all programs on the machine; what interrupts and the hypervisor took is nobody's.
    busy: u64,
    /// All there was.
    all: u64,
    /// Of the run, which is alone in its process table.
    own: u64,
}

impl Machine {
    /// What it is now.
    pub(super) fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/stat").unwrap();
        // proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal.
        let line = stat.lines().next().unwrap();
        let ticks: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .take(8)
            .map(|field| field.parse().unwrap())
            .collect();
        let all = ticks.iter().sum::<u64>();
        let is_process = |entry: &DirEntry| entry.file_name().to_string_lossy().parse::<u32>().is_ok();
        let processes = std::fs::read_dir("/proc").unwrap().flatten().filter(is_process);
        let own = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
        Self {
            busy: ticks[..3].iter().sum(),
            all,
            own: own.map(|stat| used(&stat)).sum(),
        }
    }

    /// The share of the machine that others have used since.
    pub(super) fn share_of_others(&self) -> f64 {
        let now = Self::now();
        let busy = now.busy.saturating_sub(self.busy);
        let own = now.own.saturating_sub(self.own);
        busy.saturating_sub(own) as f64 / now.all.saturating_sub(self.all).max(1) as f64
    }
}

/// The time of a process and of its children that have ended, the fields 14 to 17 (`proc_pid_stat`(5)).
fn used(stat: &str) -> u64 {
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}
