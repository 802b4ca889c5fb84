//! How the signature and the standard claims of a token are verified.

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use openidconnect::core::{CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, IssuerUrl, SignatureVerificationError};

use super::SKEW;

/// What is accepted: never `none`, and nothing keyed with a shared secret, whatever the discovery document says.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// A verifier of issuer, audience, algorithm, signature and times. It has no secret, so HS* cannot be verified at all.
/// Further audiences are for `azp` to explain.
pub(super) fn verifier(client: ClientId, issuer: IssuerUrl, keys: CoreJsonWebKeySet) -> CoreIdTokenVerifier<'static> {
    CoreIdTokenVerifier::new_public_client(client, issuer, keys)
        .set_allowed_algs(ALGORITHMS)
        .set_other_audience_verifier_fn(|_| true)
        .set_time_fn(|| instant(Timestamp::now().as_second() - SKEW))
        .set_issue_time_verifier_fn(|issued_at| {
            if issued_at.timestamp() > Timestamp::now().as_second() + SKEW {
                return Err("issued in the future".to_owned());
            }
            Ok(())
        })
}

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Whether newer keys could make the token valid.
pub(super) fn may_be_rotated(error: &ClaimsVerificationError) -> bool {
    matches!(
        error,
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey
                | SignatureVerificationError::AmbiguousKeyId(_)
                | SignatureVerificationError::InvalidKey(_)
                | SignatureVerificationError::CryptoError(_)
        )
    )
}

/// What is wrong with a token, without anything that stands in it.
pub(super) fn what(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "the token has expired, or comes from the future",
        ClaimsVerificationError::InvalidAudience(_) => "the token is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "the token is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "the token is of another sign-in (nonce)",
        ClaimsVerificationError::InvalidSubject(_) => "the token's subject is not valid",
        ClaimsVerificationError::SignatureVerification(error) => match error {
            SignatureVerificationError::NoMatchingKey => "the token's key is not among the provider's",
            SignatureVerificationError::AmbiguousKeyId(_) => "the token does not say which key signed it",
            SignatureVerificationError::DisallowedAlg(_) | SignatureVerificationError::UnsupportedAlg(_) => {
                "the token's algorithm is not accepted"
            }
            SignatureVerificationError::NoSignature => "the token is not signed",
            _ => "the token's signature is wrong",
        },
        _ => "the token is not valid",
    }
}
