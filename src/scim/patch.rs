//! PATCH requests: reading them and applying them to a document (RFC 7644 §3.5.2).

mod apply;
mod elements;
mod group;
mod request;

pub use apply::apply;
pub use group::{GroupPatch, MemberStep, MembersChange, MembersDelta, compile_group};
pub use request::{PATCH_OP_URN, parse};

use serde_json::Value;

use super::path::Path;

/// A PATCH request: its operations, in order. They are applied all or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Patch {
    /// The operations.
    pub operations: Vec<Operation>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Adds values, or sets a single one.
    Add,
    /// Removes an attribute or some of its values.
    Remove,
    /// Replaces values.
    Replace,
}

/// One operation of a PATCH request.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What it does.
    pub op: Op,
    /// To what; [`Path::Resource`] when the request gave no path, which `remove` never does.
    pub path: Path,
    /// With which value, as sent. `None` only for `remove`.
    pub value: Option<Value>,
}

#[cfg(test)]
mod tests;
