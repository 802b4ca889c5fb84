//! Tests of PATCH.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a JSON literal reads better without a borrow"
)]

mod add;
mod atomic;
mod group;
mod membership;
mod pathless;
mod remove;
mod replace;
mod request;

use serde_json::{Value, json};

use super::*;
use crate::scim::document::{normalise, object};
use crate::scim::{Dialect, Document, ResourceType, ScimError};

const ID: &str = "2819c223-7f76-453a-919d-413861904646";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const WORKBENCH: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

fn jane() -> Document {
    let body = json!({
        "userName": "jane@example.org",
        "externalId": "ext-1",
        "title": "Dr",
        "name": {"givenName": "Jane", "familyName": "Doe"},
        "active": true,
        "emails": [
            {"value": "jane@example.org", "type": "work", "primary": true},
            {"value": "j@home.example", "type": "home"},
        ],
        ENTERPRISE: {"department": "R&D", "manager": {"value": "m1", "$ref": "../Users/m1"}},
        WORKBENCH: {"admin": false, "posixUserName": "jane", "posixUserId": 10001},
    });
    normalise(ResourceType::User, object(body).unwrap(), Dialect::Strict).unwrap()
}

fn patched_in(dialect: Dialect, operations: Value) -> Result<Document, ScimError> {
    let body = json!({"schemas": [PATCH_OP_URN], "Operations": operations});
    let patch = parse(ResourceType::User, body, dialect)?;
    apply(&patch, ResourceType::User, ID, &jane(), dialect)
}

fn patched(operations: Value) -> Value {
    let text = operations.to_string();
    Value::Object(patched_in(Dialect::Strict, operations).unwrap_or_else(|error| panic!("{text}: {error}")))
}

fn refusal(operations: Value) -> &'static str {
    let text = operations.to_string();
    let error = patched_in(Dialect::Strict, operations).expect_err(&text);
    assert_eq!(error.status, 400, "{text}");
    error.scim_type.unwrap().as_str()
}
