//! The pages of sign-in.

use askama::Template;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::http::pages::{page, style as style_sheet};
use crate::login::{Reason, Refusal};

/// The ways to sign in.
#[derive(Template)]
#[template(path = "sign_in/choice.html")]
pub struct Choice<'a> {
    /// `public-url`.
    pub base: &'a str,
    /// The heading.
    pub title: &'a str,
    /// Where each way begins, and what it is called.
    pub ways: &'a [(String, &'static str)],
}

/// The question whether to sign out.
#[derive(Template)]
#[template(path = "sign_in/sign_out.html")]
pub struct SignOut<'a> {
    /// `public-url`.
    pub base: &'a str,
    /// The heading.
    pub title: &'a str,
}

/// A form that takes a SAML request to the provider.
#[cfg(feature = "saml")]
#[derive(Template)]
#[template(path = "sign_in/post.html")]
pub struct Post<'a> {
    /// `public-url`.
    pub base: &'a str,
    /// The heading.
    pub title: &'a str,
    /// The provider's address.
    pub location: &'a str,
    /// The request, in base64.
    pub request: &'a str,
    /// What comes back with the response.
    pub relay_state: &'a str,
}

/// Something to be told, and perhaps a way on.
#[derive(Template)]
#[template(path = "sign_in/message.html")]
pub struct Message<'a> {
    /// `public-url`.
    pub base: &'a str,
    /// The heading.
    pub title: &'a str,
    /// What is told.
    pub text: &'a str,
    /// Where to go on, and what that is called.
    pub way: Option<(String, &'static str)>,
    /// The request, by which the log says more.
    pub request_id: &'a str,
}

/// `GET /sign-in.css`.
pub async fn style() -> Response {
    style_sheet(include_str!("../pages/sign_in.css"))
}

/// The page for a refused sign-in: what the person can do, and the number under which the log says why.
pub fn refused(base: &str, refusal: &Refusal, request_id: &str) -> Response {
    let status = match refusal.reason {
        Reason::Unavailable | Reason::ProviderUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Reason::UnknownTransaction | Reason::Replayed | Reason::MalformedHeaders => StatusCode::BAD_REQUEST,
        Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::FORBIDDEN,
    };
    let message = Message {
        base,
        title: "Sign-in failed",
        text: refusal.text(),
        way: Some((format!("{base}/sign-in?stay=1"), "Sign in again")),
        request_id,
    };
    let mut response = page(status, &message, None);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = refusal.retry_after.map_or(5, |pause| pause.as_secs().max(1));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
