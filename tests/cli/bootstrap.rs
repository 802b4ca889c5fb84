//! `rollcall bootstrap` and the setting `bootstrap-file`: what the file says is made so, once.

mod clashes;

use std::path::PathBuf;

use serde_json::json;

use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::database::Database;
use crate::harness::service::Service;

/// A folder of its own for a test's files; gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("rollcall-bootstrap-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn team(token_file: &str) -> String {
    format!(
        r#"
[[user]]
user-name = "jane@example.org"
posix-name = "jane"
uid = 20001
display-name = "Jane Doe"
email = "jane@example.org"
admin = true

[[user]]
user-name = "joe@example.org"
locked = true

[[group]]
display-name = "Analysts"
gid = 20500
members = ["jane@example.org", "joe"]

[[token]]
name = "okta"
scopes = ["scim"]
dialect = "okta"
days = 30
file = "{token_file}"

[[token]]
name = "nodes"
scopes = ["nss-user"]
id = "nodes-1"
sha256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
"#
    )
}

#[tokio::test]
async fn a_start_makes_what_is_missing_and_a_second_one_writes_nothing() {
    let folder = Folder::new();
    let token_file = folder.path("okta-token");
    let file = folder.write("team.toml", &team(&token_file));
    let settings = [("bootstrap-file", file.as_str())];
    let rollcall = Rollcall::start_with(&settings).await;
    let token = std::fs::read_to_string(&token_file).unwrap();
    let scim = Rollcall::scim_at(&rollcall.service, token.trim());
    let jane = scim
        .query("/Users", &[("filter", "userName eq \"jane@example.org\"")])
        .await
        .expect(200);
    let jane = &jane.body["Resources"][0];
    let workbench = &jane["urn:rstudio:params:scim:schemas:extension:workbench:1.0:User"];
    assert_eq!(
        (&workbench["posixUserId"], &workbench["admin"]),
        (&json!(20001), &json!(true))
    );
    assert_eq!(jane["groups"][0]["display"], "Analysts");
    // The other token's secret is "foo", which the file does not hold.
    let node = reqwest::Client::new()
        .get(format!("{}/nss/v1/passwd?name=joe", rollcall.service.url("read")))
        .bearer_auth("rc_nodes-1.foo")
        .send()
        .await
        .unwrap();
    assert_eq!(
        node.json::<serde_json::Value>().await.unwrap()["passwd"]["state"],
        "locked"
    );
    let rows = "select count(*) from store.audit where action <> 'create' or path <> 'bootstrap'";
    assert_eq!(rollcall.number(rows).await, 0);
    let all = "select count(*) from store.audit";
    assert_eq!(rollcall.number(all).await, 5, "two users, a group, two tokens");
    let second = Rollcall::replica(&rollcall.database, &settings);
    assert_eq!(rollcall.number(all).await, 5, "a second start changes nothing");
    drop(second);
    std::fs::remove_file(&token_file).unwrap();
    rollcall.command(&["bootstrap", &file]).succeeded();
    assert_eq!(
        rollcall.number(all).await,
        5,
        "a token that is valid elsewhere is not made again"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn what_differs_is_changed_and_what_the_file_leaves_out_is_not() {
    let folder = Folder::new();
    let file = folder.write("team.toml", &team(&folder.path("okta-token")));
    let rollcall = Rollcall::start().await;
    let report = |arguments: &[&str]| {
        let all = [&["bootstrap", &file, "--output", "json"], arguments].concat();
        rollcall.command(&all).succeeded().json()
    };
    let all = "select count(*) from store.audit";
    let dry = report(&["--dry-run"]);
    assert_eq!((&dry["made"], rollcall.number(all).await), (&json!(5), 0), "{dry}");
    assert_eq!(report(&[])["made"], 5);
    assert_eq!(report(&[])["made"], 0);
    rollcall.command(&["user", "set-admin", "jane", "0"]).succeeded();
    rollcall.command(&["user", "unlock", "joe"]).succeeded();
    rollcall.command(&["user", "lock", "jane"]).succeeded();
    rollcall.command(&["user", "add", "mary"]).succeeded();
    rollcall
        .command(&["group", "add-member", "Analysts", "mary"])
        .succeeded();
    rollcall
        .command(&["group", "remove-member", "Analysts", "joe"])
        .succeeded();
    let dry = report(&["--dry-run"]);
    assert_eq!((&dry["made"], &dry["changed"]), (&json!(0), &json!(3)), "{dry}");
    assert_eq!(report(&[])["changed"], 3);
    let shown = |name: &str| {
        rollcall
            .command(&["user", "show", name, "--output", "json"])
            .succeeded()
            .json()
    };
    assert_eq!(
        (&shown("jane")["admin"], &shown("joe")["locked"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        shown("jane")["locked"],
        true,
        "the file does not say whether she is locked"
    );
    assert_eq!(shown("mary")["groups"], json!(["Analysts"]), "nobody is removed");
    let only = "[[group]]\ndisplay-name = \"analysts\"\nmembers = [\"jane\"]\nmembers-only = true\n";
    let only = folder.write("only.toml", only);
    rollcall.command(&["bootstrap", &only]).succeeded();
    assert_eq!(shown("mary")["groups"], json!([]));
    rollcall.finish().await;
}

#[tokio::test]
async fn a_conflict_is_told_with_its_line_and_keeps_no_service_down() {
    let folder = Folder::new();
    let text = "[[user]]\nuser-name = \"root@example.org\"\n\n[[user]]\nuser-name = \"ann\"\n\n\
                [[group]]\ndisplay-name = \"lab\"\nmembers = [\"nobody-here\"]\n\n\
                [[user]]\nuser-name = \"bob\"\nposix-name = \"Not A Name\"\n";
    let file = folder.write("conflicts.toml", text);
    let rollcall = Rollcall::start_with(&[("bootstrap-file", &file)]).await;
    let conflicts: Vec<_> = rollcall
        .service
        .log()
        .into_iter()
        .filter(|line| line.contains("in conflict"))
        .collect();
    assert_eq!(conflicts.len(), 3, "{conflicts:?}");
    let refused = rollcall.command(&["bootstrap", &file, "--output", "json"]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    let report = refused.json();
    let lines: Vec<_> = report["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"] == "conflict")
        .map(|entry| entry["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2, 12, 8], "users, then groups");
    rollcall.command(&["user", "show", "ann"]).succeeded();
    rollcall.finish().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_stops_the_start_with_its_line() {
    let folder = Folder::new();
    let file = folder.write(
        "typo.toml",
        "[[user]]\nuser-name = \"a\"\nuid = \"1\"\n\n[[user]]\nusername = \"b\"\n",
    );
    let database = Database::create().await;
    let uri = database.uri(crate::harness::database::Role::App);
    let log = Service::try_start(&[("database-uri", &uri), ("bootstrap-file", &file)]).unwrap_err();
    for words in [
        "line 3: uid must be",
        "line 5: user-name is missing",
        "line 6: unknown key \"username\"",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let told = run(
        &["bootstrap", &file, "--output", "json"],
        &[("ROLLCALL_DATABASE_URI", &uri)],
    );
    let lines: Vec<_> = told.json()["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["line"].clone())
        .collect();
    assert_eq!((told.code, lines), (2, vec![json!(3), json!(5), json!(6)]));
    let missing = folder.path("missing.toml");
    let log = Service::try_start(&[("database-uri", &uri), ("bootstrap-file", &missing)]).unwrap_err();
    assert!(log.contains("cannot read"), "{log}");
    database.finish().await;
}

#[tokio::test]
async fn replicas_that_start_together_make_everything_once() {
    let folder = Folder::new();
    let users: Vec<String> = (0..40).map(|n| format!("[[user]]\nuser-name = \"u{n}\"\n")).collect();
    let users = users.concat();
    let file = folder.write("many.toml", &users);
    let database = Database::create().await;
    let starts: Vec<_> = (0..3)
        .map(|_| {
            let (uri, file) = (database.uri(crate::harness::database::Role::App), file.clone());
            std::thread::spawn(move || Service::start(&[("database-uri", &uri), ("bootstrap-file", &file)]))
        })
        .collect();
    let services: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    let applied: Vec<_> = services
        .iter()
        .flat_map(Service::log)
        .filter(|line| line.contains("the bootstrap file is applied"))
        .collect();
    assert_eq!(applied.len(), 3);
    assert_eq!(
        applied.iter().filter(|line| line.contains("\"made\":40")).count(),
        1,
        "{applied:?}"
    );
    assert!(
        applied.iter().all(|line| line.contains("\"conflicts\":0")),
        "{applied:?}"
    );
    drop(services);
    database.finish().await;
}

#[tokio::test]
async fn a_dry_run_says_what_a_change_does() {
    let folder = Folder::new();
    let rollcall = Rollcall::start().await;
    let detail = |text: &str, arguments: &[&str]| {
        let file = folder.write("change.toml", &format!("[[user]]\nuser-name = \"ann\"\n{text}"));
        let all = [&["bootstrap", &file, "--output", "json"], arguments].concat();
        rollcall.command(&all).succeeded().json()["entries"][0]["detail"].clone()
    };
    detail("uid = 4242\n", &[]);
    assert_eq!(
        detail("uid = 4242\nhome = \"/data/ann\"\nlocked = true\n", &["--dry-run"]),
        "home /home/ann becomes /data/ann; locked"
    );
    assert_eq!(
        detail("admin = true\ndisplay-name = \"Ann\"\n", &["--dry-run"]),
        "administrator"
    );
    assert_eq!(
        detail("display-name = \"Ann\"\n", &["--dry-run"]),
        "attributes of the person"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn no_file_and_no_start_changes_a_number_or_posix_name_that_somebody_has() {
    let folder = Folder::new();
    let text = |uid: u32, name: &str, gid: u32, group: &str| {
        format!(
            "[[user]]\nuser-name = \"ann\"\nuid = {uid}\nposix-name = \"{name}\"\nhome = \"/data/{uid}\"\n\
             [[group]]\ndisplay-name = \"Lab\"\ngid = {gid}\nposix-name = \"{group}\"\n"
        )
    };
    let first = folder.write("first.toml", &text(4242, "ann", 5252, "lab"));
    let rollcall = Rollcall::start_with(&[("bootstrap-file", &first)]).await;
    let numbers = "select u.uid * 10000 + g.gid from store.users u, store.groups g where u.posix_name = 'ann'
                   and g.posix_name = 'lab' and u.home = '/data/4242'";
    assert_eq!(rollcall.number(numbers).await, 42_425_252);
    for (uid, name, gid, group, words) in [
        (4243, "ann", 5252, "lab", "rollcall user set-uid ann 4243"),
        (4242, "anna", 5252, "lab", "rollcall user rename ann anna"),
        (4242, "ann", 5253, "lab", "lab has gid 5252, not 5253"),
        (4242, "ann", 5252, "labs", "the POSIX name is lab, not labs"),
    ] {
        let file = folder.write("other.toml", &text(uid, name, gid, group));
        let replica = Rollcall::replica(&rollcall.database, &[("bootstrap-file", &file)]);
        let log = replica.log();
        assert!(log.iter().any(|line| line.contains("in conflict")), "{log:?}");
        assert_eq!(rollcall.number(numbers).await, 42_425_252, "{words}");
        for arguments in [&["bootstrap", &file][..], &["bootstrap", &file, "--dry-run"]] {
            let refused = rollcall.command(arguments);
            assert_eq!(refused.code, 3, "{}", refused.stderr);
            assert!(refused.stdout.contains(words), "{}", refused.stdout);
        }
    }
    assert_eq!(rollcall.number(numbers).await, 42_425_252);
    rollcall.command(&["bootstrap", &first]).succeeded();
    rollcall.finish().await;
}

#[tokio::test]
async fn a_dry_run_tells_every_conflict_that_a_run_would_meet_and_takes_nothing() {
    let folder = Folder::new();
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "ann", "--uid", "4242"]).succeeded();
    rollcall.command(&["group", "add", "lab", "--gid", "5252"]).succeeded();
    let text = "[[user]]\nuser-name = \"root@example.org\"\n\
                [[user]]\nuser-name = \"bob\"\nuid = 4242\n\
                [[user]]\nuser-name = \"lab@example.org\"\n\
                [[user]]\nuser-name = \"eve\"\nuid = 61000\n\
                [[user]]\nuser-name = \"joe\"\nuid = 4243\n\
                [[group]]\ndisplay-name = \"Others\"\ngid = 5252\n\
                [[group]]\ndisplay-name = \"Sudo\"\nposix-name = \"sudo\"\n\
                [[group]]\ndisplay-name = \"New\"\ngid = 5253\n\
                [[token]]\nname = \"nodes\"\nscopes = [\"nss-user\"]\nfile = \"/no/such/folder/token\"\n";
    let file = folder.write("team.toml", text);
    let conflicts = |arguments: &[&str]| {
        let told = rollcall.command(&[&["bootstrap", &file, "--output", "json"], arguments].concat());
        assert_eq!(told.code, 3, "{}", told.stderr);
        let entries = told.json()["entries"].as_array().unwrap().clone();
        let conflicts = entries.into_iter().filter(|entry| entry["action"] == "conflict");
        conflicts
            .map(|entry| (entry["line"].clone(), entry["detail"].clone()))
            .collect::<Vec<_>>()
    };
    let state = "select (select count(*) from store.posix_ids) * 1000000 + (select last_value from store.uid_seq) * 100
                 + (select count(*) from store.posix_group_names)";
    let before = rollcall.number(state).await;
    let dry = conflicts(&["--dry-run"]);
    assert_eq!(rollcall.number(state).await, before);
    assert_eq!(dry.len(), 7, "{dry:?}");
    assert_eq!(conflicts(&[]), dry);
    rollcall.command(&["user", "show", "joe"]).succeeded();
    rollcall.command(&["group", "show", "New"]).succeeded();
    rollcall.finish().await;
}
