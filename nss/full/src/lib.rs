//! `libnss_pwb_full.so`: the same entry points as the module's, for what the shared map alone cannot answer; the module calls them.
//!
//! Each entry runs with cancellation disabled and panics caught; status and errno follow the table of the glibc contract (README §3).
#![cfg_attr(not(test), deny(clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

use libc::{c_char, c_int, c_long, gid_t, group, passwd, size_t, spwd, uid_t};
use rollcall_nss::enumeration::Walk;
use rollcall_nss::fill::{Buffer, append_gids, fill_group, fill_passwd, fill_shadow};
use rollcall_nss::lookup::status;
use rollcall_nss::lookup::{Outcome, State, by_key, initgroups, shadow};
use rollcall_nss::map::Database;
use rollcall_nss::page;
use rollcall_nss::record::Key;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

const CANCEL_DISABLE: c_int = 1;

#[cfg(not(test))]
#[used]
#[unsafe(link_section = ".init_array")]
static PREPARE: extern "C" fn() = prepare;

/// Runs when the object is loaded, before any thread can fork around it.
#[cfg(not(test))]
extern "C" fn prepare() {
    page::prepare();
    // The hook belongs to this object's own copy of the standard library: the host's panics, if it is Rust, are not silenced.
    std::panic::set_hook(Box::new(|_| {}));
}

/// Runs `body` with the process' state and says how it went, to glibc and in `*errnop`.
fn enter(errnop: *mut c_int, body: impl FnOnce(&State) -> Outcome) -> c_int {
    // `errnop` is errno itself, which the body's system calls change.
    // SAFETY: glibc passes a valid pointer.
    let before = unsafe { errnop.as_ref() }.copied().unwrap_or(0);
    let mut cancel = 0;
    // SAFETY: plain call; the old state goes to a local.
    unsafe { pthread_setcancelstate(CANCEL_DISABLE, &raw mut cancel) };
    let run = || page::state().map_or(Outcome::NoMemory, body);
    let (code, errno) = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => outcome.status_and_errno(),
        Err(_) => (status::UNAVAIL, Some(libc::EAGAIN)),
    };
    // SAFETY: as above.
    unsafe { pthread_setcancelstate(cancel, std::ptr::null_mut()) };
    // SAFETY: as above.
    if let Some(place) = unsafe { errnop.as_mut() } {
        *place = errno.unwrap_or(before);
    }
    code
}

/// The bytes of a C string; empty, which is nobody's name, for NULL.
unsafe fn name_of<'a>(name: *const c_char) -> &'a [u8] {
    // SAFETY: glibc passes NULL or a string that outlives the call.
    if name.is_null() {
        b""
    } else {
        unsafe { CStr::from_ptr(name) }.to_bytes()
    }
}

/// `getpwnam_r`.
///
/// # Safety
/// As `nss.h` says: valid pointers, `buffer` of `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getpwnam_r(
    name: *const c_char,
    result: *mut passwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { name_of(name) };
    enter(errnop, |state| {
        by_key(state, &Key::UserName(name), &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { fill_passwd(record, result, Buffer::new(buffer, length)) }
        })
    })
}

/// `getpwuid_r`.
///
/// # Safety
/// As [`_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getpwuid_r(
    uid: uid_t,
    result: *mut passwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    enter(errnop, |state| {
        by_key(state, &Key::Uid(uid), &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { fill_passwd(record, result, Buffer::new(buffer, length)) }
        })
    })
}

/// `getgrnam_r`.
///
/// # Safety
/// As [`_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getgrnam_r(
    name: *const c_char,
    result: *mut group,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { name_of(name) };
    enter(errnop, |state| {
        by_key(state, &Key::GroupName(name), &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { fill_group(record, result, Buffer::new(buffer, length)) }
        })
    })
}

/// `getgrgid_r`.
///
/// # Safety
/// As [`_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getgrgid_r(
    gid: gid_t,
    result: *mut group,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    enter(errnop, |state| {
        by_key(state, &Key::Gid(gid), &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { fill_group(record, result, Buffer::new(buffer, length)) }
        })
    })
}

/// `getspnam_r`.
///
/// # Safety
/// As [`_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getspnam_r(
    name: *const c_char,
    result: *mut spwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { name_of(name) };
    enter(errnop, |state| {
        shadow(state, name, &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { fill_shadow(record, result, Buffer::new(buffer, length)) }
        })
    })
}

/// `initgroups_dyn`: appends to the caller's malloc'ed array of gids, never past `limit` when that is positive.
///
/// # Safety
/// As `nss.h` says: `groupsp` points to a malloc'ed array of `*size` gids, of which `*start` are used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_initgroups_dyn(
    user: *const c_char,
    primary: gid_t,
    start: *mut c_long,
    size: *mut c_long,
    groupsp: *mut *mut gid_t,
    limit: c_long,
    errnop: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let user = unsafe { name_of(user) };
    enter(errnop, |state| {
        initgroups(state, user, &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { append_gids(record, primary, start, size, groupsp, limit) }
        })
    })
}

const PASSWD: usize = 0;
const GROUP: usize = 1;
const SHADOW: usize = 2;

fn rewind(walk: usize) -> c_int {
    let mut ignored = 0;
    enter(&raw mut ignored, |state| {
        if let Some(walk) = state.walks.get(walk) {
            *walk.lock().unwrap_or_else(PoisonError::into_inner) = Walk::Start;
        }
        Outcome::Found
    })
}

/// `setpwent`: always rewinds.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_setpwent(_stay_open: c_int) -> c_int {
    rewind(PASSWD)
}

/// `endpwent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_endpwent() -> c_int {
    rewind(PASSWD)
}

/// `setgrent`: always rewinds.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_setgrent(_stay_open: c_int) -> c_int {
    rewind(GROUP)
}

/// `endgrent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_endgrent() -> c_int {
    rewind(GROUP)
}

/// `setspent`: always rewinds.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_setspent(_stay_open: c_int) -> c_int {
    rewind(SHADOW)
}

/// `endspent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_endspent() -> c_int {
    rewind(SHADOW)
}

fn step(errnop: *mut c_int, index: usize, next: impl FnOnce(&mut Walk, &State) -> Outcome) -> c_int {
    enter(errnop, |state| {
        let Some(walk) = state.walks.get(index) else {
            return Outcome::CannotKnow;
        };
        next(&mut walk.lock().unwrap_or_else(PoisonError::into_inner), state)
    })
}

/// `getpwent_r`.
///
/// # Safety
/// As [`_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getpwent_r(
    result: *mut passwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    step(errnop, PASSWD, |walk, state| {
        walk.next(state, Database::Passwd, &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { fill_passwd(record, result, Buffer::new(buffer, length)) }
        })
    })
}

/// `getgrent_r`.
///
/// # Safety
/// As [`_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getgrent_r(
    result: *mut group,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    step(errnop, GROUP, |walk, state| {
        walk.next(state, Database::Group, &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { fill_group(record, result, Buffer::new(buffer, length)) }
        })
    })
}

/// `getspent_r`.
///
/// # Safety
/// As [`_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getspent_r(
    result: *mut spwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    step(errnop, SHADOW, |walk, state| {
        walk.next_shadow(state, &mut |record| {
            // SAFETY: the caller's promise.
            unsafe { fill_shadow(record, result, Buffer::new(buffer, length)) }
        })
    })
}

#[cfg(test)]
mod tests;
