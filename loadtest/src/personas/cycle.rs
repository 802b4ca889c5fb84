//! What an identity provider sends for one user and one group of its first cycle.

use anyhow::Context;
use hyper::Method;

use super::Persona;
use crate::client::{Connection, Request};
use crate::population::User;
use crate::population::groups::Group;

impl Persona {
    /// Looks for a user and creates him when he is not there; returns his id. Raises what the service refuses.
    pub async fn sync_user(self, connection: &mut Connection, user: &User) -> anyhow::Result<String> {
        let shapes = self.shapes()?;
        let found = connection.send(&shapes.look_up(&user.user_name)).await?.json()?;
        if let Some(id) = found["Resources"][0]["id"].as_str() {
            return Ok(id.to_owned());
        }
        let request = Request::with_body(Method::POST, "/Users", &shapes.create(user));
        let created = connection.send(&request).await?.json()?;
        Ok(created["id"].as_str().context("a user without id")?.to_owned())
    }

    /// Creates a group, unless it is there, and adds its members. Raises what the service refuses.
    pub async fn sync_group(
        self,
        connection: &mut Connection,
        group: &Group,
        members: &[String],
    ) -> anyhow::Result<()> {
        let shapes = self.shapes()?;
        let request = Request::with_body(Method::POST, "/Groups", &group.document(&[]));
        let answer = connection.send(&request).await?;
        // An earlier run was interrupted between the two steps.
        let id = if answer.status == 409 {
            crate::directory::group_named(connection, &group.display_name).await?
        } else {
            answer.json()?["id"].as_str().map(str::to_owned)
        };
        let id = id.context("a group without id")?;
        connection.send(&shapes.add_members(&id, members)).await?.accept()
    }
}
