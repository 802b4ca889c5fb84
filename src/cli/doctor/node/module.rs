//! The module's file: whether there is one where the loader looks, and whether it can be one.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Finding, fine, wrong};

/// Folders in which the loader looks without being told, beneath the root.
const LIBRARY_FOLDERS: [&str; 4] = ["lib", "lib64", "usr/lib", "usr/lib64"];

/// The module, as the C library asks for it.
const MODULE: &str = "libnss_pwb.so.2";

/// How every object begins that the loader takes (ELF).
const MAGIC: &[u8] = b"\x7fELF";

/// What the C library asks the module for.
const SYMBOL: &[u8] = b"_nss_pwb_getpwnam_r";

/// Most bytes of a file that are searched: ours has 39 KB, one that was not stripped some megabytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Looks at all files of that name: which of them is taken hangs on the loader's cache.
pub(super) fn look(root: &Path) -> Finding {
    let check = "module";
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    let places: Vec<PathBuf> = LIBRARY_FOLDERS
        .iter()
        .flat_map(|folder| {
            let folder = root.join(folder);
            [folder.join(MODULE), folder.join(&triplet).join(MODULE)]
        })
        .filter(|place| place.exists())
        .collect();
    let Some(place) = places.first() else {
        return wrong(
            check,
            format!("{MODULE} is in no folder of the loader"),
            "install the package libnss-pwb (rpm: rollcall-node), then ldconfig",
        );
    };
    match places.iter().find_map(|place| Some((place, fault(place)?))) {
        Some((place, fault)) => wrong(
            check,
            format!("{} {fault}: with it nobody resolves", place.display()),
            "install the package libnss-pwb (rpm: rollcall-node) anew, then ldconfig",
        ),
        None => fine(check, format!("{} is there", place.display())),
    }
}

/// Why a file cannot be the module.
fn fault(place: &Path) -> Option<String> {
    // Opening a pipe would wait for somebody to write.
    if !place.is_file() {
        return Some("is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let read = std::fs::File::open(place).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    if let Err(error) = read {
        Some(format!("cannot be read: {error}"))
    } else if bytes.is_empty() {
        Some("is empty".to_owned())
    } else if !bytes.starts_with(MAGIC) {
        Some("is no shared object".to_owned())
    } else if !bytes.windows(SYMBOL.len()).any(|window| window == SYMBOL) {
        Some("is another module, without our functions".to_owned())
    } else {
        None
    }
}
