//! The full module, `rollcall/libnss_pwb_full.so` beside this one: loaded at the first question that the shared map does not answer.

use core::ffi::{CStr, c_void};
use core::marker::PhantomData;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicPtr, AtomicU64};
use libc::c_int;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

const CANCEL_DISABLE: c_int = 1;
/// Where the full module is, seen from the folder of this one.
const OBJECT: &[u8] = b"rollcall/libnss_pwb_full.so\0";
/// Longest path, its NUL included, from which it is loaded.
const PATH_MAX: usize = 1024;

static HANDLE: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
/// Device and inode of the root folder that the process had when it loaded this module.
static ROOT: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// Device and inode of the process' root folder.
fn root() -> Option<[u64; 2]> {
    let meta = rustix::fs::stat(c"/").ok()?;
    Some([meta.st_dev, meta.st_ino])
}

/// Notes the root folder; to be called when this module is loaded.
pub(super) fn remember_root() {
    for (place, part) in ROOT.iter().zip(root().unwrap_or_default()) {
        place.store(part, Relaxed);
    }
}

/// An entry point of the full module, of type `F`, a function pointer.
pub(super) struct Entry<F> {
    found: AtomicPtr<c_void>,
    function: PhantomData<F>,
}

impl<F: Copy> Entry<F> {
    pub(super) const fn new() -> Self {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        Self {
            found: AtomicPtr::new(null_mut()),
            function: PhantomData,
        }
    }

    /// The entry point `symbol`. None = the full module cannot be loaded now.
    ///
    /// # Safety
    /// `F` is the type of the function with that name.
    pub(super) unsafe fn get(&self, symbol: &CStr) -> Option<F> {
        let mut found = self.found.load(Acquire);
        if found.is_null() {
            // SAFETY: a handle of dlopen and a C string.
            found = unsafe { libc::dlsym(load()?, symbol.as_ptr()) };
            self.found.store(found, Release);
        }
        // SAFETY: a function of that type, by the caller's promise; both are of a pointer's size.
        (!found.is_null()).then(|| unsafe { core::mem::transmute_copy(&found) })
    }
}

#[cold]
fn load() -> Option<*mut c_void> {
    let known = HANDLE.load(Acquire);
    if !known.is_null() {
        return Some(known);
    }
    // After chroot() the path would lead to somebody else's file.
    if root()? != [ROOT[0].load(Relaxed), ROOT[1].load(Relaxed)] {
        return None;
    }
    let mut path = [0; PATH_MAX];
    write_path(&mut path)?;
    let mut cancel = 0;
    // SAFETY: a C string below the folder from which the loader took this module; a thread must not be cancelled inside the loader.
    let handle = unsafe {
        pthread_setcancelstate(CANCEL_DISABLE, &raw mut cancel);
        let flags = libc::RTLD_NOW | libc::RTLD_LOCAL | libc::RTLD_NODELETE;
        let handle = libc::dlopen(path.as_ptr().cast(), flags);
        pthread_setcancelstate(cancel, null_mut());
        handle
    };
    HANDLE.store(handle, Release);
    (!handle.is_null()).then_some(handle)
}

/// The full module's path, from that of this object, which has to be absolute.
fn write_path(path: &mut [u8; PATH_MAX]) -> Option<()> {
    let own: fn() -> Option<*mut c_void> = load;
    // SAFETY: all-zero is a valid Dl_info.
    let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: an address inside this object, and a place for the answer.
    let found = unsafe { libc::dladdr(own as *const c_void, &raw mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader's string; it lives as long as this object.
    let name = unsafe { CStr::from_ptr(info.dli_fname) }.to_bytes();
    let slash = name.iter().rposition(|&byte| byte == b'/')?;
    let folder = name.get(..=slash).filter(|folder| folder.first() == Some(&b'/'))?;
    let mut places = path.iter_mut();
    for &byte in folder.iter().chain(OBJECT) {
        *places.next()? = byte;
    }
    Some(())
}
