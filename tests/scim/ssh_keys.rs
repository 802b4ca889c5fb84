//! `sshPublicKeys`: checked, kept over a full sync, and told to nodes as long as the user may sign in.

use serde_json::{Value, json};

use super::{POSIX, user};
use crate::harness::Rollcall;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdOOuI7Mq1Ri7aadduQLc1AMyuDbTTa1C1+8rM+Z40J jane@laptop";
const OTHER: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBATiehSTJWT3L1DQXZ/tb9zPXICaZ8jVSo+LUxC/fyJocshJ0FLB/YYzUBft9SzQUdudnEoc3NgfBDVkkw91734=";

fn with_keys(name: &str, keys: &Value) -> Value {
    let mut body = user(name);
    body[POSIX] = json!({"sshPublicKeys": keys});
    body
}

/// What nodes are told of a user.
async fn on_nodes(rollcall: &Rollcall, name: &str) -> Value {
    let answer = reqwest::Client::new()
        .get(format!("{}/nss/v1/user?name={name}", rollcall.service.url("read")))
        .bearer_auth(rollcall.token(&["--scope", "nss-user"]))
        .send()
        .await
        .unwrap();
    answer.json::<Value>().await.unwrap()["user"].clone()
}

#[tokio::test]
async fn keys_reach_nodes_and_a_lock_takes_them_away() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let keys = json!([{"value": KEY, "display": "Laptop"}, {"value": OTHER}]);
    let jane = scim.post("/Users", &with_keys("jane", &keys)).await.expect(201);
    assert_eq!(jane.body[POSIX]["sshPublicKeys"], keys);
    assert_eq!(on_nodes(&rollcall, "jane").await["ssh_keys"], json!([KEY, OTHER]));
    let filter = format!("{POSIX}:sshPublicKeys.value eq \"{KEY}\"");
    assert_eq!(
        scim.query("/Users", &[("filter", &filter)]).await.expect(200).body["totalResults"],
        1
    );
    rollcall.command(&["user", "lock", "jane"]).succeeded();
    let locked = on_nodes(&rollcall, "jane").await;
    assert_eq!(
        (&locked["state"], &locked["ssh_keys"]),
        (&json!("locked"), &Value::Null)
    );
    rollcall.command(&["user", "unlock", "jane"]).succeeded();
    let path = format!("/Users/{}", jane.id());
    scim.put(&path, &user("jane")).await.expect(200);
    assert_eq!(
        on_nodes(&rollcall, "jane").await["ssh_keys"],
        json!([KEY, OTHER]),
        "a full sync that knows nothing of keys locks nobody out"
    );
    let remove = json!([{"op": "remove", "path": format!("{POSIX}:sshPublicKeys[value eq \"{KEY}\"]")}]);
    scim.patch(&path, &remove).await.expect(200);
    assert_eq!(on_nodes(&rollcall, "jane").await["ssh_keys"], json!([OTHER]));
    let remove = json!([{"op": "remove", "path": format!("{POSIX}:sshPublicKeys")}]);
    let none = scim.patch(&path, &remove).await.expect(200);
    assert_eq!(none.body[POSIX].get("sshPublicKeys"), None);
    assert_eq!(on_nodes(&rollcall, "jane").await.get("ssh_keys"), None);
    rollcall.finish().await;
}

#[tokio::test]
async fn what_is_no_key_is_refused_and_changes_nothing() {
    let rollcall = Rollcall::start().await;
    let scim = rollcall.scim();
    let many: Vec<Value> = (0..33).map(|n| json!({"value": format!("{KEY} {n}")})).collect();
    let long: Vec<Value> = (0..3)
        .map(|n| json!({"value": format!("{KEY} {n} {}", "x".repeat(6_000))}))
        .collect();
    let refused = [
        json!([{"value": "not a key"}]),
        json!([{"value": KEY}, {"value": "ssh-rsa AAAA"}]),
        json!([{"value": format!("{KEY}\n{OTHER}")}]),
        json!([{"value": format!("command=\"rm -rf /\" {KEY}")}]),
        json!([{"display": "no value"}]),
        json!(many),
        json!(long),
    ];
    for keys in refused {
        let answer = scim
            .post("/Users", &with_keys("joe", &keys))
            .await
            .expect_error(400, "invalidValue");
        assert!(
            answer.body["detail"].as_str().unwrap().contains("sshPublicKeys"),
            "{}",
            answer.body
        );
    }
    assert_eq!(rollcall.number("select count(*) from store.users").await, 0);
    rollcall.finish().await;
}

#[tokio::test]
async fn options_need_the_sites_consent() {
    let rollcall = Rollcall::start_with(&[("ssh-key-options", "1")]).await;
    let line = format!("from=\"10.0.0.0/8\",no-pty {KEY}");
    let keys = json!([{"value": line}]);
    rollcall
        .scim()
        .post("/Users", &with_keys("jane", &keys))
        .await
        .expect(201);
    assert_eq!(on_nodes(&rollcall, "jane").await["ssh_keys"], json!([line]));
    rollcall.finish().await;
}

#[tokio::test]
async fn the_command_line_adds_lists_and_takes_away_keys() {
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "jane"]).succeeded();
    let file = std::env::temp_dir().join(format!("rollcall-keys-{}.pub", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, format!("# mine\n{KEY}\n\n{OTHER}\n")).unwrap();
    let keys = |arguments: &[&str]| {
        let all = [&["user", "ssh-keys", "jane", "--output", "json"], arguments].concat();
        rollcall.command(&all)
    };
    let added = keys(&["--add", file.to_str().unwrap()]).succeeded().json();
    let fingerprint = "SHA256:TbP+c3ShIp8Hq80LZT4Ek2JOgjgi6wiY1BCC8Uvc+rM";
    assert_eq!(
        (added.as_array().unwrap().len(), &added[0]["fingerprint"]),
        (2, &json!(fingerprint))
    );
    assert_eq!(
        keys(&["--add", file.to_str().unwrap()]).succeeded().json(),
        added,
        "a key is there once"
    );
    let left = keys(&["--remove", fingerprint]).succeeded().json();
    assert_eq!(
        (left.as_array().unwrap().len(), &left[0]["type"]),
        (1, &json!("ecdsa-sha2-nistp256"))
    );
    assert_eq!(keys(&["--remove", fingerprint]).code, 3, "there is none");
    std::fs::write(&file, "hello\n").unwrap();
    assert_eq!(keys(&["--add", file.to_str().unwrap()]).code, 3);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(on_nodes(&rollcall, "jane").await["ssh_keys"], json!([OTHER]));
    rollcall.finish().await;
}

#[tokio::test]
async fn keys_move_in_from_a_directory_and_survive_a_round_trip() {
    let rollcall = Rollcall::start().await;
    let folder = std::env::temp_dir().join(format!("rollcall-move-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let ldif = file(
        "jane.ldif",
        &format!(
            "dn: uid=jane,dc=x\nobjectClass: posixAccount\nobjectClass: ldapPublicKey\nuid: jane\ncn: Jane\nuidNumber: 10001\n\
             gidNumber: 10001\nhomeDirectory: /home/jane\nsshPublicKey: {KEY}\nsshPublicKey: {OTHER}\n"
        ),
    );
    rollcall
        .command(&["user", "import", "--format", "ldif", &ldif])
        .succeeded();
    assert_eq!(on_nodes(&rollcall, "jane").await["ssh_keys"], json!([KEY, OTHER]));
    let exported = rollcall
        .command(&["user", "export", "--format", "json"])
        .succeeded()
        .stdout;
    let again = Rollcall::start().await;
    again
        .command(&["user", "import", "--format", "json", &file("jane.json", &exported)])
        .succeeded();
    assert_eq!(
        again
            .command(&["user", "export", "--format", "json"])
            .succeeded()
            .stdout,
        exported
    );
    assert_eq!(on_nodes(&again, "jane").await["ssh_keys"], json!([KEY, OTHER]));
    std::fs::remove_dir_all(&folder).unwrap();
    again.finish().await;
    rollcall.finish().await;
}
