//! Traces: what a collector is told of a request, what it is never told, and that a collector costs no request anything.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Said;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::Rollcall;
use crate::harness::wait_until;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// How long spans may take to arrive: two seconds, on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came to the collector, as bytes.
type Received = Arc<Mutex<Vec<Bytes>>>;

/// A receiver of OTLP over HTTP; answers with `status`.
struct Collector {
    url: String,
    received: Received,
}

impl Collector {
    async fn start(status: u16) -> Self {
        let received = Received::default();
        let take = async move |State(received): State<Received>, body: Bytes| {
            received.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            axum::http::StatusCode::from_u16(status).unwrap()
        };
        let router = axum::Router::new()
            .route("/v1/traces", axum::routing::post(take))
            .with_state(Arc::clone(&received));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, received }
    }

    fn messages(&self) -> Vec<ExportTraceServiceRequest> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received
            .iter()
            .map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap())
            .collect()
    }

    fn spans(&self) -> Vec<Span> {
        let scopes = self.messages().into_iter().flat_map(|message| message.resource_spans);
        scopes
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    let number = bytes
        .iter()
        .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    format!("{number:0width$x}", width = bytes.len() * 2)
}

fn text(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|pair| pair.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Said::StringValue(text) => Some(text.clone()),
        Said::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Creates a user in a trace; `flags` is its decision (`01` or `00`).
async fn create(rollcall: &Rollcall, user_name: &str, flags: &str) -> u16 {
    let answer = reqwest::Client::new()
        .post(format!("{}/scim/v2/Users", rollcall.service.url("api")))
        .bearer_auth(rollcall.token(&[]))
        .header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"))
        .json(&json!({"userName": user_name}))
        .send()
        .await
        .unwrap();
    answer.status().as_u16()
}

#[tokio::test]
async fn a_request_is_a_span_of_its_callers_trace_and_each_call_of_the_database_one_below_it() {
    let collector = Collector::start(200).await;
    let rollcall = Rollcall::start_with(&[("otlp-endpoint", &collector.url), ("log-level", "debug")]).await;
    assert_eq!(create(&rollcall, "jane.roe@example.org", "01").await, 201);
    let of_trace = || -> Vec<Span> {
        let all = collector.spans().into_iter();
        all.filter(|span| hex(&span.trace_id) == TRACE).collect()
    };
    wait_until("both spans have arrived", PATIENCE, async || of_trace().len() >= 2).await;
    let spans = of_trace();
    let request = spans.iter().find(|span| span.name == "POST /scim/v2/Users").unwrap();
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(text(request, "http.route").as_deref(), Some("/scim/v2/Users"));
    assert_eq!(text(request, "http.response.status_code").as_deref(), Some("201"));
    let call = spans.iter().find(|span| span.name == "user_create").unwrap();
    assert_eq!(call.parent_span_id, request.span_id);
    assert_eq!(text(call, "db.system.name").as_deref(), Some("postgresql"));
    assert!(call.end_time_unix_nano <= request.end_time_unix_nano);

    let received = collector.messages();
    let resource = received[0].resource_spans[0].resource.as_ref().unwrap();
    let told: Vec<&str> = resource.attributes.iter().map(|pair| pair.key.as_str()).collect();
    for name in ["service.name", "service.version", "service.instance.id"] {
        assert!(told.contains(&name), "{name} is missing in {told:?}");
    }
    let bodies = collector
        .received
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .concat();
    assert!(
        !bodies.windows(4).any(|part| part.eq_ignore_ascii_case(b"jane")),
        "something personal is in a span"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn every_line_of_a_requests_log_tells_its_trace() {
    let rollcall = Rollcall::start_with(&[("log-level", "debug")]).await;
    assert_eq!(create(&rollcall, "jane", "01").await, 201);
    let lines = || -> Vec<Value> {
        let log = rollcall.service.log();
        log.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let is_answer = |line: &Value| line["message"] == "request" && line["route"] == "/scim/v2/Users";
    wait_until("the request is logged", PATIENCE, async || {
        lines().iter().any(is_answer)
    })
    .await;
    let line = lines().into_iter().find(is_answer).unwrap();
    assert_eq!(line["span"]["trace_id"], TRACE, "{line}");
    assert_eq!(line["span"]["request_id"], line["request_id"], "{line}");
    rollcall.finish().await;
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_is_not_recorded_and_without_a_caller_the_share_decides() {
    let collector = Collector::start(200).await;
    let rollcall = Rollcall::start_with(&[("otlp-endpoint", &collector.url), ("otlp-sample-percent", "0")]).await;
    assert_eq!(create(&rollcall, "unrecorded", "00").await, 201);
    rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(create(&rollcall, "recorded", "01").await, 201);
    wait_until("the recorded one has arrived", PATIENCE, async || {
        collector.spans().iter().any(|span| span.name == "POST /scim/v2/Users")
    })
    .await;
    let requests: Vec<String> = collector
        .spans()
        .into_iter()
        .filter(|span| span.kind == 2)
        .map(|span| span.name)
        .collect();
    assert_eq!(
        requests,
        ["POST /scim/v2/Users"],
        "neither the unrecorded trace nor the request without one"
    );
    rollcall.finish().await;
}

#[tokio::test]
async fn a_collector_that_never_answers_costs_no_request_anything_and_holds_up_no_stop() {
    // Connections are taken by the kernel, and nobody reads.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    let mut rollcall = Rollcall::start_unlimited(&[("otlp-endpoint", &endpoint), ("shutdown-notice", "0")]).await;
    let scim = rollcall.scim();
    let began = Instant::now();
    // More spans than wait in the queue: three for each turn.
    for _ in 0..1_500 {
        scim.get("/ServiceProviderConfig").await.expect(200);
        scim.get("/Users/unknown").await.expect(404);
    }
    let each = began.elapsed() / 3_000;
    assert!(each < Duration::from_millis(20), "{each:?} for each request");
    assert_eq!(rollcall.service.stop(Duration::from_secs(15)).await, 0);
    rollcall.finish().await;
}

#[tokio::test]
async fn messages_that_the_collector_refuses_are_counted() {
    let collector = Collector::start(400).await;
    let rollcall = Rollcall::start_with(&[("otlp-endpoint", &collector.url)]).await;
    assert_eq!(create(&rollcall, "jane", "01").await, 201);
    wait_until("the failure is counted", PATIENCE, async || {
        let metrics = reqwest::get(format!("{}/metrics", rollcall.service.url("ops")))
            .await
            .unwrap();
        let metrics = metrics.text().await.unwrap();
        metrics
            .lines()
            .any(|line| line.starts_with("rollcall_trace_batches_total{outcome=\"failed\"}") && !line.ends_with(" 0"))
    })
    .await;
    rollcall.finish().await;
}
