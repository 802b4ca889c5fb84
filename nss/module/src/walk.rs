//! The entry points of enumeration: all of them the full module's, which holds the cursors.

use super::{Next, in_full};
use crate::full::Entry;
use core::ffi::CStr;
use core::ptr::null_mut;
use libc::{c_char, c_int, group, passwd, size_t, spwd};

/// `set…ent`.
fn start(entry: &Entry<extern "C" fn(c_int) -> c_int>, symbol: &CStr, stay_open: c_int) -> c_int {
    // SAFETY: all functions of this kind have that type.
    unsafe { in_full(entry, symbol, null_mut(), |entry| entry(stay_open)) }
}

/// `end…ent`.
fn end(entry: &Entry<extern "C" fn() -> c_int>, symbol: &CStr) -> c_int {
    // SAFETY: all functions of this kind have that type.
    unsafe { in_full(entry, symbol, null_mut(), |entry| entry()) }
}

/// `setpwent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_setpwent(stay_open: c_int) -> c_int {
    static FULL: Entry<extern "C" fn(c_int) -> c_int> = Entry::new();
    start(&FULL, c"_nss_pwb_setpwent", stay_open)
}

/// `endpwent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_endpwent() -> c_int {
    static FULL: Entry<extern "C" fn() -> c_int> = Entry::new();
    end(&FULL, c"_nss_pwb_endpwent")
}

/// `setgrent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_setgrent(stay_open: c_int) -> c_int {
    static FULL: Entry<extern "C" fn(c_int) -> c_int> = Entry::new();
    start(&FULL, c"_nss_pwb_setgrent", stay_open)
}

/// `endgrent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_endgrent() -> c_int {
    static FULL: Entry<extern "C" fn() -> c_int> = Entry::new();
    end(&FULL, c"_nss_pwb_endgrent")
}

/// `setspent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_setspent(stay_open: c_int) -> c_int {
    static FULL: Entry<extern "C" fn(c_int) -> c_int> = Entry::new();
    start(&FULL, c"_nss_pwb_setspent", stay_open)
}

/// `endspent`.
#[unsafe(no_mangle)]
pub extern "C" fn _nss_pwb_endspent() -> c_int {
    static FULL: Entry<extern "C" fn() -> c_int> = Entry::new();
    end(&FULL, c"_nss_pwb_endspent")
}

/// `getpwent_r`.
///
/// # Safety
/// As [`super::_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getpwent_r(
    result: *mut passwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    static FULL: Entry<Next<passwd>> = Entry::new();
    // SAFETY: the caller's promise.
    unsafe {
        in_full(&FULL, c"_nss_pwb_getpwent_r", errnop, |entry| {
            entry(result, buffer, length, errnop)
        })
    }
}

/// `getgrent_r`.
///
/// # Safety
/// As [`super::_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getgrent_r(
    result: *mut group,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    static FULL: Entry<Next<group>> = Entry::new();
    // SAFETY: the caller's promise.
    unsafe {
        in_full(&FULL, c"_nss_pwb_getgrent_r", errnop, |entry| {
            entry(result, buffer, length, errnop)
        })
    }
}

/// `getspent_r`.
///
/// # Safety
/// As [`super::_nss_pwb_getpwnam_r`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _nss_pwb_getspent_r(
    result: *mut spwd,
    buffer: *mut c_char,
    length: size_t,
    errnop: *mut c_int,
) -> c_int {
    static FULL: Entry<Next<spwd>> = Entry::new();
    // SAFETY: the caller's promise.
    unsafe {
        in_full(&FULL, c"_nss_pwb_getspent_r", errnop, |entry| {
            entry(result, buffer, length, errnop)
        })
    }
}
