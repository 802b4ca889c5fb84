//! Sessions: opaque ids of 256 random bits, stored as SHA-256, known to each replica in memory after their first use and
//! followed by polling their ends, so that no request asks the database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::refusal::{Reason, Refusal};
use crate::config::Access;
use crate::db::Database;
use crate::db::sessions::{Ending, Hash, SessionDraft, SessionUse, StoredSession};
use crate::error::Error;

/// How often ends are looked for: a locked user's sessions end within a second.
const POLL: Duration = Duration::from_millis(400);

/// Look-ups of sessions that this replica does not know, at once.
const LOOK_UPS: usize = 8;

/// How far the noted last use may trail, in milliseconds.
const TOUCH: i64 = 30_000;

/// Characters of an id: 32 bytes in base64url.
const ID_CHARACTERS: usize = 43;

/// A new id or secret in clear: 256 random bits, for a cookie.
pub fn random_id() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of an id.
pub fn hash_of(id: &str) -> Hash {
    Sha256::digest(id.as_bytes()).into()
}

/// What the forms of a session carry against cross-site requests: it follows from the session's id, which no other site knows,
/// and tells nothing of it.
pub fn form_token(id: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(b"rollcall form token\0");
    digest.update(id.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

/// Whose session it is.
#[derive(Debug)]
pub struct Session {
    /// The user's SCIM id.
    pub user_id: Uuid,
    /// His POSIX name.
    pub posix_name: String,
    /// His POSIX user id.
    pub uid: i64,
    /// Who vouched for him.
    pub provider: String,
    expires_at: i64,
    last_seen: AtomicI64,
    written: AtomicI64,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSession {
    /// Never was, has ended, or has been idle for too long.
    Over,
    /// The database does not answer and this replica has not seen the session yet.
    CannotKnow,
}

/// The sessions this replica knows.
#[derive(Debug)]
pub struct Sessions {
    known: RwLock<HashMap<Hash, Arc<Session>>>,
    version: Mutex<Option<i64>>,
    ends_applied: AtomicU64,
    look_ups: Semaphore,
    idle: i64,
    lifetime: Duration,
}

impl Sessions {
    /// Knows no session yet.
    pub fn new(access: &Access) -> Self {
        Self {
            known: RwLock::default(),
            version: Mutex::new(None),
            ends_applied: AtomicU64::new(0),
            look_ups: Semaphore::new(LOOK_UPS),
            idle: i64::try_from(access.session_idle.as_millis()).unwrap_or(i64::MAX),
            lifetime: access.session_lifetime,
        }
    }

    /// Longest life of a session.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Opens a session and returns its id. Raises `locked` when the user has been locked or deleted meanwhile.
    pub async fn open(
        &self,
        db: &Database,
        user_id: Uuid,
        provider: &str,
        subject: Option<&str>,
        provider_session: Option<&str>,
    ) -> Result<String, Refusal> {
        let id = random_id();
        let draft = SessionDraft {
            id_hash: hash_of(&id),
            user_id,
            provider,
            subject,
            provider_session,
            lifetime: self.lifetime,
        };
        if db.session_create(&draft).await? {
            Ok(id)
        } else {
            Err(Refusal::new(Reason::Locked, "the user was locked or deleted meanwhile"))
        }
    }

    /// The session with this id, which counts as used now.
    pub async fn get(&self, id: &str, db: &Database) -> Result<Arc<Session>, NoSession> {
        if id.len() != ID_CHARACTERS {
            return Err(NoSession::Over);
        }
        let (hash, now) = (hash_of(id), Timestamp::now().as_millisecond());
        let known = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&hash)
            .cloned();
        if let Some(session) = known {
            if session.expires_at <= now {
                return Err(NoSession::Over);
            }
            if now - session.last_seen.load(Ordering::Relaxed) <= self.idle {
                session.last_seen.fetch_max(now, Ordering::Relaxed);
                return Ok(session);
            }
            // Idle here; another replica may have served it meanwhile.
        }
        self.look_up(hash, now, db).await
    }

    async fn look_up(&self, hash: Hash, now: i64, db: &Database) -> Result<Arc<Session>, NoSession> {
        let cannot_know = |_: Error| NoSession::CannotKnow;
        let _place = self.look_ups.acquire().await.map_err(|_| NoSession::CannotKnow)?;
        loop {
            let ends = self.ends_applied.load(Ordering::Acquire);
            let stored = db.session_get(hash).await.map_err(cannot_know)?;
            let stored = stored.filter(|stored| now - stored.last_seen.as_millisecond() <= self.idle);
            let Some(stored) = stored else {
                self.forget(&[hash]);
                return Err(NoSession::Over);
            };
            let session = Arc::new(session(stored, now));
            self.known
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(hash, Arc::clone(&session));
            // An end that was applied between the look and the insertion would have found nothing to remove.
            if self.ends_applied.load(Ordering::Acquire) == ends {
                return Ok(session);
            }
        }
    }

    /// Ends one session, here at once and on the other replicas within a second.
    pub async fn end(&self, id: &str, db: &Database) -> Result<(), Error> {
        let hash = hash_of(id);
        let ending = Ending {
            id_hash: Some(hash),
            ..Ending::default()
        };
        db.session_end(&ending).await?;
        self.ends_applied.fetch_add(1, Ordering::AcqRel);
        self.forget(&[hash]);
        Ok(())
    }

    /// Follows ends for as long as the process lives.
    pub async fn follow(self: Arc<Self>, db: Database) {
        loop {
            tokio::time::sleep(POLL).await;
            if let Err(error) = self.refresh(&db).await {
                tracing::debug!(%error, "ends of sessions could not be looked at");
            }
        }
    }

    /// Looks whether sessions have ended, and forgets them.
    pub async fn refresh(&self, db: &Database) -> Result<(), Error> {
        let version = db.session_version().await?;
        let seen = *self.version.lock().unwrap_or_else(PoisonError::into_inner);
        if seen == Some(version) {
            return Ok(());
        }
        match seen {
            Some(seen) => {
                let ends = db.session_ends(seen).await?;
                self.ends_applied.fetch_add(1, Ordering::AcqRel);
                self.forget(&ends);
            }
            // The first look: what is known was read before the version, so it is read anew when it is asked for.
            None => {
                self.ends_applied.fetch_add(1, Ordering::AcqRel);
                self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
            }
        }
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
        Ok(())
    }

    /// Writes when sessions were used last, and forgets those that are over.
    pub async fn flush_uses(&self, db: &Database) {
        let now = Timestamp::now().as_millisecond();
        let mut uses = Vec::new();
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|hash, session| {
                let last_seen = session.last_seen.load(Ordering::Relaxed);
                if last_seen - session.written.load(Ordering::Relaxed) >= TOUCH {
                    session.written.store(last_seen, Ordering::Relaxed);
                    if let Ok(at) = Timestamp::from_millisecond(last_seen) {
                        let id_hash = crate::tokens::SecretHash(*hash).hex();
                        uses.push(SessionUse { id_hash, at });
                    }
                }
                session.expires_at > now && now - last_seen <= self.idle
            });
        if !uses.is_empty()
            && let Err(error) = db.session_touch(&uses).await
        {
            tracing::debug!(%error, "uses of sessions could not be noted");
        }
    }

    fn forget(&self, hashes: &[Hash]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for hash in hashes {
            known.remove(hash);
        }
    }
}

fn session(stored: StoredSession, now: i64) -> Session {
    Session {
        user_id: stored.user_id,
        posix_name: stored.posix_name,
        uid: stored.uid,
        provider: stored.provider,
        expires_at: stored.expires_at.as_millisecond(),
        last_seen: AtomicI64::new(now),
        written: AtomicI64::new(stored.last_seen.as_millisecond()),
    }
}
