//! The members of a group as a stream of JSON, so that memory does not grow with the group.

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::state::State;
use crate::db::memberships::{Member, SLICE};
use crate::error::Error;
use crate::scim::group::{self, GroupRow};
use crate::scim::projection::Projection;
use crate::scim::schema::ResourceType;
use crate::scim::user::location;

/// Bytes that are gathered before they are handed to the connection.
const CHUNK: usize = 32 * 1024;

/// Which parts of a member are shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    value: bool,
    reference: bool,
    kind: bool,
}

impl Shown {
    /// What a projection leaves of a member; `None` when it shows no members.
    pub fn of(projection: &Projection) -> Option<Self> {
        if !projection.wants("members") {
            return None;
        }
        let sample = serde_json::json!({"members": [{"value": "v", "$ref": "r", "type": "User"}]});
        let mut document = sample.as_object().cloned().unwrap_or_default();
        projection.apply(&mut document);
        let left = document.get("members").and_then(|members| members.get(0))?;
        Some(Self {
            value: left.get("value").is_some(),
            reference: left.get("$ref").is_some(),
            kind: left.get("type").is_some(),
        })
    }

    /// One member as JSON. Ids and addresses need no escaping.
    fn write(self, text: &mut String, member: Member, base: &str) {
        let kind = if member.is_group {
            ResourceType::Group
        } else {
            ResourceType::User
        };
        let id = member.id.to_string();
        let mut separator = '{';
        let mut part = |name: &str, value: &str| {
            text.push(separator);
            separator = ',';
            text.extend(["\"", name, "\":\"", value, "\""]);
        };
        if self.value {
            part("value", &id);
        }
        if self.reference {
            part("$ref", &location(base, kind, &id));
        }
        if self.kind {
            part("type", kind.name());
        }
        text.push_str(if separator == '{' { "{}" } else { "}" });
    }
}

/// A group of which the first slice of members has been read, ready to be written.
pub struct Opened {
    head: String,
    id: Uuid,
    shown: Option<Shown>,
    first: Vec<Member>,
}

/// Reads the first slice of members, so that an error of the database is still an error of the request.
pub async fn open(state: &State, group: &GroupRow, projection: &Projection) -> Result<Opened, Error> {
    let shown = Shown::of(projection);
    let first = match shown {
        Some(_) => state.db.members_after(group.id, None).await?,
        None => Vec::new(),
    };
    let mut document = group::render(group, &state.scim_base);
    projection.apply(&mut document);
    Ok(Opened {
        head: group::render_head(&document),
        id: group.id,
        shown,
        first,
    })
}

/// Where JSON goes piece by piece.
pub struct Writer {
    gathered: String,
    sender: mpsc::Sender<Result<Bytes, Error>>,
}

impl Writer {
    /// Adds text; false when nobody reads any more.
    pub async fn write(&mut self, text: &str) -> bool {
        self.gathered.push_str(text);
        self.gathered.len() < CHUNK || self.flush().await
    }

    /// Hands over what was gathered.
    pub async fn flush(&mut self) -> bool {
        let piece = std::mem::take(&mut self.gathered);
        piece.is_empty() || self.sender.send(Ok(piece.into())).await.is_ok()
    }

    /// Breaks the answer off, so that half a list is never taken for a whole one.
    pub async fn fail(&mut self, error: Error) {
        tracing::warn!(%error, "an answer was broken off");
        let _ = self.sender.send(Err(error)).await;
    }

    /// Writes a whole group. False when nobody reads any more, or the database has failed.
    pub async fn group(&mut self, state: &State, opened: Opened) -> bool {
        let Opened { head, id, shown, first } = opened;
        if !self.write(&head).await {
            return false;
        }
        let Some(shown) = shown.filter(|_| !first.is_empty()) else {
            return self.write("}").await;
        };
        let mut slice = first;
        let mut separator = ",\"members\":[";
        loop {
            for &member in &slice {
                self.gathered.push_str(separator);
                separator = ",";
                shown.write(&mut self.gathered, member, &state.scim_base);
                if self.gathered.len() >= CHUNK && !self.flush().await {
                    return false;
                }
            }
            let last = slice.last().map(|member| member.id);
            if i64::try_from(slice.len()).unwrap_or(0) < SLICE {
                return self.write("]}").await;
            }
            slice = match state.db.members_after(id, last).await {
                Ok(slice) => slice,
                Err(error) => {
                    self.fail(error).await;
                    return false;
                }
            };
        }
    }
}

/// A body that `write` fills, at the speed of its reader.
pub fn stream<F>(write: impl FnOnce(Writer) -> F) -> Body
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(write(Writer {
        gathered: String::with_capacity(CHUNK + 256),
        sender,
    }));
    Body::from_stream(stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    }))
}

/// One group with its members as a body.
pub fn body(state: &State, opened: Opened) -> Body {
    let state = state.clone();
    stream(move |mut writer| async move {
        if writer.group(&state, opened).await {
            writer.flush().await;
        }
    })
}
