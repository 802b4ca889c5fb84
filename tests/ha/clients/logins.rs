//! Sign-ins of a few people whose groups change each time.

use std::time::Duration;

use serde_json::json;

use super::Desk;
use super::http::Http;
use crate::journal::{Action, Entry};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(32);

/// People who sign in.
const PEOPLE: u64 = 5;

/// Pause between two sign-ins.
const PAUSE: Duration = Duration::from_millis(100);

/// Signs people in, each with two of seven groups, until the desk closes.
pub async fn sign_in(desk: Desk, http: Http) {
    for turn in 0_u64.. {
        let Some(_business) = desk.open().await else { return };
        let key = format!("person{}", turn % PEOPLE);
        let mut groups = vec![format!("team-{}", turn % 7), format!("team-{}", (turn / PEOPLE) % 7)];
        groups.sort();
        groups.dedup();
        let entry = Entry::begin(&desk.journal, http.way, Action::Login, &key, &groups.join(","));
        let body = json!({"userName": key, "groups": groups, "issuedAt": jiff::Timestamp::now().to_string()});
        http.send(Some(&desk.journal), entry, PATIENCE, |client, base| {
            client.post(format!("{base}/api/v1/logins")).json(&body)
        })
        .await;
        tokio::time::sleep(PAUSE).await;
    }
}
