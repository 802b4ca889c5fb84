//! The SCIM 2.0 language (RFC 7643, 7644, 9865), pure: values in, values out, no I/O.
//!
//! The layers, each using only those above it:
//!
//! | Layer | Modules |
//! |---|---|
//! | Ground | [`error`] the one error vocabulary, [`limits`] every number, [`dialect`] client profiles, [`time`], [`id`], [`version`] entity tags |
//! | Schema | [`schema`] attribute definitions and the resolution of names, [`discovery`] the same as JSON |
//! | Notation | [`filter`] filters, [`path`] PATCH paths, [`projection`] `attributes` and `excludedAttributes` |
//! | Documents | [`document`] normalising what clients send, [`patch`] changing it |
//! | Rows | [`user`] and [`group`]: between documents and what the database holds |
//! | Requests | [`list`] queries, cursors and lists, [`bulk`] Bulk requests and their order |
//!
//! A write runs `document::normalise` (POST, PUT) or `user::to_document` → `patch::parse` → `patch::apply` (PATCH) and
//! ends in a `UserDraft` or `GroupDraft`; a PATCH of members runs through [`patch::compile_group`] and needs no read.
//! A read starts at a `UserRow` or `GroupRow` and ends in `render` and [`projection::Projection::apply`].

pub mod bulk;
pub mod dialect;
pub mod discovery;
pub mod document;
pub mod error;
pub mod filter;
pub mod group;
pub mod id;
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
/// [`document::normalise`], [`patch::apply`], [`user::to_document`] or [`group::to_document`].
pub type Document = serde_json::Map<String, serde_json::Value>;
