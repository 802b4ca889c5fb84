//! Where memberships came from, as the pages say it.

use serde_json::json;

use super::views::{ids, open};
use super::{signed_in, start_with};
use crate::scim::group;

#[tokio::test]
async fn memberships_say_where_they_came_from() {
    let rollcall = start_with(&[("admin-posix-group", "admins")]).await;
    let scim = rollcall.scim();
    let jane = scim
        .post("/Users", &json!({"userName": "jane"}))
        .await
        .expect(201)
        .id()
        .to_owned();
    let lab = scim
        .post("/Groups", &group("lab", &[&jane]))
        .await
        .expect(201)
        .id()
        .to_owned();
    let outer = scim
        .post("/Groups", &group("outer", &[&lab]))
        .await
        .expect(201)
        .id()
        .to_owned();
    rollcall.command(&["group", "add-member", "lab", "jane"]).succeeded();
    let folder = std::env::temp_dir().join(format!("rollcall-origins-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let imported = write("group", "brought:x:4242:jane\n");
    rollcall
        .command(&["group", "import", "--format", "group", &imported])
        .succeeded();
    let declared = write(
        "team.toml",
        "[[group]]\ndisplay-name = \"declared\"\nmembers = [\"jane\"]\n",
    );
    rollcall.command(&["bootstrap", &declared]).succeeded();
    rollcall.command(&["user", "set-admin", "jane", "1"]).succeeded();
    std::fs::remove_dir_all(folder).unwrap();
    let api = rollcall.service.url("api");
    let mut ann = signed_in(&rollcall.service, "ann").await;
    let user = open(&mut ann, &format!("{api}/admin/users/{jane}")).await;
    for (group, origin) in [
        ("lab", "SCIM, command line"),
        ("declared", "bootstrap file"),
        ("brought", "import"),
        ("admins", "administrator"),
    ] {
        let row = user
            .body
            .lines()
            .find(|line| line.contains(&format!("<bdi>{group}</bdi>")));
        let row = row.unwrap_or_else(|| panic!("{group} is not in {}", user.body));
        assert!(row.contains(&format!("<td>{origin}</td>")), "{origin}: {row}");
    }
    let group = open(&mut ann, &format!("{api}/admin/groups/{lab}")).await;
    assert!(
        group.body.contains("<td>SCIM, command line</td>") && group.body.contains("Is itself in"),
        "{}",
        group.body
    );
    assert_eq!(ids(&group, "groups"), [outer.as_str()]);
    let nested = open(&mut ann, &format!("{api}/admin/groups/{outer}")).await;
    assert!(nested.body.contains("lab</a> (group)"), "{}", nested.body);
    rollcall.finish().await;
}
