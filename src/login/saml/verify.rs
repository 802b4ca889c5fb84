//! Verifying a response: the screen, samael, and the conditions that samael leaves to its caller (SAML profiles §4.1.4.3).

use std::time::Duration;

use chrono::TimeDelta;
use jiff::Timestamp;
use samael::crypto::{AllowedSignatureAlgorithm, ReduceMode};
use samael::schema::Assertion;
use samael::service_provider::ServiceProvider;

use super::metadata::Known;
use super::{invalid, screen};
use crate::login::refusal::Refusal;

/// RSA and ECDSA with SHA-2; SHA-1 never.
const ALGORITHMS: [AllowedSignatureAlgorithm; 6] = [
    AllowedSignatureAlgorithm::RsaSha256,
    AllowedSignatureAlgorithm::RsaSha384,
    AllowedSignatureAlgorithm::RsaSha512,
    AllowedSignatureAlgorithm::EcdsaSha256,
    AllowedSignatureAlgorithm::EcdsaSha384,
    AllowedSignatureAlgorithm::EcdsaSha512,
];

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What a response must answer.
#[derive(Debug)]
pub(super) struct Expected {
    /// Who we are.
    pub entity_id: String,
    /// Where responses are delivered.
    pub acs_url: String,
    /// The request that this browser has sent.
    pub request_id: String,
    /// The format of the NameID that was asked for.
    pub name_id_format: Option<String>,
    /// Longest time between issue and delivery.
    pub max_issue_delay: Duration,
    /// How far the provider's clock may differ.
    pub max_clock_skew: Duration,
}

/// An assertion that has been verified.
#[derive(Debug)]
pub(super) struct Verified {
    /// Its id.
    pub id: String,
    /// Until when it could be used again.
    pub usable_until: Timestamp,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The NameID and its format.
    pub name_id: Option<(String, Option<String>)>,
    /// The provider's name of its session.
    pub session_index: Option<String>,
    /// Attributes in the order of the assertion: name, values.
    pub attributes: Vec<(String, Vec<String>)>,
}

/// Verifies a response. Raises `invalid_assertion` and `provider_refused`.
pub(super) fn verify(xml: &str, provider: &Known, expected: &Expected) -> Result<Verified, Refusal> {
    let shell = screen::response(xml)?;
    // samael compares both too, but only when the response itself is signed.
    if shell
        .destination
        .is_some_and(|destination| destination != expected.acs_url)
    {
        return Err(invalid("the response is addressed to another service"));
    }
    if shell.in_response_to.as_deref() != Some(expected.request_id.as_str()) {
        return Err(invalid("the response does not answer the request of this browser"));
    }
    let service_provider = ServiceProvider {
        entity_id: Some(expected.entity_id.clone()),
        metadata_url: Some(expected.entity_id.clone()),
        acs_url: Some(expected.acs_url.clone()),
        idp_metadata: provider.descriptor.clone(),
        allow_idp_initiated: false,
        max_issue_delay: span(expected.max_issue_delay),
        max_clock_skew: span(expected.max_clock_skew),
        allowed_signature_algorithms: Some(ALGORITHMS.to_vec()),
        ..ServiceProvider::default()
    };
    // Metadata without keys would make samael believe anything; it is never stored, and this is the second lock.
    if !matches!(service_provider.idp_signing_certs(), Ok(Some(keys)) if !keys.is_empty()) {
        return Err(invalid("the provider has no key for signatures"));
    }
    let request_ids = [expected.request_id.as_str()];
    let assertion = service_provider
        .parse_xml_response_with_mode(xml, Some(&request_ids), ReduceMode::default())
        .map_err(|error| invalid(what(&error)))?;
    check(assertion, expected)
}

fn span(duration: Duration) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 1_000))
}

fn instant(at: chrono::DateTime<chrono::Utc>) -> Timestamp {
    Timestamp::from_second(at.timestamp()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What samael does not look at.
fn check(assertion: Assertion, expected: &Expected) -> Result<Verified, Refusal> {
    let now = Timestamp::now();
    let skew = i64::try_from(expected.max_clock_skew.as_secs()).unwrap_or(i64::MAX);
    let issued_at = instant(assertion.issue_instant);
    if issued_at.as_second() > now.as_second().saturating_add(skew) {
        return Err(invalid("the assertion was issued in the future"));
    }
    if assertion.version != "2.0" || assertion.id.is_empty() || assertion.id.len() > 1024 {
        return Err(invalid("the assertion has no usable id, or another version"));
    }
    let conditions = assertion
        .conditions
        .ok_or_else(|| invalid("the assertion has no conditions"))?;
    let mut audiences = conditions.audience_restrictions.iter().flatten().peekable();
    let is_for_us = audiences.peek().is_some()
        && audiences.all(|restriction| {
            restriction
                .audience
                .iter()
                .any(|audience| audience.trim() == expected.entity_id)
        });
    if !is_for_us {
        return Err(invalid("the assertion does not name us as its audience"));
    }
    let subject = assertion
        .subject
        .ok_or_else(|| invalid("the assertion has no subject"))?;
    let confirmations: Vec<_> = subject
        .subject_confirmations
        .iter()
        .flatten()
        .filter(|confirmation| confirmation.method.as_deref() == Some(BEARER))
        .collect();
    let [confirmation] = confirmations.as_slice() else {
        return Err(invalid("the assertion does not have exactly one bearer confirmation"));
    };
    let data = confirmation.subject_confirmation_data.as_ref();
    let data = data.ok_or_else(|| invalid("the bearer confirmation says nothing"))?;
    if data.recipient.as_deref() != Some(expected.acs_url.as_str()) {
        return Err(invalid("the assertion is for another recipient"));
    }
    let ends = [conditions.not_on_or_after, data.not_on_or_after]
        .into_iter()
        .flatten()
        .map(instant);
    let last = ends.max().ok_or_else(|| invalid("the assertion never expires"))?;
    let name_id = subject.name_id.map(|name_id| (name_id.value, name_id.format));
    if let (Some(wanted), Some((_, format))) = (&expected.name_id_format, &name_id)
        && format.as_ref() != Some(wanted)
    {
        return Err(invalid("the NameID has another format than was asked for"));
    }
    let mut statements = assertion.authn_statements.into_iter().flatten().peekable();
    if statements.peek().is_none() {
        return Err(invalid("the assertion does not say that the person has signed in"));
    }
    let mut session_index = None;
    for statement in statements {
        let is_over = |end: chrono::DateTime<chrono::Utc>| instant(end).as_second() + skew < now.as_second();
        if statement.session_not_on_or_after.is_some_and(is_over) {
            return Err(invalid("the person's session at the provider is over"));
        }
        session_index = session_index.or(statement.session_index);
    }
    let attributes = assertion
        .attribute_statements
        .into_iter()
        .flatten()
        .flat_map(|statement| statement.attributes);
    let attributes = attributes.filter_map(|attribute| {
        let values = attribute
            .values
            .into_iter()
            .map(|value| value.value.unwrap_or_default());
        Some((attribute.name?, values.collect()))
    });
    Ok(Verified {
        id: assertion.id,
        usable_until: last
            .saturating_add(jiff::SignedDuration::from_secs(skew))
            .unwrap_or(Timestamp::MAX),
        issued_at,
        name_id,
        session_index,
        attributes: attributes.collect(),
    })
}

/// What samael dislikes, without anything that stands in the response.
fn what(error: &samael::service_provider::Error) -> &'static str {
    use samael::service_provider::Error as E;
    match error {
        E::FailedToValidateSignature | E::CryptoXmlError(_) | E::CryptoProviderError(_) => {
            "the signature is missing, wrong, or of an algorithm that is not accepted"
        }
        E::AssertionExpired { .. }
        | E::ResponseExpired { .. }
        | E::AssertionConditionExpired { .. }
        | E::AssertionSubjectConfirmationExpired { .. } => "the response is too old",
        E::AssertionConditionExpiredBefore { .. } | E::AssertionSubjectConfirmationExpiredBefore { .. } => {
            "the response is not valid yet"
        }
        E::AssertionConditionAudienceRestrictionFailed { .. } => "the assertion does not name us as its audience",
        E::AssertionRecipientMismatch { .. } | E::DestinationValidationError { .. } => {
            "the response is addressed to another service"
        }
        E::AssertionInResponseToInvalid { .. } | E::ResponseInResponseToInvalid { .. } => {
            "the response does not answer the request of this browser"
        }
        E::AssertionIssuerMismatch { .. } | E::ResponseIssuerMismatch { .. } => "the response is of another issuer",
        _ => "the response is not valid",
    }
}
