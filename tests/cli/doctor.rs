//! `rollcall doctor`: nothing to find on a good set-up, and each planted fault found with a fix.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use serde_json::Value;

use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::database::{Database, Role};
use crate::harness::postgres::{Postgres, SUPERUSER, TEMPLATE};

/// The folder of a node, and what else a test writes.
struct Machine(PathBuf);

impl Machine {
    fn new() -> Self {
        let machine = Self(std::env::temp_dir().join(format!("rollcall-doctor-{}", uuid::Uuid::new_v4().simple())));
        machine.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
        machine.write("etc/group", "root:x:0:\n");
        machine
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn mode(&self, path: &str, mode: u32) {
        std::fs::set_permissions(self.0.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.0.join(path)).unwrap();
    }

    fn root(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// A certificate and its key, valid from and to these days from now.
    fn certificate(&self, name: &str, days: i64) -> (String, String) {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("CN", "localhost").unwrap();
        let subject = subject.build();
        let mut builder = X509::builder().unwrap();
        let now = jiff::Timestamp::now().as_second();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&subject).unwrap();
        builder.set_issuer_name(&subject).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder
            .set_not_before(&Asn1Time::from_unix(now - 90 * 86_400).unwrap())
            .unwrap();
        builder
            .set_not_after(&Asn1Time::from_unix(now + days * 86_400).unwrap())
            .unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let pem = String::from_utf8(builder.build().to_pem().unwrap()).unwrap();
        let key = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        (
            path(self.write(&format!("{name}.pem"), &pem)),
            path(self.write(&format!("{name}.key"), &key)),
        )
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Everything that is not in order, and the exit code.
fn findings(scope: &str, machine: &Machine, uri: &str, settings: &[&str]) -> (i32, Vec<Value>) {
    let all = [
        &["doctor", "--scope", scope, "--root", machine.root(), "--output", "json"],
        settings,
    ]
    .concat();
    let outcome = run(
        &all,
        &[
            ("ROLLCALL_DATABASE_URI", uri),
            ("ROLLCALL_DATABASE_WRITE_DEADLINE", "5"),
        ],
    );
    assert!(!outcome.stdout.is_empty(), "{all:?}: {}", outcome.stderr);
    let list = outcome.json().as_array().unwrap().clone();
    (
        outcome.code,
        list.into_iter().filter(|finding| finding["severity"] != "ok").collect(),
    )
}

/// Fails unless a finding of this check says these words and has a fix.
fn assert_found(found: &[Value], check: &str, words: &str) {
    let is_it = |finding: &Value| finding["check"] == check && finding["evidence"].as_str().unwrap().contains(words);
    let finding = found.iter().find(|finding| is_it(finding));
    let finding = finding.unwrap_or_else(|| panic!("{check}: {words:?} is not among {found:#?}"));
    assert!(finding["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{finding}");
}

#[tokio::test]
async fn a_good_service_has_no_finding_until_an_invariant_is_violated() {
    let machine = Machine::new();
    let postgres = Postgres::synced();
    let uri = postgres.uri("rollcall_app", TEMPLATE);
    let (cert, key) = machine.certificate("good", 300);
    let settings = [
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--public-url",
        "https://rollcall.example.org",
        "--ops-listen",
        "127.0.0.1:0",
    ];
    // The cluster of the tests has no standby, and doctor says so; nothing else.
    let (code, mut found) = findings("service", &machine, &uri, &settings);
    found.retain(|finding| finding["check"] != "synchronous standby");
    assert_eq!((code, found), (0, vec![]));
    let table = run(
        &["doctor", "--root", machine.root()],
        &[("ROLLCALL_DATABASE_URI", &uri)],
    )
    .succeeded()
    .stdout;
    for check in [
        "CHECK",
        "database",
        "schema",
        "id headroom",
        "invariants",
        "clock",
        "tokens",
        "local accounts",
    ] {
        assert!(table.contains(check), "{table}");
    }
    let owner = postgres.connect(SUPERUSER, TEMPLATE).await;
    let ghost = "insert into store.posix_group_names values ('ghost', gen_random_uuid())";
    owner.batch_execute(ghost).await.unwrap();
    let (code, found) = findings("service", &machine, &uri, &settings);
    assert_eq!(code, 1);
    assert_found(&found, "invariants", "held by no one");
    owner
        .batch_execute("delete from store.posix_group_names where name = 'ghost'")
        .await
        .unwrap();
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of faults, one after the other")]
async fn faults_of_a_service_are_each_found() {
    let machine = Machine::new();
    let rollcall = Rollcall::start().await;
    rollcall.command(&["user", "add", "jane", "--uid", "20000"]).succeeded();
    rollcall
        .command(&["token", "generate", "late", "--duration", "3"])
        .succeeded();
    let uri = rollcall.database.uri(Role::App);
    let nowhere = "host=/nowhere user=x dbname=x";
    let (expired, expired_key) = machine.certificate("expired", -1);
    let (soon, soon_key) = machine.certificate("soon", 5);
    let (_, other_key) = machine.certificate("other", 300);
    let body: String = std::fs::read_to_string(&expired)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let metadata = machine.write(
        "metadata.xml",
        &format!("<md><ds:X509Certificate>{body}</ds:X509Certificate></md>"),
    );
    let metadata = metadata.to_str().unwrap();
    machine.write(
        "etc/passwd",
        "jane:x:1500:1500::/home/jane:/bin/sh\nsame:x:20000:1::/:/bin/sh\n",
    );

    let superuser = rollcall.database.uri(Role::Superuser);
    let absent = machine.0.join("absent");
    let absent = absent.to_str().unwrap();
    let openid = [
        "--auth-openid",
        "1",
        "--auth-openid-issuer",
        "http://127.0.0.1:1",
        "--auth-openid-client-file",
        absent,
    ];
    let cases: Vec<(&str, Vec<&str>, &str, &str)> = vec![
        (nowhere, vec![], "database", "does not answer"),
        (&superuser, vec![], "roles", "one role"),
        (&uri, vec![], "synchronous standby", "none"),
        (&uri, vec![], "tokens", "\"late\" expires"),
        (&uri, vec![], "id ranges", "20000"),
        (&uri, vec![], "local accounts", "jane (1500) meets jane 20000 by name"),
        (
            &uri,
            vec![],
            "local accounts",
            "same (20000) meets jane 20000 by number",
        ),
        (
            &uri,
            vec![
                "--user-provisioning-start-uid",
                "60001",
                "--user-provisioning-max-uid",
                "65535",
            ],
            "id headroom",
            "0 of 0",
        ),
        (
            &uri,
            vec!["--database-read-uri", nowhere],
            "standby",
            "database-read-uri",
        ),
        (
            &uri,
            vec!["--tls-cert-file", &expired, "--tls-key-file", &expired_key],
            "certificates",
            "has expired",
        ),
        (
            &uri,
            vec!["--tls-cert-file", &soon, "--tls-key-file", &soon_key],
            "certificates",
            "expires in",
        ),
        (
            &uri,
            vec!["--tls-cert-file", &soon, "--tls-key-file", &other_key],
            "certificates",
            "do not fit",
        ),
        (
            &uri,
            vec!["--tls-cert-file", absent, "--tls-key-file", &other_key],
            "certificates",
            "cannot read",
        ),
        (&uri, openid.to_vec(), "OpenID Connect", "openid-configuration"),
        (&uri, openid.to_vec(), "OpenID Connect", "No such file"),
        (
            &uri,
            vec!["--auth-saml", "1", "--auth-saml-metadata-path", metadata],
            "SAML",
            "has expired",
        ),
    ];
    let mut seen: Vec<(Vec<&str>, &str, Vec<Value>)> = Vec::new();
    for (uri, settings, check, words) in cases {
        let known = seen
            .iter()
            .find(|(known, at, _)| *known == settings && *at == uri)
            .map(|(_, _, found)| found.clone());
        let found = known.unwrap_or_else(|| findings("service", &machine, uri, &settings).1);
        assert_found(&found, check, words);
        seen.push((settings, uri, found));
    }

    let empty = Database::create_empty().await;
    assert_found(
        &findings("service", &machine, &empty.uri(Role::App), &[]).1,
        "database",
        "does not exist",
    );
    empty.discard().await;
    rollcall.finish().await;
}

/// The file it is in, how it is planted, the check that finds it, and what is said.
type Fault<'a> = (&'a str, Box<dyn Fn() + 'a>, &'a str, &'a str);

/// A node on which everything is right, with a running service.
async fn node() -> (Rollcall, Machine) {
    let rollcall = Rollcall::start().await;
    let machine = Machine::new();
    let folder = machine.0.join("etc/rstudio");
    let url = rollcall.service.url("read");
    rollcall
        .command(&[
            "nss-conf",
            "install",
            "--folder",
            folder.to_str().unwrap(),
            "--server-address",
            &url,
        ])
        .succeeded();
    // On a node the files are beneath /etc/rstudio; here the folder of the test took its place.
    machine.write("etc/rstudio/workbench-nss.conf", &format!("server-address={url}\n"));
    machine.write(
        "etc/nsswitch.conf",
        "passwd: files systemd pwb sss\ngroup: files pwb [NOTFOUND=return] sss # us\nshadow: files pwb\n",
    );
    machine.write("usr/lib64/libnss_pwb.so.2", "");
    machine.write("run/rollcall/node.sock", "");
    (rollcall, machine)
}

#[tokio::test]
async fn a_good_node_has_no_finding() {
    let (rollcall, machine) = node().await;
    let uri = rollcall.database.uri(Role::App);
    assert_eq!(findings("node", &machine, &uri, &[]), (0, vec![]));
    rollcall.finish().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of faults, one after the other")]
async fn faults_of_a_node_are_each_found() {
    let (rollcall, machine) = node().await;
    rollcall.command(&["user", "add", "jane"]).succeeded();
    let uri = rollcall.database.uri(Role::App);
    let url = rollcall.service.url("read");
    let good = |path: &str| std::fs::read_to_string(machine.0.join(path)).unwrap();
    let switch = "etc/nsswitch.conf";
    let conf = "etc/rstudio/workbench-nss.conf";
    let token = "etc/rstudio/user-token";
    let text = |path: &'static str, text: &str| {
        let text = text.to_owned();
        let machine = &machine;
        Box::new(move || drop(machine.write(path, &text))) as Box<dyn Fn()>
    };
    let faults: Vec<Fault<'_>> = vec![
        (
            switch,
            text(switch, "passwd: files sss\ngroup: files pwb\nshadow: files pwb\n"),
            "nsswitch",
            "not asked for passwd",
        ),
        (
            switch,
            text(switch, "passwd: files pwb\ngroup: files sss pwb\nshadow: files pwb\n"),
            "nsswitch",
            "sss hides",
        ),
        (
            switch,
            text(switch, "passwd: pwb files\ngroup: files pwb\nshadow: files pwb\n"),
            "nsswitch",
            "first",
        ),
        (
            switch,
            text(switch, "passwd: files pwb\ngroup: files pwb\n"),
            "nsswitch",
            "not asked for shadow",
        ),
        (
            "usr/lib64/libnss_pwb.so.2",
            Box::new(|| machine.remove("usr/lib64/libnss_pwb.so.2")),
            "module",
            "no folder",
        ),
        (
            "run/rollcall/node.sock",
            Box::new(|| machine.remove("run/rollcall/node.sock")),
            "agent",
            "does not run",
        ),
        (conf, Box::new(|| machine.remove(conf)), "configuration", "No such file"),
        (
            conf,
            text(conf, "user-token-path=/etc/rstudio/user-token\n"),
            "configuration",
            "server-address is missing",
        ),
        (
            conf,
            text(conf, &format!("server-address={url}\nserver-adress=x\n")),
            "configuration",
            "server-adress",
        ),
        (
            conf,
            text(conf, &format!("server-address={url}\nverify-ssl-certs=0\n")),
            "configuration",
            "believed",
        ),
        (
            conf,
            text(conf, "server-address=http://127.0.0.1:1\n"),
            "look-up",
            "127.0.0.1:1",
        ),
        (
            token,
            text(
                token,
                "rc_0123456789abcdef.0000000000000000000000000000000000000000000\n",
            ),
            "look-up",
            "refuses the token",
        ),
        (token, text(token, "\n"), "user token", "empty"),
        (
            "etc/passwd",
            text("etc/passwd", "jane:x:1001:1001::/:/bin/sh\n"),
            "local accounts",
            "jane (1001)",
        ),
    ];
    for (path, plant, check, words) in faults {
        let before = good(path);
        plant();
        assert_found(&findings("node", &machine, &uri, &[]).1, check, words);
        machine.write(path, &before);
    }
    for (path, wrong, right, check) in [
        ("etc/rstudio/admin-token", 0o644, 0o600, "admin token"),
        (token, 0o600, 0o644, "user token"),
        (conf, 0o666, 0o644, "configuration"),
    ] {
        machine.mode(path, wrong);
        assert_found(
            &findings("node", &machine, &uri, &[]).1,
            check,
            Path::new(path).file_name().unwrap().to_str().unwrap(),
        );
        machine.mode(path, right);
    }
    machine.write("run/nscd/socket", "");
    assert_found(&findings("node", &machine, &uri, &[]).1, "nscd", "passwd and group");
    machine.write("etc/nscd.conf", "enable-cache passwd no\n\tenable-cache\tgroup\tno\n");
    assert_eq!(
        findings("node", &machine, &uri, &[]),
        (0, vec![]),
        "and no finding is left behind"
    );
    rollcall.finish().await;
}
