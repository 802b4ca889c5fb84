//! Lists of resources: pages by index and by cursor, of one type or of both (RFC 7644 §3.4.2, §3.4.3; RFC 9865).

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::Value;

use super::body;
use super::members;
use super::respond::{Refused, scim_bytes};
use super::scim_request::Context;
use super::state::State;
use super::users::render;
use crate::db::Page;
use crate::scim::dialect::Dialect;
use crate::scim::error::ScimError;
use crate::scim::group::GroupRow;
use crate::scim::list::{ListFrame, ListQuery, Page as Place, Parameters};
use crate::scim::projection::Projection;
use crate::scim::schema::ResourceType;
use crate::scim::user::UserRow;

/// The projection that a query string asks for, in the caller's dialect.
pub(super) fn projection(resource_type: ResourceType, context: &Context) -> Result<Projection, ScimError> {
    let pairs = context.query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let parameters = Parameters::from_pairs(pairs);
    let projection = Projection::parse(
        resource_type,
        parameters.attributes.as_deref(),
        parameters.excluded_attributes.as_deref(),
    )?;
    Ok(projection.in_dialect(context.caller.dialect))
}

/// A page of users.
pub(super) async fn users(state: &State, parameters: &Parameters, dialect: Dialect) -> Result<Response, Refused> {
    let query = ListQuery::parse(
        parameters,
        ResourceType::User,
        &state.scim_limits(),
        Timestamp::now().as_second(),
    )?
    .in_dialect(dialect);
    let page = state.db.user_page(&query, query.projection.wants("groups")).await?;
    let frame = frame(&query, page.total, page.rows.len(), &page);
    let mut text = frame.head().into_bytes();
    write_users(state, &query.projection, &page.rows, &mut text)?;
    text.extend(frame.tail().as_bytes());
    Ok(scim_bytes(StatusCode::OK, text))
}

/// A page of groups, each with its members, streamed.
pub(super) async fn groups(state: &State, parameters: &Parameters, dialect: Dialect) -> Result<Response, Refused> {
    let query = ListQuery::parse(
        parameters,
        ResourceType::Group,
        &state.scim_limits(),
        Timestamp::now().as_second(),
    )?
    .in_dialect(dialect);
    let page = state.db.group_page(&query).await?;
    let frame = frame(&query, page.total, page.rows.len(), &page);
    Ok(scim_bytes(
        StatusCode::OK,
        streamed(state, frame, Vec::new(), page.rows, query.projection),
    ))
}

/// `POST /.search`: users, then groups.
pub async fn search(
    Shared(state): Shared<State>,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let body = body::read_search(&state, &headers, body).await?;
    let parameters = Parameters::from_search(Value::Object(body.object))?;
    let dialect = context.caller.dialect;
    let (limits, now) = (state.scim_limits(), Timestamp::now().as_second());
    let mut of_users =
        ListQuery::parse_across_types(&parameters, ResourceType::User, &limits, now)?.in_dialect(dialect);
    let mut of_groups =
        ListQuery::parse_across_types(&parameters, ResourceType::Group, &limits, now)?.in_dialect(dialect);
    let Place::Index(start) = of_users.page else {
        return Err(ScimError::invalid_cursor("Pages by cursor are of one resource type: search below it.").into());
    };
    let page_size = of_users.count;
    let users = state
        .db
        .user_page(&of_users, of_users.projection.wants("groups"))
        .await?;
    let user_total = users.total.unwrap_or(0);
    of_groups.page = Place::Index(start.saturating_sub(user_total).max(1));
    of_groups.count = page_size.saturating_sub(u32::try_from(users.rows.len()).unwrap_or(u32::MAX));
    let groups = state.db.group_page(&of_groups).await?;
    of_users.count = page_size;
    let frame = ListFrame {
        total_results: Some(user_total + groups.total.unwrap_or(0)),
        start_index: Some(start),
        items_per_page: (users.rows.len() + groups.rows.len()) as u64,
        next_cursor: None,
    };
    let mut text = Vec::new();
    write_users(&state, &of_users.projection, &users.rows, &mut text)?;
    Ok(scim_bytes(
        StatusCode::OK,
        streamed(&state, frame, text, groups.rows, of_groups.projection),
    ))
}

fn frame<T>(query: &ListQuery, total: Option<u64>, items: usize, page: &Page<T>) -> ListFrame {
    ListFrame {
        total_results: total,
        start_index: match query.page {
            Place::Index(start) => Some(start),
            Place::First | Place::After(_) => None,
        },
        items_per_page: items as u64,
        next_cursor: page.next.as_ref().map(crate::scim::list::Cursor::encode),
    }
}

fn write_users(state: &State, projection: &Projection, users: &[UserRow], text: &mut Vec<u8>) -> Result<(), Refused> {
    for (index, user) in users.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut *text, &render(state, user, projection))
            .map_err(|error| crate::error::Error::Internal(error.to_string()))?;
    }
    Ok(())
}

/// The frame around what is ready and the groups, whose members are read while they are written.
fn streamed(state: &State, frame: ListFrame, ready: Vec<u8>, groups: Vec<GroupRow>, projection: Projection) -> Body {
    let state = state.clone();
    members::stream(move |mut writer| async move {
        let mut separator = if ready.is_empty() { "" } else { "," };
        let ready = String::from_utf8(ready).unwrap_or_default();
        if !writer.write(&frame.head()).await || !writer.write(&ready).await {
            return;
        }
        for group in &groups {
            let opened = match members::open(&state, group, &projection).await {
                Ok(opened) => opened,
                Err(error) => return writer.fail(error).await,
            };
            if !writer.write(separator).await || !writer.group(&state, opened).await {
                return;
            }
            separator = ",";
        }
        if writer.write(frame.tail()).await {
            writer.flush().await;
        }
    })
}
