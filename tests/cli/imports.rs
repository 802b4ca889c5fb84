//! `rollcall user import` and `group import`: names and numbers come in as they are, or nothing does.

use std::path::PathBuf;

use serde_json::Value;

use crate::harness::Rollcall;
use crate::harness::command::{Outcome, run};
use crate::harness::database::Database;

/// A database and a folder for files, without a service.
struct Desk {
    database: Database,
    folder: PathBuf,
}

impl Desk {
    async fn open() -> Self {
        let database = Database::create().await;
        let folder = std::env::temp_dir().join(format!("rollcall-import-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).unwrap();
        Self { database, folder }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn rollcall(&self, arguments: &[&str]) -> Outcome {
        let environment = self.database.environment();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        run(arguments, &environment)
    }

    fn import(&self, what: &str, format: &str, file: &str, more: &[&str]) -> (i32, Value) {
        let arguments = [&[what, "import", "--format", format, file, "--output", "json"], more].concat();
        let outcome = self.rollcall(&arguments);
        assert!(!outcome.stdout.is_empty(), "{}", outcome.stderr);
        (outcome.code, outcome.json())
    }

    /// The file, imported without a conflict; what was reported.
    fn imported(&self, what: &str, format: &str, file: &str) -> Value {
        let (code, report) = self.import(what, format, file, &[]);
        assert_eq!(code, 0, "{report}");
        report
    }

    fn exported(&self, what: &str, format: &str) -> String {
        self.rollcall(&[what, "export", "--format", format]).succeeded().stdout
    }

    /// The conflicts as (line, attribute, reason), and nothing is written.
    fn conflicts(&self, what: &str, format: &str, content: impl AsRef<[u8]>) -> Vec<(u64, String, String)> {
        let before = self.exported(what, "json");
        let file = self.file("bad", content);
        let (code, report) = self.import(what, format, &file, &[]);
        assert_eq!(code, 3, "{report}");
        assert_eq!(report["created"], 0);
        assert_eq!(self.exported(what, "json"), before, "nothing is half-imported");
        let faults = report["faults"].as_array().unwrap();
        assert_eq!(report["conflicts"], faults.len());
        let word = |fault: &Value, key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        faults
            .iter()
            .map(|fault| {
                (
                    fault["line"].as_u64().unwrap(),
                    word(fault, "attribute"),
                    word(fault, "reason"),
                )
            })
            .collect()
    }

    async fn close(self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
        self.database.finish().await;
    }
}

const PASSWD: &str = "\
jane:x:1001:1001:Jane Doe,Room 1,,:/home/jane:/bin/bash
jack:x:10001:100:Jack:/srv/homes/jack:/usr/bin/zsh
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
    first
        .rollcall(&["group", "add-member", "Data \"Science\", Lab", "jane"])
        .succeeded();

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
async fn every_conflict_of_a_file_is_told_at_once_with_its_line() {
    let desk = Desk::open().await;
    desk.imported("user", "passwd", &desk.file("passwd", PASSWD));
    let long = "x".repeat(300);
    let file = format!(
        "\
ok:x:20001:20001::/home/ok:/bin/sh
ok:x:20002:20002::/home/ok:/bin/sh
twin:x:20001:20001::/home/twin:/bin/sh
jane:x:4000:4000::/home/jane:/bin/sh
other:x:1001:1001::/home/other:/bin/sh
low:x:999:999::/home/low:/bin/sh
root:x:20003:20003::/root:/bin/sh
Upper:x:20004:20004::/home/u:/bin/sh
few:x:20005
word:x:many:1::/home/w:/bin/sh
relative:x:20006:20006::home:/bin/sh
crlf:x:20007:20007::/home/crlf:/bin/sh\r
big:x:4294967295:1::/home/b:/bin/sh
+::::::
long:x:20008:20008:{long}:/home/long:/bin/sh
"
    );
    let found = desk.conflicts("user", "passwd", &file);
    for (line, attribute, words) in [
        (2, "userName", "also on line 1"),
        (2, "posixUserName", "also on line 1"),
        (3, "posixUserId", "also on line 1"),
        (4, "userName", "with uid 1001"),
        (5, "posixUserId", "another user has this uid"),
        (6, "posixUserId", "reserved"),
        (7, "posixUserName", "protected"),
        (8, "posixUserName", "rule"),
        (9, "", "3 fields"),
        (10, "posixUserId", "not a POSIX id"),
        (11, "", "absolute"),
        (12, "", "CR LF"),
        (13, "posixUserId", "not a POSIX id"),
        (14, "", "NIS"),
        (15, "gecos", "255"),
    ] {
        let is_told =
            |(at, about, reason): &(u64, String, String)| *at == line && about == attribute && reason.contains(words);
        assert!(
            found.iter().any(is_told),
            "line {line}, {attribute}: {words} in {found:?}"
        );
    }
    assert_eq!(found.len(), 15, "{found:?}");

    let found = desk.conflicts(
        "group",
        "group",
        "staff:x:5000:\na:x:5001:jane,nobody-here\nb:x:5001:\njack2:x:800:\n",
    );
    let lines: Vec<u64> = found.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [1, 2, 3, 4], "staff is protected: {found:?}");
    desk.close().await;
}

#[tokio::test]
async fn broken_files_are_refused_with_the_place() {
    let desk = Desk::open().await;
    let line = |format: &str, content: &[u8]| {
        let found = desk.conflicts("user", format, content);
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].0, found[0].2.clone())
    };
    let good = "ok:x:20001:20001::/home/ok:/bin/sh\n";
    let latin1 = [good.as_bytes(), b"j\xe9:x:20002:1::/home/j:/bin/sh\n"].concat();
    assert_eq!(
        line("passwd", &latin1),
        (2, "the line is not UTF-8 from byte 2 on".into())
    );
    let nul = [good.as_bytes(), b"j\0:x:20002:1::/home/j:/bin/sh\n"].concat();
    assert_eq!(line("passwd", &nul).0, 2);
    let endless = [
        good.as_bytes(),
        "x".repeat(1_100_000).as_bytes(),
        b"\n",
        good.replace("ok", "on").replace("20001", "20002").as_bytes(),
    ]
    .concat();
    assert_eq!(
        line("passwd", &endless),
        (2, "the line is longer than 1048576 bytes".into())
    );
    let million = format!("{good}{}", "x".repeat(1_000_000));
    assert!(line("passwd", million.as_bytes()).1.contains("1 fields"));
    assert!(line("csv", b"userName,uid\njane,1001\n").1.contains("no such column"));
    assert_eq!(line("csv", b"userName,posixUserId\njane,1001\n\"jack,1002\n").0, 3);
    assert_eq!(line("json", b"[{\"userName\":\"jane\"},\n{\"userName\":]").0, 2);
    assert_eq!(line("json", b"{\"displayName\":\"nobody\"}").0, 1);
    assert_eq!(line("ldif", b"dn: uid=a\nuid: a\nuidNumber:: ***\n").0, 3);
    assert_eq!(line("ldif", b"dn: uid=a\nchangetype: delete\n").0, 2);
    desk.close().await;
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
async fn ldif_brings_users_groups_by_name_by_dn_and_groups_in_groups() {
    let desk = Desk::open().await;
    let ldif = "\
version: 1

dn: uid=jane,ou=people,dc=example,dc=org
objectClass: posixAccount
uid: jane
uidNumber: 10001
gidNumber: 10100
homeDirectory: /home/ja
 ne
loginShell: /bin/bash
cn:: SmFuw6kgRG9l
mail: jane@example.org

dn: cn=Jack Daw,ou=people,dc=example,dc=org
objectClass: posixAccount
uid: jack
uidNumber: 10002
gidNumber: 10100
homeDirectory: /home/jack
cn: Jack Daw

# a comment
dn: cn=lab,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn: lab
gidNumber: 10100
memberUid: jane

dn: cn=all,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: all
gidNumber: 10200
member: CN=Jack Daw, ou=people,dc=example,dc=org
member: cn=lab,ou=groups,dc=example,dc=org
";
    let file = desk.file("ldif", ldif);
    assert_eq!(desk.imported("user", "ldif", &file)["created"], 2);
    assert_eq!(desk.imported("group", "ldif", &file)["created"], 2);
    assert_eq!(
        desk.exported("user", "passwd"),
        "jane:x:10001:10100:Jané Doe:/home/jane:/bin/bash\njack:x:10002:10100:Jack Daw:/home/jack:/bin/bash\n"
    );
    assert_eq!(
        desk.exported("group", "group"),
        "lab:x:10100:jane\nall:x:10200:jack,jane\n"
    );

    let circle = "\
dn: cn=a,dc=x\nobjectClass: groupOfNames\ncn: a\nmember: cn=b,dc=x\n
dn: cn=b,dc=x\nobjectClass: groupOfNames\ncn: b\nmember: cn=c,dc=x\n
dn: cn=c,dc=x\nobjectClass: groupOfNames\ncn: c\nmember: cn=a,dc=x\n
dn: cn=d,dc=x\nobjectClass: groupOfNames\ncn: d\nmember: cn=a,dc=x\n";
    let found = desk.conflicts("group", "ldif", circle);
    let lines: Vec<u64> = found.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [1, 6, 11], "d leads into the circle and is not on it: {found:?}");
    desk.close().await;
}

#[tokio::test]
async fn scim_resources_without_numbers_get_them_behind_those_who_bring_theirs() {
    let rollcall = Rollcall::start_with(&[("user-provisioning-start-uid", "20000")]).await;
    let folder = std::env::temp_dir().join(format!("rollcall-import-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("users.json");
    let urn = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";
    let text = format!(
        "{{\"userName\":\"jane@example.org\",\"externalId\":\"E1\"}}\n{{\"userName\":\"jack@example.org\",\"active\":false,\"{urn}\":{{\"posixUserId\":20000}}}}\n"
    );
    std::fs::write(&path, text).unwrap();
    let outcome = rollcall.command(&[
        "user",
        "import",
        "--format",
        "json",
        path.to_str().unwrap(),
        "--user-provisioning-start-uid",
        "20000",
        "--output",
        "json",
    ]);
    assert_eq!(outcome.succeeded().json()["created"], 2);
    let list = rollcall
        .command(&["user", "list", "--output", "json"])
        .succeeded()
        .json();
    let of = |name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .find(|user| user["posixUserName"] == name)
            .cloned()
            .unwrap()
    };
    assert_eq!(
        (&of("jack")["uid"], &of("jack")["locked"]),
        (&20000.into(), &true.into())
    );
    assert_eq!((&of("jane")["uid"], &of("jane")["gid"]), (&20001.into(), &20001.into()));
    assert_eq!(of("jane")["externalId"], "E1");
    // The provider finds the imported user and takes him over by his externalId.
    let scim = rollcall.scim();
    let found = scim
        .get("/Users?filter=userName%20eq%20%22JANE@example.org%22")
        .await
        .expect(200);
    assert_eq!(found.body["totalResults"], 1);
    std::fs::remove_dir_all(&folder).unwrap();
    rollcall.finish().await;
}
