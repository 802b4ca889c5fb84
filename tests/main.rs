//! Everything that needs a running PostgreSQL or service; the folders mirror the URLs and commands.
//!
//! One binary, one throw-away PostgreSQL for all of it, a database clone per test. See [`harness`] for the actors.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod audit;
mod cli;
mod crash;
mod freshest;
mod harness;
mod login;
mod metrics;
mod nss;
mod oauth;
mod openapi;
mod operations;
mod overload;
mod pgbouncer;
mod prepared;
mod private_postgres;
mod races;
mod scim;
mod sequences;
mod slow_clients;
mod sql;
mod tls;
mod together;
mod tokens;
#[cfg(feature = "otel")]
mod traces;
