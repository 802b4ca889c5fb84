//! Spans: one for each request, one for each call of the SQL contract in it. Without a collector they are nothing.
//!
//! A span has no attribute but those set here (method, route, status, listener, name of the SQL function), so no value of a
//! client, and nothing personal, can come into one.

#[cfg(feature = "otel")]
mod collector;
#[cfg(feature = "otel")]
mod recorded;
#[cfg(not(feature = "otel"))]
mod unrecorded;

#[cfg(feature = "otel")]
pub use collector::Collector;
#[cfg(feature = "otel")]
pub use recorded::{CallSpan, Caller, RequestSpan};
#[cfg(not(feature = "otel"))]
pub use unrecorded::{CallSpan, Caller, RequestSpan};
