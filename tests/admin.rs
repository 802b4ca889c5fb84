//! The administrators' pages: who may see them, what they show, what they change, and how they look in a browser.

mod access;
mod changes;
mod indexes;
mod origins;
mod pictures;
mod views;

use crate::harness::Rollcall;
use crate::harness::service::Service;
use crate::login::browser::{Browser, Page};
use crate::login::proxy::PROXY;

/// A service that people sign in to by headers, with the administrator `ann`.
async fn start() -> Rollcall {
    start_with(&[]).await
}

/// The same with further settings.
async fn start_with(settings: &[(&str, &str)]) -> Rollcall {
    let rollcall = Rollcall::start_with(&[&PROXY[..], settings].concat()).await;
    rollcall
        .command(&["user", "add", "ann", "--display-name", "Ann Admin", "--admin"])
        .succeeded();
    rollcall
}

/// A browser in which `user` has signed in by headers, and which says where its forms come from.
async fn signed_in(service: &Service, user: &str) -> Browser {
    let mut browser = Browser::new();
    browser.headers = vec![("x-rstudio-username".into(), user.into())];
    let page = browser.get(&format!("{}/proxy/login", service.url("proxy"))).await;
    assert_eq!(page.status, 303, "{}", page.body);
    browser.headers = vec![("origin".into(), service.url("api"))];
    browser
}

/// What stands in the hidden field of a page's form.
fn field<'a>(page: &'a Page, name: &str) -> &'a str {
    let rest = page.body.split(&format!("name=\"{name}\" value=\"")).nth(1);
    rest.unwrap_or_else(|| panic!("no field {name} in {}", page.body))
        .split('"')
        .next()
        .unwrap()
}

/// Where the link to the next page leads; `None` on the last one.
fn next(page: &Page) -> Option<String> {
    let rest = page.body.split("rel=\"next\" href=\"").nth(1)?;
    Some(
        rest.split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
            .replace("&amp;", "&"),
    )
}

/// The SCIM id of a user.
fn id_of(rollcall: &Rollcall, user: &str) -> String {
    let shown = rollcall.command(&["user", "show", user, "--output", "json"]);
    shown.succeeded().json()["id"].as_str().unwrap().to_owned()
}

/// Whether a user is locked.
fn is_locked(rollcall: &Rollcall, user: &str) -> bool {
    let shown = rollcall.command(&["user", "show", user, "--output", "json"]);
    shown.succeeded().json()["locked"].as_bool().unwrap()
}
