//! A slow disk below one PostgreSQL, without a kernel module: a preloaded library that delays its syncs while a file is there.

use std::path::PathBuf;
use std::process::Command;

use super::files::Folder;
use super::output;

/// The variable by which the library knows its file.
pub const SWITCH: &str = "ROLLCALL_HA_SLOW_DISK";

/// Compiles the library.
pub fn build_library(folder: &Folder) {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ha/slow_disk.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(library(folder));
    output(compiler.arg(source).arg("-ldl"));
}

/// The path of the library.
pub fn library(folder: &Folder) -> PathBuf {
    folder.path("etc/rollcall-ha/slow_disk.so")
}

/// The file that makes the disk of `host` slow.
pub fn switch(folder: &Folder, host: &str) -> PathBuf {
    folder.path(&format!("run/rollcall-ha/{host}-slow-disk"))
}
