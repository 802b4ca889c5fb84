//! Sign-in with providers and proxies that others wrote. Each is skipped with a message where it cannot be had.

pub mod chromium;
mod header_proxies;
#[cfg(feature = "saml")]
mod keycloak;
pub mod oidc_provider;
#[cfg(feature = "saml")]
mod simplesamlphp;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

#[cfg(feature = "saml")]
use super::browser::{Browser, Page};
use crate::harness::{Rollcall, wait_until};

/// Where the service is for the providers; the browser of the tests puts its real address in.
const PUBLIC: &str = "http://rollcall.test";

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder that is removed when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rollcall-{name}-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The value of an attribute of the first `tag` with `marker` in it.
fn attribute(html: &str, tag: &str, marker: &str, name: &str) -> Option<String> {
    let tag = html
        .split(&format!("<{tag} "))
        .skip(1)
        .find(|rest| rest.split('>').next().unwrap().contains(marker))?;
    let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
    Some(
        value
            .replace("&amp;", "&")
            .replace("&#039;", "'")
            .replace("&quot;", "\""),
    )
}

pub async fn ready(url: &str) {
    wait_until(&format!("{url} answers"), Duration::from_secs(30), async || {
        reqwest::get(url).await.is_ok()
    })
    .await;
}

/// The value of a form's field.
#[cfg(feature = "saml")]
fn field(page: &Page, name: &str) -> String {
    let found = attribute(&page.body, "input", &format!("name=\"{name}\""), "value");
    found.unwrap_or_else(|| panic!("no field {name} in {}", page.body))
}

/// What the `install` of a peer prints: where it is; `None`, with the reason, when it cannot be installed.
pub fn installed(peer: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(peer)
        .join("install");
    let output = Command::new(script).stdin(Stdio::null()).output().unwrap();
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        println!(
            "skipped: {peer} cannot be installed: {}",
            reason.lines().last().unwrap_or_default()
        );
        return None;
    }
    Some(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()))
}

/// Follows redirects until there is a page, or one leads to an address that begins with `end`.
#[cfg(feature = "saml")]
async fn follow(browser: &mut Browser, at: &mut reqwest::Url, mut page: Page, end: &str) -> Page {
    for _ in 0..12 {
        if !(300..400).contains(&page.status) {
            return page;
        }
        *at = at.join(page.location()).unwrap();
        if at.as_str().starts_with(end) {
            return page;
        }
        page = browser.get(at.as_str()).await;
    }
    panic!("the browser is sent in circles at {at}");
}

/// Display name and groups, in order, of a user.
fn shown(rollcall: &Rollcall, name: &str) -> (Value, Value) {
    let shown = rollcall
        .command(&["user", "show", name, "--output", "json"])
        .succeeded()
        .json();
    let mut names: Vec<String> = serde_json::from_value(shown["groups"].clone()).unwrap();
    names.sort();
    (shown["displayName"].clone(), json!(names))
}
