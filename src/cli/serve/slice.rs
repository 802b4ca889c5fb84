//! Short slices: threads that do a little at a time ask the scheduler to be let at it soon, and to be asked again soon.

/// How long a thread works before another may go (sched(7)): Linux' shortest. Its own is some milliseconds, which is what one request
/// in a hundred then waits for where all processors are busy; the work of a request takes a hundredth of that.
const SLICE_NS: u64 = 100_000;

/// Gives the calling thread short slices, for which it needs no privilege. Before Linux 6.12, and for a thread that somebody has put
/// under another policy, nothing changes. Children of this process have slices of the usual length.
pub(in crate::cli) fn shorten() {
    // SAFETY: both calls only read what the kernel knows of the calling thread.
    let (policy, nice) = unsafe { (libc::sched_getscheduler(0), libc::getpriority(libc::PRIO_PROCESS, 0)) };
    if policy != libc::SCHED_OTHER {
        return;
    }
    let attributes = libc::sched_attr {
        size: u32::try_from(size_of::<libc::sched_attr>()).unwrap_or(0),
        sched_policy: libc::SCHED_OTHER as u32,
        sched_flags: libc::SCHED_FLAG_RESET_ON_FORK as u64,
        sched_nice: nice,
        sched_priority: 0,
        sched_runtime: SLICE_NS,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the kernel reads `size` bytes of the attributes, which live through the call.
    let code = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    if code != 0 {
        tracing::debug!(error = %std::io::Error::last_os_error(), "the slices of this thread are not shortened");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    /// The calling thread's slice in nanoseconds, as the kernel tells it; `None` where it does not.
    fn slice() -> Option<u64> {
        let told = fs::read_to_string("/proc/thread-self/sched").ok()?;
        let line = told.lines().find(|line| line.starts_with("se.slice"))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Linux since 6.12.
    fn lets_threads_choose() -> bool {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let numbers: Vec<u32> = release.split(['.', '-']).map_while(|part| part.parse().ok()).collect();
        numbers >= vec![6, 12]
    }

    #[test]
    fn a_thread_gets_short_slices_and_keeps_its_niceness() {
        std::thread::spawn(|| {
            rustix::process::setpriority_process(None, 5).unwrap();
            super::shorten();
            assert_eq!(rustix::process::getpriority_process(None).unwrap(), 5);
            match slice() {
                Some(slice) if lets_threads_choose() => assert_eq!(slice, super::SLICE_NS),
                _ => eprintln!("skipped: this kernel does not tell or does not change a thread's slice"),
            }
        })
        .join()
        .unwrap();
    }
}
