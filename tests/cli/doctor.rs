//! `rollcall doctor`: nothing to find on a good set-up, and each planted fault found with a fix.

mod agent;
mod machine;
mod node;
mod service_here;

use machine::{Machine, assert_found, findings};
use serde_json::Value;

use crate::harness::Rollcall;
use crate::harness::command::run;
use crate::harness::database::{Database, Role};
use crate::harness::postgres::{Postgres, SUPERUSER, TEMPLATE};

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
        "--deletion-limit-per-hour",
        "50",
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
    machine.write("etc/group", "docker:x:20000:\n");

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
            vec![],
            "local accounts",
            "the local group docker (20000) meets jane 20000 by number",
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

#[tokio::test]
async fn what_doctor_says_is_enough_to_mend_it() {
    let machine = Machine::new();
    let rollcall = Rollcall::start().await;
    let late = "o'brien $(id)";
    let generate = ["token", "generate", late, "--duration", "1", "--dialect", "okta"];
    let scopes = ["--scope", "nss-admin", "--scope", "audit"];
    rollcall.command(&[&generate[..], &scopes].concat()).succeeded();
    let uri = rollcall.database.uri(Role::App);
    let absent = machine.0.join("absent.toml");
    let absent = absent.to_str().unwrap();
    let (code, found) = findings("service", &machine, &uri, &["--bootstrap-file", absent]);
    assert_eq!(code, 1);
    assert_found(&found, "bootstrap file", "absent.toml");
    assert_found(&found, "tokens", "hours");
    let token = found.iter().find(|finding| finding["check"] == "tokens").unwrap();
    let fix = token["fix"].as_str().unwrap();
    let command = r"rollcall token generate --scope nss-admin --scope audit --dialect okta -- 'o'\''brien $(id)', then";
    assert!(fix.starts_with(command), "{fix}");
    let faulty = machine.write("faulty.toml", "[setings]\n");
    let settings = ["--bootstrap-file", faulty.to_str().unwrap()];
    assert_found(
        &findings("service", &machine, &uri, &settings).1,
        "bootstrap file",
        "line 1",
    );

    let nobody = "host=127.0.0.1 port=1 user=x dbname=x";
    let found = findings("service", &machine, nobody, &[]).1;
    assert_found(&found, "database", "refused");
    let database = found.iter().find(|finding| finding["check"] == "database").unwrap();
    assert!(!database["fix"].as_str().unwrap().contains("migrate"), "{database}");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_certificate_must_name_the_host_by_which_clients_come() {
    let machine = Machine::new();
    let rollcall = Rollcall::start().await;
    let uri = rollcall.database.uri(Role::App);
    let cases: [(&[&str], &str, bool); 8] = [
        (&["rollcall.example.org"], "https://rollcall.example.org", true),
        (
            &["other.org", "ROLLCALL.example.org"],
            "https://rollcall.example.org:8443/x",
            true,
        ),
        (&["*.example.org"], "https://rollcall.example.org", true),
        (&["192.0.2.7"], "https://192.0.2.7:8443", true),
        (&["2001:db8::7"], "https://[2001:db8::7]:8443", true),
        (&["*.example.org"], "https://a.rollcall.example.org", false),
        (&["rollcall.example.com"], "https://rollcall.example.org", false),
        // The common name is "localhost", which nobody looks at any more.
        (&[], "https://localhost", false),
    ];
    for (hosts, url, fits) in cases {
        let (cert, key) = machine.certificate_of("named", 300, hosts);
        let settings = ["--tls-cert-file", &cert, "--tls-key-file", &key, "--public-url", url];
        let (_, found) = findings("service", &machine, &uri, &settings);
        let is_found = found.iter().any(|finding| finding["check"] == "certificate name");
        assert_eq!(is_found, !fits, "{hosts:?} {url}: {found:#?}");
        if !fits {
            assert_found(&found, "certificate name", "does not name");
        }
    }
    rollcall.finish().await;
}
