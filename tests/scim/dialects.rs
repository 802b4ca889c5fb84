//! What real clients send, retold: a table of exchanges per client, played with a token of its dialect.

mod authentik;
mod core_schemas;
mod entra;
mod jumpcloud;
mod okta;
mod others;

use reqwest::Method;
use serde_json::{Value, json};

use super::{group, user};
use crate::harness::Rollcall;
use crate::harness::client::Scim;

/// A user and a second one, and a group with the first in it.
struct Stage {
    rollcall: Rollcall,
    scim: Scim,
    jane: String,
    jack: String,
    team: String,
}

impl Stage {
    async fn set(dialect: &str) -> Self {
        let rollcall = Rollcall::start().await;
        let scim = rollcall.scim_as(&["--dialect", dialect]);
        let mut body = user("jane@example.com");
        body["name"] = json!({"givenName": "Jane", "familyName": "Doe"});
        body["emails"] = json!([{"primary": true, "value": "jane@example.com", "type": "work"}]);
        body["externalId"] = "Ext-Jane".into();
        let jane = scim.post("/Users", &body).await.expect(201).id().to_owned();
        let jack = scim
            .post("/Users", &user("jack@example.com"))
            .await
            .expect(201)
            .id()
            .to_owned();
        let team = scim
            .post("/Groups", &group("Team", &[&jane]))
            .await
            .expect(201)
            .id()
            .to_owned();
        Self {
            rollcall,
            scim,
            jane,
            jack,
            team,
        }
    }

    /// `{jane}`, `{jack}` and `{team}` in a text stand for ids.
    fn fill(&self, text: &str) -> String {
        text.replace("{jane}", &self.jane)
            .replace("{jack}", &self.jack)
            .replace("{team}", &self.team)
    }

    fn fill_body(&self, body: &Value) -> Value {
        serde_json::from_str(&self.fill(&body.to_string())).unwrap()
    }

    /// Sends PATCH operations to `path` and compares what a JSON pointer then finds there. Whether the answer has a body
    /// is the service's choice.
    async fn patches(&self, path: &str, table: &[(Value, &str, Value)]) {
        let path = self.fill(path);
        for (operations, pointer, expected) in table {
            let answer = self.scim.patch(&path, &self.fill_body(operations)).await;
            assert!(matches!(answer.status, 200 | 204), "{operations}: {}", answer.body);
            let now = self.scim.get(&path).await.expect(200);
            let found = now.body.pointer(pointer).cloned().unwrap_or_default();
            assert_eq!(found, self.fill_body(expected), "{operations}: {}", now.body);
        }
    }

    /// Queries, and how many results each has.
    async fn counts(&self, path: &str, table: &[(&str, u32)]) {
        for (filter, expected) in table {
            let answer = self
                .scim
                .query(path, &[("filter", &self.fill(filter))])
                .await
                .expect(200);
            assert_eq!(answer.body["totalResults"], *expected, "{filter}");
        }
    }

    /// Sends a body as the client does, with its own media types.
    async fn send(&self, method: Method, path: &str, media_type: &str, body: &Value) -> crate::harness::client::Answer {
        let request = self
            .scim
            .request(method, &self.fill(path))
            .header("content-type", media_type)
            .header("accept", media_type.split(';').next().unwrap_or_default())
            .body(self.fill_body(body).to_string());
        self.scim.send(request).await
    }

    async fn end(self) {
        self.rollcall.finish().await;
    }
}
