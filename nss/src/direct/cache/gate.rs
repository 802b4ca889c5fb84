//! Keeps forks and look-ups in the cache apart.
//!
//! What moka throws away is freed when no thread can still look at it, told by a register of all threads of the process. A thread that
//! is in there at the moment of a fork is in the child's register for ever, though it does not exist: nothing would be freed any more. So a fork waits
//! until nobody is inside, which takes microseconds, and whoever wants to go in waits for the fork. Neither waits for ever: a
//! fork in a signal handler may have interrupted the very thread that it would wait for.

use crate::foreign::around_fork;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

/// Longest wait of a fork for the cache, and of the cache for a fork.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// Threads in the cache.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Forks under way.
static FORKS: AtomicUsize = AtomicUsize::new(0);
static REGISTERED: AtomicBool = AtomicBool::new(false);

/// A thread in the cache, until it is dropped.
pub(super) struct Inside;

impl Drop for Inside {
    fn drop(&mut self) {
        leave();
    }
}

/// Goes in, when no fork is under way.
pub(super) fn enter() -> Inside {
    if !REGISTERED.swap(true, SeqCst) {
        around_fork(before, in_parent, in_child);
    }
    let mut begun = None;
    loop {
        INSIDE.fetch_add(1, SeqCst);
        if FORKS.load(SeqCst) == 0 || is_over(&mut begun) {
            return Inside;
        }
        leave();
        std::thread::yield_now();
    }
}

/// Never below zero: a child begins with nobody inside, even if its one thread was.
fn leave() {
    let _ = INSIDE.fetch_update(SeqCst, SeqCst, |inside| inside.checked_sub(1));
}

fn is_over(begun: &mut Option<Instant>) -> bool {
    begun.get_or_insert_with(Instant::now).elapsed() > WAIT_MAX
}

extern "C" fn before() {
    FORKS.fetch_add(1, SeqCst);
    let mut begun = None;
    while INSIDE.load(SeqCst) != 0 && !is_over(&mut begun) {
        std::thread::yield_now();
    }
}

extern "C" fn in_parent() {
    let _ = FORKS.fetch_update(SeqCst, SeqCst, |forks| forks.checked_sub(1));
}

extern "C" fn in_child() {
    FORKS.store(0, SeqCst);
    INSIDE.store(0, SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_waits_for_who_is_inside_and_nobody_for_ever() {
        let inside = enter();
        let started = Instant::now();
        before();
        assert!(started.elapsed() >= WAIT_MAX, "somebody is inside");
        // As whoever else comes now: he waits for the fork, and then not any more.
        let started = Instant::now();
        let late = enter();
        assert!(started.elapsed() >= WAIT_MAX);
        in_child();
        drop((inside, late));
        let started = Instant::now();
        drop(enter());
        before();
        in_parent();
        assert!(started.elapsed() < WAIT_MAX, "nobody is inside");
    }
}
