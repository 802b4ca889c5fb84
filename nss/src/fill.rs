//! Copying a record into what the caller of libc gave us: everything lies inside his buffer, nothing is written past its end.
#![expect(unsafe_code, reason = "writes to memory of the caller of libc")]

use crate::lookup::Outcome;
use crate::record::{Kind, Record};
use libc::{c_char, c_long, gid_t, group, passwd, size_t, spwd};

/// The caller's buffer; what has been handed out is gone from it.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    next: *mut u8,
    left: usize,
}

impl Buffer {
    /// `length` bytes at `start`; NULL has none.
    ///
    /// # Safety
    /// They can be written to as long as this buffer is in use.
    pub unsafe fn new(start: *mut c_char, length: size_t) -> Self {
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
///
/// # Safety
/// `result` can be written to.
pub unsafe fn fill_passwd(record: &Record<'_>, result: *mut passwd, mut buffer: Buffer) -> Outcome {
    let (Kind::User, Some(offsets)) = (record.kind(), record.passwd_offsets()) else {
        return Outcome::Broken;
    };
    let Some(start) = buffer.copy(record.strings()) else {
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
///
/// # Safety
/// `result` can be written to.
pub unsafe fn fill_group(record: &Record<'_>, result: *mut group, mut buffer: Buffer) -> Outcome {
    if record.kind() != Kind::Group {
        return Outcome::Broken;
    }
    let strings = record.strings();
    let count = record.member_count();
    let Some(list) = buffer.pointers(count + 1) else {
        return Outcome::TooSmall;
    };
    let Some(start) = buffer.copy(strings) else {
        return Outcome::TooSmall;
    };
    let password = record.name().len() + 1;
    let Some(tail) = strings.get(password..) else {
        return Outcome::Broken;
    };
    // A member starts behind the end of the password, the next one behind his: found eight bytes at a time.
    let mut found = 0;
    let (words, odd) = tail.as_chunks();
    let mut last = [1; 8];
    for (place, &byte) in last.iter_mut().zip(odd) {
        *place = byte;
    }
    let mut offset = password;
    for word in words.iter().chain([&last]) {
        let mut ends = ends_in(u64::from_le_bytes(*word));
        while ends != 0 && found < count {
            let member = offset + (ends.trailing_zeros() / 8) as usize + 1;
            if member >= strings.len() {
                return Outcome::Broken;
            }
            // SAFETY: the list has count + 1 places.
            unsafe { list.add(found).write(start.wrapping_add(member)) };
            found += 1;
            ends &= ends - 1;
        }
        offset += 8;
    }
    if found < count {
        return Outcome::Broken;
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

/// The highest bit of each byte of `word` that is zero.
fn ends_in(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    !(((word & LOW) + LOW) | word | LOW)
}

/// A shadow entry.
///
/// # Safety
/// `result` can be written to.
pub unsafe fn fill_shadow(record: &Record<'_>, result: *mut spwd, mut buffer: Buffer) -> Outcome {
    if record.kind() != Kind::Shadow {
        return Outcome::Broken;
    }
    let Some(start) = buffer.copy(record.strings()) else {
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

/// Appends the user's gids but the primary one to glibc's array, never past `limit` when that is positive.
///
/// # Safety
/// `groupsp` points to an array from malloc of `*size` gids, of which `*start` are used; all pointers are valid and do not overlap, or NULL.
pub unsafe fn append_gids(
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
