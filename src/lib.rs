//! Rollcall.

pub mod fold;
pub mod posix;
pub mod scim;
