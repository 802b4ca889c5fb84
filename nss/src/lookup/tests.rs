//! Tests of what is refused before anything is opened.

use super::*;

#[test]
fn keys_that_nobody_can_have_open_nothing_and_cost_microseconds() {
    let state = State::new();
    let mut give = |_: &Record<'_>| Outcome::Found;
    let started = std::time::Instant::now();
    for _ in 0..1000 {
        for key in [
            Key::UserName(b"pam_unix_non_existent:"),
            Key::UserName(b"root"),
            Key::Uid(u32::MAX),
            Key::Uid(0),
            Key::Gid(999),
        ] {
            assert_eq!(by_key(&state, &key, &mut give), Outcome::NotFound, "{key:?}");
        }
        assert_eq!(initgroups(&state, b"root", &mut give), Outcome::NotFound);
    }
    assert!(started.elapsed() < std::time::Duration::from_millis(60), "10 µs each");
}
