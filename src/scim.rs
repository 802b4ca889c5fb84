//! The SCIM 2.0 language (RFC 7643, 7644, 9865), pure: values in, values out, no I/O.

pub mod bulk;
pub mod dialect;
pub mod discovery;
pub mod document;
pub mod error;
pub mod filter;
pub mod group;
pub mod limits;
pub mod list;
pub mod patch;
pub mod path;
pub mod projection;
pub mod schema;
pub mod time;
pub mod user;
pub mod version;

pub use dialect::Dialect;
pub use error::{ScimError, ScimType};
pub use schema::{AttributePath, ResourceType};

/// A resource as a JSON object. Where a function asks for a *normalised* document, it means the result of
/// [`document::normalise`], [`patch::apply`] or [`user::to_document`].
pub type Document = serde_json::Map<String, serde_json::Value>;
