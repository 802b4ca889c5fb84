//! Link arguments of the module: nothing exported but its entry points, nothing needed but libc, never unloaded.

include!("../link.rs");

fn main() {
    link_module("libnss_pwb.so.2");
    println!("cargo::rerun-if-changed=../link.rs");
}
