//! The operations listener: `/livez`, `/readyz`, `/metrics`.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::state::State;
use crate::telemetry::metrics::METRICS;

/// `GET /livez`: the process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 while requests may be sent here, else 503. How the database is stands in the body alone: once a
/// replica has been ready, a failover must not empty the balancer. The answer waits for nothing, so that a balancer may take
/// half a second of silence for a replica that is stuck.
pub async fn ready(Shared(state): Shared<State>) -> Response {
    let obstacle = state.readiness.obstacle();
    let database = match state.db.last_read_status() {
        Some(status) => json!({"answers": true, "in_recovery": status.in_recovery, "lag_seconds": status.lag}),
        None => json!({"answers": false}),
    };
    let body = json!({"ready": obstacle.is_none(), "reason": obstacle, "database": database});
    let status = if obstacle.is_none() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// `GET /metrics`: Prometheus text format.
pub async fn metrics(Shared(state): Shared<State>) -> Response {
    state.db.observe_pools();
    match METRICS.render() {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
