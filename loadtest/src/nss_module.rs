//! The NSS module as a C library loads it: dlopen, and the entry points that glibc calls (nss(5)).

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::path::Path;

use anyhow::{Context, bail};
use libc::{gid_t, passwd, uid_t};

/// Bytes for the strings of a record; more than any record of a population needs.
const BUFFER: usize = 16 * 1024;

/// Most groups of a user that are read.
const GROUPS: c_long = 4_096;

/// `NSS_STATUS_SUCCESS`.
const SUCCESS: c_int = 1;

type ByName = unsafe extern "C" fn(*const c_char, *mut passwd, *mut c_char, usize, *mut c_int) -> c_int;
type ByUid = unsafe extern "C" fn(uid_t, *mut passwd, *mut c_char, usize, *mut c_int) -> c_int;
type Initgroups =
    unsafe extern "C" fn(*const c_char, gid_t, *mut c_long, *mut c_long, *mut *mut gid_t, c_long, *mut c_int) -> c_int;

/// A loaded module; never unloaded, as glibc does not either.
#[derive(Debug, Clone, Copy)]
pub struct NssModule {
    by_name: ByName,
    by_uid: ByUid,
    initgroups: Initgroups,
}

impl NssModule {
    /// Loads a file. Raises what dlopen says, and a missing entry point.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let path = CString::new(file.as_os_str().as_encoded_bytes())?;
        // SAFETY: a string that ends with NUL; the module's constructors are made for any process.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            // SAFETY: after a failure dlerror gives a string that lives until the next call, or NULL.
            let text = unsafe { libc::dlerror().as_ref().map(|text| std::ffi::CStr::from_ptr(text)) };
            bail!(
                "cannot load {}: {}",
                file.display(),
                text.unwrap_or_default().to_string_lossy()
            );
        }
        let symbol = |name: &std::ffi::CStr| -> anyhow::Result<*mut c_void> {
            // SAFETY: the handle is open, the name ends with NUL.
            let found = unsafe { libc::dlsym(handle, name.as_ptr()) };
            (!found.is_null())
                .then_some(found)
                .with_context(|| format!("{} has no {}", file.display(), name.to_string_lossy()))
        };
        let (by_name, by_uid) = (symbol(c"_nss_pwb_getpwnam_r")?, symbol(c"_nss_pwb_getpwuid_r")?);
        let initgroups = symbol(c"_nss_pwb_initgroups_dyn")?;
        // SAFETY: these are functions of the signatures that glibc's nss.h fixes for these names.
        unsafe {
            Ok(Self {
                by_name: std::mem::transmute::<*mut c_void, ByName>(by_name),
                by_uid: std::mem::transmute::<*mut c_void, ByUid>(by_uid),
                initgroups: std::mem::transmute::<*mut c_void, Initgroups>(initgroups),
            })
        }
    }

    /// `getpwnam`: the uid. Raises status and errno of anything but success.
    pub fn passwd_by_name(&self, name: &str) -> anyhow::Result<u32> {
        let name = CString::new(name)?;
        self.passwd(|module, record, buffer, errno| {
            // SAFETY: all pointers are valid for the call, the buffer has BUFFER bytes.
            unsafe { (module.by_name)(name.as_ptr(), record, buffer, BUFFER, errno) }
        })
    }

    /// `getpwuid`: the uid again. Raises status and errno of anything but success.
    pub fn passwd_by_uid(&self, uid: u32) -> anyhow::Result<u32> {
        self.passwd(|module, record, buffer, errno| {
            // SAFETY: as above.
            unsafe { (module.by_uid)(uid, record, buffer, BUFFER, errno) }
        })
    }

    fn passwd(&self, call: impl Fn(&Self, *mut passwd, *mut c_char, *mut c_int) -> c_int) -> anyhow::Result<u32> {
        // SAFETY: a struct of numbers and pointers, of which all zeroes is a value.
        let mut record: passwd = unsafe { std::mem::zeroed() };
        let mut buffer = [0; BUFFER];
        let mut errno = 0;
        let status = call(self, &raw mut record, buffer.as_mut_ptr(), &raw mut errno);
        anyhow::ensure!(status == SUCCESS, "the module answered {status}, errno {errno}");
        Ok(record.pw_uid)
    }

    /// `initgroups`: how many groups the user has beside `gid`. Raises status and errno of anything but success.
    pub fn initgroups(&self, name: &str, gid: u32) -> anyhow::Result<u64> {
        let name = CString::new(name)?;
        let (mut start, mut size, mut errno): (c_long, c_long, c_int) = (0, 16, 0);
        // SAFETY: plain allocation; the module may move it by realloc, as glibc's contract says.
        let mut groups = unsafe { libc::malloc(16 * size_of::<gid_t>()) }.cast::<gid_t>();
        anyhow::ensure!(!groups.is_null(), "no memory");
        // SAFETY: all pointers are valid for the call; `groups` has room for `size` numbers.
        let status = unsafe {
            (self.initgroups)(
                name.as_ptr(),
                gid,
                &raw mut start,
                &raw mut size,
                &raw mut groups,
                GROUPS,
                &raw mut errno,
            )
        };
        // SAFETY: from malloc or realloc, and used no more.
        unsafe { libc::free(groups.cast()) };
        anyhow::ensure!(status == SUCCESS, "the module answered {status}, errno {errno}");
        Ok(u64::try_from(start).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_module_is_refused_with_the_reason() {
        let missing = NssModule::open(Path::new("/nonexistent/libnss_pwb.so")).unwrap_err();
        assert!(missing.to_string().contains("/nonexistent"), "{missing}");
        let other = NssModule::open(Path::new("libc.so.6")).unwrap_err();
        assert!(other.to_string().contains("_nss_pwb_getpwnam_r"), "{other}");
    }
}
