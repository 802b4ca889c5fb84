//! Okta's SCIM client, catalogue applications: PUT for profiles, pathless PATCH for `active`, PATCH for members.

use hyper::Method;
use serde_json::{Value, json};

use super::{Shapes, patch, user_name_filter};
use crate::client::Request;
use crate::population::User;

/// See [`super::Persona::Okta`].
pub(super) struct Okta;

impl Shapes for Okta {
    fn test_connection(&self) -> Request {
        Request::get("/Users?startIndex=1&count=2")
    }

    fn look_up(&self, user_name: &str) -> Request {
        let filter = user_name_filter(user_name);
        Request::get(format!("/Users?filter={filter}&startIndex=1&count=100"))
    }

    fn create(&self, user: &User) -> Value {
        let mut body = user.document();
        body["groups"] = json!([]);
        body
    }

    fn update(&self, id: &str, user: &User, title: &str) -> Request {
        let mut body = self.create(user);
        body["id"] = id.into();
        body["title"] = title.into();
        Request::with_body(Method::PUT, format!("/Users/{id}"), &body)
    }

    fn set_active(&self, id: &str, _user: &User, active: bool) -> Request {
        patch(
            format!("/Users/{id}"),
            &[json!({"op": "replace", "value": {"active": active}})],
        )
    }

    fn page(&self, start_index: u64) -> Request {
        Request::get(format!("/Users?startIndex={start_index}&count=100"))
    }

    fn read_group(&self, id: &str) -> Request {
        Request::get(format!("/Groups/{id}"))
    }

    fn add_members(&self, group: &str, members: &[String]) -> Request {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        patch(
            format!("/Groups/{group}"),
            &[json!({"op": "add", "path": "members", "value": members})],
        )
    }

    fn remove_member(&self, group: &str, member: &str) -> Request {
        let path = format!("members[value eq \"{member}\"]");
        patch(format!("/Groups/{group}"), &[json!({"op": "remove", "path": path})])
    }
}
