//! The metrics of this process: one registry, built once, label sets born with 0 so that a first error shows in `rate`.

use std::sync::LazyLock;

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, core::Collector,
};

use super::names;

const HTTP_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    /// `names::HTTP_REQUEST_DURATION`.
    pub http_request_duration: HistogramVec,
    /// `names::HTTP_REQUESTS_IN_FLIGHT`.
    pub http_requests_in_flight: IntGaugeVec,
    /// `names::DB_POOL_CONNECTIONS`.
    pub db_pool_connections: IntGaugeVec,
    /// `names::DB_POOL_CONNECTIONS_MAX`.
    pub db_pool_connections_max: IntGaugeVec,
    /// `names::DB_POOL_WAITERS`.
    pub db_pool_waiters: IntGaugeVec,
    /// `names::DB_POOL_WAIT`.
    pub db_pool_wait: Histogram,
    /// `names::DB_QUERY_DURATION`.
    pub db_query_duration: HistogramVec,
    /// `names::DB_ERRORS`.
    pub db_errors: IntCounterVec,
    /// `names::DB_IN_RECOVERY`.
    pub db_in_recovery: IntGauge,
    /// `names::DB_REPLICA_LAG`.
    pub db_replica_lag: Gauge,
    /// `names::SCIM_OPERATIONS`.
    pub scim_operations: IntCounterVec,
    /// `names::USER_DEACTIVATIONS`.
    pub user_deactivations: IntCounter,
    /// `names::SCIM_ERRORS`.
    pub scim_errors: IntCounterVec,
    /// `names::ID_ALLOCATIONS`.
    pub id_allocations: IntCounterVec,
    /// `names::ID_POOL_REMAINING`.
    pub id_pool_remaining: IntGaugeVec,
    /// `names::ID_POOL_SIZE`.
    pub id_pool_size: IntGaugeVec,
    /// `names::DB_READS`.
    pub db_reads: IntCounterVec,
    /// `names::CACHE_REQUESTS`.
    pub cache_requests: IntCounterVec,
    /// `names::TOKEN_EXPIRY`.
    pub token_expiry: GaugeVec,
    /// `names::AUDIT_EVENTS`.
    pub audit_events: IntCounterVec,
    /// `names::RATE_LIMITED`.
    pub rate_limited: IntCounterVec,
    /// `names::SHED`.
    pub shed: IntCounterVec,
    /// Sign-ins by method, outcome and reason.
    pub jit_logins: IntCounterVec,
    /// `names::RECONCILE_RUNS`.
    pub reconcile_runs: IntCounterVec,
    /// `names::RECONCILE_CHANGES`.
    pub reconcile_changes: IntCounterVec,
    /// `names::RECONCILE_LAST_SUCCESS`.
    pub reconcile_last_success: Gauge,
    /// Claims that named no groups because there were too many, by method.
    pub groups_overage: IntCounterVec,
    /// Requests of the forward-auth endpoint by outcome.
    pub forward_auth: IntCounterVec,
    /// When a certificate of an identity provider expires, by fingerprint.
    pub idp_certificate_expiry: GaugeVec,
    /// `names::TRACE_BATCHES`.
    pub trace_batches: IntCounterVec,
    /// `names::SCHEMA_VERSION`.
    pub schema_version: IntGauge,
}

/// The metrics of this process.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

fn keep<T: Collector + Clone + 'static>(registry: &Registry, built: prometheus::Result<T>) -> T {
    let metric = built.expect("metric names and labels are constants that a test has built");
    registry
        .register(Box::new(metric.clone()))
        .expect("each metric is registered once");
    metric
}

impl Metrics {
    #[expect(clippy::too_many_lines, reason = "a line or two for each metric")]
    fn new() -> Self {
        let r = Registry::new();
        let counter = |name, help, labels: &[&str]| keep(&r, IntCounterVec::new(Opts::new(name, help), labels));
        let gauge = |name, help, labels: &[&str]| keep(&r, IntGaugeVec::new(Opts::new(name, help), labels));
        let histogram = |name, help, labels: &[&str]| {
            keep(
                &r,
                HistogramVec::new(HistogramOpts::new(name, help).buckets(HTTP_BUCKETS.to_vec()), labels),
            )
        };
        let build = gauge(names::BUILD_INFO, "The version that runs", &["version", "revision"]);
        build
            .with_label_values(&[
                env!("CARGO_PKG_VERSION"),
                option_env!("ROLLCALL_REVISION").unwrap_or("unknown"),
            ])
            .set(1);
        let metrics = Self {
            http_request_duration: histogram(
                names::HTTP_REQUEST_DURATION,
                "Seconds from the first byte of a request to the head of its answer",
                &["listener", "method", "route", "status_class"],
            ),
            http_requests_in_flight: gauge(
                names::HTTP_REQUESTS_IN_FLIGHT,
                "Requests being worked on",
                &["listener"],
            ),
            db_pool_connections: gauge(
                names::DB_POOL_CONNECTIONS,
                "Open database connections by state",
                &["pool", "state"],
            ),
            db_pool_connections_max: gauge(
                names::DB_POOL_CONNECTIONS_MAX,
                "The most connections a pool may open",
                &["pool"],
            ),
            db_pool_waiters: gauge(names::DB_POOL_WAITERS, "Callers waiting for a connection", &["pool"]),
            db_pool_wait: keep(
                &r,
                Histogram::with_opts(
                    HistogramOpts::new(names::DB_POOL_WAIT, "Seconds waited for a connection")
                        .buckets(HTTP_BUCKETS.to_vec()),
                ),
            ),
            db_query_duration: histogram(
                names::DB_QUERY_DURATION,
                "Seconds in one call of the SQL contract",
                &["op"],
            ),
            db_errors: counter(
                names::DB_ERRORS,
                "Database errors by class of SQLSTATE",
                &["sqlstate_class"],
            ),
            db_in_recovery: keep(
                &r,
                IntGauge::new(
                    names::DB_IN_RECOVERY,
                    "1 when the server behind the read pool is a standby",
                ),
            ),
            db_replica_lag: keep(
                &r,
                Gauge::new(names::DB_REPLICA_LAG, "Seconds the server behind the read pool trails"),
            ),
            scim_operations: counter(
                names::SCIM_OPERATIONS,
                "SCIM operations by outcome",
                &["resource", "op", "outcome"],
            ),
            user_deactivations: keep(
                &r,
                IntCounter::new(
                    names::USER_DEACTIVATIONS,
                    "Users who were active and were locked by a change of theirs",
                ),
            ),
            scim_errors: counter(names::SCIM_ERRORS, "Refused SCIM requests by scimType", &["scim_type"]),
            id_allocations: counter(names::ID_ALLOCATIONS, "Numbers given or refused", &["kind", "outcome"]),
            id_pool_remaining: gauge(names::ID_POOL_REMAINING, "Numbers left in a pool", &["pool"]),
            id_pool_size: gauge(names::ID_POOL_SIZE, "Numbers that a pool can ever give", &["pool"]),
            db_reads: counter(names::DB_READS, "Reads that may trail, by source", &["source"]),
            cache_requests: counter(
                names::CACHE_REQUESTS,
                "Look-ups in caches of this process",
                &["cache", "result"],
            ),
            token_expiry: keep(
                &r,
                GaugeVec::new(
                    Opts::new(names::TOKEN_EXPIRY, "When a token expires, in seconds since 1970"),
                    &["token_id"],
                ),
            ),
            audit_events: counter(names::AUDIT_EVENTS, "Audit rows written or failed", &["outcome"]),
            rate_limited: counter(
                names::RATE_LIMITED,
                "Requests refused because a token sent too many",
                &["listener"],
            ),
            shed: counter(names::SHED, "Requests refused because too many were there", &["work"]),
            jit_logins: counter(
                names::JIT_LOGINS,
                "Sign-ins by method, outcome and reason",
                &["method", "outcome", "reason"],
            ),
            reconcile_runs: counter(
                names::RECONCILE_RUNS,
                "Sign-ins that compared user and groups with the claims",
                &["outcome"],
            ),
            reconcile_changes: counter(names::RECONCILE_CHANGES, "What sign-ins changed", &["action"]),
            reconcile_last_success: keep(
                &r,
                Gauge::new(
                    names::RECONCILE_LAST_SUCCESS,
                    "When a sign-in was last reconciled, in seconds since 1970",
                ),
            ),
            groups_overage: counter(
                names::GROUPS_OVERAGE,
                "Claims that named no groups because there were too many",
                &["method"],
            ),
            forward_auth: counter(
                names::FORWARD_AUTH,
                "Requests of the forward-auth endpoint by outcome",
                &["outcome"],
            ),
            idp_certificate_expiry: keep(
                &r,
                GaugeVec::new(
                    Opts::new(
                        names::IDP_CERTIFICATE_EXPIRY,
                        "When a certificate of an identity provider expires, in seconds since 1970",
                    ),
                    &["fingerprint"],
                ),
            ),
            trace_batches: counter(
                names::TRACE_BATCHES,
                "Messages with spans for the collector by outcome",
                &["outcome"],
            ),
            schema_version: keep(
                &r,
                IntGauge::new(names::SCHEMA_VERSION, "The newest migration in the database"),
            ),
            registry: r,
        };
        metrics.be_born_with_zero();
        metrics
    }

    fn be_born_with_zero(&self) {
        for listener in ["api", "read", "ops", "proxy"] {
            self.http_requests_in_flight.with_label_values(&[listener]);
        }
        for resource in ["User", "Group"] {
            for op in ["create", "get", "list", "replace", "patch", "delete"] {
                for outcome in ["ok", "refused", "failed"] {
                    self.scim_operations.with_label_values(&[resource, op, outcome]);
                }
            }
        }
        for kind in ["user", "group"] {
            for outcome in ["ok", "refused", "exhausted"] {
                self.id_allocations.with_label_values(&[kind, outcome]);
            }
        }
        for method in ["headers", "openid", "saml", "api"] {
            self.groups_overage.with_label_values(&[method]);
            for outcome in ["unchanged", "updated", "created"] {
                self.jit_logins.with_label_values(&[method, outcome, ""]);
            }
        }
        for outcome in ["unchanged", "changed", "refused"] {
            self.reconcile_runs.with_label_values(&[outcome]);
        }
        for action in [
            "user_created",
            "user_updated",
            "group_created",
            "member_added",
            "member_removed",
        ] {
            self.reconcile_changes.with_label_values(&[action]);
        }
        for outcome in ["allowed", "signed_out", "unavailable"] {
            self.forward_auth.with_label_values(&[outcome]);
        }
        for outcome in ["ok", "failed"] {
            self.audit_events.with_label_values(&[outcome]);
            self.trace_batches.with_label_values(&[outcome]);
        }
        for class in ["08", "23", "25", "40", "53", "57", "ID", "other"] {
            self.db_errors.with_label_values(&[class]);
        }
        self.rate_limited.with_label_values(&["api"]);
        for work in ["change", "read", "sign_in"] {
            self.shed.with_label_values(&[work]);
        }
        for source in ["primary", "standby", "stale"] {
            self.db_reads.with_label_values(&[source]);
        }
        for result in ["miss", "stale"] {
            self.cache_requests.with_label_values(&["nss", result]);
        }
    }

    /// The text exposition of all metrics (Prometheus text format 0.0.4).
    pub fn render(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}
