//! Bulk requests: reading them, and the order in which `bulkId` references allow their operations to run
//! (RFC 7644 §3.7).

mod plan;
mod references;
mod request;

pub use plan::{Step, plan};
pub use references::substitute;
pub use request::{BULK_REQUEST_URN, BULK_RESPONSE_URN, parse};

use std::collections::HashMap;

use serde_json::Value;

use super::error::ScimError;
use super::schema::ResourceType;

/// What starts a reference to the resource that another operation creates.
pub const BULK_ID_PREFIX: &str = "bulkId:";

/// Ids of the resources created so far, by the `bulkId` of their operation.
pub type BulkIds = HashMap<String, String>;

/// A Bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRequest {
    /// After how many failed operations to stop; `None` for never.
    pub fail_on_errors: Option<u64>,
    /// The operations in the order of the request. A faulty one carries its error and fails alone.
    pub operations: Vec<BulkEntry>,
}

/// One operation of a Bulk request, as far as it could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkEntry {
    /// `method` as sent, for the response.
    pub method: String,
    /// `bulkId` as sent, for the response.
    pub bulk_id: Option<String>,
    /// The operation, or why it cannot run.
    pub operation: Result<BulkOperation, ScimError>,
}

/// The method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkMethod {
    /// Creates a resource.
    Post,
    /// Replaces a resource.
    Put,
    /// Changes a resource.
    Patch,
    /// Deletes a resource.
    Delete,
}

/// An operation that can run.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkOperation {
    /// What to do.
    pub method: BulkMethod,
    /// To which kind of resource.
    pub resource_type: ResourceType,
    /// To which resource, percent-decoded; `None` for POST. May be a reference, see [`substitute`].
    pub id: Option<String>,
    /// `version`, to be used like `If-Match`.
    pub version: Option<String>,
    /// The body; `None` for DELETE.
    pub data: Option<Value>,
}

#[cfg(test)]
mod tests;
