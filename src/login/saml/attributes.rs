//! From a verified assertion to ours: which attribute means what is the site's choice; names are compared exactly.

use super::verify::Verified;
use crate::config::Saml as Settings;
use crate::login::assertion::{Assertion, Claims, Groups, Method};
use crate::login::refusal::{Reason, Refusal};

/// The word that stands for the subject in `auth-saml-sp-attribute-username`.
const NAME_ID: &str = "NameID";

/// `NameID`s that change with each sign-in, so that nobody can be pinned to one.
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// What Entra sends in place of the groups when there are too many.
const OVERAGE: &str = "http://schemas.microsoft.com/claims/groups.link";

/// The assertion that the attributes make. Raises `user_name`, `attribute`.
pub(super) fn assertion(settings: &Settings, provider: String, verified: &Verified) -> Result<Assertion, Refusal> {
    let one = |name: Option<&String>| name.map_or(Ok(None), |name| single(verified, name));
    let name_id = verified.name_id.as_ref();
    let user_name = if settings.username_attribute == NAME_ID {
        name_id
            .map(|(value, _)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    } else {
        single(verified, &settings.username_attribute)
            .map_err(|_| Refusal::new(Reason::UserName, "the username attribute has several values"))?
    };
    let user_name =
        user_name.ok_or_else(|| Refusal::new(Reason::UserName, "the username attribute is absent or empty"))?;
    let subject = name_id.filter(|(_, format)| format.as_deref() != Some(TRANSIENT));
    Ok(Assertion {
        method: Method::Saml,
        provider,
        user_name,
        subject: subject.map(|(value, _)| value.trim().to_owned()),
        issued_at: Some(verified.issued_at),
        claims: Claims {
            display_name: one(settings.name_attribute.as_ref())?,
            email: one(settings.email_attribute.as_ref())?,
            posix_id: one(settings.posix_id_attribute.as_ref())?,
            posix_name: one(settings.posix_name_attribute.as_ref())?,
            home: one(settings.homedir_attribute.as_ref())?,
        },
        groups: settings
            .groups_attribute
            .as_ref()
            .map_or(Groups::Unknown, |name| groups(verified, name)),
    })
}

/// The values of an attribute, of all its occurrences; `None` when there is none.
fn values<'a>(verified: &'a Verified, name: &str) -> Option<Vec<&'a str>> {
    let mut found = verified.attributes.iter().filter(|(sent, _)| sent == name).peekable();
    found.peek()?;
    Some(
        found
            .flat_map(|(_, values)| values.iter().map(String::as_str))
            .collect(),
    )
}

/// The value of an attribute that has one; empty counts as absent. Raises `attribute` for several.
fn single(verified: &Verified, name: &str) -> Result<Option<String>, Refusal> {
    match values(verified, name).as_deref() {
        None | Some([]) => Ok(None),
        Some([value]) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Some(_) => Err(Refusal::new(
            Reason::Attribute,
            "an attribute has several values where one is expected",
        )),
    }
}

fn groups(verified: &Verified, name: &str) -> Groups {
    match values(verified, name) {
        Some(values) => Groups::Listed(values.into_iter().map(str::to_owned).collect()),
        None if values(verified, OVERAGE).is_some() => Groups::Overage,
        None => Groups::Unknown,
    }
}
