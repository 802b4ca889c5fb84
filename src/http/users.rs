//! `/Users`: create, read, list, replace, change and delete (RFC 7644 §3.3 – §3.6).

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::body;
use super::respond::{Refused, mark, scim};
use super::scim_request::{BodyShape, Context, Segment};
use super::search;
use super::state::State;
use crate::db::users::Written;
use crate::scim::Document;
use crate::scim::document::normalise;
use crate::scim::error::ScimError;
use crate::scim::id;
use crate::scim::list::Parameters;
use crate::scim::patch;
use crate::scim::projection::Projection;
use crate::scim::schema::ResourceType;
use crate::scim::user::{self, UserDraft, UserRow};
use crate::telemetry::metrics::METRICS;

const USER: ResourceType = ResourceType::User;

/// `POST /Users` (RFC 7644 §3.3).
pub async fn create(
    Shared(state): Shared<State>,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let projection = projection(&context)?;
    let body = body::read(&state, &headers, body, state.config.scim.body_limit).await?;
    let outcome = create_user(&state, &context, body.object).await;
    Ok(answer(&state, outcome, &projection, StatusCode::CREATED, &body.bytes))
}

/// `GET /Users/{id}` (RFC 7644 §3.4.1), with `If-None-Match` (§3.14).
pub async fn get(Shared(state): Shared<State>, Segment(id): Segment, context: Context) -> Result<Response, Refused> {
    let projection = projection(&context)?;
    let user = count(
        "get",
        state.db.user_get(parse_id(&id)?, true).await.map_err(Refused::from),
    )?;
    let user = user.ok_or_else(|| not_found(&id))?;
    let tag = user.tag();
    if context.if_none_match.is_some_and(|condition| condition.names(&tag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        mark(response.headers_mut(), &tag, None);
        return Ok(response);
    }
    Ok(document(&state, &user, &projection, StatusCode::OK))
}

/// `GET /Users` (RFC 7644 §3.4.2).
pub async fn list(Shared(state): Shared<State>, context: Context) -> Result<Response, Refused> {
    let parameters = Parameters::from_pairs(context.query);
    count("list", search::users(&state, &parameters, context.caller.dialect).await)
}

/// `POST /Users/.search` (RFC 7644 §3.4.3).
pub async fn search(
    Shared(state): Shared<State>,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let body = body::read_search(&state, &headers, body).await?;
    let parameters = Parameters::from_search(Value::Object(body.object))?;
    count("list", search::users(&state, &parameters, context.caller.dialect).await)
}

/// `PUT /Users/{id}` (RFC 7644 §3.5.1).
pub async fn replace(
    Shared(state): Shared<State>,
    Segment(id): Segment,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let projection = projection(&context)?;
    let body = body::read(&state, &headers, body, state.config.scim.body_limit).await?;
    let outcome = replace_user(&state, &context, &id, body.object).await;
    Ok(answer(&state, outcome, &projection, StatusCode::OK, &body.bytes))
}

/// `PATCH /Users/{id}` (RFC 7644 §3.5.2). The answer is always the user, as Workbench's is.
pub async fn patch(
    Shared(state): Shared<State>,
    Segment(id): Segment,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let projection = projection(&context)?;
    let body = body::read(&state, &headers, body, state.config.scim.body_limit).await?;
    let outcome = patch_user(&state, &context, &id, Value::Object(body.object)).await;
    Ok(answer(&state, outcome, &projection, StatusCode::OK, &body.bytes))
}

/// `DELETE /Users/{id}` (RFC 7644 §3.6).
pub async fn delete(Shared(state): Shared<State>, Segment(id): Segment, context: Context) -> Result<Response, Refused> {
    delete_user(&state, &context, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Creates a user from a body.
pub(super) async fn create_user(
    state: &State,
    context: &Context,
    body: Map<String, Value>,
) -> Result<Written, Refused> {
    let draft = draft(state, &normalise(USER, body, context.caller.dialect)?)?;
    count(
        "create",
        state
            .db
            .user_create(Uuid::now_v7(), draft, context.origin.clone())
            .await
            .map_err(Refused::from),
    )
}

/// Replaces a user by a body. What lives in columns and is not in the body stays.
pub(super) async fn replace_user(
    state: &State,
    context: &Context,
    id: &str,
    body: Map<String, Value>,
) -> Result<Written, Refused> {
    check_own_id(&body, id)?;
    let draft = draft(state, &normalise(USER, body, context.caller.dialect)?)?;
    let admit = |version| context.admit_version(version).map_err(Refused::from);
    let change = |user: &UserRow| {
        let mut draft = draft.clone();
        draft.keep_ssh_keys(user);
        Ok(draft)
    };
    let outcome = state
        .db
        .user_modify(parse_id(id)?, &context.origin, admit, change)
        .await;
    count("replace", outcome)
}

/// Changes a user by a PATCH body.
pub(super) async fn patch_user(state: &State, context: &Context, id: &str, body: Value) -> Result<Written, Refused> {
    let dialect = context.caller.dialect;
    let patch = patch::parse(USER, body, dialect)?;
    let admit = |version| context.admit_version(version).map_err(Refused::from);
    let outcome = state
        .db
        .user_modify(parse_id(id)?, &context.origin, admit, |user| {
            let before = user::to_document(user);
            let after = patch::apply(&patch, USER, id, &before, dialect)?;
            let draft = UserDraft::from_patched(&before, &after)?;
            check_name_rule(state, &draft, Some(user))?;
            draft.check_key_options(state.config.provisioning.ssh_key_options)?;
            Ok(draft)
        })
        .await;
    count("patch", outcome)
}

/// Deletes a user.
pub(super) async fn delete_user(state: &State, context: &Context, id: &str) -> Result<(), Refused> {
    let id = parse_id(id)?;
    let mut expected = None;
    if context.if_match.is_some() {
        let user = state
            .db
            .user_get(id, false)
            .await?
            .ok_or_else(|| not_found(&id.to_string()))?;
        context.admit_version(user.version)?;
        expected = Some(user.version);
    }
    count(
        "delete",
        state
            .db
            .user_delete(id, expected, &context.origin)
            .await
            .map_err(Refused::from),
    )
}

/// The user as a projected document.
pub(super) fn render(state: &State, user: &UserRow, projection: &Projection) -> Document {
    let mut document = user::render(user, &state.scim_base);
    projection.apply(&mut document);
    document
}

fn draft(state: &State, document: &Document) -> Result<UserDraft, Refused> {
    let draft = UserDraft::from_document(document)?;
    check_name_rule(state, &draft, None)?;
    draft.check_key_options(state.config.provisioning.ssh_key_options)?;
    Ok(draft)
}

/// Raises `invalidValue` for a POSIX name that is asked for, is not the user's already, and breaks the site's rule.
fn check_name_rule(state: &State, draft: &UserDraft, current: Option<&UserRow>) -> Result<(), Refused> {
    match &draft.posix_name {
        Some(name) if current.is_none_or(|user| user.posix_name != *name) && !state.user_name_rule.is_match(name) => {
            Err(ScimError::invalid_value(format!(
                "posixUserName does not fit the rule for POSIX names: {}",
                state.config.provisioning.user_name_rule
            ))
            .into())
        }
        _ => Ok(()),
    }
}

fn answer(
    state: &State,
    outcome: Result<Written, Refused>,
    projection: &Projection,
    status: StatusCode,
    sent: &[u8],
) -> Response {
    let mut response = match outcome {
        Ok(written) => document(state, &written.user, projection, status),
        Err(refused) => refused.into_response(),
    };
    note_shape(state, &mut response, sent);
    response
}

/// Keeps the shape of a refused body for the request log; that of an accepted one nobody asks for.
pub(super) fn note_shape(state: &State, response: &mut Response, sent: &[u8]) {
    if state.request_log.is_on() && response.status().is_client_error() {
        response
            .extensions_mut()
            .insert(BodyShape(super::request_log::shape(sent)));
    }
}

fn document(state: &State, user: &UserRow, projection: &Projection, status: StatusCode) -> Response {
    let mut response = scim(status, &render(state, user, projection));
    let location = user::location(&state.scim_base, USER, &user.id.to_string());
    mark(
        response.headers_mut(),
        &user.tag(),
        (status == StatusCode::CREATED).then_some(&location),
    );
    response
}

fn projection(context: &Context) -> Result<Projection, Refused> {
    Ok(search::projection(USER, context)?)
}

/// A path's id. One that cannot be ours names nothing.
pub(super) fn parse_id(id: &str) -> Result<Uuid, Refused> {
    id::parse(id).ok_or_else(|| not_found(id))
}

/// 404 for a resource.
pub(super) fn not_found(id: &str) -> Refused {
    ScimError::not_found(format!(
        "There is no resource with the id \"{}\".",
        crate::scim::error::quoted(id)
    ))
    .into()
}

/// Raises `mutability` when a PUT names another id than its path.
pub(super) fn check_own_id(body: &Map<String, Value>, id: &str) -> Result<(), Refused> {
    match body.get("id") {
        Some(Value::String(other)) if other != id => {
            Err(ScimError::mutability("The id in the body is not the id of the resource.").into())
        }
        _ => Ok(()),
    }
}

fn count<T>(op: &str, outcome: Result<T, Refused>) -> Result<T, Refused> {
    count_operation("User", op, outcome)
}

/// Counts an operation by its outcome.
pub(super) fn count_operation<T>(resource: &str, op: &str, outcome: Result<T, Refused>) -> Result<T, Refused> {
    let word = match &outcome {
        Ok(_) => "ok",
        Err(refused) if refused.error.status < 500 => "refused",
        Err(_) => "failed",
    };
    METRICS.scim_operations.with_label_values(&[resource, op, word]).inc();
    outcome
}
