//! authentik: PUT for everything about users, one PATCH operation per member, groups read in full.

use hyper::Method;
use serde_json::{Value, json};

use super::{Shapes, patch, user_name_filter};
use crate::client::Request;
use crate::population::User;

/// See [`super::Persona::Authentik`].
pub(super) struct Authentik;

impl Authentik {
    fn put(&self, id: &str, user: &User, attribute: &str, value: Value) -> Request {
        let mut body = self.create(user);
        body[attribute] = value;
        Request::with_body(Method::PUT, format!("/Users/{id}"), &body)
    }
}

impl Shapes for Authentik {
    fn test_connection(&self) -> Request {
        Request::get("/ServiceProviderConfig")
    }

    fn look_up(&self, user_name: &str) -> Request {
        Request::get(format!("/Users?filter={}", user_name_filter(user_name)))
    }

    fn create(&self, user: &User) -> Value {
        user.document()
    }

    fn update(&self, id: &str, user: &User, title: &str) -> Request {
        self.put(id, user, "title", title.into())
    }

    fn set_active(&self, id: &str, user: &User, active: bool) -> Request {
        self.put(id, user, "active", active.into())
    }

    fn page(&self, start_index: u64) -> Request {
        Request::get(format!("/Users?startIndex={start_index}"))
    }

    fn read_group(&self, id: &str) -> Request {
        Request::get(format!("/Groups/{id}"))
    }

    fn add_members(&self, group: &str, members: &[String]) -> Request {
        let add = |id: &String| json!({"op": "add", "path": "members", "value": [{"value": id}]});
        let operations: Vec<Value> = members.iter().map(add).collect();
        patch(format!("/Groups/{group}"), &operations)
    }

    fn remove_member(&self, group: &str, member: &str) -> Request {
        let operation = json!({"op": "remove", "path": "members", "value": [{"value": member}]});
        patch(format!("/Groups/{group}"), &[operation])
    }
}
