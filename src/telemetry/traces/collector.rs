//! Where spans go: a collector, by OTLP over HTTP (protobuf). It may be away, slow or wrong without costing a request anything.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use crate::config::Tracing;
use crate::https_client;
use crate::telemetry::metrics::METRICS;

/// Most spans that wait for the collector; more are dropped.
const QUEUE: usize = 4096;

/// Most spans in one message.
const BATCH: usize = 512;

/// Longest time that a span waits for company.
const DELAY: Duration = Duration::from_secs(2);

/// Longest time for one message.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest time for the last message when the service stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Most bytes of the collector's answer that are read.
const ANSWER: usize = 64 * 1024;

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// What makes spans, when there is a collector.
pub(super) fn tracer() -> Option<&'static SdkTracer> {
    TRACER.get()
}

/// The collector, as long as the service runs.
#[derive(Debug)]
pub struct Collector(SdkTracerProvider);

impl Collector {
    /// Starts to trace when `config` names a collector. Called once, inside the runtime. Raises headers that are none, and a
    /// defect of the TLS library.
    pub fn start(config: &Tracing) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = &config.endpoint else {
            return Ok(None);
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(endpoint.as_str())
            .with_timeout(TIMEOUT)
            .with_headers(headers(config)?)
            .with_http_client(Client::new()?)
            .build()
            .context("otlp-endpoint")?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let share = f64::from(config.sample_percent) / 100.0;
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share))))
            .with_resource(resource())
            .build();
        anyhow::ensure!(
            TRACER.set(provider.tracer("rollcall")).is_ok(),
            "tracing is started once"
        );
        Ok(Some(Self(provider)))
    }

    /// Sends what is left, within two seconds.
    pub async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FAREWELL)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::debug!("the last spans did not reach the collector");
        }
    }
}

/// Who sends, besides what `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` say.
fn resource() -> Resource {
    let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
    let builder = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
    ]);
    if named {
        builder
    } else {
        builder.with_service_name("rollcall")
    }
    .build()
}

/// `otlp-headers` as a map.
fn headers(config: &Tracing) -> anyhow::Result<HashMap<String, String>> {
    let Some(secret) = &config.headers else {
        return Ok(HashMap::new());
    };
    secret
        .expose()
        .split(',')
        .map(|pair| {
            let (name, value) = pair
                .split_once('=')
                .context("otlp-headers: expected name=value, separated by commas")?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

/// The client of a thread without a runtime: requests are made in the service's.
#[derive(Debug)]
struct Client {
    runtime: Handle,
    http: reqwest::Client,
}

impl Client {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            runtime: Handle::current(),
            http: https_client::trusting([])?
                .timeout(TIMEOUT)
                .build()
                .context("the client for otlp-endpoint")?,
        })
    }
}

impl HttpClient for Client {
    fn send_bytes<'client, 'answer>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'client: 'answer,
        Self: 'answer,
    {
        let work = self.runtime.spawn(send(self.http.clone(), request));
        Box::pin(async move {
            let outcome = work.await.map_err(HttpError::from).and_then(|outcome| outcome);
            let label = match &outcome {
                Ok(answer) if answer.status().is_success() => "ok",
                _ => "failed",
            };
            METRICS.trace_batches.with_label_values(&[label]).inc();
            outcome
        })
    }
}

async fn send(http: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut answer = http.execute(request.try_into()?).await?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if body.len() + piece.len() > ANSWER {
            return Err("the collector's answer is too large".into());
        }
        body.extend_from_slice(&piece);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    Ok(response)
}
