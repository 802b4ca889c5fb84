//! `/Groups`: create, read, list, replace, change and delete (RFC 7644 §3.3 – §3.6).

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::respond::{Refused, mark, scim_bytes};
use super::scim_request::{Context, Segment};
use super::state::State;
use super::users::{check_own_id, count_operation, not_found, note_shape, parse_id};
use super::{body, members, search};
use crate::db::groups::{MembersUpdate, Written};
use crate::error::Error;
use crate::scim::document::normalise;
use crate::scim::error::{ScimError, quoted};
use crate::scim::group::{self, GroupDraft, GroupRow, MemberRef};
use crate::scim::id;
use crate::scim::list::Parameters;
use crate::scim::patch::{self, MembersChange};
use crate::scim::projection::Projection;
use crate::scim::schema::ResourceType;
use crate::scim::user::location;
use crate::scim::version;

const GROUP: ResourceType = ResourceType::Group;

/// How often a PATCH of attributes is computed anew because the group changed meanwhile.
const ATTEMPTS: usize = 5;

/// `POST /Groups` (RFC 7644 §3.3).
pub async fn create(
    Shared(state): Shared<State>,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let projection = projection(&context)?;
    let body = body::read(&state, &headers, body, state.config.scim.large_body_limit).await?;
    let outcome = create_group(&state, &context, body.object).await;
    answer(&state, outcome, &projection, StatusCode::CREATED, &body.bytes).await
}

/// `GET /Groups/{id}` (RFC 7644 §3.4.1), with `If-None-Match` (§3.14).
pub async fn get(Shared(state): Shared<State>, Segment(id): Segment, context: Context) -> Result<Response, Refused> {
    let projection = projection(&context)?;
    let group = count("get", state.db.group_get(parse_id(&id)?).await.map_err(Refused::from))?;
    let group = group.ok_or_else(|| not_found(&id))?;
    let tag = version::print(group.version, None);
    if context.if_none_match.is_some_and(|condition| condition.names(&tag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        mark(response.headers_mut(), &tag, None);
        return Ok(response);
    }
    document(&state, &group, &projection, StatusCode::OK).await
}

/// `GET /Groups` (RFC 7644 §3.4.2).
pub async fn list(Shared(state): Shared<State>, context: Context) -> Result<Response, Refused> {
    let parameters = Parameters::from_pairs(context.query);
    count(
        "list",
        search::groups(&state, &parameters, context.caller.dialect).await,
    )
}

/// `POST /Groups/.search` (RFC 7644 §3.4.3).
pub async fn search(
    Shared(state): Shared<State>,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let body = body::read_search(&state, &headers, body).await?;
    let parameters = Parameters::from_search(Value::Object(body.object))?;
    count(
        "list",
        search::groups(&state, &parameters, context.caller.dialect).await,
    )
}

/// `PUT /Groups/{id}` (RFC 7644 §3.5.1).
pub async fn replace(
    Shared(state): Shared<State>,
    Segment(id): Segment,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let projection = projection(&context)?;
    let body = body::read(&state, &headers, body, state.config.scim.large_body_limit).await?;
    let outcome = replace_group(&state, &context, &id, body.object).await;
    answer(&state, outcome, &projection, StatusCode::OK, &body.bytes).await
}

/// `PATCH /Groups/{id}` (RFC 7644 §3.5.2): 204, unless the client asks for a body with `attributes`.
pub async fn patch(
    Shared(state): Shared<State>,
    Segment(id): Segment,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let projection = projection(&context)?;
    let body = body::read(&state, &headers, body, state.config.scim.large_body_limit).await?;
    let outcome = patch_group(&state, &context, &id, Value::Object(body.object)).await;
    if projection.is_explicit() || outcome.is_err() {
        return answer(&state, outcome, &projection, StatusCode::OK, &body.bytes).await;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(written) = outcome {
        mark(
            response.headers_mut(),
            &version::print(written.group.version, None),
            None,
        );
    }
    Ok(response)
}

/// `DELETE /Groups/{id}` (RFC 7644 §3.6).
pub async fn delete(Shared(state): Shared<State>, Segment(id): Segment, context: Context) -> Result<Response, Refused> {
    delete_group(&state, &context, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Creates a group from a body.
pub(super) async fn create_group(
    state: &State,
    context: &Context,
    body: Map<String, Value>,
) -> Result<Written, Refused> {
    let draft = GroupDraft::from_document(normalise(GROUP, body, context.caller.dialect)?)?;
    let members = member_ids(&draft.members)?;
    let outcome = state
        .db
        .group_create(Uuid::now_v7(), &draft, &members, &context.origin)
        .await;
    count("create", outcome.map_err(Refused::from))
}

/// Replaces a group and its members by a body. Its POSIX name and gid stay unless the body names others.
pub(super) async fn replace_group(
    state: &State,
    context: &Context,
    id: &str,
    body: Map<String, Value>,
) -> Result<Written, Refused> {
    check_own_id(&body, id)?;
    let id = parse_id(id)?;
    let draft = GroupDraft::from_document(normalise(GROUP, body, context.caller.dialect)?)?;
    let expected = expected_version(state, context, id).await?;
    let members = MembersUpdate {
        add: member_ids(&draft.members)?,
        remove: Vec::new(),
        replace: true,
    };
    let outcome = state
        .db
        .group_update(id, expected, Some(&draft), &members, &context.origin)
        .await;
    count("replace", outcome.map_err(Refused::from))
}

/// Changes a group by a PATCH body. A change of members alone reads nothing of the group.
pub(super) async fn patch_group(state: &State, context: &Context, id: &str, body: Value) -> Result<Written, Refused> {
    count("patch", patch_parts(state, context, id, body).await)
}

async fn patch_parts(state: &State, context: &Context, id: &str, body: Value) -> Result<Written, Refused> {
    let dialect = context.caller.dialect;
    let parts = patch::compile_group(patch::parse(GROUP, body, dialect)?)?;
    let uuid = parse_id(id)?;
    let members = members_update(state, uuid, parts.members).await?;
    if parts.attributes.operations.is_empty() {
        let expected = expected_version(state, context, uuid).await?;
        return Ok(state
            .db
            .group_update(uuid, expected, None, &members, &context.origin)
            .await?);
    }
    let mut attempt = 1;
    loop {
        let group = state.db.group_get(uuid).await?.ok_or_else(|| not_found(id))?;
        context.admit_version(group.version)?;
        let after = patch::apply(&parts.attributes, GROUP, id, &group::to_document(&group), dialect)?;
        let draft = GroupDraft::from_document(after)?;
        match state
            .db
            .group_update(uuid, Some(group.version), Some(&draft), &members, &context.origin)
            .await
        {
            Err(Error::VersionMismatch { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(Error::VersionMismatch { .. }) => return Err(Error::Contended.into()),
            outcome => return Ok(outcome?),
        }
    }
}

/// Deletes a group.
pub(super) async fn delete_group(state: &State, context: &Context, id: &str) -> Result<(), Refused> {
    let id = parse_id(id)?;
    let expected = expected_version(state, context, id).await?;
    count(
        "delete",
        state
            .db
            .group_delete(id, expected, &context.origin)
            .await
            .map_err(Refused::from),
    )
}

/// The version a write must find: the current one when `If-Match` is given and allows it.
async fn expected_version(state: &State, context: &Context, id: Uuid) -> Result<Option<i64>, Refused> {
    if context.if_match.is_none() {
        return Ok(None);
    }
    let group = state
        .db
        .group_get(id)
        .await?
        .ok_or_else(|| not_found(&id.to_string()))?;
    context.admit_version(group.version)?;
    Ok(Some(group.version))
}

async fn members_update(state: &State, group: Uuid, change: MembersChange) -> Result<MembersUpdate, Refused> {
    let delta = match change {
        MembersChange::Replace(members) => {
            return Ok(MembersUpdate {
                add: member_ids(&members)?,
                remove: Vec::new(),
                replace: true,
            });
        }
        MembersChange::Delta(delta) => delta,
        steps @ MembersChange::Steps(_) => {
            let put_in = steps.put_in().map(member_id).collect::<Result<Vec<Uuid>, _>>()?;
            let kinds = state.db.member_kinds(&put_in).await?;
            if let Some(stranger) = put_in.iter().find(|id| !kinds.contains_key(id)) {
                return Err(no_such_member(&stranger.to_string()).into());
            }
            let kind_of = |text: &str| id::parse(text).and_then(|id| kinds.get(&id).copied());
            steps.resolve(&all_members(state, group).await?, kind_of)
        }
    };
    Ok(MembersUpdate {
        add: member_ids(&delta.add)?,
        // An id that is none of ours is not a member: removing it changes nothing.
        remove: delta.remove.iter().filter_map(|id| id::parse(id)).collect(),
        replace: false,
    })
}

/// All members of a group, for the rare filter on something else than `value`.
async fn all_members(state: &State, group: Uuid) -> Result<Vec<MemberRef>, Error> {
    let mut all: Vec<MemberRef> = Vec::new();
    let mut after = None;
    loop {
        let slice = state.db.members_after(group, after).await?;
        let Some(last) = slice.last() else { return Ok(all) };
        after = Some(last.id);
        all.extend(slice.iter().map(|member| MemberRef {
            id: member.id.to_string(),
            kind: Some(if member.is_group {
                ResourceType::Group
            } else {
                ResourceType::User
            }),
        }));
    }
}

/// The ids of members to add; raises `invalidValue` for one that cannot be ours.
fn member_ids(members: &[MemberRef]) -> Result<Vec<Uuid>, ScimError> {
    members.iter().map(|member| member_id(&member.id)).collect()
}

fn member_id(text: &str) -> Result<Uuid, ScimError> {
    id::parse(text).ok_or_else(|| no_such_member(text))
}

fn no_such_member(id: &str) -> ScimError {
    ScimError::invalid_value(format!(
        "members.value: there is no user or group with the id \"{}\"",
        quoted(id)
    ))
}

async fn answer(
    state: &State,
    outcome: Result<Written, Refused>,
    projection: &Projection,
    status: StatusCode,
    sent: &[u8],
) -> Result<Response, Refused> {
    let mut response = match outcome {
        Ok(written) => document(state, &written.group, projection, status).await?,
        Err(refused) => refused.into_response(),
    };
    note_shape(state, &mut response, sent);
    Ok(response)
}

async fn document(
    state: &State,
    group: &GroupRow,
    projection: &Projection,
    status: StatusCode,
) -> Result<Response, Refused> {
    let opened = members::open(state, group, projection).await?;
    let mut response = scim_bytes(status, members::body(state, opened));
    let place = location(&state.scim_base, GROUP, &group.id.to_string());
    mark(
        response.headers_mut(),
        &version::print(group.version, None),
        (status == StatusCode::CREATED).then_some(&place),
    );
    Ok(response)
}

fn projection(context: &Context) -> Result<Projection, Refused> {
    Ok(search::projection(GROUP, context)?)
}

fn count<T>(op: &str, outcome: Result<T, Refused>) -> Result<T, Refused> {
    count_operation("Group", op, outcome)
}
