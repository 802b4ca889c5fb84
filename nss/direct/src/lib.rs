//! `libnss_pwb_direct.so`: the direct mode behind the C table that the module loads (`rollcall_nss::plugin`).
//!
//! An object of its own, because HTTP and TLS would cost every cold process that the shared map serves (README §6).
#![deny(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use rollcall_nss::config::parse;
use rollcall_nss::direct::{Caller, Direct};
use rollcall_nss::plugin::{API_VERSION, Answer, Api, Question, Sink};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

static API: Api = Api {
    version: API_VERSION,
    open,
    ask,
};

/// Hands out the table of functions.
#[unsafe(no_mangle)]
pub extern "C" fn rollcall_direct_api() -> *const Api {
    &raw const API
}

#[used]
#[unsafe(link_section = ".init_array")]
static PREPARE: extern "C" fn() = prepare;

/// The module writes nothing anywhere, panics included; the hook belongs to this object's own copy of the standard library.
extern "C" fn prepare() {
    std::panic::set_hook(Box::new(|_| {}));
}

extern "C" fn open(config: *const u8, length: usize) -> *mut c_void {
    let made = catch_unwind(|| {
        // SAFETY: the module passes the bytes of the configuration file, valid during this call.
        let text = unsafe { std::slice::from_raw_parts(config, length) };
        let (config, _) = parse(&String::from_utf8_lossy(text));
        Box::into_raw(Box::new(Direct::new(config))).cast::<c_void>()
    });
    made.unwrap_or(std::ptr::null_mut())
}

extern "C" fn ask(
    handle: *mut c_void,
    question: u32,
    text: *const u8,
    length: usize,
    id: u32,
    mode: i32,
    sink: Sink,
    context: *mut c_void,
) -> i32 {
    let answer = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: a handle from `open`, which is never freed.
        let direct = unsafe { handle.cast::<Direct>().as_ref() };
        // SAFETY: the module's promise: valid during this call; an empty slice has a dangling but not null pointer.
        let text = if length == 0 {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(text, length) }
        };
        let (Some(direct), Some(question)) = (direct, Question::from_number(question)) else {
            return Answer::Unknown;
        };
        let caller = Caller {
            admin: mode & 1 != 0,
            offline: mode & 2 != 0,
        };
        direct.ask(question, text, id, caller, &mut |is_cursor, bytes| {
            sink(context, i32::from(is_cursor), bytes.as_ptr(), bytes.len());
        })
    }));
    answer.unwrap_or(Answer::Unknown).code()
}
