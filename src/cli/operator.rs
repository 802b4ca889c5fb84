//! Who runs this command, as the kernel says it: the environment is his own to write.

use std::ffi::CStr;
use std::mem::MaybeUninit;

/// Most bytes that one record of an account may take.
const LONGEST_RECORD: usize = 64 * 1024;

/// The account name behind the real uid of this process; the number where no account has it, as in many containers.
pub(crate) fn name() -> String {
    // SAFETY: the call only reads the process's credentials and cannot fail.
    let uid = unsafe { libc::getuid() };
    account(uid).unwrap_or_else(|| uid.to_string())
}

fn account(uid: u32) -> Option<String> {
    let mut record = MaybeUninit::<libc::passwd>::uninit();
    let mut text = vec![0_u8; LONGEST_RECORD];
    let mut found = std::ptr::null_mut();
    // SAFETY: record, text and found live through the call, and the length is that of text.
    let code = unsafe {
        libc::getpwuid_r(
            uid,
            record.as_mut_ptr(),
            text.as_mut_ptr().cast(),
            text.len(),
            &raw mut found,
        )
    };
    if code != 0 || found.is_null() {
        return None;
    }
    // SAFETY: found is record, which the call has filled; its name is a C string inside text.
    let name = unsafe { CStr::from_ptr((*found).pw_name) };
    let name = name.to_str().ok()?;
    (!name.is_empty() && !name.contains(char::is_control)).then(|| name.to_owned())
}
