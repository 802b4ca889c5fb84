//! From verified claims to an assertion: which claim means what is the site's choice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::invalid;
use crate::config::OpenId as Settings;
use crate::login::assertion::{Assertion, Claims, Groups, Method};
use crate::login::claims::text_of;
use crate::login::refusal::{Reason, Refusal};

/// The claims of a token whose signature has been verified, exactly as they were signed.
pub(super) fn signed(token: &str) -> Result<Map<String, Value>, Refusal> {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| invalid("the token cannot be decoded"))?;
    serde_json::from_slice(&bytes).map_err(|_| invalid("the token's claims are no JSON object"))
}

/// A claim that is text and not empty.
pub(super) fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    claims
        .get(name)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// OpenID Connect Core §3.1.3.7, rules 4 and 5: several audiences need `azp`, and `azp` must be us.
pub(super) fn check_authorized_party(claims: &Map<String, Value>, client: &str) -> Result<(), Refusal> {
    let audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    match claims.get("azp") {
        None if audiences > 1 => Err(invalid("the token has several audiences and no authorized party")),
        None => Ok(()),
        Some(party) if party == client => Ok(()),
        Some(_) => Err(invalid("the token was issued to another client")),
    }
}

/// Whether the ID token has every claim that is configured, so that the userinfo endpoint need not be asked.
pub(super) fn is_complete(settings: &Settings, claims: &Map<String, Value>) -> bool {
    let names = [
        Some(&settings.username_claim),
        Some(&settings.email_claim),
        Some(&settings.name_claim),
        settings.posix_id_claim.as_ref(),
        settings.posix_name_claim.as_ref(),
        settings.homedir_claim.as_ref(),
    ];
    let has_groups = claims.contains_key(&settings.groups_claim) || is_overage(settings, claims);
    has_groups && names.into_iter().flatten().all(|name| claims.contains_key(name))
}

/// Entra's marker that there are groups and that they are not listed: a distributed claim (§5.6.2), whose address is never
/// followed, or `hasgroups`.
fn is_overage(settings: &Settings, claims: &Map<String, Value>) -> bool {
    let distributed = claims
        .get("_claim_names")
        .and_then(|names| names.get(&settings.groups_claim));
    let has_groups = claims.get("hasgroups").is_some_and(|has| has == true || has == "true");
    distributed.is_some() || has_groups
}

/// The assertion that the claims make; what the ID token lacks is taken from userinfo. Raises `user_name`, `attribute`,
/// `malformed_groups`.
pub(super) fn assertion(
    settings: &Settings,
    provider: String,
    subject: String,
    id_token: &Map<String, Value>,
    userinfo: &Map<String, Value>,
) -> Result<Assertion, Refusal> {
    let claim = |name: &str| id_token.get(name).or_else(|| userinfo.get(name));
    let value = |name: Option<&String>| name.map_or(Ok(None), |name| text_of(claim(name)));
    let user_name = match claim(&settings.username_claim) {
        Some(Value::String(name)) if !name.trim().is_empty() => name.clone(),
        _ => {
            return Err(Refusal::new(
                Reason::UserName,
                "the username claim is absent, empty or no text",
            ));
        }
    };
    let groups = match claim(&settings.groups_claim) {
        None if is_overage(settings, id_token) || is_overage(settings, userinfo) => Groups::Overage,
        groups => Groups::from_claim(groups.cloned())?,
    };
    let issued_at = id_token.get("iat").and_then(Value::as_f64);
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds are what is compared")]
    let issued_at = issued_at.and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
    Ok(Assertion {
        method: Method::OpenId,
        provider,
        user_name,
        subject: Some(subject),
        issued_at: Some(issued_at.ok_or_else(|| invalid("the token does not say when it was issued"))?),
        claims: Claims {
            display_name: value(Some(&settings.name_claim))?,
            email: value(Some(&settings.email_claim))?,
            posix_id: value(settings.posix_id_claim.as_ref())?,
            posix_name: value(settings.posix_name_claim.as_ref())?,
            home: value(settings.homedir_claim.as_ref())?,
        },
        groups,
    })
}
