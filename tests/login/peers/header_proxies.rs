//! Proxies that sign people in and name them to the proxy listener, with the example configurations: Apache with
//! `mod_auth_openidc`, oauth2-proxy; before panva's oidc-provider.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::oidc_provider::{SECRET, claim_groups, oidc_provider, start_oidc_provider, through_oidc_provider};
use super::{Folder, free_port, installed, ready, shown};
use crate::harness::children::{Running, mortal, start};
use crate::harness::{Rollcall, wait_until};
use crate::login::browser::Browser;
use crate::login::proxy::PROXY;

const MODULES: &str = "/usr/lib/apache2/modules";

/// What a proxy is told.
struct Places<'a> {
    folder: &'a Folder,
    issuer: &'a str,
    /// Where browsers find the proxy.
    front: &'a str,
    /// `address:port` of the proxy listener.
    listener: &'a str,
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/proxy").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn quietly(mut command: Command) -> Running {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    start(command)
}

fn apache(places: &Places<'_>) -> Running {
    let at = places.folder.0.display();
    let site = example("apache-mod_auth_openidc.conf")
        .replace("https://id.example.org", places.issuer)
        .replace("https://workbench.example.org", places.front)
        .replace("OIDCClientID workbench", "OIDCClientID rollcall")
        .replace("OIDCClientSecret change-me", &format!("OIDCClientSecret {SECRET}"))
        .replace("127.0.0.1:8082", places.listener);
    let modules: String = [
        "mpm_event",
        "authn_core",
        "authz_core",
        "authz_user",
        "headers",
        "proxy",
        "proxy_http",
        "auth_openidc",
    ]
    .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
    .concat();
    let config = format!(
        "ServerRoot {at}\nServerName 127.0.0.1\nListen {}\nPidFile {at}/pid\nMutex file:{at} default\n\
         DefaultRuntimeDir {at}\nErrorLog {at}/error.log\nUser www-data\nGroup www-data\n{modules}{site}",
        places.front.strip_prefix("http://").unwrap()
    );
    std::fs::write(places.folder.0.join("httpd.conf"), config).unwrap();
    let mut command = mortal("apache2");
    command
        // One process: workers of its own would outlive it.
        .arg("-X")
        .arg("-f")
        .arg(places.folder.0.join("httpd.conf"));
    quietly(command)
}

fn oauth2_proxy(program: &Path, places: &Places<'_>) -> Running {
    let config = example("oauth2-proxy.cfg")
        .replace("https://id.example.org", places.issuer)
        .replace("client_id = \"workbench\"", "client_id = \"rollcall\"")
        .replace(
            "client_secret = \"change-me\"",
            &format!("client_secret = \"{SECRET}\""),
        )
        .replace("127.0.0.1:8082", places.listener);
    let file = places.folder.0.join("oauth2-proxy.cfg");
    std::fs::write(&file, config).unwrap();
    let mut command = mortal(program);
    command.arg(format!("--config={}", file.display()));
    command.arg(format!(
        "--http-address={}",
        places.front.strip_prefix("http://").unwrap()
    ));
    command.arg("--cookie-secure=false");
    quietly(command)
}

/// What of the settings follows the proxy, and what it makes of a person without any group.
struct Manner {
    callback: &'static str,
    settings: &'static [(&'static str, &'static str)],
    after_none: Value,
}

/// Twice through the proxy and the provider's forms; the groups follow, forged headers do not arrive.
async fn names_whom_the_provider_knows(manner: Manner, run: impl Fn(&Places<'_>) -> Running) {
    let Some(provider) = oidc_provider() else { return };
    let (port, front_port) = (free_port(), free_port());
    let (issuer, front) = (
        format!("http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{front_port}"),
    );
    claim_groups(&provider, port, &json!(["eng", "ops"]));
    let _provider = start_oidc_provider(&provider, port, &format!("{front}{}", manner.callback));
    ready(&format!("{issuer}/.well-known/openid-configuration")).await;
    let rollcall = Rollcall::start_with(&[&PROXY[..], manner.settings].concat()).await;
    let (listener, folder) = (rollcall.service.url("proxy"), Folder::new("header-proxy"));
    let places = Places {
        folder: &folder,
        issuer: &issuer,
        front: &front,
        listener: listener.strip_prefix("http://").unwrap(),
    };
    let _proxy = run(&places);
    wait_until("the proxy is up", Duration::from_secs(30), async || {
        tokio::net::TcpStream::connect(("127.0.0.1", front_port)).await.is_ok()
    })
    .await;

    for (claim, groups) in [
        (json!(["eng", "ops"]), json!(["eng", "ops"])),
        (json!(["Ops", "qa"]), json!(["ops", "qa"])),
        (json!([]), manner.after_none),
    ] {
        claim_groups(&provider, port, &claim);
        let mut browser = Browser::new();
        browser.headers = [
            ("X-RStudio-Username", "root"),
            ("X-RStudio-Groups", "wheel"),
            ("X-Forwarded-Preferred-Username", "root"),
            ("X-Forwarded-Groups", "wheel"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let first = format!("{front}/proxy/login?return=/s/1");
        let callback = through_oidc_provider(&mut browser, &first, &format!("{front}{}", manner.callback)).await;
        let page = browser.get(&callback).await;
        assert_eq!(page.status, 302, "{}", page.body);
        let page = browser
            .get(
                reqwest::Url::parse(&callback)
                    .unwrap()
                    .join(page.location())
                    .unwrap()
                    .as_str(),
            )
            .await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/s/1"),
            "{} {:?}",
            page.body,
            rollcall.service.log().last()
        );
        assert_eq!(shown(&rollcall, "user1").1, groups);
        browser.headers.clear();
        let page = browser
            .get(&format!("{}/auth/verify", rollcall.service.url("api")))
            .await;
        assert_eq!(
            (page.status, page.headers["x-rstudio-username"].to_str().unwrap()),
            (200, "user1")
        );
    }
    let users = rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(users.body["totalResults"], 1, "nobody but user1");
    rollcall.finish().await;
}

#[tokio::test]
async fn apache_with_mod_auth_openidc_names_whom_the_provider_knows() {
    if !Path::new(MODULES).join("mod_auth_openidc.so").exists() {
        println!("skipped: libapache2-mod-auth-openidc is not installed");
        return;
    }
    let manner = Manner {
        callback: "/proxy/login/callback",
        settings: &[
            ("auth-proxy-groups-header", "X-RStudio-Groups"),
            ("auth-proxy-secret", "change-me"),
        ],
        after_none: json!([]),
    };
    names_whom_the_provider_knows(manner, apache).await;
}

#[tokio::test]
async fn oauth2_proxy_names_whom_the_provider_knows() {
    let Some(program) = installed("oauth2-proxy") else {
        return;
    };
    let manner = Manner {
        callback: "/oauth2/callback",
        settings: &[
            ("auth-proxy-user-header", "X-Forwarded-Preferred-Username"),
            ("auth-proxy-groups-header", "X-Forwarded-Groups"),
        ],
        after_none: json!(["ops", "qa"]),
    };
    names_whom_the_provider_knows(manner, |places| oauth2_proxy(&program, places)).await;
}
