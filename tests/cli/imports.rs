//! `rollcall user import` and `group import`: names and numbers come in as they are, or nothing does.

mod active_directory;
mod desk;
mod directories;
mod faults;
mod formats;
mod moment;
mod numbers;
mod primary_groups;
mod rivals;

use desk::Desk;

use crate::harness::command::run;

const PASSWD: &str = "\
jane:x:1001:1001:Jane Doe,Room 1,,:/home/jane:/bin/bash
jack:x:10001:1100:Jack:/srv/homes/jack:/usr/bin/zsh
soft:x:70000:70000::/home/soft:/bin/sh
stranger:x:1500:1002:Somebody Else:/home/stranger:/bin/bash
";

const GROUP: &str = "\
jane:x:1001:
users-of-lab:x:1002:jack,jane
number:x:1500:jack
staffs:x:10001:jane,soft,stranger
soft:x:70000:
";

#[tokio::test]
async fn names_numbers_homes_shells_and_memberships_stay_as_they_are() {
    let desk = Desk::open().await;
    let users = desk.imported("user", "passwd", &desk.file("passwd", PASSWD));
    assert_eq!(users["created"], 4);
    assert_eq!(users["in_soft_ranges"], 1);
    let (_, foreseen) = desk.import("group", "group", &desk.file("group", GROUP), &["--dry-run"]);
    assert_eq!((&foreseen["records"], &foreseen["present"]), (&5.into(), &2.into()));
    let groups = desk.imported("group", "group", &desk.file("group", GROUP));
    assert_eq!(
        groups["created"], 3,
        "the private groups of jane and soft are there: {groups}"
    );

    let by_uid = |text: &str| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_by_key(|line| line.split(':').nth(2).and_then(|id| id.parse::<u32>().ok()));
        lines.join("\n") + "\n"
    };
    assert_eq!(desk.exported("user", "passwd"), by_uid(PASSWD));
    assert_eq!(desk.exported("group", "group"), by_uid(GROUP));

    let again = desk.imported("user", "passwd", &desk.file("passwd", PASSWD));
    assert_eq!((&again["created"], &again["present"]), (&0.into(), &4.into()));
    assert_eq!(again["warned"], 0, "{again}");
    let again = desk.imported("group", "group", &desk.file("group", GROUP));
    assert_eq!((&again["created"], &again["changed"]), (&0.into(), &0.into()));
    desk.close().await;
}

#[tokio::test]
async fn a_private_group_that_others_share_becomes_a_group() {
    let desk = Desk::open().await;
    desk.imported("user", "passwd", &desk.file("passwd", PASSWD));
    // jane's has members, soft's has another name.
    let group = "jane:x:1001:jane,jack\nshared:x:70000:\n";
    assert_eq!(
        desk.imported("group", "group", &desk.file("group", group))["created"],
        2
    );
    assert_eq!(
        desk.exported("group", "group"),
        "jane:x:1001:jack,jane\nshared:x:70000:\n"
    );
    assert!(desk.exported("user", "passwd").contains("jane:x:1001:1001:"));
    desk.close().await;
}

#[tokio::test]
async fn what_is_exported_imports_into_an_empty_database_and_exports_the_same() {
    let first = Desk::open().await;
    first.imported("user", "passwd", &first.file("passwd", PASSWD));
    first.imported("group", "group", &first.file("group", GROUP));
    first
        .rollcall(&[
            "user",
            "add",
            "Élodie@example.org",
            "--email",
            "e@example.org",
            "--admin",
        ])
        .succeeded();
    first.rollcall(&["user", "lock", "jack"]).succeeded();
    first.rollcall(&["group", "add", "Data \"Science\", Lab"]).succeeded();
    for name in ["@lab", "+plus", "2024"] {
        first.rollcall(&["group", "add", name]).succeeded();
    }
    first
        .rollcall(&["group", "add-member", "Data \"Science\", Lab", "jane"])
        .succeeded();
    // Groups may hold each other.
    let circle = "displayName,members\nring,@circle\ncircle,\"@ring,jack\"\n";
    assert_eq!(first.imported("group", "csv", &first.file("csv", circle))["warned"], 2);

    for (users, groups) in [("json", "json"), ("csv", "csv"), ("passwd", "group")] {
        let second = Desk::open().await;
        second.imported("user", users, &first.file("users", first.exported("user", users)));
        second.imported("group", groups, &first.file("groups", first.exported("group", groups)));
        assert_eq!(second.exported("user", users), first.exported("user", users), "{users}");
        assert_eq!(
            second.exported("group", groups),
            first.exported("group", groups),
            "{groups}"
        );
        assert_eq!(
            second.exported("group", "group"),
            first.exported("group", "group"),
            "{groups}"
        );
        second.close().await;
    }
    first.close().await;
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_numbers_outside_of_the_range_are_passed_over() {
    let desk = Desk::open().await;
    let file = desk.file("passwd", format!("root:x:0:0:root:/root:/bin/bash\n{PASSWD}"));
    let (code, report) = desk.import("user", "passwd", &file, &["--dry-run", "--ids", "1000-60000"]);
    assert_eq!(
        (code, &report["passed_over"], &report["records"]),
        (0, &2.into(), &3.into())
    );
    assert_eq!(desk.exported("user", "passwd"), "");
    let (_, report) = desk.import(
        "user",
        "passwd",
        &file,
        &["--ids", "1000-60000", "--domain", "example.org"],
    );
    assert_eq!(report["created"], 3);
    let shown = desk
        .rollcall(&["user", "show", "jane@example.org", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!((&shown["posixUserName"], &shown["uid"]), (&"jane".into(), &1001.into()));
    desk.close().await;
}

#[tokio::test]
async fn an_export_replaces_a_file_when_it_is_complete_and_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::open().await;
    desk.imported("user", "passwd", &desk.file("passwd", PASSWD));
    let file = desk.file("before", "what was there\n");
    let link = format!("{file}-link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let folder = std::path::Path::new(&file).parent().unwrap();
    let entries = || std::fs::read_dir(folder).unwrap().count();
    let there = entries();
    let arguments = ["user", "export", "--format", "passwd", &link];
    let away = [
        ("ROLLCALL_DATABASE_URI", "host=/nowhere user=x dbname=x"),
        ("ROLLCALL_DATABASE_WRITE_DEADLINE", "5"),
    ];
    assert_eq!(run(&arguments, &away).code, 4);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "what was there\n");
    desk.rollcall(&arguments).succeeded();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), desk.exported("user", "passwd"));
    assert!(std::path::Path::new(&link).is_symlink());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(entries(), there, "nothing is left beside it");
    let piped = desk
        .rollcall(&["user", "export", "--format", "passwd", "-"])
        .succeeded();
    assert_eq!(piped.stdout, desk.exported("user", "passwd"));
    desk.rollcall(&["user", "export", "--format", "passwd", "/dev/null"])
        .succeeded();
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    desk.close().await;
}

#[tokio::test]
async fn what_a_file_says_otherwise_of_those_who_are_there_is_a_warning_with_its_line() {
    let desk = Desk::open().await;
    desk.imported("user", "passwd", &desk.file("passwd", PASSWD));
    desk.imported("group", "group", &desk.file("group", GROUP));
    let before = desk.exported("user", "json");
    let changed = PASSWD
        .replace("/srv/homes/jack", "/srv/homes/jackdaw")
        .replace("70000::/home/soft:/bin/sh", "70000::/home/soft:/bin/zsh")
        .replace("Room 1", "Room 2");
    let file = desk.file("passwd", changed);
    for more in [&["--dry-run"][..], &[]] {
        let (code, report) = desk.import("user", "passwd", &file, more);
        assert_eq!((code, &report["present"], &report["warned"]), (0, &4.into(), &3.into()));
        let told: Vec<_> = report["warnings"].as_array().unwrap().iter().collect();
        let place = |at: usize| (told[at]["line"].as_u64(), told[at]["attribute"].as_str());
        assert_eq!(place(0), (Some(1), Some("gecos")));
        assert_eq!(place(1), (Some(2), Some("homeDirectory")));
        assert_eq!(place(2), (Some(3), Some("loginShell")));
        assert!(
            told[1]["reason"].as_str().unwrap().contains("/srv/homes/jack "),
            "{report}"
        );
    }
    assert_eq!(desk.exported("user", "json"), before);
    let groups = "displayName,posixGroupId,externalId\nusers-of-lab,1002,E1\n";
    let report = desk.imported("group", "csv", &desk.file("csv", groups));
    assert_eq!(report["warnings"][0]["attribute"], "externalId", "{report}");
    desk.close().await;
}
