//! The SCIM service: static tokens, request log, sizes and rates.

use std::path::PathBuf;

use super::error::ConfigError;
use super::setting::section;
use super::sources::{self, Sources, Values};

section! {
    /// The SCIM service.
    struct Scim, "SCIM" {
        /// Files with one bearer token each, separated by commas; read again when they change. The file named by
        /// `WORKBENCH_USER_SERVICE_AUTH_TOKEN_PATH` is added to them.
        token_files: Vec<PathBuf> = "scim-token-file";
        /// Requests kept per token for `rollcall scim log`, redacted; 0 keeps none.
        request_log_size: u32 = "scim-request-log-size", default "200", within 0..=10_000;
        /// Largest request body, in bytes.
        body_limit: usize = "scim-body-limit", default "1048576", within 1024..=67_108_864;
        /// Largest request body of `/Groups` and `/Bulk`, in bytes.
        large_body_limit: usize = "scim-large-body-limit", default "8388608", within 1024..=67_108_864;
        /// Bodies above `scim-body-limit` that are read at once; the next ones wait.
        large_bodies_at_once: usize = "scim-large-bodies-at-once", default "4", within 1..=64;
        /// Requests per second of one token, on each replica; more are answered 429.
        rate_limit: u32 = "scim-rate-limit", default "1000", within 1..=100_000;
        /// Requests that one token may make at once on top of its rate.
        rate_burst: u32 = "scim-rate-burst", default "2000", within 1..=100_000;
        /// Resources on a page when the client does not say.
        default_page_size: usize = "scim-default-page-size", default "100", within 1..=1000;
        /// Most resources on a page: `filter.maxResults` of the ServiceProviderConfig.
        max_results: usize = "scim-max-results", default "1000", within 1..=1000;
    }
}

impl Scim {
    /// Adds the token file that Workbench's variable names.
    pub(super) fn with_token_path_of_workbench(mut self, sources: &Sources) -> Self {
        let path = sources::workbench_token_path(sources);
        self.token_files
            .extend(path.filter(|path| !self.token_files.contains(path)));
        self
    }

    /// Raises limits in the wrong order.
    pub(super) fn check(&self, values: &Values) -> Result<(), ConfigError> {
        if self.large_body_limit < self.body_limit {
            let fault = "scim-large-body-limit is below scim-body-limit";
            return Err(values.contradiction("scim-large-body-limit", fault));
        }
        if self.max_results < self.default_page_size {
            let fault = "scim-max-results is below scim-default-page-size";
            return Err(values.contradiction("scim-max-results", fault));
        }
        Ok(())
    }
}
