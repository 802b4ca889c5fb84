//! Link arguments of the module: nothing exported but its entry points, nothing needed but libc, never unloaded.

include!("../link.rs");

fn main() {
    link_module("libnss_pwb.so.2");
    // lld keeps the personality function of unwinding although nothing here unwinds, and with it 250 KB of the standard library.
    println!("cargo::rustc-cdylib-link-arg=-fuse-ld=bfd");
    println!("cargo::rerun-if-changed=../link.rs");
}
