//! Logs, metrics and traces: how they are set up; the names of metrics are in `names`.

pub mod metrics;
pub mod names;
pub mod trace_parent;
pub mod traces;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Sends log lines to standard error, as JSON objects or as text.
///
/// `level` is a filter in the syntax of `tracing_subscriber::EnvFilter` (for example `info` or `rollcall=debug`).
pub fn start_logging(level: &str, json: bool) -> anyhow::Result<()> {
    // What libraries say of each of their steps is of no use to an operator, unless the level asks for it.
    let filter = EnvFilter::try_new(format!("refinery_core=warn,tokio_postgres=warn,{level}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = if json {
        builder.json().flatten_event(true).with_span_list(false).try_init()
    } else {
        builder.try_init()
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}
