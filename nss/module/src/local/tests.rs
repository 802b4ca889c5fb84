//! Tests of the filter over local accounts: nobody who is in the file is ever "surely absent".

use super::*;
use std::ffi::CString;

fn file(name: &str) -> (std::path::PathBuf, CString) {
    let path = std::env::temp_dir().join(format!("passwd-{name}-{}", std::process::id()));
    let text = CString::new(path.to_str().unwrap()).unwrap();
    (path, text)
}

#[test]
fn everybody_in_the_file_may_be_local_and_hardly_anybody_else() {
    let (path, text) = file("many");
    // The longest line ends in another piece than it begins in.
    let long = "x".repeat(2 * PIECE);
    let mut lines = Vec::new();
    for number in 0..100 {
        lines.push(format!("local{number}:x:{number}:{number}:{long}:/:/bin/sh"));
    }
    lines.push("last:x:1:1::/:/bin/sh".to_owned());
    std::fs::write(
        &path,
        lines.join(
            "
",
        ),
    )
    .unwrap();
    let local = Local::new();
    for name in (0..100).map(|n| format!("local{n}")).chain(["last".to_owned()]) {
        assert!(local.may_contain(&text, name.as_bytes(), 1), "{name}");
    }
    let strangers = (0..10_000).filter(|n| local.may_contain(&text, format!("user{n:05}").as_bytes(), 1));
    assert!(strangers.count() < 100);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_changed_file_counts_a_second_later() {
    let (path, text) = file("changed");
    std::fs::write(&path, "ada:x:500:500::/:/bin/sh\n").unwrap();
    let local = Local::new();
    assert!(local.may_contain(&text, b"ada", 1));
    assert!(!local.may_contain(&text, b"bob", 2));
    std::fs::write(&path, "bob:x:501:501::/:/bin/sh\nx:y\n").unwrap();
    assert!(local.may_contain(&text, b"bob", 1 + CHECK_MS));
    assert!(!local.may_contain(&text, b"ada", 2 + CHECK_MS));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn without_the_file_or_while_another_thread_reads_it_anybody_may_be_local() {
    let (path, text) = file("absent");
    let local = Local::new();
    assert!(local.may_contain(&text, b"ada", 1));
    std::fs::write(&path, "ada:x:500:500::/:/bin/sh\n").unwrap();
    local.reading.store(true, Relaxed);
    assert!(local.may_contain(&text, b"bob", 1));
    local.reading.store(false, Relaxed);
    assert!(!local.may_contain(&text, b"bob", 1));
    std::fs::remove_file(path).unwrap();
}
