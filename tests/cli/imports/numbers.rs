//! Numbers that nobody can have or that two would have: told with their lines before anything is written.

use super::desk::Desk;

const POSIX: &str = "urn:rollcall:params:scim:schemas:extension:posix:1.0:User";
const WORKBENCH: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

/// Line and attribute of each conflict.
fn places(found: &[(u64, String, String)]) -> Vec<(u64, &str)> {
    found
        .iter()
        .map(|(line, attribute, _)| (*line, attribute.as_str()))
        .collect()
}

#[tokio::test]
async fn a_primary_gid_that_nodes_refuse_is_a_conflict() {
    let desk = Desk::open().await;
    let user = |name: &str, gid: &str| {
        format!(
            "{{\"userName\":\"{name}\",\"{POSIX}\":{{\"posixGroupId\":{gid}}},\"{WORKBENCH}\":{{\"posixUserId\":27{name}}}}}\n"
        )
    };
    let bad = [
        "0",
        "100",
        "-5",
        "60001",
        "4294967295",
        "99999999999999",
        "1e300",
        "\"22999\"",
        "1.5",
        "true",
    ];
    let file: String = bad
        .iter()
        .zip(100..)
        .map(|(gid, name)| user(&name.to_string(), gid))
        .collect();
    let file = file.replace("\"userName\":\"", "\"userName\":\"u");
    let found = desk.conflicts("user", "json", &file);
    let wanted: Vec<_> = (1..=10).map(|line| (line, "posixGroupId")).collect();
    assert_eq!(places(&found), wanted, "{found:?}");
    let found = desk.conflicts("user", "passwd", "pz:x:25000:0::/home/pz:/bin/sh\n");
    assert_eq!(places(&found), [(1, "posixGroupId")], "{found:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_retired_gid_is_nobodys_primary_group_again() {
    let desk = Desk::open().await;
    desk.imported("group", "group", &desk.file("group", "projx:x:30010:\n"));
    let owner = "first:x:32000:30010::/home/first:/bin/sh\n";
    desk.imported("user", "passwd", &desk.file("passwd", owner));
    desk.rollcall(&["group", "delete", "projx", "--yes", "--force"])
        .succeeded();
    let again = desk.imported("user", "passwd", &desk.file("passwd", owner));
    assert_eq!(again["present"], 1, "who had it before keeps it");
    let found = desk.conflicts("user", "passwd", "newu:x:32001:30010::/h/n:/bin/sh\n");
    assert_eq!(places(&found), [(1, "posixGroupId")]);
    assert!(found[0].2.contains("never given again"), "{found:?}");
    desk.close().await;
}

#[tokio::test]
async fn what_only_files_know_has_its_type_checked() {
    let desk = Desk::open().await;
    for (attribute, value) in [("privateGroup", "\"yes\""), ("gecos", "5"), ("PosixGroupId", "\"1\"")] {
        let file = format!("{{\"userName\":\"a\",\"{POSIX}\":{{\"{attribute}\":{value}}}}}");
        let found = desk.conflicts("user", "json", &file);
        assert_eq!(found.len(), 1, "{attribute}: {found:?}");
        assert!(found[0].1.eq_ignore_ascii_case(attribute), "{found:?}");
    }
    desk.close().await;
}

#[tokio::test]
async fn two_private_groups_of_one_number_are_told_before_anything_is_written() {
    let desk = Desk::open().await;
    let heads = "userName,posixUserId,posixGroupId,privateGroup\n";
    let found = desk.conflicts(
        "user",
        "csv",
        format!("{heads}d1,28001,28500,yes\nd2,28002,28500,yes\n"),
    );
    assert_eq!(places(&found), [(3, "posixGroupId")], "{found:?}");
    assert!(found[0].2.contains("line 2"), "{found:?}");
    let found = desk.conflicts(
        "user",
        "csv",
        format!("{heads}d3,28003,28501,yes\nd4,28501,28501,yes\n"),
    );
    assert_eq!(places(&found), [(3, "posixGroupId")], "{found:?}");
    let found = desk.conflicts("user", "csv", format!("{heads}d5,,28502,yes\n"));
    assert_eq!(places(&found), [(2, "privateGroup")], "{found:?}");
    // A uid and a gid of one number may be those of strangers.
    let strangers = format!("{heads}d6,28006,28007,yes\nd7,28007,28006,no\n");
    assert_eq!(desk.imported("user", "csv", &desk.file("csv", strangers))["created"], 2);
    desk.close().await;
}

#[tokio::test]
async fn more_records_without_a_number_than_the_pool_has_are_told_before_anything_is_written() {
    let desk = Desk::open().await;
    let import = |what: &str, text: &str| {
        let pool = [
            "--user-provisioning-start-uid",
            "42000",
            "--user-provisioning-max-uid",
            "42003",
            "--group-provisioning-start-gid",
            "43000",
            "--group-provisioning-max-gid",
            "43001",
        ];
        desk.import(what, "csv", &desk.file("pool", text), &pool)
    };
    // Of four numbers the file brings one.
    let users = "userName,posixUserId\na,\nb,\nc,\nd,\ne,42001\n";
    let (code, report) = import("user", users);
    assert_eq!(
        (code, &report["created"], &report["conflicts"]),
        (3, &0.into(), &1.into()),
        "{report}"
    );
    assert_eq!(
        (&report["faults"][0]["line"], &report["faults"][0]["attribute"]),
        (&2.into(), &"posixUserId".into())
    );
    let reason = report["faults"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("4 records") && reason.contains("3 left"), "{reason}");
    assert_eq!(import("user", &users.replace("d,\n", "")).0, 0);
    assert_eq!(
        import("user", &users.replace("d,\n", "")).1["present"],
        4,
        "who is there wants none"
    );
    let (code, report) = import("group", "displayName\nx\ny\nz\n");
    assert_eq!((code, &report["created"]), (3, &0.into()), "{report}");
    assert_eq!(import("group", "displayName\nx\ny\n").1["created"], 2);
    desk.close().await;
}

#[tokio::test]
async fn who_brings_a_gid_and_no_uid_gets_a_uid_and_keeps_the_gid() {
    let desk = Desk::open().await;
    let file = desk.file(
        "csv",
        "userName,posixUserId,posixGroupId\nnumbered,53001,53001\nbroken,,53500\n",
    );
    assert_eq!(desk.imported("user", "csv", &file)["created"], 2);
    let shown = desk
        .rollcall(&["user", "show", "broken", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(shown["gid"], 53500);
    assert_eq!(desk.imported("user", "csv", &file)["present"], 2);
    desk.close().await;
}
