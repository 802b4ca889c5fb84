//! The C libraries below samael print what they dislike to standard error, where strangers could write log lines. This file
//! alone speaks to them, to have that stopped.

use std::ffi::{c_int, c_void};
use std::ptr;

/// `xmlStructuredErrorFunc` of libxml2.
type ErrorFunction = unsafe extern "C" fn(user_data: *mut c_void, error: *mut c_void);

unsafe extern "C" {
    fn xmlSetStructuredErrorFunc(context: *mut c_void, handler: Option<ErrorFunction>);
    fn xmlSecErrorsDefaultCallbackEnableOutput(enabled: c_int);
}

/// Takes an error and says nothing; the caller learns of it by what the library returns.
unsafe extern "C" fn ignore(_: *mut c_void, _: *mut c_void) {}

/// Silences both libraries; libxml2's setting belongs to the thread, so every thread calls this before it verifies.
pub(super) fn silence() {
    // SAFETY: both functions store their argument and may be called at any time, before the libraries are initialised
    // too; `ignore` has the C type that libxml2 asks for and is there for as long as the process.
    unsafe {
        xmlSetStructuredErrorFunc(ptr::null_mut(), Some(ignore));
        xmlSecErrorsDefaultCallbackEnableOutput(0);
    }
}
