//! Probes and applications of assertions, alone or many in one transaction.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::audit::Origin;
use super::call::Repeat;
use super::gather::{Place, Together, column};
use super::logins::{Applied, Change, ClaimedGroup, LoginDraft, LoginRules, Probe, login_user};
use super::pool::Database;
use super::users::draft_value;
use crate::error::Error;
use crate::posix;
use crate::scim::user::UserDraft;

/// Claimed groups above which an assertion counts for more than one.
const GROUPS: usize = 50;

/// A probe that waits for its turn.
pub(super) struct ProbeCall {
    pub(super) user_name_key: String,
    pub(super) provider: String,
    pub(super) hash: [u8; 32],
    pub(super) required: Arc<[String]>,
}

impl Together for ProbeCall {
    type Outcome = Option<Probe>;

    fn place(db: &Database) -> &Place<Self> {
        &db.probes
    }

    fn goes_with(&self, other: &Self) -> bool {
        self.required == other.required
    }

    async fn alone(&self, db: &Database) -> Result<Option<Probe>, Error> {
        let mut outcomes = Self::all(db, std::slice::from_ref(self)).await?;
        Ok(outcomes.pop().flatten())
    }

    async fn all(db: &Database, calls: &[Self]) -> Result<Vec<Option<Probe>>, Error> {
        let required: &[String] = calls.first().map_or(&[], |call| &call.required);
        let rows = db
            .read(
                "login_probes",
                "select * from api.login_probes($1, $2, $3, $4)",
                &[
                    (&column(calls, |call| call.user_name_key.as_str()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.provider.as_str()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.hash.as_slice()), Type::BYTEA_ARRAY),
                    (&required, Type::TEXT_ARRAY),
                ],
            )
            .await?;
        let mut outcomes: Vec<Option<Probe>> = calls.iter().map(|_| None).collect();
        for row in &rows {
            let place = usize::try_from(row.get::<_, i64>("number") - 1).unwrap_or(usize::MAX);
            if let Some(outcome) = outcomes.get_mut(place) {
                *outcome = Some(Probe {
                    user: login_user(row),
                    unchanged: row.get("unchanged"),
                });
            }
        }
        Ok(outcomes)
    }
}

/// An assertion that waits to be applied.
pub(super) struct ApplyCall {
    pub(super) draft: LoginDraft,
    pub(super) rules: LoginRules,
    /// The user, if the probe found him.
    pub(super) known: Option<Uuid>,
    /// Under which id he is created otherwise.
    pub(super) id: Uuid,
    pub(super) user: UserDraft,
    pub(super) origin: Origin,
}

impl ApplyCall {
    /// Whether `api.logins_apply` may take it: it does not refuse users, and reads no assertion that is silent about groups.
    fn is_plain(&self) -> bool {
        self.draft.groups.is_some() && (self.known.is_some() || self.rules.register && self.rules.required.is_empty())
    }

    /// The draft of the user.
    fn user_value(&self) -> Value {
        let mut value = draft_value(self.id, &self.user);
        value["posix_name_derived"] = posix::derive_user_name(&self.user.user_name).into();
        value
    }
}

impl Together for ApplyCall {
    type Outcome = Applied;

    fn place(db: &Database) -> &Place<Self> {
        &db.applications
    }

    fn goes_with(&self, other: &Self) -> bool {
        self.is_plain() && other.is_plain() && self.rules == other.rules
    }

    /// Each claimed group is compared with each membership.
    fn weight(&self) -> usize {
        1 + self.draft.groups.as_ref().map_or(0, Vec::len) / GROUPS
    }

    /// `api.login_apply`.
    async fn alone(&self, db: &Database) -> Result<Applied, Error> {
        let groups = self.draft.groups.as_deref();
        let column = |of: fn(&ClaimedGroup) -> String| groups.map(|list| list.iter().map(of).collect::<Vec<_>>());
        let (keys, names) = (column(|group| group.key.clone()), column(|group| group.name.clone()));
        let posix = column(|group| posix::derive_group_name(&group.name));
        let rows = db
            .write(
                "login_apply",
                Repeat::Idempotent,
                "select * from api.login_apply($1, $2, $3, $4, $5, $6, $7)",
                &[
                    (&Json(&login_value(&self.draft, &self.rules, &self.user)), Type::JSONB),
                    (&Json(&self.user_value()), Type::JSONB),
                    (&keys, Type::TEXT_ARRAY),
                    (&names, Type::TEXT_ARRAY),
                    (&posix, Type::TEXT_ARRAY),
                    (&Json(db.options.value()), Type::JSONB),
                    (&Json(&self.origin.value()), Type::JSONB),
                ],
            )
            .await?;
        let row = rows
            .first()
            .ok_or_else(|| Error::Internal("api.login_apply gave no row".into()))?;
        match row.get::<_, String>("outcome") {
            outcome if outcome == "applied" => Ok(Applied::Done {
                user: login_user(row),
                change: Change {
                    created: row.get("created"),
                    updated: row.get("updated"),
                    added: row.get("added"),
                    removed: row.get("removed"),
                    groups_created: row.get("groups_created"),
                },
            }),
            outcome => Ok(Applied::Refused(outcome)),
        }
    }

    /// `api.logins_apply`.
    async fn all(db: &Database, calls: &[Self]) -> Result<Vec<Applied>, Error> {
        let Some(first) = calls.first() else {
            return Ok(Vec::new());
        };
        let ids = column(calls, |call| call.known.unwrap_or(call.id));
        let mut keys: Vec<&str> = Vec::new();
        // Which of the keys are whose, counted from 1.
        let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
        for call in calls {
            firsts.push(place(keys.len() + 1)?);
            keys.extend(call.draft.groups.iter().flatten().map(|group| group.key.as_str()));
            lasts.push(place(keys.len())?);
        }
        let rows = db
            .write(
                "logins_apply",
                Repeat::Many,
                "select * from api.logins_apply($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
                &[
                    (&ids, Type::UUID_ARRAY),
                    (&column(calls, |call| call.draft.user_name_key.as_str()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.known.is_none().then(|| Json(call.user_value()))), Type::JSONB_ARRAY),
                    (&column(calls, |call| Json(profile_value(&call.draft, &call.user))), Type::JSONB_ARRAY),
                    (&column(calls, |call| call.draft.provider.as_str()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.draft.subject.as_deref()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.draft.at), Type::TIMESTAMPTZ_ARRAY),
                    (&column(calls, |call| call.draft.hash.as_slice()), Type::BYTEA_ARRAY),
                    (&firsts, Type::INT4_ARRAY),
                    (&lasts, Type::INT4_ARRAY),
                    (&keys, Type::TEXT_ARRAY),
                    (&first.rules.scope, Type::TEXT),
                    (&first.rules.minimum_uid, Type::INT8),
                    (&&first.rules.required[..], Type::TEXT_ARRAY),
                    (&column(calls, |call| call.origin.actor.as_str()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.origin.request_id.as_str()), Type::TEXT_ARRAY),
                    (&column(calls, |call| call.origin.address.as_deref()), Type::TEXT_ARRAY),
                    (&Json(db.options.value()), Type::JSONB),
                ],
            )
            .await?;
        ids.iter()
            .map(|id| {
                let row = rows.iter().find(|row| row.get::<_, Uuid>("id") == *id);
                let row = row.ok_or_else(|| Error::Internal("api.logins_apply left one out".into()))?;
                Ok(Applied::Done {
                    user: login_user(row),
                    change: Change {
                        created: row.get("created"),
                        added: row.get("added"),
                        removed: row.get("removed"),
                        ..Change::default()
                    },
                })
            })
            .collect()
    }
}

fn place(number: usize) -> Result<i32, Error> {
    i32::try_from(number).map_err(|_| Error::TooMuchWork)
}

/// The claimed fields: `p_profile` of the contract.
fn profile_value(draft: &LoginDraft, user: &UserDraft) -> Value {
    let mut profile = Map::new();
    let claimed = &draft.profile;
    if let Some(name) = &claimed.display_name {
        profile.insert("display_name".into(), name.as_str().into());
        profile.insert("display_name_key".into(), user.display_name_key.clone().into());
        profile.insert("gecos".into(), user.gecos.clone().into());
    }
    if let Some(email) = &claimed.email {
        profile.insert("email".into(), email.as_str().into());
        profile.insert("email_key".into(), user.email_keys.first().cloned().into());
    }
    if let Some(name) = &claimed.posix_name {
        profile.insert("posix_name".into(), name.as_str().into());
    }
    if let Some(uid) = claimed.uid {
        profile.insert("uid".into(), uid.into());
    }
    if let Some(home) = &claimed.home {
        profile.insert("home".into(), home.as_str().into());
    }
    Value::Object(profile)
}

/// `p_login` of the contract.
fn login_value(draft: &LoginDraft, rules: &LoginRules, user: &UserDraft) -> Value {
    json!({
        "user_name_key": draft.user_name_key,
        "provider": draft.provider,
        "subject": draft.subject,
        "at": draft.at,
        "hash": crate::tokens::SecretHash(draft.hash).hex(),
        "scope": rules.scope,
        "register": rules.register,
        "required": &rules.required[..],
        "minimum_uid": rules.minimum_uid,
        "profile": profile_value(draft, user),
    })
}
