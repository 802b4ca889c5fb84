//! Link arguments of the module: nothing exported but its entry points, nothing needed but libc, never unloaded.

include!("link.rs");

fn main() {
    link_module("libnss_pwb.so.2");
    // The direct object is linked with the same arguments by its own crate.
    println!("cargo::rerun-if-changed=link.rs");
}
