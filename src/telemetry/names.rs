//! Every metric name, once. Dashboards and alerts are checked against this list.

/// Seconds from the first byte of a request to the last of its answer's head.
pub const HTTP_REQUEST_DURATION: &str = "rollcall_http_request_duration_seconds";
/// Requests being worked on.
pub const HTTP_REQUESTS_IN_FLIGHT: &str = "rollcall_http_requests_in_flight";
/// Open connections of a pool by state.
pub const DB_POOL_CONNECTIONS: &str = "rollcall_db_pool_connections";
/// The most connections a pool may open.
pub const DB_POOL_CONNECTIONS_MAX: &str = "rollcall_db_pool_connections_max";
/// Callers waiting for a connection.
pub const DB_POOL_WAITERS: &str = "rollcall_db_pool_waiters";
/// Seconds waited for a connection.
pub const DB_POOL_WAIT: &str = "rollcall_db_pool_wait_seconds";
/// Seconds in one call of the SQL contract.
pub const DB_QUERY_DURATION: &str = "rollcall_db_query_duration_seconds";
/// Errors of the database by class of SQLSTATE.
pub const DB_ERRORS: &str = "rollcall_db_errors_total";
/// Whether the server behind the read pool is a standby.
pub const DB_IN_RECOVERY: &str = "rollcall_db_in_recovery";
/// Seconds the server behind the read pool trails.
pub const DB_REPLICA_LAG: &str = "rollcall_db_replica_lag_seconds";
/// SCIM operations by outcome.
pub const SCIM_OPERATIONS: &str = "rollcall_scim_operations_total";
/// Users who were active and were locked by a change of theirs, as providers do to leavers.
pub const USER_DEACTIVATIONS: &str = "rollcall_user_deactivations_total";
/// Refused SCIM requests by `scimType`.
pub const SCIM_ERRORS: &str = "rollcall_scim_errors_total";
/// Numbers given or refused.
pub const ID_ALLOCATIONS: &str = "rollcall_id_allocations_total";
/// Numbers left in a pool.
pub const ID_POOL_REMAINING: &str = "rollcall_id_pool_remaining";
/// Numbers that a pool can ever give.
pub const ID_POOL_SIZE: &str = "rollcall_id_pool_size";
/// Reads that may trail, by the source that answered: `primary`, `standby`, `stale`.
pub const DB_READS: &str = "rollcall_db_reads_total";
/// Look-ups in caches of this process.
pub const CACHE_REQUESTS: &str = "rollcall_cache_requests_total";
/// When a token expires.
pub const TOKEN_EXPIRY: &str = "rollcall_token_expiry_timestamp_seconds";
/// Audit rows written or failed.
pub const AUDIT_EVENTS: &str = "rollcall_audit_events_total";
/// Requests refused because a token sent too many.
pub const RATE_LIMITED: &str = "rollcall_rate_limited_total";
/// Requests refused at once because too many were waiting, or after a wait, by work: `change`, `read`, `sign_in`.
pub const SHED: &str = "rollcall_shed_total";
/// Sign-ins by method, outcome and reason.
pub const JIT_LOGINS: &str = "rollcall_jit_logins_total";
/// Sign-ins that compared a user and his groups with what was claimed, by outcome: `unchanged`, `changed`, `refused`.
pub const RECONCILE_RUNS: &str = "rollcall_reconcile_runs_total";
/// What sign-ins changed, by action.
pub const RECONCILE_CHANGES: &str = "rollcall_reconcile_changes_total";
/// When a sign-in was last reconciled.
pub const RECONCILE_LAST_SUCCESS: &str = "rollcall_reconcile_last_success_timestamp_seconds";
/// Claims that named no groups because there were too many.
pub const GROUPS_OVERAGE: &str = "rollcall_login_groups_overage_total";
/// Requests of the forward-auth endpoint by outcome.
pub const FORWARD_AUTH: &str = "rollcall_forward_auth_requests_total";
/// When a certificate of an identity provider expires.
pub const IDP_CERTIFICATE_EXPIRY: &str = "rollcall_idp_certificate_expiry_timestamp_seconds";
/// Messages with spans for the collector by outcome.
pub const TRACE_BATCHES: &str = "rollcall_trace_batches_total";
/// The version that runs.
pub const BUILD_INFO: &str = "rollcall_build_info";
/// The newest migration in the database.
pub const SCHEMA_VERSION: &str = "rollcall_schema_version";
