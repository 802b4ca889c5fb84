//! HTTP as clients under fault speak it: no answer is an answer too.

use std::time::Duration;

use serde_json::Value;

use crate::journal::{Entry, Journal};

/// The extension of users that holds the uid.
const WORKBENCH: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

/// A client of one base address with one token.
#[derive(Clone)]
pub struct Http {
    /// Its name in the journal.
    pub way: &'static str,
    base: String,
    token: String,
    client: reqwest::Client,
}

impl Http {
    /// A client that speaks to `base`.
    pub fn new(way: &'static str, base: &str, token: &str) -> Self {
        Self {
            way,
            base: base.to_owned(),
            token: token.to_owned(),
            client: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(2))
                .pool_idle_timeout(Duration::from_secs(20))
                .build()
                .unwrap(),
        }
    }

    /// Sends a request, fills the entry with the answer, and notes it unless `journal` is `None`.
    pub async fn send(
        &self,
        journal: Option<&Journal>,
        mut entry: Entry,
        limit: Duration,
        request: impl FnOnce(&reqwest::Client, &str) -> reqwest::RequestBuilder,
    ) -> (Entry, Value) {
        let request = request(&self.client, &self.base)
            .bearer_auth(&self.token)
            .header("x-request-id", &entry.request_id)
            .timeout(limit);
        let mut body = Value::Null;
        if let Ok(answer) = request.send().await {
            let status = answer.status().as_u16();
            entry.is_stale = answer.headers().contains_key("warning");
            // An answer that breaks off is none.
            if let Ok(bytes) = answer.bytes().await {
                entry.status = status;
                body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            }
        }
        if entry.is_ok() {
            let user = if body["totalResults"] == 1 {
                &body["Resources"][0]
            } else {
                &body
            };
            entry.id = user["id"].as_str().map(str::to_owned);
            entry.uid = user[WORKBENCH]["posixUserId"].as_i64();
            entry.seen = user["title"].as_str().map(str::to_owned);
        }
        if let Some(journal) = journal {
            journal.note(entry.clone());
        }
        (entry, body)
    }
}
