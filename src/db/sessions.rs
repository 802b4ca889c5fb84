//! Sessions and the sign-ins under way that become sessions, as all replicas share them.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::call::Repeat;
use super::pool::Database;
use crate::error::Error;

/// SHA-256 of what a browser holds.
pub type Hash = [u8; 32];

/// An open session as the database has it.
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// Whose.
    pub user_id: Uuid,
    /// His POSIX name.
    pub posix_name: String,
    /// His POSIX user id.
    pub uid: i64,
    /// Who vouched.
    pub provider: String,
    /// When it was used last, to about half a minute.
    pub last_seen: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// What a new session is to be.
#[derive(Debug, Clone)]
pub struct SessionDraft<'a> {
    /// Hash of its id.
    pub id_hash: Hash,
    /// Whose.
    pub user_id: Uuid,
    /// Who vouched.
    pub provider: &'a str,
    /// The provider's name of the person.
    pub subject: Option<&'a str>,
    /// The provider's name of its own session (`sid`, `SessionIndex`).
    pub provider_session: Option<&'a str>,
    /// Longest time it lives.
    pub lifetime: Duration,
}

/// Which sessions to end; what is `None` does not narrow.
#[derive(Debug, Clone, Default)]
pub struct Ending<'a> {
    /// The one with this hash.
    pub id_hash: Option<Hash>,
    /// Those of this user.
    pub user_id: Option<Uuid>,
    /// Those of this provider; needs a subject or a session of it.
    pub provider: Option<&'a str>,
    /// Those of this person.
    pub subject: Option<&'a str>,
    /// Those of this session of the provider.
    pub provider_session: Option<&'a str>,
}

/// When a session was used.
#[derive(Debug, Clone, Serialize)]
pub struct SessionUse {
    /// Hash of its id, hexadecimal.
    pub id_hash: String,
    /// When.
    pub at: Timestamp,
}

impl Database {
    /// `api.login_begin`: remembers a sign-in under way for `lifetime`.
    pub async fn login_begin(
        &self,
        state: Hash,
        browser: Hash,
        provider: &str,
        detail: &Value,
        lifetime: Duration,
    ) -> Result<(), Error> {
        self.write(
            "login_begin",
            Repeat::Never,
            "select api.login_begin($1, $2, $3, $4, $5)",
            &[
                (&state.as_slice(), Type::BYTEA),
                (&browser.as_slice(), Type::BYTEA),
                (&provider, Type::TEXT),
                (&Json(detail), Type::JSONB),
                (&seconds(lifetime), Type::INT4),
            ],
        )
        .await?;
        Ok(())
    }

    /// `api.login_finish`: takes a sign-in under way away and returns its detail; `None` when it is not this browser's and
    /// provider's, was used before, or is too old.
    pub async fn login_finish(&self, state: Hash, browser: Hash, provider: &str) -> Result<Option<Value>, Error> {
        let rows = self
            .write(
                "login_finish",
                Repeat::Never,
                "select api.login_finish($1, $2, $3)",
                &[
                    (&state.as_slice(), Type::BYTEA),
                    (&browser.as_slice(), Type::BYTEA),
                    (&provider, Type::TEXT),
                ],
            )
            .await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }

    /// `api.assertion_use`: marks an assertion as used; false when it was used before.
    pub async fn assertion_use(&self, issuer: &str, id: &str, expires_at: Timestamp) -> Result<bool, Error> {
        let rows = self
            .write(
                "assertion_use",
                Repeat::Never,
                "select api.assertion_use($1, $2, $3)",
                &[
                    (&issuer, Type::TEXT),
                    (&id, Type::TEXT),
                    (&expires_at, Type::TIMESTAMPTZ),
                ],
            )
            .await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    /// `api.session_create`: opens a session; false when the user is locked or gone.
    pub async fn session_create(&self, draft: &SessionDraft<'_>) -> Result<bool, Error> {
        let rows = self
            .write(
                "session_create",
                Repeat::Never,
                "select api.session_create($1, $2, $3, $4, $5, $6)",
                &[
                    (&draft.id_hash.as_slice(), Type::BYTEA),
                    (&draft.user_id, Type::UUID),
                    (&draft.provider, Type::TEXT),
                    (&draft.subject, Type::TEXT),
                    (&draft.provider_session, Type::TEXT),
                    (&seconds(draft.lifetime), Type::INT4),
                ],
            )
            .await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    /// `api.session_get`: an open session.
    pub async fn session_get(&self, id_hash: Hash) -> Result<Option<StoredSession>, Error> {
        let rows = self
            .read(
                "session_get",
                "select * from api.session_get($1)",
                &[(&id_hash.as_slice(), Type::BYTEA)],
            )
            .await?;
        Ok(rows.first().map(|row| StoredSession {
            user_id: row.get("user_id"),
            posix_name: row.get("posix_name"),
            uid: row.get("uid"),
            provider: row.get("provider"),
            last_seen: row.get("last_seen"),
            expires_at: row.get("expires_at"),
        }))
    }

    /// `api.session_version`: moves whenever a session is ended.
    pub async fn session_version(&self) -> Result<i64, Error> {
        let rows = self
            .read("session_version", "select api.session_version()", &[])
            .await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// `api.session_ends`: the sessions that were ended after version `after`.
    pub async fn session_ends(&self, after: i64) -> Result<Vec<Hash>, Error> {
        let rows = self
            .read(
                "session_ends",
                "select id_hash from api.session_ends($1)",
                &[(&after, Type::INT8)],
            )
            .await?;
        Ok(rows
            .iter()
            .filter_map(|row| row.get::<_, Vec<u8>>(0).try_into().ok())
            .collect())
    }

    /// `api.session_end`: ends sessions; returns how many.
    pub async fn session_end(&self, ending: &Ending<'_>) -> Result<i64, Error> {
        let id_hash = ending.id_hash.as_ref().map(<[u8; 32]>::as_slice);
        let rows = self
            .write(
                "session_end",
                Repeat::Idempotent,
                "select api.session_end($1, $2, $3, $4, $5)",
                &[
                    (&id_hash, Type::BYTEA),
                    (&ending.user_id, Type::UUID),
                    (&ending.provider, Type::TEXT),
                    (&ending.subject, Type::TEXT),
                    (&ending.provider_session, Type::TEXT),
                ],
            )
            .await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// `api.session_touch`: notes last uses, a batch at a time.
    pub async fn session_touch(&self, uses: &[SessionUse]) -> Result<(), Error> {
        let value = serde_json::to_value(uses).map_err(|error| Error::Internal(error.to_string()))?;
        self.write(
            "session_touch",
            Repeat::Idempotent,
            "select api.session_touch($1)",
            &[(&Json(&value), Type::JSONB)],
        )
        .await?;
        Ok(())
    }
}

/// Whole seconds; what is longer than `integer` is as long as that.
fn seconds(span: Duration) -> i32 {
    i32::try_from(span.as_secs()).unwrap_or(i32::MAX)
}
