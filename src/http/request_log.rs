//! Keeps the last requests of each token, redacted, and writes them to the database in batches beside the requests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::db::Database;
use crate::db::requests::Request;
use crate::fold::fold;
use crate::scim::error::without_strings;

/// Most characters kept of a body's shape.
const MAX_SHAPE: usize = 4_096;

/// Most members of an array that a shape shows.
const MAX_ITEMS: usize = 3;

/// Requests waiting to be written: of each token the newest, as many as the log keeps.
pub struct RequestLog {
    keep: u32,
    waiting: Mutex<HashMap<String, VecDeque<Request>>>,
}

impl RequestLog {
    /// A log that keeps `keep` requests of each token; none when 0.
    pub fn new(keep: u32) -> Self {
        Self {
            keep,
            waiting: Mutex::new(HashMap::new()),
        }
    }

    /// Whether anything is kept.
    pub fn is_on(&self) -> bool {
        self.keep > 0
    }

    /// Notes an answered request. Costs no I/O; drops what newer requests of the same token will push out anyway.
    pub fn note(&self, request: Request) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = waiting.entry(request.token.clone()).or_default();
        if queue.len() >= self.keep as usize {
            queue.pop_front();
        }
        queue.push_back(request);
    }

    /// Writes what waits. On an error the batch is lost: the log helps people, it is no record.
    pub async fn flush(&self, db: &Database) {
        let batch: Vec<Request> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.drain().flat_map(|(_, queue)| queue).collect()
        };
        if batch.is_empty() {
            return;
        }
        if let Err(error) = db.requests_note(&batch, self.keep).await {
            tracing::warn!(%error, lost = batch.len(), "requests could not be noted");
        }
    }
}

/// The shape of a JSON body: keys, booleans, numbers' kind and the words that steer SCIM (`op`, `path`, `schemas`), but no
/// personal value. Of a `userName` there is a salted hash: whoever asks for just this name finds the request, nobody can read it.
pub fn shape(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let mut text = redact(None, &value, 0).to_string();
    if text.len() > MAX_SHAPE {
        let end = (0..=MAX_SHAPE)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    Some(text)
}

fn redact(key: Option<&str>, value: &Value, depth: usize) -> Value {
    match value {
        _ if depth > 16 => Value::String("…".into()),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (key.clone(), redact(Some(key), value, depth + 1)))
                .collect(),
        ),
        Value::Array(items) => {
            let mut shown: Vec<Value> = items
                .iter()
                .take(MAX_ITEMS)
                .map(|v| redact(key, v, depth + 1))
                .collect();
            if items.len() > MAX_ITEMS {
                shown.push(Value::String(format!("… {} in all", items.len())));
            }
            Value::Array(shown)
        }
        Value::String(text) => match key {
            Some("op" | "method" | "bulkId" | "type" | "schemas") => value.clone(),
            Some("path") => Value::String(without_strings(text)),
            Some(name) if depth == 1 && name.eq_ignore_ascii_case("userName") => {
                Value::String(format!("({} characters, {})", text.chars().count(), mark(text)))
            }
            _ => Value::String(format!("({} characters)", text.chars().count())),
        },
        Value::Number(_) => Value::String("(number)".into()),
        Value::Bool(_) | Value::Null => value.clone(),
    }
}

/// What `store.request_names` compares a name with: a salt of eight digits, and as many bytes of the SHA-256 over it and the folded name.
fn mark(name: &str) -> String {
    use std::fmt::Write as _;
    let salt = format!("{:08x}", rand::random::<u32>());
    let hash = Sha256::digest(format!("{salt}{}", fold(name)));
    hash.iter().take(8).fold(salt + "-", |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_keeps_keys_and_drops_values() {
        let shape = shape(
            br#"{"schemas":["urn:x"],"userName":"jane@example.org","active":false,"n":12345678901,
                 "Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"secret@x"}]}"#,
        )
        .unwrap();
        for gone in ["jane", "secret", "\"work", "12345678901"] {
            assert!(!shape.contains(gone), "{gone} in {shape}");
        }
        for kept in ["userName", "false", "Replace", "urn:x", "emails[type eq"] {
            assert!(shape.contains(kept), "{kept} not in {shape}");
        }
    }

    #[test]
    fn quoted_text_is_redacted_even_with_escapes_and_without_an_end() {
        assert_eq!(
            without_strings(r#"userName eq "a\"b" and x"#),
            r#"userName eq "…" and x"#
        );
        assert_eq!(without_strings(r#"userName eq "jane"#), r#"userName eq ""#);
    }

    #[test]
    fn a_long_list_of_requests_keeps_the_newest() {
        let log = RequestLog::new(2);
        for n in 0..5 {
            log.note(Request {
                token: "t".into(),
                at: jiff::Timestamp::UNIX_EPOCH,
                request_id: n.to_string(),
                method: "GET".into(),
                target: "/Users".into(),
                status: 200,
                scim_type: None,
                detail: None,
                duration_us: 1,
                body: None,
            });
        }
        let waiting = log.waiting.lock().unwrap();
        let ids: Vec<_> = waiting["t"].iter().map(|r| r.request_id.as_str()).collect();
        assert_eq!(ids, ["3", "4"]);
    }
}
