//! `rollcall nss-conf` makes what a node needs to ask the read API, once.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::Rollcall;
use crate::harness::command::run;

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("rollcall-nss-conf-{name}-{}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// File name → outcome.
fn outcomes(answer: &Value) -> BTreeMap<String, String> {
    let name = |entry: &Value| {
        let path = Path::new(entry["path"].as_str().unwrap());
        path.file_name().unwrap().to_str().unwrap().to_owned()
    };
    answer
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (name(entry), entry["outcome"].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn what_is_installed_once_lets_a_node_ask_and_is_kept_afterwards() {
    let rollcall = Rollcall::start().await;
    let folder = Folder::new("install");
    let install = |further: &[&str]| {
        let arguments = ["nss-conf", "install", "--folder", folder.path(), "--output", "json"];
        rollcall.command(&[&arguments, further].concat()).succeeded()
    };
    let first = install(&[]);
    assert_eq!(
        outcomes(&first.json()),
        ["admin-token", "user-token", "workbench-nss.conf"]
            .map(|name| (name.to_owned(), "written".to_owned()))
            .into()
    );
    let modes = [
        ("admin-token", 0o600),
        ("user-token", 0o644),
        ("workbench-nss.conf", 0o644),
    ];
    for (name, mode) in modes {
        let file = std::fs::metadata(folder.0.join(name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o7777, mode, "{name}");
        assert_eq!(file.nlink(), 1, "{name} has one name");
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), modes.len());
    assert_eq!(
        folder.read("workbench-nss.conf"),
        format!(
            "server-address=http://127.0.0.1:8081\nadmin-token-path={0}/admin-token\nuser-token-path={0}/user-token\n",
            folder.path()
        )
    );

    let tokens = [folder.read("admin-token"), folder.read("user-token")];
    for (token, statuses) in tokens.iter().zip([[404, 404], [404, 403]]) {
        assert!(!first.stdout.contains(token.trim()) && !first.stderr.contains(token.trim()));
        for (table, status) in ["passwd", "shadow"].iter().zip(statuses) {
            let url = format!("{}/nss/v1/{table}?name=nobody-here", rollcall.service.url("read"));
            let request = reqwest::Client::new().get(url).bearer_auth(token.trim());
            assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{table}");
        }
    }
    let list = || {
        let list = rollcall
            .command(&["token", "list", "--output", "json"])
            .succeeded()
            .json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|token| (token["scopes"].to_string(), token["expires_at"].clone()))
            .collect::<BTreeMap<_, _>>()
    };
    let two = [r#"["nss-admin"]"#, r#"["nss-user"]"#].map(|scopes| (scopes.to_owned(), Value::Null));
    assert_eq!(list(), two.into(), "they do not expire");

    std::fs::write(folder.0.join("workbench-nss.conf"), "server-address=unix:/mine\n").unwrap();
    let again = install(&["--server-address", "https://other.example.org"]);
    assert!(outcomes(&again.json()).values().all(|outcome| outcome == "kept"));
    assert_eq!(folder.read("workbench-nss.conf"), "server-address=unix:/mine\n");
    assert_eq!(tokens, [folder.read("admin-token"), folder.read("user-token")]);

    let anew = install(&["--server-address", "https://other.example.org", "--overwrite"]);
    assert_eq!(outcomes(&anew.json())["workbench-nss.conf"], "written");
    assert!(
        folder
            .read("workbench-nss.conf")
            .starts_with("server-address=https://other.example.org\n")
    );
    assert_eq!(tokens, [folder.read("admin-token"), folder.read("user-token")]);

    std::fs::remove_file(folder.0.join("user-token")).unwrap();
    assert_eq!(outcomes(&install(&[]).json())["user-token"], "written");
    assert_eq!(tokens[0], folder.read("admin-token"));
    assert_ne!(tokens[1], folder.read("user-token"));
    rollcall.finish().await;
}

#[tokio::test]
async fn runs_at_the_same_moment_agree_on_one_pair_of_tokens() {
    let rollcall = Rollcall::start().await;
    let folder = Folder::new("race");
    let environment = rollcall.database.environment();
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let arguments = ["nss-conf", "install", "--folder", folder.path()];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| run(&arguments, &environment).succeeded());
        }
    });
    let list = rollcall
        .command(&["token", "list", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(
        list.as_array().unwrap().len(),
        2,
        "the others' tokens are revoked: {list}"
    );
    for name in ["admin-token", "user-token"] {
        let token = folder.read(name);
        assert!(
            list.as_array()
                .unwrap()
                .iter()
                .any(|known| token.contains(known["id"].as_str().unwrap())),
            "{name} is one of them"
        );
    }
    rollcall.finish().await;
}

#[tokio::test]
async fn without_a_database_nothing_is_left_behind_and_what_is_there_is_enough() {
    let folder = Folder::new("away");
    let away = [("ROLLCALL_DATABASE_URI", "host=/nowhere user=x dbname=x")];
    let arguments = ["nss-conf", "install", "--folder", folder.path(), "--output", "json"];
    let install = || run(&arguments, &away);
    assert_ne!(install().code, 0);
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
    for name in ["admin-token", "user-token"] {
        std::fs::write(folder.0.join(name), "rc_from.elsewhere\n").unwrap();
    }
    let written = install().succeeded().json();
    assert_eq!(
        json!(outcomes(&written)),
        json!({"admin-token": "kept", "user-token": "kept", "workbench-nss.conf": "written"})
    );
}

#[test]
fn the_configuration_names_the_addresses_given_or_those_of_this_machine() {
    let generate = |further: &[&str]| {
        run(
            &[&["nss-conf", "generate", "--data-dir", "/nowhere"], further].concat(),
            &[],
        )
    };
    let first_line = |further: &[&str]| {
        let text = generate(further).succeeded().stdout;
        assert!(text.ends_with("admin-token-path=/etc/rstudio/admin-token\nuser-token-path=/etc/rstudio/user-token\n"));
        text.lines().next().unwrap().to_owned()
    };
    assert_eq!(first_line(&[]), "server-address=http://127.0.0.1:8081");
    assert_eq!(
        first_line(&["--read-listen", "0.0.0.0:9000", "--read-socket", "/run/r.sock"]),
        "server-address=unix:/run/r.sock,http://127.0.0.1:9000"
    );
    assert_eq!(
        first_line(&[
            "--server-address",
            "https://a.example.org",
            "--server-address",
            "https://b.example.org:8081"
        ]),
        "server-address=https://a.example.org,https://b.example.org:8081"
    );
    let tls = ["--read-tls-cert-file", "/c.pem", "--read-tls-key-file", "/k.pem"];
    let refused = generate(&tls);
    assert_eq!(refused.code, 2, "a certificate names a host, an address does not");
    assert!(refused.stderr.contains("--server-address"), "{}", refused.stderr);
    for bad in ["ftp://x", "http://a,http://b", "http://a\nenumerate=0"] {
        assert_eq!(generate(&["--server-address", bad]).code, 2, "{bad:?}");
    }
}
