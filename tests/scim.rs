//! The SCIM service over HTTP.

mod users;
