//! Commands whose database does not answer say so, soon.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::harness::command::run;
use crate::harness::database::{Database, Role};

/// Ten seconds are promised; the rest is for debug builds, all at once, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn no_command_waits_longer_than_it_says_and_all_end_with_the_same_code() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = std::env::temp_dir().join(format!("rollcall-passwd-{}", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, "bob:x:4300:4300:Bob:/home/bob:/bin/sh\n").unwrap();
    let path = file.to_str().unwrap();
    let commands: [&[&str]; 5] = [
        &["user", "import", "--format", "passwd", path],
        &["user", "add", "jane"],
        &["group", "list"],
        &["bootstrap", "/dev/null"],
        &["user", "export", "--format", "csv"],
    ];
    let refused = "host=127.0.0.1 port=1 user=x dbname=x".to_owned();
    let mute = format!(
        "host=127.0.0.1 port={} user=x dbname=x",
        silent.local_addr().unwrap().port()
    );
    std::thread::scope(|scope| {
        let absent = "host=/nowhere user=x dbname=x".to_owned();
        for (uri, words) in [(refused, "refused"), (absent, "No such file"), (mute, "tried for 10 s")] {
            for command in commands {
                let uri = uri.clone();
                scope.spawn(move || {
                    let began = Instant::now();
                    let told = run(command, &[("ROLLCALL_DATABASE_URI", &uri)]);
                    assert_eq!(told.code, 4, "{command:?}: {}", told.stderr);
                    assert!(told.stderr.contains("the database does not answer"), "{}", told.stderr);
                    assert!(told.stderr.contains(words), "{}", told.stderr);
                    let took = began.elapsed();
                    assert!(took < PATIENCE, "{command:?} took {took:?}");
                });
            }
        }
    });
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn what_waiting_does_not_mend_is_said_at_once() {
    let empty = Database::create_empty().await;
    let nobody = empty.uri(Role::App).replace("rollcall_app", "nobody_at_all");
    let began = Instant::now();
    let told = run(&["user", "list"], &[("ROLLCALL_DATABASE_URI", &nobody)]);
    assert_eq!(told.code, 4, "{}", told.stderr);
    assert!(told.stderr.contains("nobody_at_all"), "{}", told.stderr);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    empty.discard().await;
}
