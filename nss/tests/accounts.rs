//! What the node does for its users beside NSS: their SSH keys and their home directories. As root.

use crate::harness::node::{Agent, Folder, server, until};
use crate::harness::server::{Fault, Server};
use rollcall_nss::contract::{State, User};
use rollcall_nss::home::{DEPTH_MAX, ENTRIES_MAX};
use rollcall_nss::map::{MAP_FILE, Map};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdOOuI7Mq1Ri7aadduQLc1AMyuDbTTa1C1+8rM+Z40J zoe@laptop";

struct Node {
    folder: Folder,
    server: Arc<Server>,
    agent: Option<Agent>,
}

impl Node {
    /// A node that knows `users` besides those of the fixtures.
    fn with(name: &str, users: Vec<User>, config: &str) -> Self {
        let folder = Folder::new(name);
        let server = server();
        for user in users {
            server.store.lock().unwrap().put_user(user);
        }
        let port = server.listen_tcp("127.0.0.1:0");
        folder.write(
            "conf",
            &folder.config_text(&format!("http://127.0.0.1:{port}"), config),
            0o644,
        );
        let agent = Some(Agent::start(&folder));
        until("the directory is loaded", SOON, || {
            Map::open(folder.path(MAP_FILE)).is_ok_and(|map| map.is_complete())
        });
        Self { folder, server, agent }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rollcall-node"))
            .args(arguments)
            .args(["--run-dir", &self.folder.0, "--config", &self.folder.path("conf")])
            .env_remove("PAM_USER")
            .output()
            .unwrap()
    }

    fn keys(&self, user: &str) -> (Option<i32>, String) {
        let output = self.run(&["authorized-keys", user]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    fn home_of(&self, user: &str) -> String {
        self.folder.path(&format!("homes/{user}"))
    }
}

fn zoe(folder: &str) -> User {
    User {
        id: "id-10100".to_owned(),
        name: "zoe".to_owned(),
        uid: 10_100,
        gid: 10_010,
        home: format!("{folder}/homes/zoe"),
        shell: "/bin/sh".to_owned(),
        gids: Some(vec![10_010]),
        ssh_keys: vec![KEY.to_owned()],
        ..User::default()
    }
}

fn known(output: &str) -> (Option<i32>, String) {
    (Some(0), output.to_owned())
}

#[test]
fn keys_come_from_the_map_while_service_and_agent_are_away() {
    let mut node = Node::with("keys", vec![zoe("/x")], "");
    let line = format!("{KEY}\n");
    assert_eq!(node.keys("zoe"), known(&line));
    let json = node.run(&["authorized-keys", "zoe", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["keys"], serde_json::json!([KEY]));
    for nobody in ["ada", "nobody-at-all", "root", "daemon", "../zoe", ""] {
        assert_eq!(node.keys(nobody), known(""), "{nobody:?}");
    }
    *node.server.fault.lock().unwrap() = Fault::Unavailable;
    node.agent = None;
    assert_eq!(node.keys("zoe"), known(&line), "offline");
    assert_eq!(node.keys("somebody-new"), (Some(4), String::new()), "cannot know");
    std::fs::remove_file(node.folder.path(MAP_FILE)).unwrap();
    assert_eq!(node.keys("zoe"), (Some(4), String::new()), "no map");
    assert_eq!(node.run(&["authorized-keys"]).status.code(), Some(2));
}

#[test]
fn a_locked_deleted_or_local_user_has_no_key_and_no_new_home() {
    let of = |name: &str, uid, state| User {
        id: format!("id-{uid}"),
        name: name.to_owned(),
        uid,
        state,
        ..zoe("/x")
    };
    // The service leaves the keys of who may not sign in out; a node does not rely on it.
    let users = vec![
        of("locked", 10_101, State::Locked),
        of("retired", 10_102, State::Retired),
        of("daemon", 10_103, State::Live),
    ];
    let node = Node::with("nokeys", users, "");
    for name in ["locked", "retired", "daemon"] {
        assert_eq!(node.keys(name), known(""), "{name}");
        assert_eq!(node.run(&["make-home", name]).status.code(), Some(3), "{name}");
    }
}

#[test]
fn keys_that_are_none_do_not_reach_sshd() {
    let bad = User {
        ssh_keys: vec![
            format!("{KEY}\nssh-rsa x"),
            String::new(),
            "x".repeat(8193),
            KEY.to_owned(),
        ],
        ..zoe("/x")
    };
    let node = Node::with("badkeys", vec![bad], "");
    assert_eq!(node.keys("zoe"), known(&format!("{KEY}\n")));
}

/// A skeleton with a file, a folder, a link and a program.
fn skeleton(folder: &Folder) -> String {
    let skel = folder.path("skel");
    std::fs::create_dir_all(format!("{skel}/bin")).unwrap();
    folder.write("skel/.profile", "umask 077\n", 0o644);
    folder.write("skel/bin/hello", "#!/bin/sh\n", 0o755);
    symlink("bin/hello", format!("{skel}/hello")).unwrap();
    skel
}

fn homes(folder: &Folder) {
    std::fs::create_dir(folder.path("homes")).unwrap();
}

fn leftovers(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path("homes")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

fn node_with_homes(name: &str, config: &str) -> Node {
    let place = std::env::temp_dir().join(format!("nss-{name}-{}", std::process::id()));
    let place = place.to_str().unwrap();
    let node = Node::with(name, vec![zoe(place)], &format!("home-skel={place}/skel\n{config}"));
    homes(&node.folder);
    node
}

#[test]
fn a_home_is_made_from_the_skeleton_and_belongs_to_its_user() {
    let node = node_with_homes("home", "home-mode=750");
    skeleton(&node.folder);
    let made = node.run(&["make-home", "zoe", "--output", "json"]);
    assert!(made.status.success(), "{made:?}");
    let home = node.home_of("zoe");
    let state = |path: &str| {
        let meta = std::fs::symlink_metadata(path).unwrap();
        (meta.uid(), meta.gid(), meta.mode() & 0o7777)
    };
    assert_eq!(state(&home), (10_100, 10_010, 0o750));
    assert_eq!(state(&format!("{home}/.profile")), (10_100, 10_010, 0o640));
    assert_eq!(state(&format!("{home}/bin/hello")), (10_100, 10_010, 0o750));
    assert_eq!(
        std::fs::read_link(format!("{home}/hello")).unwrap(),
        Path::new("bin/hello")
    );
    assert_eq!(
        state(&format!("{home}/hello")).0,
        10_100,
        "the link itself, not what it leads to"
    );
    std::fs::write(format!("{home}/.profile"), "mine").unwrap();
    assert!(node.run(&["make-home", "zoe"]).status.success());
    assert_eq!(
        std::fs::read_to_string(format!("{home}/.profile")).unwrap(),
        "mine",
        "never twice"
    );
    let pam = Command::new(env!("CARGO_BIN_EXE_rollcall-node"))
        .args([
            "make-home",
            "--run-dir",
            &node.folder.0,
            "--config",
            &node.folder.path("conf"),
        ])
        .env("PAM_USER", "zoe")
        .status()
        .unwrap();
    assert!(pam.success());
    assert_eq!(leftovers(&node.folder), Vec::<String>::new());
}

#[test]
fn no_link_and_no_folder_of_others_leads_a_home_astray() {
    let node = node_with_homes("astray", "");
    let (homes, home) = (node.folder.path("homes"), node.home_of("zoe"));
    let elsewhere = node.folder.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let refused = |why: &str| {
        let output = node.run(&["make-home", "zoe"]);
        assert_eq!(output.status.code(), Some(1), "{why}: {output:?}");
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0, "{why}");
        assert_eq!(std::fs::metadata(&elsewhere).unwrap().uid(), 0, "{why}");
        assert_eq!(leftovers(&node.folder), Vec::<String>::new(), "{why}");
    };
    symlink(&elsewhere, &home).unwrap();
    refused("a link in place of the home");
    std::fs::remove_file(&home).unwrap();
    std::fs::create_dir(&home).unwrap();
    refused("a home of root's");
    std::os::unix::fs::chown(&home, Some(10_999), None).unwrap();
    refused("a home of somebody else's");
    std::fs::remove_dir(&home).unwrap();
    std::fs::set_permissions(&homes, std::fs::Permissions::from_mode(0o1777)).unwrap();
    refused("a folder that everybody can write, sticky or not");
    std::fs::set_permissions(&homes, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::chown(&homes, Some(10_999), None).unwrap();
    refused("a folder of somebody else's");
    std::os::unix::fs::chown(&homes, Some(0), None).unwrap();
    assert!(node.run(&["make-home", "zoe"]).status.success());
}

/// A user of this number whose home is `home` beneath `place`.
fn at_home(place: &str, uid: u32, home: &str) -> User {
    User {
        id: format!("id-{uid}"),
        name: format!("u{uid}"),
        uid,
        home: format!("{place}/{home}"),
        ..zoe(place)
    }
}

#[test]
fn only_a_link_that_root_alone_could_have_made_is_followed() {
    let place = std::env::temp_dir().join(format!("nss-ways-{}", std::process::id()));
    let place = place.to_str().unwrap();
    let refused = [
        "open/way",
        "sticky/way",
        "sticky/theirs",
        "theirs",
        "loop",
        "open",
        "sticky",
    ];
    let followed = ["ours", "around", "sticky/homes"];
    let ways = refused.iter().chain(&followed).zip(11_200..);
    let users = ways
        .map(|(way, uid)| at_home(place, uid, &format!("{way}/u{uid}")))
        .collect();
    let node = Node::with("ways", users, &format!("home-skel={place}/skel\n"));
    homes(&node.folder);
    let path = |name: &str| node.folder.path(name);
    for (folder, mode) in [("open", 0o777), ("sticky", 0o1777), ("sticky/homes", 0o755)] {
        std::fs::create_dir(path(folder)).unwrap();
        std::fs::set_permissions(path(folder), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    for (name, target, owner) in [
        ("open/way", path("homes"), 0),
        ("sticky/way", path("homes"), 0),
        ("sticky/theirs", path("homes"), 10_999),
        ("theirs", path("homes"), 10_999),
        ("loop", "loop".to_owned(), 0),
        ("ours", path("homes"), 0),
        ("around", "sticky/../ours".to_owned(), 0),
    ] {
        symlink(target, path(name)).unwrap();
        std::os::unix::fs::lchown(path(name), Some(owner), None).unwrap();
    }
    let found = || std::fs::read_dir(path("homes")).unwrap().count();
    for (way, uid) in refused.iter().zip(11_200..) {
        let told = node.run(&["make-home", &format!("u{uid}")]);
        assert_eq!((told.status.code(), found()), (Some(1), 0), "{way}: {told:?}");
    }
    for (way, uid) in followed.iter().zip(11_207..) {
        let made = node.run(&["make-home", &format!("u{uid}")]);
        assert!(made.status.success(), "{way}: {made:?}");
        let home = std::fs::metadata(path(&format!("{way}/u{uid}"))).unwrap();
        assert_eq!((home.uid(), home.gid()), (uid, 10_010), "{way}");
    }
}

#[test]
fn a_skeleton_beyond_its_limits_leaves_nothing_behind() {
    let node = node_with_homes("limits", "");
    let skel = skeleton(&node.folder);
    let deep = format!("{skel}/{}", "d/".repeat(DEPTH_MAX));
    std::fs::create_dir_all(&deep).unwrap();
    let refused = |words: &str| {
        let output = node.run(&["make-home", "zoe"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!Path::new(&node.home_of("zoe")).exists());
        assert_eq!(leftovers(&node.folder), Vec::<String>::new());
    };
    refused("deeper");
    std::fs::remove_dir_all(format!("{skel}/d")).unwrap();
    std::fs::create_dir(format!("{skel}/many")).unwrap();
    for number in 0..=ENTRIES_MAX {
        std::fs::write(format!("{skel}/many/{number}"), "").unwrap();
    }
    refused("entries");
}

#[test]
fn two_sign_ins_at_once_make_one_home() {
    let node = node_with_homes("twice", "");
    skeleton(&node.folder);
    let outcomes: Vec<Output> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| node.run(&["make-home", "zoe"])))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(outcomes.iter().all(|output| output.status.success()), "{outcomes:?}");
    let made = outcomes.iter().filter(|output| !output.stdout.is_empty()).count();
    assert_eq!((made, leftovers(&node.folder)), (1, Vec::new()));
}

#[test]
fn a_hook_makes_homes_instead() {
    let place = std::env::temp_dir().join(format!("nss-hook-{}", std::process::id()));
    let hook = format!("{}/hook", place.display());
    let node = node_with_homes("hook", &format!("home-hook={hook}"));
    let run = |text: &str, mode: u32| {
        node.folder.write("hook", text, mode);
        node.run(&["make-home", "zoe"])
    };
    let home = node.home_of("zoe");
    assert_eq!(
        run("#!/bin/sh\nexit 0\n", 0o755).status.code(),
        Some(1),
        "it has made nothing"
    );
    assert_eq!(run("#!/bin/sh\nexit 7\n", 0o755).status.code(), Some(1));
    let works = "#!/bin/sh\n[ \"$1 $2 $3\" = \"zoe 10100 10010\" ] && mkdir \"$4\" && chown \"$2:$3\" \"$4\"\n";
    assert_eq!(run(works, 0o777).status.code(), Some(1), "others can write it");
    assert!(!Path::new(&home).exists());
    let made = run(works, 0o755);
    assert!(made.status.success(), "{made:?}");
    assert_eq!(std::fs::metadata(&home).unwrap().uid(), 10_100);
}
