//! Which requests are traced, and where their spans go.

use super::public_url::PublicUrl;
use super::secret::Secret;
use super::setting::section;

section! {
    /// Which requests are traced, and where their spans go.
    struct Tracing, "Tracing" {
        /// Where spans are sent by OTLP over HTTP, with its path, as `http://collector:4318/v1/traces`; not set, nothing is
        /// traced. `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` are understood besides.
        endpoint: Option<PublicUrl> = "otlp-endpoint";
        /// Headers for the collector, `name=value` separated by commas.
        headers: Option<Secret> = "otlp-headers";
        /// How many requests of a hundred are traced when their `traceparent` decides nothing.
        sample_percent: u32 = "otlp-sample-percent", default "100", within 0 ..= 100;
    }
}
