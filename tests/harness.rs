//! The actors of the tests: a PostgreSQL, a database of one's own, the real service, its command line, a SCIM client.
//!
//! A test reads: start, do, look, finish. [`Rollcall::finish`] checks the invariants of the database; a test that
//! passes without it fails.

pub mod children;
pub mod client;
pub mod command;
pub mod database;
mod population;
pub mod postgres;
pub mod rollcall;
pub mod service;
mod wait;
pub mod wire;

pub use rollcall::Rollcall;
pub use wait::wait_until;
