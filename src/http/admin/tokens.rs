//! `/admin/tokens`: the tokens, and making one, whose secret is shown once.

use askama::Template;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::Admin;
use super::change::Change;
use super::frame::{Failure, Frame, Section, answer};
use super::place;
use crate::db::admin_pages::TokenLine;
use crate::db::tokens::TokenDraft;
use crate::error::Error;
use crate::http::form::Form;
use crate::http::pages::page;
use crate::http::state::State;
use crate::scim::dialect::Dialect;
use crate::tokens::{NewToken, Scope, expiry, is_name};

/// Tokens on a page.
const PAGE: i32 = 50;

/// Most days for which a token is made: a hundred years.
const MOST_DAYS: i64 = 36_500;

/// What each scope is for.
const SCOPES: [(&str, &str); 6] = [
    (Scope::Scim.as_str(), "an identity provider pushes users and groups"),
    (Scope::NssUser.as_str(), "a node reads users and groups"),
    (Scope::NssAdmin.as_str(), "a node reads shadow entries too"),
    (
        Scope::Login.as_str(),
        "a front end hands in sign-ins that it has verified",
    ),
    (Scope::Audit.as_str(), "reading the audit log"),
    (Scope::Admin.as_str(), "administration"),
];

#[derive(Template)]
#[template(path = "admin/tokens.html")]
struct Tokens<'a> {
    frame: Frame<'a>,
    rows: Vec<TokenLine>,
    now: Timestamp,
    next: Option<String>,
    is_revoked: bool,
    /// Why no token was made.
    fault: Option<&'static str>,
    /// Under which the next token is made, so that a form that is sent twice makes one.
    public_id: String,
    name: &'a str,
    scopes: &'static [(&'static str, &'static str)],
    dialects: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "admin/token.html")]
struct Made<'a> {
    frame: Frame<'a>,
    name: &'a str,
    secret: &'a str,
    public_id: &'a str,
    scopes: String,
    dialect: &'a str,
    expires_at: Option<Timestamp>,
}

/// `GET /admin/tokens?after=PLACE`.
pub async fn list(Shared(state): Shared<State>, admin: Admin) -> Response {
    let work = view(&state, &admin, StatusCode::OK, None, "").await;
    answer(&state, &admin, Section::Tokens, work)
}

/// `POST /admin/tokens`.
pub async fn create(Shared(state): Shared<State>, Change { admin, form }: Change) -> Response {
    let work = make(&state, &admin, &form).await;
    answer(&state, &admin, Section::Tokens, work)
}

async fn view(
    state: &State,
    admin: &Admin,
    status: StatusCode,
    fault: Option<&'static str>,
    name: &str,
) -> Result<Response, Failure> {
    let before = admin.visit.only("after").and_then(place::decode_token);
    let before = before.as_ref().map(|(at, id)| (*at, id.as_str()));
    let mut tokens = state.db.admin_tokens(before, PAGE + 1).await?;
    let base = state.base_url.as_str();
    let next = super::cut(&mut tokens, PAGE).map(|last| {
        let after = place::encode_token(last.created, &last.public_id);
        format!("{base}/admin/tokens?after={after}")
    });
    let tokens = Tokens {
        frame: Frame::new(state, admin, Section::Tokens),
        rows: tokens,
        now: Timestamp::now(),
        next,
        is_revoked: admin.visit.only("done") == Some("revoked"),
        fault,
        public_id: NewToken::generate().public_id,
        name,
        scopes: &SCOPES,
        dialects: Dialect::ALL.iter().map(|dialect| dialect.as_str()).collect(),
    };
    Ok(page(status, &tokens, None))
}

/// What a form asks for.
struct Wanted<'a> {
    name: &'a str,
    scopes: Vec<Scope>,
    dialect: Dialect,
    expires_at: Option<Timestamp>,
}

/// Reads the form. Raises, in words for the administrator, what cannot be.
fn read(form: &Form) -> Result<Wanted<'_>, &'static str> {
    let name = form.only("name").unwrap_or_default().trim();
    if !is_name(name) {
        return Err("The name must have 1 to 255 characters and no control characters.");
    }
    let scopes: Result<Vec<Scope>, _> = form.all("scope").take(SCOPES.len()).map(str::parse).collect();
    let scopes = scopes.map_err(|_| "There is no such scope.")?;
    if scopes.is_empty() {
        return Err("Choose at least one thing that the token may be used for.");
    }
    let dialect = form.only("dialect").unwrap_or_default().parse();
    let dialect = dialect.map_err(|_| "There is no such dialect.")?;
    let days = match form.only("days").unwrap_or_default().trim() {
        "" => None,
        text => {
            let days = text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
            Some(days.ok_or("The days must be a number from 1 to 36500.")?)
        }
    };
    let expires_at = expiry(&scopes, days, Timestamp::now()).map_err(|_| "The days lead beyond the calendar.")?;
    Ok(Wanted {
        name,
        scopes,
        dialect,
        expires_at,
    })
}

async fn make(state: &State, admin: &Admin, form: &Form) -> Result<Response, Failure> {
    let wanted = match read(form) {
        Ok(wanted) => wanted,
        Err(fault) => {
            let name = form.only("name").unwrap_or_default();
            return view(state, admin, StatusCode::BAD_REQUEST, Some(fault), name).await;
        }
    };
    let token = form.only("public_id").and_then(NewToken::generate_as);
    let token = token.ok_or(Failure::Refused("The form is not one of these pages."))?;
    let draft = TokenDraft {
        name: wanted.name,
        scopes: &wanted.scopes,
        dialect: wanted.dialect.as_str(),
        parent: None,
        expires_at: wanted.expires_at,
    };
    match state.db.token_create(&token, &draft, &admin.origin()).await {
        Ok(()) => {}
        Err(Error::Taken { .. }) => {
            let fault = "This form has made its token already, and its secret is shown once only. \
                         If you have lost it, revoke that token and make another one.";
            return view(state, admin, StatusCode::CONFLICT, Some(fault), "").await;
        }
        Err(error) => return Err(error.into()),
    }
    let scopes: Vec<&str> = wanted.scopes.iter().map(|scope| scope.as_str()).collect();
    let secret = token.reveal();
    let made = Made {
        frame: Frame::new(state, admin, Section::Tokens),
        name: wanted.name,
        secret: &secret,
        public_id: &token.public_id,
        scopes: scopes.join(", "),
        dialect: wanted.dialect.as_str(),
        expires_at: wanted.expires_at,
    };
    Ok(page(StatusCode::OK, &made, None))
}
