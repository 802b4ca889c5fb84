//! Microsoft Entra ID in its default behaviour: capitalised operations, booleans as strings, one operation per attribute,
//! removal with a list of values, groups read without members.

use serde_json::{Value, json};

use super::{Shapes, patch, user_name_filter};
use crate::client::{Request, escape};
use crate::population::User;

/// Members in one PATCH.
const MEMBERS_AT_ONCE: usize = 20;

/// See [`super::Persona::Entra`].
pub(super) struct Entra;

impl Shapes for Entra {
    fn test_connection(&self) -> Request {
        self.look_up("0f9b7c1e-5a6d-4c8e-9f7a-000000000000")
    }

    fn look_up(&self, user_name: &str) -> Request {
        Request::get(format!("/Users?filter={}", user_name_filter(user_name)))
    }

    fn create(&self, user: &User) -> Value {
        let mut body = user.document();
        body["emails"][0]["primary"] = "True".into();
        body["meta"] = json!({"resourceType": "User"});
        body
    }

    fn update(&self, id: &str, _user: &User, title: &str) -> Request {
        let operation = json!({"op": "Replace", "path": "title", "value": title});
        patch(format!("/Users/{id}"), &[operation])
    }

    fn set_active(&self, id: &str, _user: &User, active: bool) -> Request {
        let value = if active { "True" } else { "False" };
        let operation = json!({"op": "Replace", "path": "active", "value": value});
        patch(format!("/Users/{id}"), &[operation])
    }

    fn page(&self, start_index: u64) -> Request {
        // Entra does not read pages; its incremental cycle asks for one object after the other.
        let filter = escape("active eq true");
        Request::get(format!("/Users?filter={filter}&startIndex={start_index}&count=100"))
    }

    fn read_group(&self, id: &str) -> Request {
        Request::get(format!("/Groups/{id}?excludedAttributes=members"))
    }

    fn add_members(&self, group: &str, members: &[String]) -> Request {
        let add = |members: &[String]| {
            let members: Vec<Value> = members.iter().map(|id| json!({"$ref": null, "value": id})).collect();
            json!({"op": "Add", "path": "members", "value": members})
        };
        let operations: Vec<Value> = members.chunks(MEMBERS_AT_ONCE).map(add).collect();
        patch(format!("/Groups/{group}"), &operations)
    }

    fn remove_member(&self, group: &str, member: &str) -> Request {
        let operation = json!({"op": "Remove", "path": "members", "value": [{"value": member}]});
        patch(format!("/Groups/{group}"), &[operation])
    }
}
