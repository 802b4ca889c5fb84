//! `/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes` (RFC 7644 §4) and `/Me` (§3.11).

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::respond::{Refused, scim};
use super::scim_request::{Context, Segment};
use super::state::State;
use crate::scim::discovery;
use crate::scim::error::{ScimError, quoted};

/// `GET /ServiceProviderConfig`.
pub async fn service_provider_config(Shared(state): Shared<State>, context: Context) -> Result<Response, Refused> {
    answer(
        &context,
        Some(discovery::service_provider_config(
            &state.scim_base,
            &state.scim_limits(),
        )),
        "",
    )
}

/// `GET /Schemas`.
pub async fn schemas(Shared(state): Shared<State>, context: Context) -> Result<Response, Refused> {
    answer(
        &context,
        Some(discovery::schemas(&state.scim_base, context.caller.dialect)),
        "",
    )
}

/// `GET /Schemas/{urn}`.
pub async fn schema(
    Shared(state): Shared<State>,
    Segment(urn): Segment,
    context: Context,
) -> Result<Response, Refused> {
    answer(
        &context,
        discovery::schema_by_urn(&state.scim_base, &urn, context.caller.dialect),
        &urn,
    )
}

/// `GET /ResourceTypes`.
pub async fn resource_types(Shared(state): Shared<State>, context: Context) -> Result<Response, Refused> {
    answer(
        &context,
        Some(discovery::resource_types(&state.scim_base, context.caller.dialect)),
        "",
    )
}

/// `GET /ResourceTypes/{name}`.
pub async fn resource_type(
    Shared(state): Shared<State>,
    Segment(name): Segment,
    context: Context,
) -> Result<Response, Refused> {
    answer(
        &context,
        discovery::resource_type_by_name(&state.scim_base, &name, context.caller.dialect),
        &name,
    )
}

/// `/Me`: a token is no user of ours.
pub async fn me() -> Refused {
    ScimError::new(
        501,
        None,
        "The token stands for a client, not for a user: /Me is not offered.",
    )
    .into()
}

/// Filters are forbidden here (RFC 7644 §4), sorting and paging ignored.
fn answer(context: &Context, document: Option<Value>, name: &str) -> Result<Response, Refused> {
    if context.query.iter().any(|(key, _)| key.eq_ignore_ascii_case("filter")) {
        return Err(ScimError::new(403, None, "Discovery endpoints cannot be filtered.").into());
    }
    match document {
        Some(document) => Ok(scim(StatusCode::OK, &document)),
        None => Err(ScimError::not_found(format!("There is no \"{}\" here.", quoted(name))).into()),
    }
}
