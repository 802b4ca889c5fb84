//! Changes by an administrator: a form of one of our own pages, sent by the browser whose session it belongs to.

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::response::Response;
use subtle::ConstantTimeEq as _;

use super::{Admin, refused};
use crate::http::form::Form;
use crate::http::same_origin::{Sender, sender};
use crate::http::state::State;

/// Largest form, in bytes: the longest name of a token, escaped, fits several times.
const FORM_BYTES: usize = 16 * 1024;

/// The field that carries what binds a form to its session.
const FORM_TOKEN: &str = "form_token";

/// A change that an administrator asks for. It is his own: the browser says that one of our pages sent it, and the form
/// carries what only the pages of his session know.
pub struct Change {
    /// Who asks.
    pub admin: Admin,
    /// What the form says.
    pub form: Form,
}

impl FromRequest<State> for Change {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let admin = Admin::from_request_parts(&mut parts, state).await?;
        let refuse = |status, text| {
            let request_id = &admin.visit.request_id;
            tracing::warn!(request_id, user_id = %admin.id, reason = text, "an administrator's form was refused");
            refused(state, &admin.visit, status, "Not done", text)
        };
        if sender(&parts.headers, state.base_url.as_str()) != Sender::Ours {
            let text =
                "The browser does not say that this form was sent by a page of this service. Nothing was changed.";
            return Err(refuse(StatusCode::FORBIDDEN, text));
        }
        let Ok(form) = Form::read(&parts.headers, body, FORM_BYTES).await else {
            let text = "What was sent is not a form of these pages. Nothing was changed.";
            return Err(refuse(StatusCode::BAD_REQUEST, text));
        };
        let given = form.only(FORM_TOKEN).unwrap_or_default();
        if !bool::from(given.as_bytes().ct_eq(admin.form_token.as_bytes())) {
            let text = "The form belongs to another session. Nothing was changed: open the page again.";
            return Err(refuse(StatusCode::FORBIDDEN, text));
        }
        Ok(Self { admin, form })
    }
}
