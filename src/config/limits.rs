//! Bounds on what clients may ask of this process, whoever they are.

use std::time::Duration;

use super::setting::section;

section! {
    /// Bounds on what clients may ask of this process.
    struct Limits, "Limits" {
        /// Connections that one listener holds at once; further ones wait in the kernel's queue.
        max_connections: usize = "max-connections", default "4096", within 1..=1_000_000;
        /// Longest time in which a client must have sent its request's head, in seconds.
        header_timeout: Duration = "header-timeout", default "10", within 1..=300;
        /// Longest time for one request, and in which a client must take in a part of its answer, in seconds.
        request_timeout: Duration = "request-timeout", default "30", within 1..=3600;
        /// How long it goes on answering after SIGTERM, not ready, so that balancers stop sending first, in seconds.
        shutdown_notice: Duration = "shutdown-notice", default "0", within 0..=300;
        /// Longest time for finishing requests after SIGTERM, in seconds.
        shutdown_drain: Duration = "shutdown-drain", default "30", within 0..=3600;
    }
}
