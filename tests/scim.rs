//! The SCIM service over HTTP.

mod bad_input;
mod bulk;
mod dialects;
mod discovery;
mod filters;
mod groups;
mod indexes;
mod large_groups;
mod names;
mod numbers;
mod paging;
mod patch;
mod projection;
mod ssh_keys;
mod suites;
mod users;
mod versions;

use serde_json::{Value, json};

/// The schema of users.
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The schema of groups.
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Workbench's extension of users.
pub const WORKBENCH: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

/// Rollcall's own extension of users.
const POSIX: &str = "urn:rollcall:params:scim:schemas:extension:posix:1.0:User";

/// The body of a user who has nothing but his name.
fn user(user_name: &str) -> Value {
    json!({"schemas": [USER], "userName": user_name})
}

/// The body of a group with these members.
pub fn group(display_name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": display_name, "members": members})
}
