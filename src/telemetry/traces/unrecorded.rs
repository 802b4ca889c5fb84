//! Spans of a build without OpenTelemetry: they know the caller's trace, for the log, and record nothing.

use crate::telemetry::trace_parent::TraceParent;

/// The span of a request.
#[derive(Debug)]
pub struct RequestSpan(Option<TraceParent>);

impl RequestSpan {
    /// Begins the span.
    pub fn begin(parent: Option<TraceParent>, _method: &str, _route: &str, _listener: &'static str) -> Self {
        Self(parent)
    }

    /// The trace it belongs to, if any.
    pub fn trace_id(&self) -> Option<u128> {
        self.0.map(|parent| parent.trace_id)
    }

    /// Does the work of the request.
    pub fn around<W: Future>(&self, work: W) -> W {
        work
    }

    /// Ends it.
    pub fn end(self, _status: u16) {}
}

/// The request that a task works on, to be taken along into another task.
#[derive(Debug, Clone)]
pub struct Caller;

impl Caller {
    /// The request of this task, if it works on one.
    pub fn current() -> Self {
        Self
    }

    /// Does work for that request.
    pub fn around<W: Future>(&self, work: W) -> W {
        work
    }
}

/// The span of a call of the SQL contract.
#[derive(Debug)]
pub struct CallSpan;

impl CallSpan {
    /// Begins the span.
    pub fn begin(_op: &'static str) -> Self {
        Self
    }

    /// Notes a failure of the database, of this kind; a refusal is none.
    pub fn fail(&mut self, _kind: &'static str) {}
}
