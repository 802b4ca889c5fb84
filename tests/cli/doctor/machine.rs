//! The folder of a machine with faults planted in it, and what `doctor` finds there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use serde_json::Value;

use crate::harness::command::run;

/// The folder of a node, and what else a test writes.
pub struct Machine(pub PathBuf);

impl Machine {
    pub fn new() -> Self {
        let machine = Self(std::env::temp_dir().join(format!("rollcall-doctor-{}", uuid::Uuid::new_v4().simple())));
        machine.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
        machine.write("etc/group", "root:x:0:\n");
        machine
    }

    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn mode(&self, path: &str, mode: u32) {
        std::fs::set_permissions(self.0.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.0.join(path)).unwrap();
    }

    pub fn root(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// A certificate of `rollcall.example.org` and its key, valid for these days from now.
    pub fn certificate(&self, name: &str, days: i64) -> (String, String) {
        self.certificate_of(name, days, &["rollcall.example.org"])
    }

    /// The same with these host names and addresses.
    pub fn certificate_of(&self, name: &str, days: i64, hosts: &[&str]) -> (String, String) {
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
        if !hosts.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for host in hosts {
                if host.parse::<std::net::IpAddr>().is_ok() {
                    names.ip(host);
                } else {
                    names.dns(host);
                }
            }
            let names = names.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(names).unwrap();
        }
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
pub fn findings(scope: &str, machine: &Machine, uri: &str, settings: &[&str]) -> (i32, Vec<Value>) {
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
pub fn assert_found(found: &[Value], check: &str, words: &str) {
    let is_it = |finding: &Value| finding["check"] == check && finding["evidence"].as_str().unwrap().contains(words);
    let finding = found.iter().find(|finding| is_it(finding));
    let finding = finding.unwrap_or_else(|| panic!("{check}: {words:?} is not among {found:#?}"));
    assert!(finding["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{finding}");
}
