//! The progress bar of long work: on a terminal alone, on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Records.
    Rows,
}

/// A bar with rate and time left; without a total it shows what is done and how fast.
pub(crate) fn bar(label: &'static str, unit: Unit, total: Option<u64>) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::new_spinner(),
    };
    let template = match (unit, total) {
        (Unit::Bytes, Some(_)) => "{msg:10} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        (Unit::Bytes, None) => "{msg:10} {spinner} {bytes} {bytes_per_sec}",
        (Unit::Rows, Some(_)) => "{msg:10} {bar:30} {human_pos}/{human_len} {per_sec} {eta} left",
        (Unit::Rows, None) => "{msg:10} {spinner} {human_pos} {per_sec}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(label);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
