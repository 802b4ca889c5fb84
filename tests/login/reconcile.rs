//! Reconciliation of groups: what a claim does to memberships, and what it leaves alone.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::{JIT, front_end};
use crate::harness::client::Scim;
use crate::harness::database::Role;
use crate::harness::{Rollcall, wait_until};

async fn sign_in(front_end: &Scim, groups: Value) -> Value {
    let mut claim = json!({"userName": "jane"});
    if groups != json!("(absent)") {
        claim["groups"] = groups;
    }
    front_end.post("/logins", &claim).await.expect(200).body
}

fn groups_of(rollcall: &Rollcall, user: &str) -> Value {
    let mut groups = rollcall
        .command(&["user", "show", user, "--output", "json"])
        .succeeded()
        .json()["groups"]
        .take();
    groups
        .as_array_mut()
        .unwrap()
        .sort_by_key(|group| group.as_str().unwrap().to_owned());
    groups
}

#[tokio::test]
async fn absent_empty_single_and_list_do_what_workbench_documents() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let front_end = front_end(&rollcall);
    for (claim, after) in [
        (json!(["a", "b"]), json!(["a", "b"])),
        (json!("(absent)"), json!(["a", "b"])),
        (json!(null), json!(["a", "b"])),
        (json!(["B", "c"]), json!(["b", "c"])),
        (json!("d"), json!(["d"])),
        (json!([]), json!([])),
        (json!(["a", " A ", "", "  "]), json!(["a"])),
        (json!(""), json!([])),
    ] {
        sign_in(&front_end, claim.clone()).await;
        assert_eq!(groups_of(&rollcall, "jane"), after, "after {claim}");
    }
    let groups = rollcall.scim().get("/Groups").await.expect(200);
    assert_eq!(groups.body["totalResults"], 4, "groups are never deleted");
    rollcall.finish().await;
}

#[tokio::test]
async fn the_default_scope_removes_whoever_added_it_and_the_narrow_one_only_what_sign_in_added() {
    for (scope, after) in [
        ("all", json!(["new"])),
        ("login", json!(["both", "manual", "new", "scim"])),
    ] {
        let rollcall = Rollcall::start_with(&[JIT, ("user-provisioning-reconcile-scope", scope)]).await;
        let (front_end, scim) = (front_end(&rollcall), rollcall.scim());
        let user = sign_in(&front_end, json!(["jit", "both"])).await;
        let member = json!([{"value": user["user"]["id"]}]);
        scim.post("/Groups", &json!({"displayName": "scim", "members": member}))
            .await
            .expect(201);
        let both = scim
            .query("/Groups", &[("filter", "displayName eq \"both\"")])
            .await
            .expect(200);
        let both = both.body["Resources"][0]["id"].as_str().unwrap().to_owned();
        let add = json!([{"op": "add", "path": "members", "value": member}]);
        scim.patch(&format!("/Groups/{both}"), &add).await;
        rollcall.command(&["group", "add", "manual"]).succeeded();
        rollcall.command(&["group", "add-member", "manual", "jane"]).succeeded();
        sign_in(&front_end, json!(["new"])).await;
        assert_eq!(groups_of(&rollcall, "jane"), after, "{scope}");
        rollcall.finish().await;
    }
}

#[tokio::test]
async fn an_unchanged_sign_in_writes_nothing() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let front_end = front_end(&rollcall);
    let claim = json!({"userName": "jane", "subject": "1", "displayName": "Jane", "groups": ["a", "b"]});
    front_end.post("/logins", &claim).await.expect(200);
    let database = rollcall.database.connect(Role::Superuser).await;
    let signed_in = async || {
        let rows = database.query("select 1 from store.sign_ins", &[]).await.unwrap();
        !rows.is_empty()
    };
    wait_until("the first sign-in is noted", Duration::from_secs(20), signed_in).await;
    // Transactions that write nothing take no number.
    let sql = "select (select max(xmin::text::bigint) from store.users),
                      (select count(*) from store.audit), (select count(*) from store.change_feed),
                      (select string_agg(xmin::text || ctid::text, ',') from store.login_state)";
    let state = async || {
        let row = database.query_one(sql, &[]).await.unwrap();
        (
            row.get::<_, i64>(0),
            row.get::<_, i64>(1),
            row.get::<_, i64>(2),
            row.get::<_, String>(3),
        )
    };
    let before = state().await;
    for _ in 0..5 {
        let answer = front_end.post("/logins", &claim).await.expect(200).body;
        assert_eq!(answer["changed"], false);
    }
    assert_eq!(state().await, before);
    rollcall.finish().await;
}

#[tokio::test]
async fn whoever_else_changes_a_membership_the_next_sign_in_compares_anew() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let (front_end, scim) = (front_end(&rollcall), rollcall.scim());
    let claim = json!(["a", "b"]);
    let user = sign_in(&front_end, claim.clone()).await;
    let id = user["user"]["id"].as_str().unwrap().to_owned();
    let find = async |name: &str| {
        let found = scim
            .query("/Groups", &[("filter", &format!("displayName eq \"{name}\""))])
            .await;
        found.body["Resources"][0]["id"].as_str().unwrap().to_owned()
    };
    let a = find("a").await;
    let check = async |what: &str| {
        let answer = sign_in(&front_end, claim.clone()).await;
        assert_eq!(answer["changed"], true, "{what}");
        assert_eq!(groups_of(&rollcall, "jane"), json!(["a", "b"]), "{what}");
        assert_eq!(sign_in(&front_end, claim.clone()).await["changed"], false, "{what}");
    };
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
    scim.patch(&format!("/Groups/{a}"), &remove).await;
    check("PATCH that removes").await;
    scim.put(&format!("/Groups/{a}"), &json!({"displayName": "a", "members": []}))
        .await
        .expect(200);
    check("PUT that removes").await;
    scim.post("/Groups", &json!({"displayName": "x", "members": [{"value": id}]}))
        .await
        .expect(201);
    check("POST of a group").await;
    let x = find("x").await;
    let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
    scim.patch(&format!("/Groups/{x}"), &add).await;
    check("PATCH that adds").await;
    scim.delete(&format!("/Groups/{a}")).await.expect(204);
    check("DELETE of a group").await;
    rollcall.command(&["group", "remove-member", "b", "jane"]).succeeded();
    check("the command line").await;
    rollcall.finish().await;
}

#[tokio::test]
async fn claimed_fields_follow_the_provider_and_the_others_stay() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let (front_end, scim) = (front_end(&rollcall), rollcall.scim());
    let user = json!({"userName": "jane", "displayName": "Old", "nickName": "J",
        "emails": [{"value": "old@x.org", "type": "work", "primary": true}, {"value": "home@x.org", "type": "home"}]});
    let user = scim.post("/Users", &user).await.expect(201);
    let claim = json!({"userName": "jane", "displayName": "New", "email": "new@x.org"});
    let answer = front_end.post("/logins", &claim).await.expect(200).body;
    assert_eq!((&answer["updated"], &answer["created"]), (&json!(true), &json!(false)));
    let after = scim.get(&format!("/Users/{}", user.id())).await.expect(200).body;
    assert_eq!(
        (&after["displayName"], &after["nickName"]),
        (&json!("New"), &json!("J"))
    );
    let emails =
        json!([{"value": "new@x.org", "type": "work", "primary": true}, {"value": "home@x.org", "type": "home"}]);
    assert_eq!(after["emails"], emails);
    let found = scim
        .query("/Users", &[("filter", "emails.value eq \"NEW@x.org\"")])
        .await
        .expect(200);
    assert_eq!(found.body["totalResults"], 1);
    front_end
        .post("/logins", &json!({"userName": "jane"}))
        .await
        .expect(200);
    let same = scim.get(&format!("/Users/{}", user.id())).await.expect(200).body;
    assert_eq!(same["displayName"], "New", "what is not claimed is not changed");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_dry_run_says_what_a_sign_in_would_change_and_changes_nothing() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    sign_in(&front_end(&rollcall), json!(["a", "b"])).await;
    rollcall.command(&["group", "add", "Other"]).succeeded();
    let arguments = [
        "group",
        "reconcile",
        "jane",
        "--dry-run",
        "--groups",
        "A,other,fresh",
        "--output",
        "json",
    ];
    let lines = rollcall.command(&arguments).succeeded().json();
    let expected = json!([
        {"action": "add", "group": "Other"}, {"action": "create", "group": "fresh"},
        {"action": "keep", "group": "a"}, {"action": "remove", "group": "b"}]);
    assert_eq!(lines["changes"], expected);
    assert_eq!(groups_of(&rollcall, "jane"), json!(["a", "b"]));
    assert_ne!(
        rollcall.command(&["group", "reconcile", "jane", "--groups", "a"]).code,
        0
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn last_sign_in_is_noted_soon() {
    let rollcall = Rollcall::start_with(&[JIT]).await;
    let user = sign_in(&front_end(&rollcall), json!(["a"])).await;
    let (scim, path) = (
        rollcall.scim(),
        format!("/Users/{}", user["user"]["id"].as_str().unwrap()),
    );
    let noted = async || !scim.get(&path).await.expect(200).workbench("lastSignIn").is_null();
    wait_until("lastSignIn", Duration::from_secs(20), noted).await;
    rollcall.finish().await;
}

#[tokio::test]
async fn a_dry_run_says_what_the_sign_in_then_does() {
    let rules = [
        ("auth-required-user-group", "Staff"),
        ("auth-groups-refused-names", "^[0-9a-f]{8}-"),
    ];
    let rollcall = Rollcall::start_with(&[&rules[..], &[JIT]].concat()).await;
    let front_end = front_end(&rollcall);
    rollcall.command(&["user", "add", "jane"]).succeeded();
    // The claim knows the group by its name, the setting by its POSIX name.
    let posix = "urn:rollcall:params:scim:schemas:extension:posix:1.0:Group";
    let everybody = json!({"displayName": "All of us", posix: {"posixGroupName": "allofus"}});
    rollcall.scim().post("/Groups", &everybody).await.expect(201);
    let named = [("auth-required-user-group", "allofus")];
    let preview = |groups: &str, rules: &[(&str, &str)]| {
        let flags: Vec<String> = rules.iter().map(|(name, value)| format!("--{name}={value}")).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let words = [
            "group",
            "reconcile",
            "jane",
            "--dry-run",
            "--output",
            "json",
            "--groups",
            groups,
        ];
        let told = rollcall.command(&[&words[..], &flags].concat());
        let outcome = told.json();
        assert_eq!(
            told.code,
            if outcome["refused"].is_null() { 0 } else { 3 },
            "{}",
            told.stderr
        );
        outcome
    };
    for (groups, refused) in [
        (vec!["Staff", "eng"], json!(null)),
        (vec!["eng", "ops"], json!("required_group")),
        (vec!["staff", "0b1e7a52-9c1f"], json!("malformed_groups")),
        (vec!["staff"], json!(null)),
    ] {
        let told = preview(&groups.join(","), &rules);
        assert_eq!(told["refused"], refused, "{groups:?}");
        let changes = told["changes"].as_array().unwrap().iter();
        let mut stays: Vec<Value> = changes
            .filter(|line| line["action"] != "remove")
            .map(|line| line["group"].clone())
            .collect();
        stays.sort_by_key(|group| group.as_str().unwrap().to_owned());
        let before = groups_of(&rollcall, "jane");
        let answer = front_end
            .post("/logins", &json!({"userName": "jane", "groups": groups}))
            .await;
        assert_eq!(answer.status == 200, refused.is_null(), "{groups:?}");
        assert_eq!(answer.body["error"], refused, "{groups:?}");
        let expected = if refused == "malformed_groups" {
            before
        } else {
            json!(stays)
        };
        assert_eq!(groups_of(&rollcall, "jane"), expected, "{groups:?}");
    }
    assert_eq!(preview("all of us", &named)["refused"], json!(null));
    assert_eq!(preview("eng", &named)["refused"], "required_group");
    assert_eq!(
        preview("staff", &[("auth-minimum-user-id", "59999")])["refused"],
        "minimum_uid"
    );
    rollcall.command(&["user", "lock", "jane"]).succeeded();
    assert_eq!(
        preview("staff", &rules),
        json!({"refused": "locked", "detail": "the user is locked", "changes": []})
    );
    rollcall.finish().await;
}
