//! Who sends a request: bearer tokens, known in memory and followed by polling, so that no request asks the database.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use jiff::Timestamp;

use super::listener::Peer;
use crate::db::Database;
use crate::db::tokens::{Token, TokenUse};
use crate::error::Error;
use crate::scim::dialect::Dialect;
use crate::telemetry::metrics::METRICS;
use crate::tokens::{self, Scope, SecretHash};

/// How often changes of tokens are looked for: revocation is effective within a second.
pub const POLL: Duration = Duration::from_millis(400);

/// How often unknown public ids may make the replica look at once, for a token that was made a moment ago. Whoever brings
/// one waits for the next look, and shares it with the others.
const LOOK_AT_ONCE: Duration = Duration::from_millis(50);

/// Longest time for a look that a request waits for.
const LOOK_DEADLINE: Duration = Duration::from_secs(2);

/// Fewest characters of a token from a file.
const MIN_FILE_TOKEN: usize = 16;

/// Who sends a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The token's public id, or `file:<n>` for one from a token file. An access token is its lender in all that is noted, counted and
    /// limited: a client that asks for a new one is no other client.
    pub token: Arc<str>,
    /// What it may do.
    pub scopes: Arc<[Scope]>,
    /// The client's dialect of SCIM.
    pub dialect: Dialect,
    /// Whether the token is an access token, lent by another one.
    pub is_loan: bool,
}

impl Caller {
    /// Whether the token may be used for any of `scopes`.
    pub fn may(&self, scopes: &[Scope]) -> bool {
        self.scopes.iter().any(|scope| scopes.contains(scope))
    }
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No bearer token, or one that is not known, or no longer valid.
    Unauthorized,
    /// The token is not known here, and the database does not say whether it is valid.
    CannotKnow,
}

struct Known {
    hash: SecretHash,
    expires_at: Option<Timestamp>,
    caller: Caller,
}

struct FileToken {
    hash: SecretHash,
    caller: Caller,
}

/// What the last look at the database's tokens was.
#[derive(Default)]
struct Looks {
    /// The version of the tokens that are known.
    version: Option<i64>,
    began: Option<Instant>,
    succeeded: bool,
}

/// The tokens this replica knows.
pub struct Tokens {
    known: ArcSwap<HashMap<String, Known>>,
    from_files: ArcSwap<Vec<FileToken>>,
    files: Vec<PathBuf>,
    /// Held while a look is under way: two at once could put an older list in the place of a newer one.
    looks: tokio::sync::Mutex<Looks>,
    /// When and from where each was used last, until that is written.
    uses: Mutex<HashMap<Arc<str>, (Timestamp, Peer)>>,
}

impl Tokens {
    /// Knows no token yet but those of `files`.
    pub fn new(files: Vec<PathBuf>) -> Self {
        let tokens = Self {
            known: ArcSwap::default(),
            from_files: ArcSwap::default(),
            files,
            looks: tokio::sync::Mutex::default(),
            uses: Mutex::new(HashMap::new()),
        };
        tokens.read_files();
        tokens
    }

    /// Looks whether tokens have changed, and reads them all if so. Known tokens stay valid while no database answers.
    pub async fn refresh(&self, db: &Database) -> Result<(), Error> {
        let mut looks = self.looks.lock().await;
        self.look(&mut looks, db).await
    }

    async fn look(&self, looks: &mut Looks, db: &Database) -> Result<(), Error> {
        looks.began = Some(Instant::now());
        looks.succeeded = false;
        let version = db.token_version().await?;
        if looks.version != Some(version) {
            self.read_all(db).await?;
            looks.version = Some(version);
        }
        looks.succeeded = true;
        Ok(())
    }

    async fn read_all(&self, db: &Database) -> Result<(), Error> {
        let list = db.token_list(true).await?;
        METRICS.token_expiry.reset();
        for token in list.iter().filter(|token| token.parent.is_none()) {
            if let Some(expiry) = token.expires_at {
                METRICS
                    .token_expiry
                    .with_label_values(&[&token.public_id])
                    .set(expiry.as_second() as f64);
            }
        }
        self.known.store(Arc::new(
            list.into_iter()
                .map(|token| (token.public_id.clone(), known(token)))
                .collect(),
        ));
        Ok(())
    }

    /// Follows changes for as long as the process lives.
    pub async fn follow(self: Arc<Self>, db: Database) {
        let mut stamp = self.file_stamp();
        loop {
            tokio::time::sleep(POLL).await;
            if let Err(error) = self.refresh(&db).await {
                tracing::debug!(%error, "tokens could not be looked at");
            }
            let now = self.file_stamp();
            if now != stamp {
                stamp = now;
                self.read_files();
            }
        }
    }

    /// Who sends a request with these header fields.
    pub async fn authenticate(&self, headers: &HeaderMap, peer: Peer, db: &Database) -> Result<Caller, Refusal> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Refusal::Unauthorized);
        };
        let bearer = value.to_str().ok().and_then(bearer).ok_or(Refusal::Unauthorized)?;
        let caller = match tokens::split(bearer) {
            Some((public_id, secret)) => self.by_secret(public_id, secret, db).await?,
            None => self.by_file(bearer)?,
        };
        self.note_use(&caller, peer);
        Ok(caller)
    }

    /// Who has this public id and secret.
    pub async fn by_secret(&self, public_id: &str, secret: &str, db: &Database) -> Result<Caller, Refusal> {
        if let Some(verdict) = self.look_up(public_id, secret) {
            return verdict;
        }
        let has_looked = tokio::time::timeout(LOOK_DEADLINE, self.look_soon(db)).await;
        match self.look_up(public_id, secret) {
            Some(verdict) => verdict,
            None if has_looked == Ok(true) => Err(Refusal::Unauthorized),
            None => Err(Refusal::CannotKnow),
        }
    }

    /// Looks at the database after the call, but not sooner than [`LOOK_AT_ONCE`] after the last look. Tells whether it
    /// could.
    async fn look_soon(&self, db: &Database) -> bool {
        let arrived = Instant::now();
        let mut looks = self.looks.lock().await;
        if let Some(began) = looks.began {
            if began > arrived {
                return looks.succeeded;
            }
            tokio::time::sleep_until((began + LOOK_AT_ONCE).into()).await;
        }
        self.look(&mut looks, db).await.is_ok()
    }

    /// Writes when and from where tokens were used since the last call.
    pub async fn flush_uses(&self, db: &Database) {
        let uses: Vec<TokenUse> = {
            let mut waiting = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = waiting.drain().map(|(token, (at, peer))| TokenUse {
                public_id: token.to_string(),
                at,
                from: peer.describe(),
            });
            waiting.collect()
        };
        if !uses.is_empty()
            && let Err(error) = db.token_touch(&uses).await
        {
            tracing::debug!(%error, "uses of tokens could not be noted");
        }
    }

    fn look_up(&self, public_id: &str, secret: &str) -> Option<Result<Caller, Refusal>> {
        let known = self.known.load();
        let token = known.get(public_id)?;
        let valid = token.hash.matches(secret) && token.expires_at.is_none_or(|expiry| expiry > Timestamp::now());
        Some(if valid {
            Ok(token.caller.clone())
        } else {
            Err(Refusal::Unauthorized)
        })
    }

    fn by_file(&self, bearer: &str) -> Result<Caller, Refusal> {
        self.from_files
            .load()
            .iter()
            .find(|token| token.hash.matches(bearer))
            .map(|token| token.caller.clone())
            .ok_or(Refusal::Unauthorized)
    }

    fn note_use(&self, caller: &Caller, peer: Peer) {
        if caller.token.starts_with("file:") {
            return;
        }
        self.uses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(caller.token.clone(), (Timestamp::now(), peer));
    }

    fn file_stamp(&self) -> Vec<Option<SystemTime>> {
        self.files
            .iter()
            .map(|path| fs::metadata(path).and_then(|file| file.modified()).ok())
            .collect()
    }

    fn read_files(&self) {
        let mut list = Vec::new();
        for (index, path) in self.files.iter().enumerate() {
            match fs::read_to_string(path) {
                Ok(text) => {
                    let token = text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r');
                    if token.len() < MIN_FILE_TOKEN || token.len() > tokens::MAX_LENGTH {
                        tracing::warn!(file = %path.display(), "a token file must hold 16 to 512 characters: ignored");
                        continue;
                    }
                    let caller = Caller {
                        token: format!("file:{index}").into(),
                        scopes: Arc::from([Scope::Scim]),
                        dialect: Dialect::default(),
                        is_loan: false,
                    };
                    list.push(FileToken {
                        hash: SecretHash::of(token),
                        caller,
                    });
                }
                Err(error) => tracing::warn!(file = %path.display(), %error, "a token file cannot be read"),
            }
        }
        self.from_files.store(Arc::new(list));
    }
}

fn known(token: Token) -> Known {
    Known {
        hash: token.hash,
        expires_at: token.expires_at,
        caller: Caller {
            is_loan: token.parent.is_some(),
            token: token.parent.unwrap_or(token.public_id).into(),
            scopes: token.scopes.into(),
            dialect: token.dialect.parse().unwrap_or_default(),
        },
    }
}

/// The token of a `Bearer` credential (RFC 6750 §2.1); the scheme ignores case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= tokens::MAX_LENGTH).then_some(token)
}
