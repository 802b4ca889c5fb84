//! Calls into libc that no safe interface offers: loading the object with the direct mode, two variables of systemd's, a quiet open, the
//! clock, signals, what is to be done around a fork.
#![expect(
    unsafe_code,
    reason = "dlopen and calls through the object's table of functions, secure_getenv, openat, clock_gettime, signal, pthread_atfork"
)]

use crate::plugin::{API_SYMBOL, API_VERSION, Answer, Api, OBJECT, Question};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::ffi::{CStr, CString, c_char, c_void};
use std::os::fd::{FromRawFd, OwnedFd};

unsafe extern "C" {
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// Our own units: what they start must not wait for us.
const OWN_UNITS: [&[u8]; 3] = [
    b"rollcall.service",
    b"rollcall-node.service",
    b"rollcall-nss-conf.service",
];

/// The object, loaded, with a handle made from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Direct {
    api: &'static Api,
    handle: *mut c_void,
}

// SAFETY: the object locks what it keeps behind the handle; the table is constant.
unsafe impl Send for Direct {}
// SAFETY: as above.
unsafe impl Sync for Direct {}

type Each<'a> = &'a mut dyn FnMut(bool, &[u8]);

impl Direct {
    /// Loads the object that lies beside this one. None when there is none, or it is of another version.
    pub fn load(config: &[u8]) -> Option<Self> {
        let path = object_path()?;
        // SAFETY: an absolute path below the folder from which the loader took this object.
        let object = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL | libc::RTLD_NODELETE) };
        if object.is_null() {
            return None;
        }
        // SAFETY: a handle from dlopen and a C string.
        let symbol = unsafe { libc::dlsym(object, API_SYMBOL.as_ptr()) };
        if symbol.is_null() {
            return None;
        }
        // SAFETY: the object's function of that name has this signature in all versions.
        let api = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn() -> *const Api>(symbol)() };
        // SAFETY: it hands out a pointer to a static, the object is never unloaded; the version comes first in all versions.
        let api = unsafe { api.as_ref() }.filter(|api| api.version == API_VERSION)?;
        let handle = (api.open)(config.as_ptr(), config.len());
        (!handle.is_null()).then_some(Self { api, handle })
    }

    /// Asks. `offline`: answer from the cache only. `each` gets (is it the next cursor, bytes).
    pub fn ask(self, question: Question, text: &[u8], id: u32, admin: bool, offline: bool, each: Each<'_>) -> Answer {
        let mut context = each;
        let context = (&raw mut context).cast::<c_void>();
        let mode = i32::from(admin) | i32::from(offline) << 1;
        let ask = self.api.ask;
        Answer::from_code(ask(
            self.handle,
            question as u32,
            text.as_ptr(),
            text.len(),
            id,
            mode,
            sink,
            context,
        ))
    }
}

extern "C" fn sink(context: *mut c_void, is_cursor: i32, bytes: *const u8, length: usize) {
    // SAFETY: the context made in `ask`, which is still waiting for this call to return.
    let each = unsafe { &mut *context.cast::<Each<'_>>() };
    // SAFETY: the object's promise: valid during this call.
    let bytes = if bytes.is_null() {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(bytes, length) }
    };
    // A panic must not cross the boundary; what it leaves behind is an answer without a record.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| each(is_cursor != 0, bytes)));
}

/// `<folder of this object>/libnss_pwb_direct.so`.
fn object_path() -> Option<CString> {
    // SAFETY: all-zero is a valid Dl_info.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    let own: extern "C" fn(*mut c_void, i32, *const u8, usize) = sink;
    // SAFETY: an address inside this object, and a place for the answer.
    let found = unsafe { libc::dladdr(own as *const c_void, &raw mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader's string; it lives as long as this object.
    let own = unsafe { CStr::from_ptr(info.dli_fname) }.to_str().ok()?;
    let (folder, _) = own.rsplit_once('/').filter(|_| own.starts_with('/'))?;
    CString::new(format!("{folder}/{OBJECT}")).ok()
}

/// Whether systemd asks modules not to wait for others (dbus-daemon and the like), or this process is started by one of our own units.
pub fn bypassed() -> bool {
    // SAFETY: a C string; the answer is NULL or a string of the environment, and NULL in privileged programs.
    let bypass = unsafe { secure_getenv(c"SYSTEMD_NSS_DYNAMIC_BYPASS".as_ptr()) };
    // SAFETY: as above.
    let unit = unsafe { secure_getenv(c"SYSTEMD_ACTIVATION_UNIT".as_ptr()) };
    // SAFETY: a string of the environment, read at once.
    !bypass.is_null() || (!unit.is_null() && OWN_UNITS.contains(&unsafe { CStr::from_ptr(unit) }.to_bytes()))
}

/// Opens what exists at `path`. No cancellation point, errno stays as it was, and nothing in here can panic, which rustix' own `open` might as far
/// as the compiler knows: with a panic would come the unwinder, and 300 KB, into every process.
pub fn open_existing(path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    // SAFETY: errno's place, always valid.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { *place };
    // SAFETY: a C string and plain numbers.
    let answer = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags.bits(), 0) };
    match i32::try_from(answer) {
        // SAFETY: a fresh descriptor.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => {
            // SAFETY: as above.
            let errno = unsafe { std::mem::replace(&mut *place, before) };
            // Within the range that the kernel keeps for them: rustix asserts it.
            Err(Errno::from_raw_os_error(errno.clamp(1, 4095)))
        }
    }
}

/// The time of `clock`, in ns. Through libc, which has found the vDSO already; looking for it costs a cold process more than the whole look-up.
pub fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a place for the answer; an unknown clock leaves it as it is.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    let [seconds, nanos] = [now.tv_sec, now.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Has `before` called before each fork of this process, by the thread that forks, and `parent` and `child` after it in either.
pub fn around_fork(before: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: functions of an object that is never unloaded. Without memory for them there are none, which the caller can live with.
    unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) };
}

/// Makes SIGTERM and SIGINT end this process at once with status 0: as the first process of a container it would ignore them
/// otherwise. Nothing is left to put away, the map goes on answering.
pub fn end_on_signals() {
    extern "C" fn end(_: libc::c_int) {
        // SAFETY: `_exit` may be called in a signal handler (signal-safety(7)).
        unsafe { libc::_exit(0) }
    }
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler is a function of the right type that calls nothing but `_exit`.
        unsafe { libc::signal(signal, end as *const () as libc::sighandler_t) };
    }
}
