//! What surrounds every request: its id, its metrics, its log line, its time limit, and a net under panics.

mod outliving;

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use prometheus::IntGauge;
use tracing::Instrument as _;
use uuid::Uuid;

use outliving::Outliving;

use super::logins;
use super::respond::{Reason, Refused};
use crate::scim::error::ScimError;
use crate::telemetry::metrics::METRICS;
use crate::telemetry::trace_parent::{TRACEPARENT, TraceParent};
use crate::telemetry::traces::RequestSpan;

/// The header that carries the request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a client.
const MAX_REQUEST_ID: usize = 64;

/// The request's id.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// What a listener is called in metrics, and how long a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The metric label.
    pub listener: &'static str,
    /// Longest time until the head of the answer.
    pub limit: Duration,
}

/// The outermost layer of every listener.
pub async fn observe(frame: Frame, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method_label = method_label(method.as_str());
    let span = RequestSpan::begin(trace_parent(&request), method_label, route, frame.listener);
    // Every line of the log that this request causes tells which request, and which trace, it belongs to.
    let lines = tracing::info_span!("request", request_id = id, trace_id = tracing::field::Empty);
    if let Some(trace_id) = span.trace_id() {
        lines.record("trace_id", format_args!("{trace_id:032x}"));
    }
    let in_flight = InFlight::begin(frame.listener);
    // The work goes on when the time is over or the client is gone, so that a write that was sent is not half answered; its
    // own deadlines end it.
    let work = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .instrument(lines.clone());
    let work = Outliving::new(span.around(work));
    let mut response = match tokio::time::timeout(frame.limit, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!(parent: &lines, request_id = id, route, "a request handler has panicked");
            refuse(
                route,
                500,
                "the service has met a defect; its log says more under the request id",
                None,
            )
        }
        Err(_) => refuse(route, 503, "the request took too long", Some(5)),
    };
    drop(in_flight);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status();
    span.end(status.as_u16());
    let class = match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    let elapsed = started.elapsed();
    let count_of = |class| {
        METRICS
            .http_request_duration
            .with_label_values(&[frame.listener, method_label, route, class])
    };
    let durations = count_of(class);
    if class != "5xx" && durations.get_sample_count() == 0 {
        // Failures of what has been asked once begin at 0: a count that appears with them hides them from `rate`.
        count_of("5xx");
    }
    durations.observe(elapsed.as_secs_f64());
    let reason = response.extensions().get::<Reason>();
    tracing::debug!(
        parent: &lines,
        request_id = id,
        listener = frame.listener,
        method = method.as_str(),
        route,
        status = status.as_u16(),
        scim_type = reason.and_then(|reason| reason.scim_type),
        duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// The client's own id when it is short and plain, else a new one.
fn request_id(request: &Request) -> String {
    request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            !id.is_empty()
                && id.len() <= MAX_REQUEST_ID
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
        })
        .map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned)
}

/// A request that is being waited for. A client that hangs up ends the waiting anywhere, so the count goes down by dropping.
struct InFlight(IntGauge);

impl InFlight {
    fn begin(listener: &str) -> Self {
        let gauge = METRICS.http_requests_in_flight.with_label_values(&[listener]);
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What the one header `traceparent` says; several say nothing.
fn trace_parent(request: &Request) -> Option<TraceParent> {
    let mut values = request.headers().get_all(TRACEPARENT).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    TraceParent::parse(value.to_str().ok()?)
}

/// Methods are the client's words: unknown ones share a label.
fn method_label(method: &str) -> &str {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method,
        _ => "other",
    }
}

/// A refusal in the form of the route: the API of front ends has its own, everything else speaks SCIM.
fn refuse(route: &str, status: u16, detail: &str, retry_after: Option<u64>) -> Response {
    if route == logins::ROUTE {
        return logins::refuse(status, detail, retry_after);
    }
    Refused {
        error: ScimError::new(status, None, detail),
        retry_after,
    }
    .into_response()
}
