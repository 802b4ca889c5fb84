//! What surrounds every page for administrators: the menu, who is signed in, and the page for what could not be done.

use askama::Template;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::Admin;
use crate::error::Error;
use crate::http::pages::page;
use crate::http::state::State;

/// A part of the pages, for the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// How things are.
    Overview,
    /// Users.
    Users,
    /// Groups.
    Groups,
    /// Tokens.
    Tokens,
}

impl Section {
    const ALL: [Self; 4] = [Self::Overview, Self::Users, Self::Groups, Self::Tokens];

    /// Its path and its name.
    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::Overview => ("/admin", "Overview"),
            Self::Users => ("/admin/users", "Users"),
            Self::Groups => ("/admin/groups", "Groups"),
            Self::Tokens => ("/admin/tokens", "Tokens"),
        }
    }
}

/// An entry of the menu.
pub struct Entry {
    /// Where it leads.
    pub path: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Whether the page is of that part.
    pub is_here: bool,
}

/// What surrounds a page.
pub struct Frame<'a> {
    /// `public-url`.
    pub base: &'a str,
    /// Who is signed in.
    pub who: &'a str,
    /// The menu.
    pub entries: Vec<Entry>,
    /// What the page's forms carry.
    pub form_token: &'a str,
}

impl<'a> Frame<'a> {
    /// Around a page of `section`.
    pub fn new(state: &'a State, admin: &'a Admin, section: Section) -> Self {
        let entries = Section::ALL.into_iter().map(|other| {
            let (path, name) = other.entry();
            Entry {
                path,
                name,
                is_here: other == section,
            }
        });
        Self {
            base: state.base_url.as_str(),
            who: &admin.name,
            entries: entries.collect(),
            form_token: &admin.form_token,
        }
    }
}

/// What could not be done, and why.
#[derive(Template)]
#[template(path = "admin/fault.html")]
struct Fault<'a> {
    frame: Frame<'a>,
    title: &'a str,
    text: &'a str,
    request_id: &'a str,
}

/// Why a page or a change is not to be had.
#[derive(Debug)]
pub enum Failure {
    /// What the database said.
    Database(Error),
    /// There is no such thing.
    Missing(&'static str),
    /// What was asked for makes no sense, or must not be; in words for the administrator.
    Refused(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// The page that `work` gave, or the one that says why there is none.
pub fn answer(state: &State, admin: &Admin, section: Section, work: Result<Response, Failure>) -> Response {
    let failure = match work {
        Ok(response) => return response,
        Err(failure) => failure,
    };
    let (status, title, text) = match failure {
        Failure::Missing(text) => (StatusCode::NOT_FOUND, "Not found", text.to_owned()),
        Failure::Refused(text) => (StatusCode::BAD_REQUEST, "Not done", text.to_owned()),
        Failure::Database(error) => in_words(error),
    };
    let fault = Fault {
        frame: Frame::new(state, admin, section),
        title,
        text: &text,
        request_id: &admin.visit.request_id,
    };
    let mut response = page(status, &fault, None);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

fn in_words(error: Error) -> (StatusCode, &'static str, String) {
    match error {
        Error::NotFound { message } => (StatusCode::NOT_FOUND, "Not found", message),
        Error::Brake { message } => {
            let text =
                format!("{message}: deletion-limit-per-hour. `rollcall brake release` lets more through for a while.");
            (StatusCode::TOO_MANY_REQUESTS, "Not done", text)
        }
        Error::TooMuchWork => {
            let text = "This takes longer than a page may. Ask for less, or use the command line.";
            (StatusCode::BAD_REQUEST, "Too much", text.to_owned())
        }
        Error::Unavailable { .. } => {
            let text =
                "The database does not answer at the moment. It is not known whether a change was made: look again.";
            (StatusCode::SERVICE_UNAVAILABLE, "Not now", text.to_owned())
        }
        Error::Internal(reason) => {
            tracing::error!(%reason, "an administrator's page failed");
            let text = "The service has met a defect; its log says more under the request.";
            (StatusCode::INTERNAL_SERVER_ERROR, "A defect", text.to_owned())
        }
        Error::InvalidValue { message, .. } => (StatusCode::BAD_REQUEST, "Not done", message),
        other => (StatusCode::CONFLICT, "Not done", other.to_string()),
    }
}
