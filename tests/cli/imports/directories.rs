//! LDIF and SCIM resources: what a directory and another service export.

use super::desk::Desk;
use crate::harness::Rollcall;
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
    let report = desk.imported("group", "ldif", &desk.file("circle", circle));
    let warnings = report["warnings"].as_array().unwrap();
    let lines: Vec<_> = warnings.iter().filter_map(|warning| warning["line"].as_u64()).collect();
    assert_eq!(lines, [1, 6, 11], "d leads into the circle and is not on it: {report}");
    let own = "dn: cn=e,dc=x\nobjectClass: groupOfNames\ncn: e\nmember: cn=e,dc=x\n";
    let found = desk.conflicts("group", "ldif", own);
    assert_eq!((found.len(), found[0].1.as_str()), (1, "members"), "{found:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_member_whose_distinguished_name_is_written_in_capitals_is_found() {
    let desk = Desk::open().await;
    desk.imported(
        "user",
        "passwd",
        &desk.file("passwd", "jane:x:25001:25001::/home/jane:/bin/sh\n"),
    );
    let ldif = "\
dn: cn=lab,dc=x
objectClass: groupOfNames
cn: lab
member: UID=Jane,OU=People,DC=x

dn: cn=all,dc=x
objectClass: groupOfNames
cn: all
member: CN=Lab,OU=elsewhere,DC=x
";
    desk.imported("group", "ldif", &desk.file("ldif", ldif));
    let groups = desk.exported("group", "group");
    let line = groups.lines().find(|line| line.starts_with("lab:")).unwrap();
    assert!(line.ends_with(":jane"), "{groups}");
    let line = groups.lines().find(|line| line.starts_with("all:")).unwrap();
    assert!(line.ends_with(":jane"), "{groups}");

    // The name of the group is no reason to let its members in.
    let pairs = "dn: cn=pairs,dc=x\nobjectClass: groupOfNames\ncn: pairs\nmember: cn=lab+uid=jane,dc=x\n";
    desk.imported("group", "ldif", &desk.file("pairs", pairs));
    let pairs = desk
        .rollcall(&["group", "show", "pairs", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(pairs["members"].as_array().map(Vec::len), Some(1), "{pairs}");
    assert!(
        pairs.to_string().contains("jane") && !pairs.to_string().contains("lab"),
        "{pairs}"
    );
    let other =
        "dn: cn=other,dc=x\nobjectClass: groupOfNames\ncn: other\nmember: sn=jane,dc=x\nmember: uid=jane+,dc=x\n";
    assert_eq!(desk.conflicts("group", "ldif", other).len(), 2);

    let bare = "dn: cn=bare,dc=x\nobjectClass: groupOfNames\ncn: bare\nmember: jane\nmember:\n";
    let found = desk.conflicts("group", "ldif", bare);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].2.contains("no distinguished name"), "{found:?}");
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
