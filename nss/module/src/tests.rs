//! Tests of the boundary to C: what is refused at once, and what happens when the full module cannot be had.

use super::*;
use rollcall_nss::lookup::status;

#[expect(clippy::used_underscore_items, reason = "glibc wants these names")]
#[test]
fn a_name_that_nobody_can_have_is_not_found_without_any_state() {
    let mut entry: passwd = unsafe { std::mem::zeroed() };
    let mut buffer = [0; 64];
    for name in [c"root", c"", c"pam_unix_non_existent:", c"a\nb"] {
        let mut errno = 0;
        let status =
            unsafe { _nss_pwb_getpwnam_r(name.as_ptr(), &raw mut entry, buffer.as_mut_ptr(), 64, &raw mut errno) };
        assert_eq!((status, errno), (status::NOTFOUND, libc::ENOENT), "{name:?}");
    }
}

#[test]
fn success_leaves_errno_alone_and_null_is_no_place_for_it() {
    let mut errno = 77;
    assert_eq!((finish(Outcome::Found, &raw mut errno), errno), (status::SUCCESS, 77));
    assert_eq!(finish(Outcome::NotFound, core::ptr::null_mut()), status::NOTFOUND);
}

#[test]
fn without_the_full_module_nobody_can_know() {
    static FULL: Entry<extern "C" fn() -> c_int> = Entry::new();
    let mut errno = 0;
    let mut ask = || unsafe { in_full(&FULL, c"_nss_pwb_setpwent", &raw mut errno, |_| 1) };
    assert_eq!(
        ask(),
        status::TRYAGAIN,
        "another root folder than the one remembered: none"
    );
    full::remember_root();
    assert_eq!(ask(), status::TRYAGAIN, "no full module beside the test program");
    assert_eq!(errno, libc::EAGAIN);
}
