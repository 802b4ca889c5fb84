//! A piece of memory shared with other processes, as checked words and bytes. One of the two files with `mmap` and hence `unsafe`.
#![expect(unsafe_code, reason = "mmap, and views of memory that another process writes")]

use super::{HEADER, MAP_MAX};
use crate::foreign::open_existing;
use rustix::fs::{FallocateFlags, FileType, Mode, OFlags, fallocate, fstat, open};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::path::Arg;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// Why a file cannot be used as a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionError {
    /// There is none.
    Missing,
    /// No permission, no descriptor, no memory, no space.
    System(Errno),
    /// Not a regular file of root's that only root can write, or of an impossible size.
    Unsafe,
}

/// Memory of whole 64-bit words: a shared mapping of a file, or the process' own (tests, fuzzing).
#[derive(Debug)]
pub struct Region {
    start: NonNull<AtomicU64>,
    words: usize,
    mapped: bool,
    writable: bool,
}

// SAFETY: the memory is only reached through atomics, and through byte views of records that are never changed once published.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Maps the file at `path` read-only and closes it again. It must belong to uid 0 and be writable by nobody else.
    pub fn open(path: impl Arg) -> Result<Self, RegionError> {
        Self::open_with(path, OFlags::RDONLY, ProtFlags::READ)
    }

    /// As [`Self::open`], for the agent, to write into a file that another agent has made.
    pub fn open_writable(path: impl Arg) -> Result<Self, RegionError> {
        Self::open_with(path, OFlags::RDWR, ProtFlags::READ | ProtFlags::WRITE)
    }

    fn open_with(path: impl Arg, access: OFlags, prot: ProtFlags) -> Result<Self, RegionError> {
        let flags = access | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = path.into_with_c_str(|path| open_existing(path, flags));
        let file = file.map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR => RegionError::Missing,
            errno => RegionError::System(errno),
        })?;
        let meta = fstat(&file).map_err(RegionError::System)?;
        let regular = FileType::from_raw_mode(meta.st_mode) == FileType::RegularFile;
        let size = usize::try_from(meta.st_size).unwrap_or(0);
        if !regular || meta.st_uid != 0 || meta.st_mode & 0o022 != 0 || !(HEADER..=MAP_MAX).contains(&size) {
            return Err(RegionError::Unsafe);
        }
        Self::map(&file, size, prot)
    }

    /// Makes a new file of `size` bytes at `path` (world-readable, all its blocks reserved) and maps it for writing.
    pub fn create(path: &str, size: usize) -> Result<Self, RegionError> {
        let size = size.next_multiple_of(HEADER);
        if size > MAP_MAX {
            return Err(RegionError::Unsafe);
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = open(path, flags, Mode::from_raw_mode(0o644)).map_err(RegionError::System)?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644)).map_err(RegionError::System)?;
        // Reserved now, so that a full tmpfs is an error here and not a SIGBUS in some reader.
        fallocate(&file, FallocateFlags::empty(), 0, size as u64).map_err(RegionError::System)?;
        Self::map(&file, size, ProtFlags::READ | ProtFlags::WRITE)
    }

    /// Memory of the process' own, holding `words`.
    pub fn from_words(words: Vec<u64>) -> Self {
        let owned: Box<[AtomicU64]> = words.into_iter().map(AtomicU64::new).collect();
        let words = owned.len();
        let start = NonNull::from(Box::leak(owned)).cast();
        Self {
            start,
            words,
            mapped: false,
            writable: true,
        }
    }

    fn map(file: &OwnedFd, size: usize, prot: ProtFlags) -> Result<Self, RegionError> {
        // SAFETY: a fresh mapping at an address of the kernel's choice; nothing else refers to it.
        let start = unsafe { mmap(std::ptr::null_mut(), size, prot, MapFlags::SHARED, file.as_fd(), 0) };
        let start = NonNull::new(start.map_err(RegionError::System)?.cast()).ok_or(RegionError::Unsafe)?;
        Ok(Self {
            start,
            words: size / 8,
            mapped: true,
            writable: prot.contains(ProtFlags::WRITE),
        })
    }

    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.words * 8
    }

    /// Whether [`Self::store`] may be used.
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// The word with this index, if the region is long enough.
    pub fn word(&self, index: usize) -> Option<&AtomicU64> {
        // SAFETY: inside the region, which is aligned to 8 bytes and lives as long as `self`.
        (index < self.words).then(|| unsafe { self.start.add(index).as_ref() })
    }

    /// All bytes from `offset` on, if there are any.
    pub fn bytes_from(&self, offset: usize) -> Option<&[u8]> {
        let length = self.size().checked_sub(offset)?;
        // SAFETY: inside the region. Only published records are looked at, and the agent never changes those.
        Some(unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast::<u8>().add(offset), length) })
    }

    /// Has the processor fetch what begins at `offset`, while it works on something else: a hint, whatever the offset.
    pub fn prefetch(&self, offset: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a prefetch does not read, and faults nowhere.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(self.start.as_ptr().cast::<i8>().wrapping_add(offset)) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = offset;
    }

    /// Writes `bytes` from word `index` on. False when they don't fit or the region is read-only.
    pub fn store(&self, index: usize, bytes: &[u8]) -> bool {
        let fits = index
            .checked_add(bytes.len().div_ceil(8))
            .is_some_and(|end| end <= self.words);
        if !fits || !self.writable {
            return false;
        }
        for (place, chunk) in bytes.chunks(8).enumerate() {
            let mut word = [0; 8];
            if let Some(part) = word.get_mut(..chunk.len()) {
                part.copy_from_slice(chunk);
            }
            if let Some(cell) = self.word(index + place) {
                cell.store(u64::from_le_bytes(word), std::sync::atomic::Ordering::Relaxed);
            }
        }
        true
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.mapped {
            // SAFETY: this is the whole mapping made in `map`, and no borrow of `self` is left.
            let _ = unsafe { munmap(self.start.as_ptr().cast(), self.size()) };
        } else {
            let owned = std::ptr::slice_from_raw_parts_mut(self.start.as_ptr(), self.words);
            // SAFETY: this is the box leaked in `from_words`.
            drop(unsafe { Box::from_raw(owned) });
        }
    }
}
