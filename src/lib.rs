//! Rollcall.
pub mod config;
pub mod private_postgres;
