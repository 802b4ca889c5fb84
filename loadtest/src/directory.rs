//! What a service holds, read through its own interface: ids for the requests that need some.

use std::collections::HashMap;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::client::{Connection, Request, escape};

/// The extension that has the POSIX attributes.
const WORKBENCH: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

/// Resources on a page of these walks.
const PAGE: usize = 1_000;

/// The ids and `userName`s of up to `limit` users, in the service's order.
pub async fn users(connection: &mut Connection, limit: usize) -> anyhow::Result<Vec<(String, String)>> {
    list(
        connection,
        "/Users?attributes=userName",
        |user| pair(user, "userName"),
        limit,
    )
    .await
}

/// The ids and `displayName`s of up to `limit` groups, in the service's order.
pub async fn groups(connection: &mut Connection, limit: usize) -> anyhow::Result<Vec<(String, String)>> {
    list(
        connection,
        "/Groups?attributes=displayName",
        |group| pair(group, "displayName"),
        limit,
    )
    .await
}

/// The POSIX names and uids of up to `limit` users, in the service's order.
pub async fn accounts(connection: &mut Connection, limit: usize) -> anyhow::Result<Vec<(String, u32)>> {
    let path = format!("/Users?attributes={WORKBENCH}:posixUserName,{WORKBENCH}:posixUserId");
    let account = |user: &Value| {
        let of = &user[WORKBENCH];
        let uid = u32::try_from(of["posixUserId"].as_u64()?).ok()?;
        Some((of["posixUserName"].as_str()?.to_owned(), uid))
    };
    list(connection, &path, account, limit).await
}

/// The id behind each `userName`, of all users.
pub async fn ids_by_user_name(connection: &mut Connection) -> anyhow::Result<HashMap<String, String>> {
    let users = users(connection, usize::MAX).await?;
    Ok(users.into_iter().map(|(id, name)| (name, id)).collect())
}

/// The id of the group with this `displayName`.
pub async fn group_named(connection: &mut Connection, name: &str) -> anyhow::Result<Option<String>> {
    let filter = escape(&format!("displayName eq \"{name}\""));
    let path = format!("/Groups?filter={filter}&excludedAttributes=members");
    let list = connection.send(&Request::get(path)).await?.json()?;
    Ok(list["Resources"][0]["id"].as_str().map(str::to_owned))
}

/// The cursor of the last full page of `count` users in a walk by cursor (RFC 9865 §2) over the first `users`: who came
/// later may have more than the others. It takes the whole walk to get there. Raises a service without cursors and a walk
/// of fewer than two full pages.
pub async fn last_cursor(connection: &mut Connection, count: u32, users: u64) -> anyhow::Result<String> {
    let (mut cursor, mut last) = (String::new(), None);
    for _ in 0..users / u64::from(count) {
        let path = format!("/Users?attributes=id&count={count}&cursor={}", escape(&cursor));
        let page = connection.send(&Request::get(path)).await?.json()?;
        let is_full = page["Resources"]
            .as_array()
            .is_some_and(|list| list.len() == count as usize);
        if is_full && !cursor.is_empty() {
            last = Some(cursor.clone());
        }
        match page["nextCursor"].as_str() {
            Some(next) if next != cursor => next.clone_into(&mut cursor),
            _ => break,
        }
    }
    last.context("fewer than two full pages, or no cursors")
}

/// Pages by cursor where the service has them, else by index.
async fn list<T>(
    connection: &mut Connection,
    path: &str,
    read: impl Fn(&Value) -> Option<T>,
    limit: usize,
) -> anyhow::Result<Vec<T>> {
    let mut found: Vec<T> = Vec::new();
    let mut place = "cursor=".to_owned();
    while found.len() < limit {
        let count = PAGE.min(limit);
        let answer = connection
            .send(&Request::get(format!("{path}&count={count}&{place}")))
            .await?;
        if place == "cursor=" && answer.status >= 400 {
            "startIndex=1".clone_into(&mut place);
            continue;
        }
        let page = answer.json()?;
        let Some(resources) = page["Resources"].as_array() else {
            break;
        };
        let before = found.len();
        found.extend(resources.iter().filter_map(&read));
        if found.len() == before {
            break;
        }
        place = match page["nextCursor"].as_str() {
            Some(cursor) => format!("cursor={}", escape(cursor)),
            None if page["totalResults"]
                .as_u64()
                .is_some_and(|total| total > found.len() as u64) =>
            {
                format!("startIndex={}", found.len() + 1)
            }
            None => break,
        };
    }
    if found.is_empty() && limit > 0 {
        bail!("the service holds nothing under {path}: populate it first");
    }
    found.truncate(limit);
    Ok(found)
}

fn pair(resource: &Value, attribute: &str) -> Option<(String, String)> {
    let id = resource["id"].as_str()?;
    Some((
        id.to_owned(),
        resource[attribute].as_str().unwrap_or_default().to_owned(),
    ))
}
