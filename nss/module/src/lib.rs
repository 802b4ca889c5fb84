//! `libnss_pwb.so.2`: the entry points that glibc calls, `_nss_pwb_*`. Answers from the shared map, and has the full module answer the rest.
//!
//! Every process that asks for a user loads this object, most of them for one look-up. So it needs nothing of the standard library: no allocation, no
//! lock, no thread-local, no descriptor kept, and nothing that could panic, hence no unwinder (README §6). Status and errno are those of README §3.
#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod current;
mod full;
mod local;
mod walk;

use core::ffi::CStr;
use current::Current;
use full::Entry;
use libc::{c_char, c_int, c_long, gid_t, group, passwd, size_t, spwd, uid_t};
use local::Local;
use rollcall_nss::clock::now_ms;
use rollcall_nss::fill::{Buffer, append_gids, fill_group, fill_passwd};
use rollcall_nss::lookup::{Outcome, in_map, is_possible};
use rollcall_nss::map::{MAP_PATH, Map};
use rollcall_nss::record::{Key, Record};

static CURRENT: Current = Current::new();
static LOCAL: Local = Local::new();
/// Where local accounts are.
const PASSWD_PATH: &CStr = c"/etc/passwd";

#[cfg(not(test))]
#[used]
#[unsafe(link_section = ".init_array")]
static PREPARE: extern "C" fn() = prepare;

/// Runs when the module is loaded.
#[cfg(not(test))]
extern "C" fn prepare() {
    full::remember_root();
}

/// Says how it went, to glibc and in `*errnop`.
fn finish(outcome: Outcome, errnop: *mut c_int) -> c_int {
    let (code, errno) = outcome.status_and_errno();
    // SAFETY: glibc passes a valid pointer.
    if let (Some(errno), Some(place)) = (errno, unsafe { errnop.as_mut() }) {
        *place = errno;
    }
    code
}

/// The answer of the map for `key`, given by `fill`. None = ask the full module.
#[inline]
fn in_current(key: &Key<'_>, errnop: *mut c_int, fill: impl Fn(&Record<'_>) -> Outcome) -> Option<c_int> {
    let outcome = if is_possible(key) {
        CURRENT.read(MAP_PATH, |map| answer(map, key, &fill))??
    } else {
        Outcome::NotFound
    };
    Some(finish(outcome, errnop))
}

/// What `map` says, or that nobody can tell: while the service is down a new process is not to load the full module to learn that.
#[inline]
fn answer(map: &Map, key: &Key<'_>, fill: impl Fn(&Record<'_>) -> Outcome) -> Option<Outcome> {
    match in_map(map, key, fill) {
        Some(Outcome::Broken) => None,
        None => map.nobody_can_tell(now_ms()).then_some(Outcome::CannotKnow),
        known => known,
    }
}

/// What the full module answers: `call` is given its entry point `symbol`.
///
/// # Safety
/// `F` is that entry point's type.
#[cold]
unsafe fn in_full<F: Copy>(
    entry: &Entry<F>,
    symbol: &CStr,
    errnop: *mut c_int,
    call: impl FnOnce(F) -> c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { entry.get(symbol) } {
        Some(function) => call(function),
        None => finish(Outcome::CannotKnow, errnop),
    }
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

type ByName<T> = unsafe extern "C" fn(*const c_char, *mut T, *mut c_char, size_t, *mut c_int) -> c_int;
type ById<T> = unsafe extern "C" fn(u32, *mut T, *mut c_char, size_t, *mut c_int) -> c_int;
type Next<T> = unsafe extern "C" fn(*mut T, *mut c_char, size_t, *mut c_int) -> c_int;
type Initgroups =
    unsafe extern "C" fn(*const c_char, gid_t, *mut c_long, *mut c_long, *mut *mut gid_t, c_long, *mut c_int) -> c_int;

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
    static FULL: Entry<ByName<passwd>> = Entry::new();
    // SAFETY: the caller's promise, here and below.
    let key = Key::UserName(unsafe { name_of(name) });
    let fill = |record: &Record<'_>| unsafe { fill_passwd(record, result, Buffer::new(buffer, length)) };
    in_current(&key, errnop, fill).unwrap_or_else(|| unsafe {
        in_full(&FULL, c"_nss_pwb_getpwnam_r", errnop, |entry| {
            entry(name, result, buffer, length, errnop)
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
    static FULL: Entry<ById<passwd>> = Entry::new();
    // SAFETY: the caller's promise, here and below.
    let fill = |record: &Record<'_>| unsafe { fill_passwd(record, result, Buffer::new(buffer, length)) };
    in_current(&Key::Uid(uid), errnop, fill).unwrap_or_else(|| unsafe {
        in_full(&FULL, c"_nss_pwb_getpwuid_r", errnop, |entry| {
            entry(uid, result, buffer, length, errnop)
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
    static FULL: Entry<ByName<group>> = Entry::new();
    // SAFETY: the caller's promise, here and below.
    let key = Key::GroupName(unsafe { name_of(name) });
    let fill = |record: &Record<'_>| unsafe { fill_group(record, result, Buffer::new(buffer, length)) };
    in_current(&key, errnop, fill).unwrap_or_else(|| unsafe {
        in_full(&FULL, c"_nss_pwb_getgrnam_r", errnop, |entry| {
            entry(name, result, buffer, length, errnop)
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
    static FULL: Entry<ById<group>> = Entry::new();
    // SAFETY: the caller's promise, here and below.
    let fill = |record: &Record<'_>| unsafe { fill_group(record, result, Buffer::new(buffer, length)) };
    in_current(&Key::Gid(gid), errnop, fill).unwrap_or_else(|| unsafe {
        in_full(&FULL, c"_nss_pwb_getgrgid_r", errnop, |entry| {
            entry(gid, result, buffer, length, errnop)
        })
    })
}

/// `getspnam_r`: never from the map.
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
    static FULL: Entry<ByName<spwd>> = Entry::new();
    if !rustix::process::geteuid().is_root() {
        return finish(Outcome::Denied, errnop);
    }
    // SAFETY: the caller's promise.
    unsafe {
        in_full(&FULL, c"_nss_pwb_getspnam_r", errnop, |entry| {
            entry(name, result, buffer, length, errnop)
        })
    }
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
    static FULL: Entry<Initgroups> = Entry::new();
    // SAFETY: the caller's promise, here and below.
    let name = unsafe { name_of(user) };
    let append = |record: &Record<'_>| unsafe { append_gids(record, primary, start, size, groupsp, limit) };
    let key = Key::UserName(name);
    let local = if is_possible(&key) {
        LOCAL.contains(PASSWD_PATH, name, now_ms())
    } else {
        Some(false)
    };
    let quick = match local {
        Some(true) => Some(finish(Outcome::NotFound, errnop)),
        Some(false) => in_current(&key, errnop, append),
        None => None,
    };
    quick.unwrap_or_else(|| unsafe {
        in_full(&FULL, c"_nss_pwb_initgroups_dyn", errnop, |entry| {
            entry(user, primary, start, size, groupsp, limit, errnop)
        })
    })
}

#[cfg(test)]
mod tests;
