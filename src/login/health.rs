//! How the identity providers are: asked when somebody looks, and remembered for a moment, so that looking costs them little.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::openid::OpenId;
#[cfg(feature = "saml")]
use super::saml::Saml;

/// For how long an answer speaks for the next look.
const FRESH: Duration = Duration::from_secs(30);

/// Longest time for asking one provider.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

/// How good something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing to do.
    Good,
    /// Something to look at.
    Warning,
    /// People cannot sign in, or soon cannot.
    Bad,
}

/// One thing that was found of a provider.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `OpenID Connect` or `SAML`.
    pub mechanism: &'static str,
    /// How good it is.
    pub condition: Condition,
    /// What was found.
    pub evidence: String,
}

/// The providers that people sign in by.
#[derive(Clone, Copy)]
pub struct Providers<'a> {
    /// The one of OpenID Connect.
    pub openid: Option<&'a OpenId>,
    /// The one of SAML.
    #[cfg(feature = "saml")]
    pub saml: Option<&'a Saml>,
}

/// What was found last.
#[derive(Debug, Default)]
pub struct Health(Mutex<Option<(Instant, Arc<[Finding]>)>>);

impl Health {
    /// Asks the providers, at most every half minute; several who look at once share one answer.
    pub async fn look(&self, providers: Providers<'_>) -> Arc<[Finding]> {
        let mut last = self.0.lock().await;
        if let Some((at, findings)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return Arc::clone(findings);
        }
        let mut findings = Vec::new();
        if let Some(openid) = providers.openid {
            findings.push(openid.health().await);
        }
        #[cfg(feature = "saml")]
        if let Some(saml) = providers.saml {
            findings.extend(saml.health().await);
        }
        let findings: Arc<[Finding]> = findings.into();
        *last = Some((Instant::now(), Arc::clone(&findings)));
        findings
    }
}
