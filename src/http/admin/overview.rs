//! `GET /admin`: how things are: numbers left, providers, database, brake, pushes that failed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::Admin;
use super::frame::{Failure, Frame, Section, answer};
use crate::db::admin_pages::FailedPush;
use crate::db::brake::BrakeState;
use crate::db::status::{Headroom, ServerStatus};
use crate::error::Error;
use crate::http::pages::page;
use crate::http::state::State;
use crate::login::health::{Condition, Finding, Providers};

/// Most tokens whose failures are shown.
const MOST_TOKENS: i32 = 50;

/// Failures shown of each.
const EACH: i32 = 5;

/// What `api.admin_database` counts; above it estimates.
const COUNTED: i64 = 1_000;

/// A pool of numbers.
struct Pool {
    name: String,
    remaining: i64,
    size: i64,
    condition: Condition,
    /// What to raise, when it is used up or soon will be.
    setting: Option<&'static str>,
}

impl From<Headroom> for Pool {
    fn from(pool: Headroom) -> Self {
        let condition = match pool.remaining {
            0 => Condition::Bad,
            left if left < pool.size / 10 => Condition::Warning,
            _ => Condition::Good,
        };
        let setting = if pool.pool == "user" {
            "user-provisioning-max-uid"
        } else {
            "group-provisioning-max-gid"
        };
        Self {
            name: format!("{}s", pool.pool),
            remaining: pool.remaining,
            size: pool.size,
            condition,
            setting: (condition != Condition::Good).then_some(setting),
        }
    }
}

/// One thing that was found of the database.
struct Found {
    condition: Condition,
    evidence: String,
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct Overview<'a> {
    frame: Frame<'a>,
    pools: Vec<Pool>,
    providers: Arc<[Finding]>,
    database: Vec<Found>,
    brake_limit: u32,
    brakes: Vec<BrakeState>,
    pushes: Vec<FailedPush>,
}

/// `GET /admin`.
pub async fn show(Shared(state): Shared<State>, admin: Admin) -> Response {
    let work = view(&state, &admin).await;
    answer(&state, &admin, Section::Overview, work)
}

async fn view(state: &State, admin: &Admin) -> Result<Response, Failure> {
    let db = &state.db;
    let providers = Providers {
        openid: state.openid.as_deref(),
        #[cfg(feature = "saml")]
        saml: state.saml.as_deref(),
    };
    let health = async { Ok::<_, Error>(state.health.look(providers).await) };
    let (pools, brakes, pushes, facts, providers) = tokio::try_join!(
        db.id_headroom(),
        db.brake_state(),
        db.admin_failed_pushes(MOST_TOKENS, EACH),
        db.admin_database(),
        health,
    )?;
    let overview = Overview {
        frame: Frame::new(state, admin, Section::Overview),
        pools: pools.into_iter().map(Pool::from).collect(),
        providers,
        database: database(&facts, &db.read_status().await, db.has_standby()),
        brake_limit: state.config.provisioning.deletion_limit_per_hour,
        brakes,
        pushes,
    };
    Ok(page(StatusCode::OK, &overview, None))
}

/// What is to be said of the database. `reads` is the state of the server that trailing reads go to.
fn database(facts: &Value, reads: &Result<ServerStatus, Error>, has_standby: bool) -> Vec<Found> {
    let text = |name: &str| facts.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| facts.get(name).and_then(Value::as_i64).unwrap_or_default();
    let found = |condition, evidence: String| Found { condition, evidence };
    let size = [("users", number("users")), ("groups", number("groups"))]
        .map(|(what, count)| format!("{}{count} {what}", if count > COUNTED { "about " } else { "" }))
        .join(" and ");
    let standbys = text("synchronous_standby_names");
    let mut findings = vec![found(
        Condition::Good,
        format!(
            "The primary answers: PostgreSQL {}, {size}, epoch {}",
            text("server_version"),
            number("epoch"),
        ),
    )];
    findings.push(if standbys.is_empty() {
        let evidence = "No synchronous standby: a failover may lose what was acknowledged";
        found(Condition::Warning, evidence.to_owned())
    } else {
        found(Condition::Good, format!("Synchronous standbys: {standbys}"))
    });
    findings.push(match reads {
        _ if !has_standby => found(
            Condition::Good,
            "Reads go to the primary: no database-read-uri".to_owned(),
        ),
        Err(error) => found(Condition::Bad, format!("The server behind database-read-uri: {error}")),
        Ok(status) if !status.in_recovery => {
            let evidence = "The server behind database-read-uri is a primary, not a standby";
            found(Condition::Warning, evidence.to_owned())
        }
        Ok(status) => {
            let lag = status.lag.unwrap_or_default();
            let condition = if lag > 15.0 { Condition::Bad } else { Condition::Good };
            found(condition, format!("The standby trails by {lag:.1} s"))
        }
    });
    findings
}
