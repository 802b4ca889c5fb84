//! Copying a record into what the caller of libc gave us: everything lies inside his buffer, nothing is written past its end.

use libc::{c_char, c_long, gid_t, group, passwd, size_t, spwd};
use rollcall_nss::lookup::Outcome;
use rollcall_nss::record::{Kind, Record};
use std::ffi::CStr;

/// The caller's buffer; what has been handed out is gone from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    next: *mut u8,
    left: usize,
}

impl Buffer {
    pub(super) fn new(start: *mut c_char, length: size_t) -> Self {
        Self {
            next: start.cast(),
            left: if start.is_null() { 0 } else { length },
        }
    }

    /// Room for `bytes`, filled with them.
    fn copy(&mut self, bytes: &[u8]) -> Option<*mut c_char> {
        let place = self.take(bytes.len())?;
        // SAFETY: `take` has checked that so many bytes of the caller's buffer are left.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
        Some(place.cast())
    }

    /// Room for `count` pointers, aligned as such whatever the address of the buffer.
    fn pointers(&mut self, count: usize) -> Option<*mut *mut c_char> {
        let padding = self.next.align_offset(align_of::<*mut c_char>());
        self.take(padding)?;
        let place = self.take(count.checked_mul(size_of::<*mut c_char>())?)?;
        Some(place.cast())
    }

    fn take(&mut self, bytes: usize) -> Option<*mut u8> {
        self.left = self.left.checked_sub(bytes)?;
        let place = self.next;
        self.next = place.wrapping_add(bytes);
        Some(place)
    }
}

/// A passwd entry.
pub(super) fn fill_passwd(record: &Record<'_>, result: *mut passwd, mut buffer: Buffer) -> Outcome {
    let (Kind::User, Some(offsets), Some(strings)) = (record.kind(), record.passwd_offsets(), record.strings()) else {
        return Outcome::Broken;
    };
    let Some(start) = buffer.copy(strings) else {
        return Outcome::TooSmall;
    };
    let [name, password, gecos, home, shell] = offsets.map(|offset| start.wrapping_add(offset));
    let entry = passwd {
        pw_name: name,
        pw_passwd: password,
        pw_uid: record.id(),
        pw_gid: record.primary_gid(),
        pw_gecos: gecos,
        pw_dir: home,
        pw_shell: shell,
    };
    // SAFETY: the caller's result.
    unsafe { result.write(entry) };
    Outcome::Found
}

/// A group entry with its NULL-terminated list of members.
pub(super) fn fill_group(record: &Record<'_>, result: *mut group, mut buffer: Buffer) -> Outcome {
    let (Kind::Group, Some(strings)) = (record.kind(), record.strings()) else {
        return Outcome::Broken;
    };
    let count = record.member_count();
    let Some(list) = buffer.pointers(count + 1) else {
        return Outcome::TooSmall;
    };
    let Some(start) = buffer.copy(strings) else {
        return Outcome::TooSmall;
    };
    let password = record.name().len() + 1;
    let mut offset = password;
    // The password, then the members.
    for index in 0..=count {
        let rest = strings.get(offset..).unwrap_or(&[]);
        let Ok(text) = CStr::from_bytes_until_nul(rest) else {
            return Outcome::Broken;
        };
        if index > 0 {
            // SAFETY: the list has count + 1 places.
            unsafe { list.add(index - 1).write(start.wrapping_add(offset)) };
        }
        offset += text.count_bytes() + 1;
    }
    // SAFETY: the list's last place.
    unsafe { list.add(count).write(std::ptr::null_mut()) };
    let entry = group {
        gr_name: start,
        gr_passwd: start.wrapping_add(password),
        gr_gid: record.id(),
        gr_mem: list,
    };
    // SAFETY: the caller's result.
    unsafe { result.write(entry) };
    Outcome::Found
}

/// A shadow entry.
pub(super) fn fill_shadow(record: &Record<'_>, result: *mut spwd, mut buffer: Buffer) -> Outcome {
    let (Kind::Shadow, Some(strings)) = (record.kind(), record.strings()) else {
        return Outcome::Broken;
    };
    let Some(start) = buffer.copy(strings) else {
        return Outcome::TooSmall;
    };
    let entry = spwd {
        sp_namp: start,
        sp_pwdp: start.wrapping_add(record.name().len() + 1),
        sp_lstchg: record.last_change().into(),
        sp_min: -1,
        sp_max: -1,
        sp_warn: -1,
        sp_inact: -1,
        sp_expire: record.expire().into(),
        sp_flag: libc::c_ulong::MAX,
    };
    // SAFETY: the caller's result.
    unsafe { result.write(entry) };
    Outcome::Found
}

/// Appends the user's gids but the primary one to glibc's array.
pub(super) fn append_gids(
    record: &Record<'_>,
    primary: gid_t,
    start: *mut c_long,
    size: *mut c_long,
    groupsp: *mut *mut gid_t,
    limit: c_long,
) -> Outcome {
    if record.kind() != Kind::User {
        return Outcome::Broken;
    }
    // SAFETY: glibc passes valid pointers that do not overlap.
    let (Some(used), Some(capacity), Some(groups)) = (unsafe { (start.as_mut(), size.as_mut(), groupsp.as_mut()) })
    else {
        return Outcome::Broken;
    };
    for gid in record.gids().filter(|&gid| gid != primary) {
        if limit > 0 && *used >= limit {
            break;
        }
        if *used >= *capacity {
            let doubled = (*capacity).saturating_mul(2).max(16);
            let wanted = if limit > 0 { doubled.min(limit) } else { doubled };
            let bytes = usize::try_from(wanted)
                .ok()
                .and_then(|count| count.checked_mul(size_of::<gid_t>()));
            let Some(bytes) = bytes else { return Outcome::NoMemory };
            // SAFETY: the array is glibc's own, from malloc.
            let moved = unsafe { libc::realloc((*groups).cast(), bytes) };
            if moved.is_null() {
                return Outcome::NoMemory;
            }
            *groups = moved.cast();
            *capacity = wanted;
        }
        let Ok(index) = usize::try_from(*used) else {
            return Outcome::Broken;
        };
        // SAFETY: used < capacity, the array's length.
        unsafe { (*groups).add(index).write(gid) };
        *used += 1;
    }
    Outcome::Found
}
