//! Link arguments of the full module: nothing exported but its entry points, nothing needed but libc, never unloaded.

include!("../link.rs");

fn main() {
    link_module("libnss_pwb_full.so");
    println!("cargo::rerun-if-changed=../link.rs");
}
