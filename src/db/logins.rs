//! Sign-ins: the probe of an unchanged one, the transaction of any other, and what they leave behind.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::audit::Origin;
use super::call::Repeat;
use super::login_calls::{ApplyCall, ProbeCall};
use super::pool::Database;
use crate::error::Error;
use crate::scim::user::UserDraft;

/// A group of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedGroup {
    /// The name, folded: what it compares by.
    pub key: String,
    /// The name as sent; a new group shows it.
    pub name: String,
}

/// Fields of the user that the claim says; those it does not say stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The full name.
    pub display_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The POSIX user name.
    pub posix_name: Option<String>,
    /// The POSIX user id.
    pub uid: Option<i64>,
    /// The home directory.
    pub home: Option<String>,
}

/// An assertion, checked and put into the form that the database compares.
#[derive(Debug, Clone)]
pub struct LoginDraft {
    /// The user's name, folded: the key by which he is found.
    pub user_name_key: String,
    /// Who vouches: the part of the key of what is remembered about earlier sign-ins.
    pub provider: String,
    /// The provider's stable name of the person, when it has one.
    pub subject: Option<String>,
    /// When the assertion was made; `None` is the database's present.
    pub at: Option<Timestamp>,
    /// What the claim says of the user.
    pub profile: Profile,
    /// The groups, ordered by key, without duplicates; `None` when the claim says nothing about groups.
    pub groups: Option<Vec<ClaimedGroup>>,
    /// SHA-256 over all of it.
    pub hash: [u8; 32],
}

/// Under which rules an assertion is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRules {
    /// Whether a user who is missing is created.
    pub register: bool,
    /// `all` or `login`: which memberships may be removed.
    pub scope: &'static str,
    /// Groups (folded names) of which the user must be in one; empty, everybody may sign in.
    pub required: Arc<[String]>,
    /// Lowest uid that may sign in.
    pub minimum_uid: i64,
}

/// A user as a sign-in leaves him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginUser {
    /// SCIM id.
    pub id: Uuid,
    /// POSIX name.
    pub posix_name: String,
    /// POSIX user id.
    pub uid: i64,
    /// POSIX id of the primary group.
    pub primary_gid: i64,
    /// Home directory.
    pub home: String,
    /// Login shell; `None` for the site's default.
    pub shell: Option<String>,
    /// Whether he is a Workbench administrator.
    pub admin: bool,
    /// Whether he is locked.
    pub locked: bool,
    /// Whether he is a member of a required group, when one is required.
    pub admitted: bool,
}

/// What the database knows before anything is written.
#[derive(Debug)]
pub struct Probe {
    /// The user.
    pub user: LoginUser,
    /// Whether his last applied assertion of this provider said the same.
    pub unchanged: bool,
}

/// What applying an assertion did.
#[derive(Debug)]
pub enum Applied {
    /// It was applied.
    Done {
        /// The user.
        user: LoginUser,
        /// What changed.
        change: Change,
    },
    /// Nothing was written: `unknown`, `group`, `locked`, `subject` or `stale`.
    Refused(String),
}

/// What a sign-in changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The user is new.
    pub created: bool,
    /// Claimed fields of the user were changed.
    pub updated: bool,
    /// Groups he was added to, by display name.
    pub added: Vec<String>,
    /// Groups he was removed from.
    pub removed: Vec<String>,
    /// How many of them are new.
    pub groups_created: i32,
}

impl Change {
    /// Whether anything was written.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One line of what a sign-in would change.
#[derive(Debug, Clone, Serialize)]
pub struct PreviewLine {
    /// `create`, `add`, `remove` or `keep`.
    pub action: String,
    /// The group.
    pub group: String,
}

/// A sign-in to be noted.
#[derive(Debug, Clone, Serialize)]
pub struct SignInNote {
    /// Who.
    pub user_id: Uuid,
    /// By which provider.
    pub provider: String,
    /// When.
    pub at: Timestamp,
    /// When the assertion was made, if it says.
    pub claims_at: Option<Timestamp>,
}

impl Database {
    /// `api.login_probes`: the user of that name, and whether the assertion says nothing new. Writes nothing. Sign-ins that
    /// come at once share the statement.
    pub async fn login_probe(&self, draft: &LoginDraft, rules: &LoginRules) -> Result<Option<Probe>, Error> {
        self.together(ProbeCall {
            user_name_key: draft.user_name_key.clone(),
            provider: draft.provider.clone(),
            hash: draft.hash,
            required: Arc::clone(&rules.required),
        })
        .await
    }

    /// Creates or updates the user and reconciles his groups, all or nothing. `user` is what he is created from under `id`, if
    /// he has to be; `probe` is what the probe has said. Sign-ins that come at once share the statement.
    pub async fn login_apply(
        &self,
        draft: &LoginDraft,
        rules: &LoginRules,
        probe: Option<&Probe>,
        (id, user): (Uuid, UserDraft),
        origin: &Origin,
    ) -> Result<Applied, Error> {
        self.together(ApplyCall {
            draft: draft.clone(),
            rules: rules.clone(),
            known: probe.map(|probe| probe.user.id),
            id,
            user,
            origin: origin.clone(),
        })
        .await
    }

    /// `api.login_preview`: what a sign-in with these groups would change.
    pub async fn login_preview(
        &self,
        user: Uuid,
        groups: &[ClaimedGroup],
        scope: &str,
    ) -> Result<Vec<PreviewLine>, Error> {
        let keys: Vec<&str> = groups.iter().map(|group| group.key.as_str()).collect();
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        let rows = self
            .read(
                "login_preview",
                "select * from api.login_preview($1, $2, $3, $4)",
                &[
                    (&user, Type::UUID),
                    (&keys, Type::TEXT_ARRAY),
                    (&names, Type::TEXT_ARRAY),
                    (&scope, Type::TEXT),
                ],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| PreviewLine {
                action: row.get("action"),
                group: row.get("display_name"),
            })
            .collect())
    }

    /// `api.login_forget`: forgets which subject the user is pinned to; returns how many pins there were.
    pub async fn login_forget(&self, user: Uuid, provider: Option<&str>, origin: &Origin) -> Result<i64, Error> {
        let rows = self
            .write(
                "login_forget",
                Repeat::Idempotent,
                "select api.login_forget($1, $2, $3)",
                &[
                    (&user, Type::UUID),
                    (&provider, Type::TEXT),
                    (&Json(&origin.value()), Type::JSONB),
                ],
            )
            .await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// `api.sign_ins_note`: notes last sign-ins, a batch at a time.
    pub async fn sign_ins_note(&self, notes: &[SignInNote]) -> Result<(), Error> {
        let value = serde_json::to_value(notes).map_err(|error| Error::Internal(error.to_string()))?;
        self.write(
            "sign_ins_note",
            Repeat::Idempotent,
            "select api.sign_ins_note($1)",
            &[(&Json(&value), Type::JSONB)],
        )
        .await?;
        Ok(())
    }
}

pub(super) fn login_user(row: &Row) -> LoginUser {
    LoginUser {
        id: row.get("id"),
        posix_name: row.get("posix_name"),
        uid: row.get("uid"),
        primary_gid: row.get("primary_gid"),
        home: row.get("home"),
        shell: row.get("shell"),
        admin: row.get("admin"),
        locked: row.get("locked"),
        admitted: row.get("admitted"),
    }
}
