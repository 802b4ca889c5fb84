//! The pages of sign-in: plain HTML without a script, under a policy that allows nothing else.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::login::{Reason, Refusal};

/// `GET /sign-in.css`.
pub async fn style() -> Response {
    let head = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=3600"),
    ];
    (head, include_str!("sign_in.css")).into_response()
}

/// Text as HTML shows it (WHATWG HTML §13.1.2).
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A page. `base` is `public-url`, `main` is HTML that has been escaped; `form_target` is the origin of the provider that
/// its form leads to. Chromium applies `form-action` to every redirect after the form too, and providers redirect to hosts of
/// their own, so any https address is allowed then.
pub fn page(status: StatusCode, base: &str, title: &str, main: &str, form_target: Option<&str>) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"{base}/sign-in.css\">\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{main}</main>\n\
         </body>\n</html>\n",
        title = escape(title),
        base = escape(base),
    );
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self'{}; frame-ancestors 'none'; base-uri 'none'",
        form_target
            .map(|origin| format!(" {origin} https:"))
            .unwrap_or_default()
    );
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page for a refused sign-in: what the person can do, and the number under which the log says why.
pub fn refused(base: &str, refusal: &Refusal, request_id: &str) -> Response {
    let status = match refusal.reason {
        Reason::Unavailable | Reason::ProviderUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Reason::UnknownTransaction | Reason::Replayed | Reason::MalformedHeaders => StatusCode::BAD_REQUEST,
        Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::FORBIDDEN,
    };
    let main = format!(
        "<p role=\"alert\">{}</p>\n<p><a class=\"button\" href=\"{}/sign-in?stay=1\">Sign in again</a></p>\n\
         <p class=\"request\">Request <code>{}</code></p>\n",
        escape(refusal.text()),
        escape(base),
        escape(request_id),
    );
    let mut response = page(status, base, "Sign-in failed", &main, None);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = refusal.retry_after.map_or(5, |pause| pause.as_secs().max(1));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
