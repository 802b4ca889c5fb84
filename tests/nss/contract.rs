//! The service answers every exchange of the fixtures as nss/CONTRACT.md says; the nodes' side is tested on the same files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::Json;

use crate::harness::{Rollcall, database::Role, wait_until};

/// Parts of a body that are compared by kind: they differ from run to run.
const BY_KIND: &[&str] = &["age_ms", "stale", "cursor", "next", "epoch", "id", "message"];

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nss")
}

fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(fixtures().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn options() -> Value {
    json!({"uid_start": 20000, "uid_max": 60000, "gid_start": 20000, "gid_max": 60000, "home_root": "/home",
           "shell": "/bin/bash", "collision": "reject", "protected": "", "retain_days": 90})
}

fn audit() -> Value {
    json!({"actor": "test", "path": "import"})
}

/// Makes the users and groups of `dataset.json`, as an import would.
async fn populate(client: &Client) {
    let dataset = read("dataset.json");
    let groups = dataset["groups"].as_array().unwrap();
    let users = dataset["users"].as_array().unwrap();
    let is_private = |user: &Value| {
        groups
            .iter()
            .any(|g| g["gid"] == user["gid"] && g["name"] == user["name"])
    };
    for user in users.iter().rev() {
        // The retired user bore the name first, so he is made, and deleted, before the one who bears it now.
        let name = user["name"].as_str().unwrap().split('.').next().unwrap();
        let retired = user["state"] == "retired";
        let draft = json!({
            "id": user["id"], "user_name_key": name, "key_version": 1, "posix_name": name, "uid": user["uid"],
            "gid": if is_private(user) || retired { Value::Null } else { user["gid"].clone() },
            "private_group": is_private(user) || retired, "home": user["home"], "gecos": user["gecos"],
            "shell": if user["shell"] == "/bin/bash" { Value::Null } else { user["shell"].clone() },
            "locked": user["state"] == "locked", "doc": {"userName": name}, "doc_key": {"userName": name},
        });
        call(client, "select from api.user_create($1, $2, $3)", &draft).await;
        if retired {
            let id: uuid::Uuid = user["id"].as_str().unwrap().parse().unwrap();
            client
                .execute(
                    "select api.user_delete($1, null, $2, $3)",
                    &[&id, &Json(options()), &Json(audit())],
                )
                .await
                .unwrap();
        }
    }
    for group in groups
        .iter()
        .filter(|group| users.iter().all(|user| user["name"] != group["name"]))
    {
        let draft = json!({
            "id": group["id"], "display_name_key": group["name"], "key_version": 1, "posix_name": group["name"],
            "gid": group["gid"], "doc": {"displayName": group["name"]}, "doc_key": {"displayName": group["name"]},
        });
        let members: Vec<uuid::Uuid> = users
            .iter()
            .filter(|user| group["members"].as_array().unwrap().contains(&user["name"]))
            .map(|user| user["id"].as_str().unwrap().parse().unwrap())
            .collect();
        client
            .execute(
                "select from api.group_create($1, $2, $3, $4)",
                &[&Json(draft), &members, &Json(options()), &Json(audit())],
            )
            .await
            .unwrap();
    }
}

async fn call(client: &Client, sql: &str, draft: &Value) {
    client
        .execute(sql, &[&Json(draft), &Json(options()), &Json(audit())])
        .await
        .unwrap();
}

/// What is left when everything is taken out that differs from run to run, and what has no order is sorted.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members
                .iter()
                .map(|(key, value)| {
                    let shown = if BY_KIND.contains(&key.as_str()) {
                        json!("(any)")
                    } else {
                        comparable(value)
                    };
                    (key.clone(), shown)
                })
                .collect();
            members.into_iter().collect()
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(comparable).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

/// All pages of a walk in one body, because the walk is cut where the service likes.
async fn walk(rollcall: &Rollcall, token: &str, path: &str) -> (u16, Value) {
    let (status, mut whole) = get(rollcall, token, path).await;
    let mut next = whole["next"].as_str().map(str::to_owned);
    while let Some(after) = next {
        let base = path.split('?').next().unwrap();
        let (_, page) = get(rollcall, token, &format!("{base}?after={after}")).await;
        next = page["next"].as_str().map(str::to_owned);
        for list in ["entries", "users", "groups"] {
            let more = page[list].as_array().cloned().unwrap_or_default();
            if let Some(items) = whole.get_mut(list).and_then(Value::as_array_mut) {
                items.extend(more);
            }
        }
    }
    if let Some(members) = whole.as_object_mut() {
        members.remove("next");
    }
    (status, whole)
}

async fn get(rollcall: &Rollcall, token: &str, path: &str) -> (u16, Value) {
    let url = format!("{}{path}", rollcall.service.url("read"));
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

#[tokio::test]
async fn every_exchange_of_the_fixtures_is_answered_so() {
    let rollcall = Rollcall::start().await;
    populate(&rollcall.database.connect(Role::App).await).await;
    let tokens = [
        ("nss-user", rollcall.token(&["--scope", "nss-user"])),
        ("nss-admin", rollcall.token(&["--scope", "nss-admin"])),
    ];
    let mut seen = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // What only the nodes can act out: the data set itself, hostile bodies, and what follows on changes.
        let path = std::path::Path::new(&name);
        if path.extension().is_none_or(|end| end != "json") || name == "dataset.json" || name.starts_with("changes_") {
            continue;
        }
        let fixture = read(&name);
        let scope = fixture["request"]["scope"].as_str().unwrap();
        let token = &tokens.iter().find(|(known, _)| *known == scope).unwrap().1;
        let (status, body) = walk(&rollcall, token, fixture["request"]["path"].as_str().unwrap()).await;
        assert_eq!(u64::from(status), fixture["status"].as_u64().unwrap(), "{name}: {body}");
        let mut expected = comparable(&fixture["body"]);
        let mut told = comparable(&body);
        for body in [&mut expected, &mut told] {
            // Enumerations may carry ids, and a snapshot may leave members out: they follow from the users' gids.
            for list in ["entries", "groups"] {
                for item in body.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    let item = item.as_object_mut().unwrap();
                    item.remove("id");
                    if name == "snapshot.json" {
                        item.remove("members");
                    }
                }
                if let Some(items) = body.get_mut(list).and_then(Value::as_array_mut) {
                    items.sort_by_key(Value::to_string);
                }
            }
        }
        assert_eq!(told, expected, "{name}");
        seen += 1;
    }
    assert!(seen > 20, "only {seen} fixtures were tried");
    rollcall.finish().await;
}

#[tokio::test]
async fn the_feed_tells_each_change_and_a_foreign_cursor_starts_afresh() {
    let rollcall = Rollcall::start().await;
    populate(&rollcall.database.connect(Role::App).await).await;
    let token = rollcall.token(&["--scope", "nss-user"]);
    let (_, snapshot) = get(&rollcall, &token, "/nss/v1/snapshot").await;
    let cursor = snapshot["cursor"].as_str().unwrap();
    let scim = rollcall.scim();
    let jane = scim.post("/Users", &json!({"userName": "jane"})).await.expect(201);
    let group = scim
        .post(
            "/Groups",
            &json!({"displayName": "crew", "members": [{"value": jane.id()}]}),
        )
        .await
        .expect(201);
    let (_, told) = get(&rollcall, &token, &format!("/nss/v1/changes?since={cursor}")).await;
    let changes = told["changes"].as_array().unwrap();
    let of = |kind: &str, id: &str| {
        changes
            .iter()
            .find(|change| change["kind"] == kind && change["id"] == id)
            .cloned()
            .unwrap_or_default()
    };
    let gid = &of("group", group.id())["group"]["gid"];
    assert!(
        of("user", jane.id())["user"]["gids"].as_array().unwrap().contains(gid),
        "{changes:?}"
    );
    assert_eq!(of("group", jane.id())["group"]["name"], "jane");

    // The cursor stands before what any open transaction of the server might still commit, so the last changes may come
    // once or twice more.
    let mut cursor = told["cursor"].as_str().unwrap().to_owned();
    wait_until("the feed is quiet", Duration::from_secs(20), async || {
        let (_, quiet) = get(&rollcall, &token, &format!("/nss/v1/changes?since={cursor}")).await;
        quiet["cursor"].as_str().unwrap().clone_into(&mut cursor);
        quiet["changes"] == json!([])
    })
    .await;
    for foreign in ["0000000000000000000000-gone", "99.1.1"] {
        let (status, body) = get(&rollcall, &token, &format!("/nss/v1/changes?since={foreign}")).await;
        assert_eq!((status, &body["error"]), (410, &json!("cursor_gone")));
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn a_change_with_more_parts_than_an_answer_may_hold_is_told_in_pieces() {
    let rollcall = Rollcall::start().await;
    let token = rollcall.token(&["--scope", "nss-user"]);
    let scim = rollcall.scim();
    let mut members = Vec::new();
    for name in ["ann", "bea", "cid", "dan", "eve"] {
        let user = scim.post("/Users", &json!({"userName": name})).await.expect(201);
        members.push(user.id().to_owned());
    }
    let (_, snapshot) = get(&rollcall, &token, "/nss/v1/snapshot").await;
    let mut cursor = snapshot["cursor"].as_str().unwrap().to_owned();
    let values: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    let group = json!({"displayName": "crew", "members": values});
    let group = scim.post("/Groups", &group).await.expect(201);
    let mut told = Vec::new();
    wait_until("the feed is quiet", Duration::from_secs(20), async || {
        let path = format!("/nss/v1/changes?since={cursor}&limit=2");
        let (_, answer) = get(&rollcall, &token, &path).await;
        answer["cursor"].as_str().unwrap().clone_into(&mut cursor);
        let changes = answer["changes"].as_array().unwrap();
        told.extend(changes.iter().map(|change| change["id"].as_str().unwrap().to_owned()));
        changes.is_empty()
    })
    .await;
    members.push(group.id().to_owned());
    assert!(members.iter().all(|id| told.contains(id)), "{members:?} {told:?}");
    rollcall.finish().await;
}
