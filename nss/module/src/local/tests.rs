//! Tests of who is local: the file decides, whatever the filter holds.

use super::*;
use std::ffi::CString;

fn file(name: &str) -> (std::path::PathBuf, CString) {
    let path = std::env::temp_dir().join(format!("passwd-{name}-{}", std::process::id()));
    let text = CString::new(path.to_str().unwrap()).unwrap();
    (path, text)
}

#[test]
fn everybody_in_the_file_is_local_and_nobody_else() {
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
        assert_eq!(local.contains(&text, name.as_bytes(), 1), Some(true), "{name}");
    }
    for name in (0..10_000)
        .map(|n| format!("user{n:05}"))
        .chain(["local".to_owned(), "local999".to_owned()])
    {
        assert_eq!(local.contains(&text, name.as_bytes(), 1), Some(false), "{name}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_changed_file_counts_a_second_later() {
    let (path, text) = file("changed");
    std::fs::write(&path, "ada:x:500:500::/:/bin/sh\n").unwrap();
    let local = Local::new();
    assert_eq!(local.contains(&text, b"ada", 1), Some(true));
    assert_eq!(local.contains(&text, b"bob", 2), Some(false));
    std::fs::write(&path, "bob:x:501:501::/:/bin/sh\nx:y\n").unwrap();
    assert_eq!(local.contains(&text, b"bob", 1 + CHECK_MS), Some(true));
    assert_eq!(local.contains(&text, b"ada", 2 + CHECK_MS), Some(false));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn without_the_file_or_while_another_thread_reads_it_nobody_can_tell() {
    let (path, text) = file("absent");
    let local = Local::new();
    assert_eq!(local.contains(&text, b"ada", 1), None);
    std::fs::write(&path, "ada:x:500:500::/:/bin/sh\n").unwrap();
    local.reading.store(true, Relaxed);
    assert_eq!(local.contains(&text, b"bob", 1), None);
    local.reading.store(false, Relaxed);
    assert_eq!(local.contains(&text, b"bob", 1), Some(false));
    std::fs::remove_file(path).unwrap();
}
