//! Files that do not fit: every conflict is told with its line, and nothing is half-imported.

use super::PASSWD;
use super::desk::Desk;

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
fred:x:20009:20009:bad\tgecos:relative/home:/bin/sh
fred:x:20010:20010::/home/fred:/bin/sh
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
        (6, "posixGroupId", "reserved"),
        (7, "posixUserName", "protected"),
        (8, "posixUserName", "rule"),
        (9, "", "3 fields"),
        (10, "posixUserId", "not a POSIX id"),
        (10, "posixGroupId", "reserved"),
        (11, "homeDirectory", "absolute"),
        (13, "posixUserId", "not a POSIX id"),
        (13, "posixGroupId", "reserved"),
        (14, "", "NIS"),
        (15, "gecos", "255"),
        (16, "gecos", "control character"),
        (16, "homeDirectory", "absolute"),
        (17, "userName", "also on line 16"),
        (17, "posixUserName", "also on line 16"),
    ] {
        let is_told =
            |(at, about, reason): &(u64, String, String)| *at == line && about == attribute && reason.contains(words);
        assert!(
            found.iter().any(is_told),
            "line {line}, {attribute}: {words} in {found:?}"
        );
    }
    assert_eq!(found.len(), 21, "{found:?}");

    let found = desk.conflicts(
        "group",
        "group",
        "staff:x:5000:\na:x:5001:jane,nobody-here\nb:x:5001:\njack2:x:800:\n",
    );
    let lines: Vec<u64> = found.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [1, 2, 3, 4], "staff is protected: {found:?}");
    let found = desk.conflicts(
        "group",
        "ldif",
        "dn: cn=a\nobjectClass: posixGroup\ncn: a\nmemberUid:: 6Q==\n",
    );
    assert_eq!((found[0].0, found[0].1.as_str()), (4, "memberUid"));
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
    // "/home/l\xe9", and a photograph, which nobody reads.
    let home = b"dn: uid=a\nuid: a\nuidNumber: 20009\njpegPhoto:: /9j/\nhomeDirectory:: L2hvbWUvbOk=\n";
    assert_eq!(line("ldif", home), (5, "it is not UTF-8, or holds a NUL byte".into()));
    assert_eq!(line("ldif", b"dn:: 6Q==\nuid: a\nuidNumber: 20009\n").0, 1);
    assert_eq!(line("ldif", b"dn: uid=a\nuid: a\nuidNumber:: 6Q==\n").0, 3);
    assert_eq!(line("ldif", b"dn: uid=a\nchangetype: delete\n").0, 2);
    desk.close().await;
}

#[tokio::test]
async fn every_fault_of_an_ldif_file_is_told_at_once_with_what_its_entries_take_from_each_other() {
    let desk = Desk::open().await;
    let ldif = "\
dn: uid=a,dc=x
objectClass: posixAccount
uid: a
uidNumber: 6001
gidNumber: 6001
homeDirectory: /home/a
cn:: ***
gecos:: ***
loginShell: notabs

dn: uid=b,dc=x
objectClass: posixAccount
uid: b
uidNumber: 6001
gidNumber: 6001
homeDirectory: b
without a colon

dn: uid=c,dc=x
objectClass: posixAccount
uid: c
uidNumber: 6001
gidNumber: 6001
homeDirectory: /home/c
changetype: delete
loginShell: notabs either
";
    let found = desk.conflicts("user", "ldif", ldif);
    let told: Vec<(u64, &str)> = found.iter().map(|(line, what, _)| (*line, what.as_str())).collect();
    for wanted in [(7, "cn"), (8, "gecos"), (17, ""), (25, "changetype")] {
        assert!(told.contains(&wanted), "{wanted:?}: {found:?}");
    }
    for (line, reason) in [
        (1, "absolute path"),
        (11, "absolute path"),
        (11, "also on line 1"),
        (19, "also on line 1"),
    ] {
        let is_told = found.iter().any(|(at, _, why)| *at == line && why.contains(reason));
        assert!(is_told, "line {line}, {reason}: {found:?}");
    }
    desk.close().await;
}
