//! Spans that are recorded when a collector is named and the trace is sampled (OpenTelemetry's conventions for HTTP and databases).

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span;

use super::collector::tracer;
use crate::telemetry::trace_parent::TraceParent;

tokio::task_local! {
    /// The span of the request that this task works on.
    static REQUEST: SpanContext;
}

/// The span of a request.
#[derive(Debug)]
pub struct RequestSpan {
    parent: Option<TraceParent>,
    span: Option<Span>,
}

impl RequestSpan {
    /// Begins the span, below the caller's; nothing is recorded without a collector.
    pub fn begin(parent: Option<TraceParent>, method: &str, route: &str, listener: &'static str) -> Self {
        let span = tracer().map(|tracer| {
            let builder = tracer
                .span_builder(format!("{method} {route}"))
                .with_kind(SpanKind::Server)
                .with_attributes([
                    KeyValue::new("http.request.method", method.to_owned()),
                    KeyValue::new("http.route", route.to_owned()),
                    KeyValue::new("rollcall.listener", listener),
                ]);
            let remote = parent.map_or_else(Context::new, |parent| {
                Context::new().with_remote_span_context(SpanContext::new(
                    TraceId::from_bytes(parent.trace_id.to_be_bytes()),
                    SpanId::from_bytes(parent.span_id.to_be_bytes()),
                    if parent.sampled {
                        TraceFlags::SAMPLED
                    } else {
                        TraceFlags::NOT_SAMPLED
                    },
                    true,
                    TraceState::NONE,
                ))
            });
            tracer.build_with_context(builder, &remote)
        });
        Self { parent, span }
    }

    /// The trace it belongs to: its own when it is recorded, else the caller's.
    pub fn trace_id(&self) -> Option<u128> {
        match &self.span {
            Some(span) if span.is_recording() => Some(u128::from_be_bytes(span.span_context().trace_id().to_bytes())),
            _ => self.parent.map(|parent| parent.trace_id),
        }
    }

    /// Does the work of the request, so that calls made in it are below this span.
    pub fn around<W: Future>(&self, work: W) -> impl Future<Output = W::Output> + use<W> {
        let context = self
            .span
            .as_ref()
            .map_or(SpanContext::NONE, |span| span.span_context().clone());
        REQUEST.scope(context, work)
    }

    /// Ends it with the status of the answer.
    pub fn end(self, status: u16) {
        let Some(mut span) = self.span else { return };
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// The request that a task works on, to be taken along into another task.
#[derive(Debug, Clone)]
pub struct Caller(SpanContext);

impl Caller {
    /// The request of this task, if it works on one.
    pub fn current() -> Self {
        Self(REQUEST.try_with(Clone::clone).unwrap_or(SpanContext::NONE))
    }

    /// Does work for that request.
    pub fn around<W: Future>(&self, work: W) -> impl Future<Output = W::Output> + use<W> {
        REQUEST.scope(self.0.clone(), work)
    }
}

/// The span of a call of the SQL contract; it ends when it is dropped.
#[derive(Debug)]
pub struct CallSpan(Option<Span>);

impl CallSpan {
    /// Begins the span below the request's. Work that no request asked for has none.
    pub fn begin(op: &'static str) -> Self {
        let request = REQUEST.try_with(|request| request.is_sampled().then(|| request.clone()));
        let (Ok(Some(request)), Some(tracer)) = (request, tracer()) else {
            return Self(None);
        };
        let builder = tracer.span_builder(op).with_kind(SpanKind::Client).with_attributes([
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.operation.name", op),
        ]);
        Self(Some(tracer.build_with_context(
            builder,
            &Context::new().with_remote_span_context(request),
        )))
    }

    /// Notes a failure of the database, of this kind; a refusal is none.
    pub fn fail(&mut self, kind: &'static str) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new("error.type", kind));
            span.set_status(Status::error(""));
        }
    }
}
