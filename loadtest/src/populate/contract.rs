//! Populating through the SQL contract: batches of `api.user_create` and `api.group_create` over several connections.
//! Both are idempotent by id, and ids follow from the seed, so that repeating a batch is harmless.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_postgres::types::Json;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use super::Arguments;
use super::progress::{Kind, Progress};
use crate::population::Population;

/// Users created in one transaction: enough to pay for its commit, few enough for the lock table.
const USERS_AT_ONCE: u64 = 200;

/// Groups created in one transaction.
const GROUPS_AT_ONCE: u64 = 10;

const USERS_SQL: &str = "select count(*) from jsonb_array_elements($1) u, lateral api.user_create(u, $2, $3)";
/// The members of an even group, by the keys of their names.
const MEMBERS_SQL: &str = "select coalesce(array_agg(id), '{}') from api.users where user_name_key = any($1)";
const GROUP_SQL: &str = "select count(*) from api.group_create($1, $2, $3, $4)";

/// What all workers share.
#[derive(Debug)]
struct Work {
    population: Population,
    kind: Kind,
    even: bool,
    users: u64,
    total: u64,
    at_once: u64,
    next: AtomicU64,
    options: Value,
    audit: Value,
}

/// Creates what is missing. Raises what the database refuses.
pub async fn populate(
    uri: &str,
    population: &Population,
    arguments: &Arguments,
    mut progress: Progress,
) -> anyhow::Result<()> {
    for (kind, total, at_once) in [
        (Kind::Users, arguments.users, USERS_AT_ONCE),
        (Kind::Groups, arguments.groups, GROUPS_AT_ONCE),
    ] {
        if kind == Kind::Users && arguments.even_groups {
            continue;
        }
        let work = Arc::new(Work {
            population: population.clone(),
            kind,
            even: arguments.even_groups,
            users: arguments.users,
            total,
            at_once,
            next: AtomicU64::new(progress.done(kind)),
            options: options(arguments),
            audit: json!({"actor": "loadtest", "path": "import", "request_id": "populate", "origin": null}),
        });
        let (done, mut chunks) = mpsc::channel(64);
        let mut workers = JoinSet::new();
        for _ in 0..arguments.connections {
            workers.spawn(create(uri.to_owned(), Arc::clone(&work), done.clone()));
        }
        drop(done);
        while let Some((first, end)) = chunks.recv().await {
            progress.add(kind, first, end, total)?;
        }
        while let Some(worker) = workers.join_next().await {
            worker??;
        }
    }
    Ok(())
}

/// `p_options` of the contract: what the service passes with its default settings, but for the ranges of ids.
fn options(arguments: &Arguments) -> Value {
    json!({
        "uid_start": arguments.start_uid,
        "uid_max": 2_147_352_575_i64,
        "gid_start": arguments.start_gid,
        "gid_max": 2_147_352_575_i64,
        "home_root": "/home",
        "shell": "/bin/bash",
        "collision": "reject",
        "protected": "",
        "retain_days": 90,
        "removal_limit": 0,
    })
}

async fn create(uri: String, work: Arc<Work>, done: mpsc::Sender<(u64, u64)>) -> anyhow::Result<()> {
    let (mut client, connection) = tokio_postgres::connect(&uri, NoTls)
        .await
        .context("cannot reach the database")?;
    let driver = tokio::spawn(connection);
    // The population can be made again from its seed: only measurements need durable commits.
    client.batch_execute("set synchronous_commit = off").await?;
    let sql = if work.kind == Kind::Users { USERS_SQL } else { GROUP_SQL };
    let statement = client.prepare(sql).await?;
    loop {
        let first = work.next.fetch_add(work.at_once, Ordering::Relaxed);
        if first >= work.total {
            break;
        }
        let end = (first + work.at_once).min(work.total);
        match work.kind {
            Kind::Users => users(&client, &statement, &work, first, end).await?,
            Kind::Groups => groups(&mut client, &statement, &work, first, end).await?,
        }
        if done.send((first, end)).await.is_err() {
            break;
        }
    }
    drop(client);
    driver.await?.context("the connection broke")
}

async fn users(client: &Client, statement: &Statement, work: &Work, first: u64, end: u64) -> anyhow::Result<()> {
    let batch = (first..end).map(|index| work.population.user(index).contract());
    let batch = Json(Value::Array(batch.collect()));
    client
        .query(statement, &[&batch, &Json(&work.options), &Json(&work.audit)])
        .await
        .with_context(|| format!("users {first} to {end}"))?;
    Ok(())
}

async fn groups(client: &mut Client, statement: &Statement, work: &Work, first: u64, end: u64) -> anyhow::Result<()> {
    let transaction = client.transaction().await?;
    for index in first..end {
        let (group, members) = if work.even {
            let group = work.population.even_group(index, work.users);
            let names = group
                .members
                .iter()
                .map(|member| work.population.user(*member).user_name_key());
            let row = transaction
                .query_one(MEMBERS_SQL, &[&names.collect::<Vec<_>>()])
                .await?;
            let members: Vec<Uuid> = row.get(0);
            anyhow::ensure!(
                members.len() == group.members.len(),
                "members of group {index} are not there"
            );
            (group, members)
        } else {
            let group = work.population.group(index, work.users);
            let id = |member: &u64| work.population.user(*member).id;
            let members = group.members.iter().map(id).collect();
            (group, members)
        };
        transaction
            .query(
                statement,
                &[
                    &Json(group.contract()),
                    &members,
                    &Json(&work.options),
                    &Json(&work.audit),
                ],
            )
            .await
            .with_context(|| format!("group {index}"))?;
    }
    Ok(transaction.commit().await?)
}
