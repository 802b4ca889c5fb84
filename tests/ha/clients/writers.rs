//! SCIM writers: each user is created, changed and read by two rivals at once, and sometimes deleted.

use std::time::Duration;

use serde_json::json;

use super::Desk;
use super::http::Http;
use crate::journal::{Action, Entry};

/// Longest wait for one answer: a little longer than the service's own limit of a request.
const PATIENCE: Duration = Duration::from_secs(32);

/// Changes and reads by each of the two rivals.
const TURNS: usize = 4;

/// Pause between two requests of one writer.
const PAUSE: Duration = Duration::from_millis(25);

/// Pause after a request that failed: a client that is told to come back does not come at once.
const PENANCE: Duration = Duration::from_millis(150);

/// Leads users through their lives until the desk closes.
pub async fn write(desk: Desk, http: Http, name: String) {
    for life in 0.. {
        let Some(_business) = desk.open().await else { return };
        let key = format!("{name}-{life}");
        let Some(created) = create(&desk, &http, &key).await else {
            return;
        };
        let id = created.id.unwrap_or_default();
        tokio::join!(rival(&desk, &http, &key, &id, "a"), rival(&desk, &http, &key, &id, "b"));
        if life % 3 == 0 {
            let entry = Entry::begin(&desk.journal, http.way, Action::Delete, &key, "");
            let path = format!("/scim/v2/Users/{id}");
            send(&desk, &http, entry, |client, base| {
                client.delete(format!("{base}{path}"))
            })
            .await;
        }
        read(&desk, &http, &key, &id).await;
    }
}

/// Creates a user, trying until the service says that he is there. `None` when the desk closes before.
pub async fn create(desk: &Desk, http: &Http, key: &str) -> Option<Entry> {
    for attempt in 0.. {
        let title = format!("{key} created {attempt}");
        let entry = Entry::begin(&desk.journal, http.way, Action::Create, key, &title);
        let body = json!({"userName": key, "title": title});
        let entry = send(desk, http, entry, |client, base| {
            client.post(format!("{base}/scim/v2/Users")).json(&body)
        })
        .await;
        match entry.status {
            201 => return Some(entry),
            409 => {
                let entry = Entry::begin(&desk.journal, http.way, Action::Read, key, "");
                let filter = format!("userName eq \"{key}\"");
                let found = send(desk, http, entry, |client, base| {
                    client
                        .get(format!("{base}/scim/v2/Users"))
                        .query(&[("filter", &filter)])
                })
                .await;
                if found.id.is_some() {
                    return Some(found);
                }
            }
            _ => {}
        }
        if !desk.goes_on() {
            return None;
        }
    }
    None
}

async fn rival(desk: &Desk, http: &Http, key: &str, id: &str, who: &str) {
    for turn in 0..TURNS {
        let title = format!("{key} {who}{turn}");
        let entry = Entry::begin(&desk.journal, http.way, Action::Patch, key, &title);
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "title", "value": title}]});
        send(desk, http, entry, |client, base| {
            client.patch(format!("{base}/scim/v2/Users/{id}")).json(&body)
        })
        .await;
        read(desk, http, key, id).await;
    }
}

async fn read(desk: &Desk, http: &Http, key: &str, id: &str) {
    let entry = Entry::begin(&desk.journal, http.way, Action::Read, key, "");
    send(desk, http, entry, |client, base| {
        client.get(format!("{base}/scim/v2/Users/{id}"))
    })
    .await;
}

async fn send(
    desk: &Desk,
    http: &Http,
    entry: Entry,
    request: impl FnOnce(&reqwest::Client, &str) -> reqwest::RequestBuilder,
) -> Entry {
    let (entry, _) = http.send(Some(&desk.journal), entry, PATIENCE, request).await;
    tokio::time::sleep(if entry.is_unknown() { PENANCE } else { PAUSE }).await;
    entry
}
