//! Resident memory of a process, from `/proc/PID/status` (proc(5)).

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// In MiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Resident {
    /// `VmRSS`: now.
    pub now: f64,
    /// `VmHWM`: at its highest.
    pub highest: f64,
}

/// What a process holds. Raises one that is gone.
pub fn of(pid: u32) -> anyhow::Result<Resident> {
    let text =
        std::fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    parse(&text).with_context(|| format!("process {pid} has no memory of its own"))
}

fn parse(status: &str) -> Option<Resident> {
    let mebibytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some((kibibytes / 1_024.0 * 10.0).round() / 10.0)
    };
    Some(Resident {
        now: mebibytes("VmRSS:")?,
        highest: mebibytes("VmHWM:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kibibytes_become_mebibytes() {
        let status = "Name:\tx\nVmHWM:\t  131072 kB\nVmRSS:\t   65536 kB\n";
        let expected = Resident {
            now: 64.0,
            highest: 128.0,
        };
        assert_eq!(parse(status), Some(expected));
        assert_eq!(parse("Name:\tkthreadd\n"), None);
    }
}
