//! Reading single values out of claims, and the hash over everything that an assertion says.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::refusal::{Reason, Refusal};
use crate::db::logins::LoginDraft;
use crate::fold::KEY_VERSION;

/// Version of what the hash covers and how; moving it makes every next sign-in compare anew.
const HASH_VERSION: u8 = 1;

/// The text of a claim: absent, `null` and empty say nothing, whole numbers are their digits. Raises `attribute` for arrays,
/// objects and booleans, because several values where one is expected are never guessed at, and for other numbers: beyond 64
/// bits several would be one.
pub fn text_of(claim: Option<&Value>) -> Result<Option<String>, Refusal> {
    match claim {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
        Some(_) => Err(Refusal::new(
            Reason::Attribute,
            "a claim is neither text nor a whole number",
        )),
    }
}

/// SHA-256 over the groups, the claimed fields and the subject, under the rules that decide what they mean.
pub(super) fn hash(draft: &LoginDraft, scope: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([HASH_VERSION]);
    hash.update(KEY_VERSION.to_be_bytes());
    let mut part = |text: Option<&str>| match text {
        None => hash.update([0]),
        Some(text) => {
            hash.update([1]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
    };
    let profile = &draft.profile;
    let uid = profile.uid.map(|uid| uid.to_string());
    part(Some(scope));
    part(draft.subject.as_deref());
    part(profile.display_name.as_deref());
    part(profile.email.as_deref());
    part(profile.posix_name.as_deref());
    part(uid.as_deref());
    part(profile.home.as_deref());
    match &draft.groups {
        None => part(None),
        Some(groups) => {
            part(Some(&groups.len().to_string()));
            for group in groups {
                part(Some(&group.key));
            }
        }
    }
    hash.finalize().into()
}
