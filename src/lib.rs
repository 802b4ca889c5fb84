//! Rollcall.
pub mod config;
