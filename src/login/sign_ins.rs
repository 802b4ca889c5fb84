//! Last sign-ins, gathered in memory and written beside the requests, each user at most every five minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::db::Database;
use crate::db::logins::SignInNote;

/// How long a noted sign-in speaks for the later ones of the same user.
const INTERVAL: Duration = Duration::from_mins(5);

/// Most users in one batch.
const BATCH: usize = 5_000;

/// Sign-ins that are not written yet.
#[derive(Debug, Default)]
pub struct SignIns {
    waiting: Mutex<HashMap<Uuid, SignInNote>>,
    written: Mutex<HashMap<Uuid, Instant>>,
}

impl SignIns {
    /// Notes a sign-in. One that follows a written one within five minutes is dropped; beyond 5,000 users in one second so
    /// are the rest.
    pub fn note(&self, note: SignInNote) {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.get(&note.user_id).is_some_and(|at| at.elapsed() < INTERVAL) {
            return;
        }
        drop(written);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < BATCH || waiting.contains_key(&note.user_id) {
            waiting.insert(note.user_id, note);
        }
    }

    /// Writes what waits.
    pub async fn flush(&self, db: &Database) {
        let notes: Vec<SignInNote> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.drain().map(|(_, note)| note).collect()
        };
        if notes.is_empty() {
            return;
        }
        match db.sign_ins_note(&notes).await {
            Ok(()) => {
                let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                written.retain(|_, at| at.elapsed() < INTERVAL);
                let now = Instant::now();
                written.extend(notes.into_iter().map(|note| (note.user_id, now)));
            }
            Err(error) => tracing::debug!(%error, "sign-ins could not be noted"),
        }
    }
}
