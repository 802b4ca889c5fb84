//! What every handler shares: the database, the tokens, the limits and the address of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use regex::Regex;

use super::admission::Admission;
use super::authenticate::Tokens;
use super::nss::{FeedAnswers, LastAnswers, Nodes};
use super::rate_limit::RateLimit;
use super::request_log::RequestLog;
use crate::config::{Config, PublicUrl};
use crate::db::Database;
use crate::login::health::Health;
use crate::login::openid::OpenId;
#[cfg(feature = "saml")]
use crate::login::saml::Saml;
use crate::login::sessions::Sessions;
use crate::login::{ProxyHeaders, Rules, SignIns};
use crate::scim::limits::Limits;
use tokio::sync::Semaphore;

/// Shared by all requests; cheap to clone.
pub type State = Arc<Shared>;

/// See the module.
pub struct Shared {
    /// The database.
    pub db: Database,
    /// Every setting.
    pub config: Config,
    /// Where clients reach the API listener.
    pub base_url: PublicUrl,
    /// `base_url` with `/scim/v2` behind it.
    pub scim_base: String,
    /// The bearer tokens this replica knows.
    pub tokens: Arc<Tokens>,
    /// How much each token may ask.
    pub rate_limit: RateLimit,
    /// How many requests are worked on at once.
    pub admission: Admission,
    /// The last requests of each token.
    pub request_log: RequestLog,
    /// What nodes were told last, for when no database answers.
    pub last_answers: LastAnswers,
    /// What nodes that follow the change feed were told a moment ago.
    pub feed_answers: FeedAnswers,
    /// Which nodes have asked.
    pub nodes: Nodes,
    /// Bodies above the usual limit that are held at once.
    pub large_bodies: Arc<Semaphore>,
    /// Whether the replica may be sent requests.
    pub readiness: Readiness,
    /// The site's rules for sign-in.
    pub login_rules: Rules,
    /// Sign-ins that are not noted yet.
    pub sign_ins: SignIns,
    /// The sessions this replica knows.
    pub sessions: Arc<Sessions>,
    /// How the identity providers are, for the administrators' pages.
    pub health: Health,
    /// The provider of OpenID Connect, when people sign in by it.
    pub openid: Option<Arc<OpenId>>,
    /// The provider of SAML, when people sign in by it.
    #[cfg(feature = "saml")]
    pub saml: Option<Arc<Saml>>,
    /// How identity headers are read, when a proxy signs people in.
    pub proxy_headers: Option<ProxyHeaders>,
    /// What a POSIX user name must match as a whole.
    pub user_name_rule: Regex,
}

impl Shared {
    /// The limits of the SCIM language under the settings of this replica.
    pub fn scim_limits(&self) -> Limits {
        let scim = &self.config.scim;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Limits {
            bulk_bytes: scim.large_body_limit,
            default_count: count(scim.default_page_size),
            max_count: count(scim.max_results),
            ..Limits::default()
        }
    }
}

/// Compiles the rule for POSIX user names so that it matches whole names only.
pub fn user_name_rule(rule: &str) -> anyhow::Result<Regex> {
    Regex::new(&format!("^(?:{rule})$")).context("posix-user-name-rule is not a regular expression")
}

/// Whether the replica may be sent requests. The state of the database is not part of it once the replica has been
/// ready: a failover must not empty the balancer.
#[derive(Debug, Default)]
pub struct Readiness {
    schema: AtomicBool,
    outgrown: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// The schema is new enough: ready, for good.
    pub fn schema_is_there(&self) {
        self.schema.store(true, Ordering::Relaxed);
    }

    /// Whether a later release has changed the schema so that this one cannot work with it.
    pub fn outgrow(&self, outgrown: bool) {
        self.outgrown.store(outgrown, Ordering::Relaxed);
    }

    /// The process is about to end.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the process is about to end.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Why the replica is not ready, or `None` when it is.
    pub fn obstacle(&self) -> Option<&'static str> {
        if self.is_draining() {
            Some("draining")
        } else if self.outgrown.load(Ordering::Relaxed) {
            Some("the schema is of a later release, which this one cannot work with")
        } else if self.schema.load(Ordering::Relaxed) {
            None
        } else {
            Some("waiting for the schema")
        }
    }
}
