//! From an outside assertion to a provisioned user.
//!
//! Proxied headers, ID tokens, SAML responses and `POST /api/v1/logins` each become an [`Assertion`]; [`sign_in`] turns it
//! into one call of the contract. Nothing here knows HTTP.

mod assertion;
pub mod certificate;
mod claims;
pub mod groups;
mod headers;
pub mod health;
mod networks;
pub mod openid;
mod refusal;
pub mod return_path;
mod rewrite;
mod rules;
#[cfg(feature = "saml")]
pub mod saml;
pub mod sessions;
mod sign_ins;
#[cfg(test)]
mod tests;

use uuid::Uuid;

pub use assertion::{Assertion, Claims, Groups, Method};
pub use claims::text_of as claim_text;
pub use headers::ProxyHeaders;
pub use refusal::{Reason, Refusal, count_from_zero};
pub use rules::{Prepared, Rules};
pub use sign_ins::SignIns;

use crate::db::logins::{Applied, Change, LoginRules, LoginUser, Probe, SignInNote};
use crate::db::{Database, Origin};
use crate::error::Error;
use crate::telemetry::metrics::METRICS;

/// A user who has been let in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user.
    pub user: LoginUser,
    /// His userName after the rewrite rule.
    pub user_name: String,
    /// What the sign-in changed.
    pub change: Change,
}

/// Lets the person of an assertion in: finds or creates the user and reconciles his groups, all or nothing, committed
/// before it returns. Whatever goes wrong is a refusal; the log says why, under `origin.request_id`.
pub async fn sign_in(
    db: &Database,
    rules: &Rules,
    sign_ins: &SignIns,
    assertion: &Assertion,
    origin: &Origin,
) -> Result<SignedIn, Refusal> {
    let outcome = db.as_one_change(attempt(db, rules, sign_ins, assertion, origin)).await;
    let method = assertion.method.as_str();
    match &outcome {
        Ok(signed_in) => {
            let change = &signed_in.change;
            let word = match change {
                change if change.created => "created",
                change if change.is_empty() => "unchanged",
                _ => "updated",
            };
            METRICS.jit_logins.with_label_values(&[method, word, ""]).inc();
            count(change);
            tracing::info!(
                request_id = origin.request_id,
                method,
                outcome = word,
                user_id = %signed_in.user.id,
                groups_added = change.added.len(),
                groups_removed = change.removed.len(),
                "signed in"
            );
        }
        Err(refusal) => {
            METRICS.reconcile_runs.with_label_values(&["refused"]).inc();
            refusal.note(method, &origin.request_id);
        }
    }
    outcome
}

/// Counts what a sign-in that succeeded changed.
fn count(change: &Change) {
    let word = if change.is_empty() { "unchanged" } else { "changed" };
    METRICS.reconcile_runs.with_label_values(&[word]).inc();
    for (action, number) in [
        ("user_created", u64::from(change.created)),
        ("user_updated", u64::from(change.updated)),
        ("group_created", u64::try_from(change.groups_created).unwrap_or(0)),
        ("member_added", change.added.len() as u64),
        ("member_removed", change.removed.len() as u64),
    ] {
        if number > 0 {
            METRICS.reconcile_changes.with_label_values(&[action]).inc_by(number);
        }
    }
    METRICS
        .reconcile_last_success
        .set(jiff::Timestamp::now().as_millisecond() as f64 / 1000.0);
}

async fn attempt(
    db: &Database,
    rules: &Rules,
    sign_ins: &SignIns,
    assertion: &Assertion,
    origin: &Origin,
) -> Result<SignedIn, Refusal> {
    let prepared = rules.prepare(assertion)?;
    let (draft, login_rules) = (&prepared.draft, &rules.login);
    match db.login_probe(draft, login_rules).await? {
        Some(Probe { user, unchanged: true }) => {
            admit(&user, login_rules.minimum_uid)?;
            sign_ins.note(note(&prepared, &user));
            Ok(SignedIn {
                user,
                user_name: prepared.user_name,
                change: Change::default(),
            })
        }
        // In a box of its own: the future of every sign-in would hold it otherwise, and be moved about with it.
        probe => Box::pin(apply(db, login_rules, sign_ins, prepared, probe, origin)).await,
    }
}

/// The part of a sign-in that changes something.
async fn apply(
    db: &Database,
    login_rules: &LoginRules,
    sign_ins: &SignIns,
    prepared: Prepared,
    probe: Option<Probe>,
    origin: &Origin,
) -> Result<SignedIn, Refusal> {
    let user = prepared.user_draft()?;
    let as_new = (Uuid::now_v7(), user);
    match db
        .login_apply(&prepared.draft, login_rules, probe.as_ref(), as_new, origin)
        .await?
    {
        Applied::Done { user, change } => {
            admit(&user, login_rules.minimum_uid)?;
            sign_ins.note(note(&prepared, &user));
            Ok(SignedIn {
                user,
                user_name: prepared.user_name,
                change,
            })
        }
        Applied::Refused(word) => Err(match word.as_str() {
            "unknown" => Refusal::new(Reason::UnknownUser, "no such user, and sign-in does not create users"),
            "group" => Refusal::new(Reason::RequiredGroup, "not a member of a required group"),
            "locked" => Refusal::new(Reason::Locked, "the user is locked"),
            "subject" => Refusal::new(
                Reason::SubjectMismatch,
                "the name is pinned to another subject of this provider",
            ),
            "stale" => Refusal::new(Reason::Stale, "a later assertion has been applied already"),
            other => Error::Internal(format!("api.login_apply said {other}")).into(),
        }),
    }
}

/// The gates that hold however the user came to be as he is.
fn admit(user: &LoginUser, minimum_uid: i64) -> Result<(), Refusal> {
    if user.locked {
        return Err(Refusal::new(Reason::Locked, "the user is locked"));
    }
    if user.uid < minimum_uid {
        return Err(Refusal::new(
            Reason::MinimumUid,
            format!("uid {} is below auth-minimum-user-id", user.uid),
        ));
    }
    if !user.admitted {
        return Err(Refusal::new(Reason::RequiredGroup, "not a member of a required group"));
    }
    Ok(())
}

fn note(prepared: &Prepared, user: &LoginUser) -> SignInNote {
    SignInNote {
        user_id: user.id,
        provider: prepared.draft.provider.clone(),
        at: jiff::Timestamp::now(),
        claims_at: prepared.draft.at,
    }
}
