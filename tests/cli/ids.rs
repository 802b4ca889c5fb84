//! `rollcall ids`, `rollcall brake limit`, and the same two from a bootstrap file: what a site lets the database remember.

use serde_json::{Value, json};

use crate::harness::Rollcall;
use crate::harness::client::Scim;
use crate::harness::database::Role;

const POOL: [(&str, &str); 2] = [
    ("user-provisioning-start-uid", "20000"),
    ("user-provisioning-max-uid", "20100"),
];

async fn uid_of_a_new_user(scim: &Scim, name: &str) -> Value {
    let user = scim.post("/Users", &json!({"userName": name})).await.expect(201);
    user.workbench("posixUserId").clone()
}

#[tokio::test]
async fn reserved_numbers_are_given_to_nobody_until_they_are_released() {
    let rollcall = Rollcall::start_with(&POOL).await;
    let scim = rollcall.scim();
    assert_eq!(uid_of_a_new_user(&scim, "a").await, 20_000);
    let reserve = |arguments: &[&str]| {
        let all = [
            &["ids", "reserve", "--reason", "service accounts", "--output", "json"],
            arguments,
        ]
        .concat();
        rollcall.command(&all)
    };
    assert_eq!(reserve(&["20001", "20009"]).succeeded().json()["action"], "create");
    assert_eq!(reserve(&["20001", "20009"]).succeeded().json()["action"], "keep");
    assert_eq!(uid_of_a_new_user(&scim, "b").await, 20_010);
    let asked = json!({"userName": "c", crate::scim::WORKBENCH: {"posixUserId": 20005}});
    scim.post("/Users", &asked).await.expect(201);
    for (arguments, words) in [
        (
            &["20009", "20020"][..],
            "20001 to 20009 are kept already: service accounts",
        ),
        (&["60000", "60001"], "60001 to 65535 are kept already"),
        (&["20001", "20009", "--hard"], "1 of these numbers are in use, or were"),
    ] {
        let refused = reserve(arguments);
        assert_eq!(refused.code, 3, "{arguments:?}");
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    assert_eq!(
        reserve(&["20020", "20029", "--hard"]).succeeded().json()["action"],
        "create"
    );
    let asked = json!({"userName": "d", crate::scim::WORKBENCH: {"posixUserId": 20020}});
    scim.post("/Users", &asked).await.expect(409);
    assert_eq!(reserve(&["20020", "20029"]).succeeded().json()["action"], "change");
    scim.post("/Users", &asked).await.expect(201);

    let listed = rollcall.command(&["ids", "list"]).succeeded().stdout;
    assert!(
        listed.contains("service accounts") && listed.contains("systemd"),
        "{listed}"
    );
    assert_eq!(
        rollcall.command(&["ids", "release", "1", "999"]).code,
        3,
        "what ships stays"
    );
    assert_eq!(rollcall.command(&["ids", "release", "20001", "20008"]).code, 3);
    rollcall.command(&["ids", "release", "20020", "20029"]).succeeded();
    let changes = "select count(*) from store.audit where resource = 'ids' and actor like 'os:%'";
    assert_eq!(rollcall.number(changes).await, 4, "what changed nothing is not noted");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_token_has_a_limit_of_its_own_until_it_has_none() {
    let rollcall = Rollcall::start_with(&[("deletion-limit-per-hour", "1")]).await;
    let scim = rollcall.scim();
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let user = scim.post("/Users", &json!({"userName": name})).await.expect(201);
        ids.push(format!("/Users/{}", user.id()));
    }
    let tokens = rollcall
        .command(&["token", "list", "--output", "json"])
        .succeeded()
        .json();
    let token = tokens[0]["name"].as_str().unwrap();
    let limit = |arguments: &[&str]| rollcall.command(&[&["brake", "limit", token], arguments].concat());
    limit(&["--limit", "2"]).succeeded();
    scim.delete(&ids[0]).await.expect(204);
    scim.delete(&ids[1]).await.expect(204);
    scim.delete(&ids[2]).await.expect(429);
    let shown = rollcall
        .command(&["brake", "show", "--output", "json"])
        .succeeded()
        .json();
    let actor = &shown["actors"][0];
    assert_eq!((&actor["own_limit"], &actor["removals"]), (&json!(2), &json!(2)));
    rollcall
        .command(&["brake", "release", token, "--limit", "3"])
        .succeeded();
    scim.delete(&ids[2]).await.expect(204);
    rollcall.command(&["brake", "restore", token]).succeeded();
    limit(&["--default"]).succeeded();
    scim.delete(&ids[3]).await.expect(429);
    assert_eq!(limit(&[]).code, 2);
    assert_eq!(limit(&["--limit", "1", "--default"]).code, 2);
    assert_eq!(rollcall.command(&["brake", "limit", "nobody", "--limit", "1"]).code, 3);
    rollcall.finish().await;
}

#[tokio::test]
async fn a_file_declares_them_once_and_what_does_not_fit_is_a_conflict() {
    let path = std::env::temp_dir().join(format!("rollcall-settings-{}.toml", uuid::Uuid::new_v4().simple()));
    let text = |hard: bool, per_hour: u32| {
        format!(
            "[[settings.reserved-ids]]\nfirst = 20000\nlast = 20009\nreason = \"robots\"\nhard = {hard}\n\
             [[settings.deletion-limits]]\ntoken = \"okta\"\nper-hour = {per_hour}\n\
             [[token]]\nname = \"okta\"\nscopes = [\"scim\"]\nid = \"okta-1\"\n\
             sha256 = \"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"\n\
             [[user]]\nuser-name = \"ann\"\n"
        )
    };
    let write = |text: String| std::fs::write(&path, text).unwrap();
    let file = path.to_str().unwrap();
    write(text(false, 7));
    let rollcall = Rollcall::start_with(&POOL).await;
    let report = |arguments: &[&str]| {
        let told = rollcall
            .command(&[&["bootstrap", file, "--output", "json"], arguments].concat())
            .succeeded();
        let told = told.json();
        (told["made"].clone(), told["changed"].clone())
    };
    let written = "select count(*) from store.audit";
    assert_eq!(report(&["--dry-run"]), (json!(4), json!(0)));
    assert_eq!(rollcall.number(written).await, 0);
    let settings = [&POOL[..], &[("bootstrap-file", file)]].concat();
    let replica = Rollcall::replica(&rollcall.database, &settings);
    assert_eq!(rollcall.number(written).await, 4);
    assert_eq!(
        rollcall.number("select uid from store.users").await,
        20_010,
        "blocks come before users"
    );
    assert_eq!(rollcall.number("select removal_limit from store.brake_limits").await, 7);
    drop(replica);
    drop(Rollcall::replica(&rollcall.database, &settings));
    assert_eq!(rollcall.number(written).await, 4, "a second start writes nothing");
    write(text(true, 8));
    assert_eq!(report(&["--dry-run"]), (json!(0), json!(2)));
    assert_eq!(rollcall.number(written).await, 4);
    assert_eq!(report(&[]), (json!(0), json!(2)));
    let rows = "select count(*) from store.audit where path = 'bootstrap' and resource in ('ids', 'brake')";
    assert_eq!(rollcall.number(rows).await, 4);
    let owner = rollcall.database.connect(Role::Superuser).await;
    let shorter = "update store.id_reserved set block = '[20000,20005)' where by_site";
    owner.batch_execute(shorter).await.unwrap();
    let refused = rollcall.command(&["bootstrap", file]);
    assert_eq!(refused.code, 3, "{}", refused.stdout);
    assert!(
        refused.stdout.contains("20000 to 20004 are kept already: robots"),
        "{}",
        refused.stdout
    );
    std::fs::remove_file(&path).unwrap();
    rollcall.finish().await;
}
