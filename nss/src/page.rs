//! The page that a forked child finds empty: all state of the module hangs off it. One of the two files with `mmap` and hence `unsafe`.
//!
//! A child of `fork()` must not go on with its parent's connection (replies cross over), nor with its parent's locks (their owners don't exist in
//! the child). `MADV_WIPEONFORK` makes the kernel clear the page in the child, so that it reads NULL and builds its own state; the parent's is
//! leaked there, with at most one descriptor. A child of `vfork()` shares the parent's memory and its page, which is right.
#![expect(unsafe_code, reason = "mmap, and a pointer that lives in the mapped page")]

use crate::lookup::State;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

const SIZE: usize = 4096;

static PAGE: AtomicPtr<AtomicPtr<State>> = AtomicPtr::new(std::ptr::null_mut());
/// Linux before 4.14 cannot wipe: then the pid tells a child.
static WIPES: AtomicBool = AtomicBool::new(false);

/// The page; made by [`prepare`] when the module is loaded, or here by whoever comes first.
fn page() -> Option<&'static AtomicPtr<State>> {
    let known = PAGE.load(Ordering::Acquire);
    // SAFETY: once set, the pointer refers to a page that is never unmapped.
    if let Some(page) = unsafe { known.as_ref() } {
        return Some(page);
    }
    let flags = MapFlags::PRIVATE;
    // SAFETY: a fresh mapping at an address of the kernel's choice, zeroed, hence a null AtomicPtr.
    let fresh =
        unsafe { mmap_anonymous(std::ptr::null_mut(), SIZE, ProtFlags::READ | ProtFlags::WRITE, flags) }.ok()?;
    // SAFETY: the page just mapped; the advice changes what a child sees, nothing here.
    let wipes = unsafe { madvise(fresh, SIZE, Advice::LinuxWipeOnFork) }.is_ok();
    let fresh = fresh.cast::<AtomicPtr<State>>();
    match PAGE.compare_exchange(std::ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => WIPES.store(wipes, Ordering::Release),
        Err(_) => {
            // SAFETY: another thread was faster; nobody has seen this page.
            let _ = unsafe { munmap(fresh.cast(), SIZE) };
        }
    }
    // SAFETY: as above.
    unsafe { PAGE.load(Ordering::Acquire).as_ref() }
}

/// Makes the page while the module is being loaded: a fork cannot catch that half-way.
pub fn prepare() {
    let _ = page();
}

/// This process' state, made at its first look-up. None = no memory.
pub fn state() -> Option<&'static State> {
    let page = page()?;
    let known = page.load(Ordering::Acquire);
    // SAFETY: states are never freed once they are in the page.
    if let Some(state) = unsafe { known.as_ref() }
        && (WIPES.load(Ordering::Acquire) || state.pid() == std::process::id())
    {
        return Some(state);
    }
    let fresh = Box::into_raw(Box::new(State::new()));
    match page.compare_exchange(known, fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: just published, never freed.
        Ok(_) => unsafe { fresh.as_ref() },
        Err(winner) => {
            // SAFETY: nobody has seen this one.
            drop(unsafe { Box::from_raw(fresh) });
            // SAFETY: as above: published by another thread of this process.
            unsafe { winner.as_ref() }
        }
    }
}
