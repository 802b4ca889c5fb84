//! Link arguments of the direct object: the same as the module's.

include!("../link.rs");

fn main() {
    link_module("libnss_pwb_direct.so");
    println!("cargo::rerun-if-changed=../link.rs");
}
