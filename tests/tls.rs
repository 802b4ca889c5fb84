//! TLS on the listeners: real certificates, made here, exchanged under way, and asked of proxies.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::{Certificate, Client, Identity};

use crate::harness::{Rollcall, wait_until};
use crate::login::peers::Folder;
use crate::login::proxy::PROXY;

/// A certificate authority in a folder of its own.
struct Authority {
    folder: Folder,
}

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(arguments.split(' '))
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Authority {
    fn new(name: &str) -> Self {
        let folder = Folder::new("authority");
        let subject = format!("-subj /CN={name} -keyout ca.key -out ca.crt -addext basicConstraints=critical,CA:TRUE");
        openssl(
            &folder.0,
            &format!("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 {subject}"),
        );
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    fn certificate(&self) -> Certificate {
        Certificate::from_pem(&std::fs::read(self.file("ca.crt")).unwrap()).unwrap()
    }

    /// Signs a certificate for 127.0.0.1: NAME.crt and NAME.key.
    fn sign(&self, name: &str) {
        let folder = &self.folder.0;
        std::fs::write(folder.join("san"), "subjectAltName=IP:127.0.0.1").unwrap();
        let request = format!("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name}");
        openssl(folder, &format!("{request} -keyout {name}.key -out {name}.csr"));
        let by = "-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san";
        openssl(folder, &format!("x509 -req -in {name}.csr {by} -out {name}.crt"));
    }

    /// What a proxy shows.
    fn identity(&self, name: &str) -> Identity {
        self.sign(name);
        let read = |suffix: &str| std::fs::read(self.file(&format!("{name}.{suffix}"))).unwrap();
        Identity::from_pem(&[read("key"), read("crt")].concat()).unwrap()
    }
}

/// A client that trusts this authority alone, for one connection.
fn client(authority: &Authority, identity: Option<Identity>) -> Client {
    let builder = Client::builder()
        .tls_certs_only([authority.certificate()])
        .pool_max_idle_per_host(0);
    identity
        .into_iter()
        .fold(builder, reqwest::ClientBuilder::identity)
        .build()
        .unwrap()
}

fn https(rollcall: &Rollcall, listener: &str, path: &str) -> String {
    rollcall.service.url(listener).replace("http://", "https://") + path
}

#[tokio::test]
async fn the_api_listener_speaks_tls_and_takes_a_new_certificate_without_a_restart() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    old.sign("server");
    new.sign("server");
    let (cert, key) = (old.file("server.crt"), old.file("server.key"));
    let settings = [
        ("tls-cert-file", cert.to_str().unwrap()),
        ("tls-key-file", key.to_str().unwrap()),
    ];
    let rollcall = Rollcall::start_with(&settings).await;
    let url = https(&rollcall, "api", "/openapi.json");
    let document: serde_json::Value = client(&old, None).get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["servers"][0]["url"], https(&rollcall, "api", "/scim/v2"));
    assert!(
        client(&new, None).get(&url).send().await.is_err(),
        "another authority's word does not count"
    );
    assert!(
        reqwest::get(url.replace("https:", "http:")).await.is_err(),
        "not without TLS"
    );
    let page = client(&old, None)
        .get(https(&rollcall, "api", "/sign-out"))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);

    let said = |rollcall: &Rollcall, text: &str| rollcall.service.log().iter().any(|line| line.contains(text));
    std::fs::write(&cert, "no certificate").unwrap();
    wait_until("a broken certificate is noticed", Duration::from_secs(25), async || {
        said(&rollcall, "the new certificate cannot be used")
    })
    .await;
    assert_eq!(
        client(&old, None).get(&url).send().await.unwrap().status(),
        200,
        "the old one stays"
    );
    std::fs::copy(new.file("server.key"), &key).unwrap();
    std::fs::copy(new.file("server.crt"), &cert).unwrap();
    wait_until("the new certificate is shown", Duration::from_secs(25), async || {
        client(&new, None).get(&url).send().await.is_ok()
    })
    .await;
    assert!(client(&old, None).get(&url).send().await.is_err());
    rollcall.finish().await;
}

#[tokio::test]
async fn the_proxy_listener_admits_only_proxies_that_show_a_certificate_of_the_right_authority() {
    let (authority, strangers) = (Authority::new("site"), Authority::new("strangers"));
    authority.sign("server");
    let [cert, key, ca] = ["server.crt", "server.key", "ca.crt"].map(|name| authority.file(name));
    let tls = [
        ("proxy-tls-cert-file", cert.to_str().unwrap()),
        ("proxy-tls-key-file", key.to_str().unwrap()),
        ("proxy-tls-client-ca-file", ca.to_str().unwrap()),
    ];
    let rollcall = Rollcall::start_with(&[&PROXY[..], &tls].concat()).await;
    let url = https(&rollcall, "proxy", "/auth/verify");
    let verify = async |identity: Option<Identity>| {
        let request = client(&authority, identity)
            .get(&url)
            .header("x-rstudio-username", "jane");
        request.send().await.map(|answer| answer.status().as_u16())
    };
    assert!(verify(None).await.is_err(), "no certificate, no handshake");
    assert!(
        verify(Some(strangers.identity("proxy"))).await.is_err(),
        "of another authority"
    );
    assert_eq!(rollcall.number("select count(*) from store.users").await, 0);
    assert_eq!(verify(Some(authority.identity("proxy"))).await.unwrap(), 200);
    assert_eq!(rollcall.number("select count(*) from store.users").await, 1);

    let (former, proxy) = (authority.identity("proxy"), strangers.identity("proxy"));
    let [former, proxy] = [former, proxy].map(|identity| {
        let request = client(&authority, Some(identity))
            .get(&url)
            .header("x-rstudio-username", "jane");
        move || request.try_clone().unwrap().send()
    });
    std::fs::copy(strangers.file("ca.crt"), &ca).unwrap();
    wait_until("another authority counts", Duration::from_secs(25), async || {
        proxy().await.is_ok()
    })
    .await;
    assert!(former().await.is_err(), "and the former no more");
    rollcall.finish().await;
}
