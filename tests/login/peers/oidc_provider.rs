//! panva's oidc-provider from npm.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{PUBLIC, attribute, free_port, ready, shown};
use crate::harness::Rollcall;
use crate::harness::children::{Running, mortal, start};
use crate::login::api::JIT;
use crate::login::browser::Browser;
use crate::login::openid::ClientFile;

const OIDC_PROVIDER: &str = "oidc-provider@9.13.3";

/// Of the one client, `rollcall`.
pub const SECRET: &str = "change-me-change-me-change-me-000";

/// Installs oidc-provider into the tests' cache; `None`, with a message, when npm cannot.
pub fn oidc_provider() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc-provider");
    std::fs::create_dir_all(&folder).unwrap();
    if !folder.join("node_modules/oidc-provider/package.json").exists() {
        let install = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(OIDC_PROVIDER)
            .stdin(Stdio::null())
            .output();
        if !install.is_ok_and(|output| output.status.success()) {
            println!("skipped: npm is missing or cannot reach its registry");
            return None;
        }
    }
    Some(folder)
}

/// The file in which the provider looks for the groups of everybody.
fn groups_file(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!("groups-{port}.json"))
}

/// What everybody's groups are from now on.
pub fn claim_groups(folder: &Path, port: u16, groups: &Value) {
    std::fs::write(groups_file(folder, port), groups.to_string()).unwrap();
}

/// Starts it at a port, for a client at `redirect_uri`.
pub fn start_oidc_provider(folder: &Path, port: u16, redirect_uri: &str) -> Running {
    let groups = groups_file(folder, port);
    let groups = groups.display();
    let script = format!(
        "import {{ Provider }} from 'oidc-provider';
         import {{ readFileSync }} from 'node:fs';
         const groups = () => JSON.parse(readFileSync('{groups}'));
         const account = (id) => ({{ sub: 's-' + id, email: id + '@example.com', preferred_username: id, name: 'User One', groups: groups() }});
         new Provider('http://127.0.0.1:{port}', {{
           clients: [{{ client_id: 'rollcall', client_secret: '{SECRET}', grant_types: ['authorization_code'],
                        response_types: ['code'], redirect_uris: ['{redirect_uri}'],
                        post_logout_redirect_uris: ['{PUBLIC}/sign-in?stay=1'] }}],
           claims: {{ openid: ['sub'], email: ['email'], profile: ['name', 'preferred_username'], groups: ['groups'] }},
           scopes: ['openid', 'email', 'profile', 'groups'], pkce: {{ required: () => true }},
           features: {{ devInteractions: {{ enabled: true }} }}, cookies: {{ keys: ['k1'] }},
           async findAccount(ctx, id) {{
             return {{ accountId: id, async claims() {{ return account(id); }} }};
           }},
         }}).listen({port}, '127.0.0.1');"
    );
    let file = folder.join(format!("provider-{port}.mjs"));
    std::fs::write(&file, script).unwrap();
    let mut command = mortal("node");
    command
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    start(command)
}

/// Goes through the provider's forms as `user1` and comes back with the address of the callback.
pub async fn through_oidc_provider(browser: &mut Browser, first: &str, end: &str) -> String {
    let mut page = browser.get(first).await;
    let mut at: reqwest::Url = first.parse().unwrap();
    for _ in 0..12 {
        if (300..400).contains(&page.status) {
            at = at.join(page.location()).unwrap();
            if at.as_str().starts_with(end) {
                return at.into();
            }
            page = browser.get(at.as_str()).await;
            continue;
        }
        assert_eq!(page.status, 200, "{at}: {}", page.body);
        let action = attribute(&page.body, "form", "action", "action").unwrap();
        let prompt = attribute(&page.body, "input", "name=\"prompt\"", "value").unwrap();
        at = at.join(&action).unwrap();
        page = browser
            .post(
                at.as_str(),
                &[("prompt", &prompt), ("login", "user1"), ("password", "x")],
            )
            .await;
    }
    panic!("the provider sends the browser in circles");
}

#[tokio::test]
async fn panvas_oidc_provider_signs_people_in() {
    let Some(folder) = oidc_provider() else { return };
    let port = free_port();
    let issuer = format!("http://127.0.0.1:{port}");
    let _provider = start_oidc_provider(&folder, port, &format!("{PUBLIC}/openid/callback"));
    ready(&format!("{issuer}/.well-known/openid-configuration")).await;
    let client = ClientFile::new(SECRET);
    let rollcall = Rollcall::start_with(&[
        JIT,
        ("public-url", PUBLIC),
        ("auth-openid", "1"),
        ("auth-openid-issuer", &issuer),
        ("auth-openid-client-file", client.path()),
        ("auth-openid-scopes", "openid profile email groups"),
    ])
    .await;
    let api = rollcall.service.url("api");
    let mut sessions = Vec::new();
    for (claim, groups) in [
        (json!(["eng", "ops"]), json!(["eng", "ops"])),
        (json!(["Ops", "qa"]), json!(["ops", "qa"])),
    ] {
        claim_groups(&folder, port, &claim);
        let mut browser = Browser::new();
        let page = browser.get(&format!("{api}/openid/login?return=/s/1")).await;
        assert_eq!(page.status, 303, "{}", page.body);
        let callback = through_oidc_provider(&mut browser, page.location(), PUBLIC).await;
        let page = browser.get(&callback.replace(PUBLIC, &api)).await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/s/1"),
            "{} {:?}",
            page.body,
            rollcall.service.log().last()
        );
        assert_eq!(shown(&rollcall, "user1"), (json!("User One"), groups));
        sessions.push(browser);
    }
    let page = sessions[0].post(&format!("{api}/sign-out"), &[]).await;
    assert!(
        page.location()
            .starts_with(&format!("{issuer}/session/end?client_id=rollcall&")),
        "{}",
        page.location()
    );
    rollcall.finish().await;
}
