//! The site's rules for sign-in, and what they make of an assertion.

use std::path::Path;

use anyhow::Context;
use regex::Regex;
use serde_json::{Map, json};

use super::assertion::{Assertion, Groups};
use super::claims;
use super::groups::canonical;
use super::refusal::{Reason, Refusal};
use super::rewrite::RewriteRule;
use crate::config::{Config, Overage};
use crate::db::logins::{ClaimedGroup, LoginDraft, LoginRules, Profile};
use crate::fold::{check_name, compose, fold};
use crate::posix;
use crate::scim::dialect::Dialect;
use crate::scim::document::normalise;
use crate::scim::limits::NAME_CHARACTERS;
use crate::scim::schema::ResourceType;
use crate::scim::user::UserDraft;
use crate::telemetry::metrics::METRICS;

/// Where Linux says which uids are people's.
const LOGIN_DEFS: &str = "/etc/login.defs";

/// Lowest uid that may sign in where neither the site nor login.defs says.
const DEFAULT_MINIMUM_UID: u32 = 1000;

/// Longest subject, in bytes (OpenID Connect Core §2 allows 255; a SAML `NameID` is longer at times).
const SUBJECT_BYTES: usize = 1024;

/// The site's rules.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What the database needs of them.
    pub login: LoginRules,
    rewrite: Option<RewriteRule>,
    user_name_rule: Regex,
    refused_groups: Option<Regex>,
    overage: Overage,
}

/// An assertion after canonicalisation and checks.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// For the database.
    pub draft: LoginDraft,
    /// The user name after the rewrite rule, as a new user would get it.
    pub user_name: String,
}

impl Rules {
    /// The rules that the settings say. Raises a rewrite rule or pattern that is none.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let (access, provisioning) = (&config.access, &config.provisioning);
        let refused = access.refused_group_names.as_deref();
        Ok(Self {
            login: LoginRules {
                register: provisioning.enabled && provisioning.register_on_first_login,
                scope: provisioning.reconcile_scope.as_str(),
                required: access.required_user_groups.iter().map(|name| fold(name)).collect(),
                minimum_uid: access
                    .minimum_user_id
                    .or_else(|| uid_min(Path::new(LOGIN_DEFS)))
                    .unwrap_or(DEFAULT_MINIMUM_UID)
                    .into(),
            },
            rewrite: access
                .user_rewrite_rule
                .as_deref()
                .map(RewriteRule::parse)
                .transpose()?,
            user_name_rule: Regex::new(&format!("^(?:{})$", provisioning.user_name_rule))
                .context("posix-user-name-rule is not a regular expression")?,
            refused_groups: refused
                .map(Regex::new)
                .transpose()
                .context("auth-groups-refused-names is not a regular expression")?,
            overage: access.overage,
        })
    }

    /// Checks an assertion and puts it into the form that the database compares. Raises `user_name`, `attribute`,
    /// `malformed_groups`, `overage`.
    pub fn prepare(&self, assertion: &Assertion) -> Result<Prepared, Refusal> {
        let user_name = self.user_name(&assertion.user_name)?;
        let groups = match &assertion.groups {
            Groups::Unknown => None,
            Groups::Overage => {
                let method = assertion.method.as_str();
                METRICS.groups_overage.with_label_values(&[method]).inc();
                if self.overage == Overage::Refuse {
                    return Err(Refusal::new(Reason::Overage, "the provider did not list the groups"));
                }
                tracing::warn!(
                    method,
                    "the provider did not list the groups: memberships stay as they are"
                );
                None
            }
            Groups::Listed(names) => Some(self.groups(names)?),
        };
        if assertion
            .subject
            .as_ref()
            .is_some_and(|subject| subject.len() > SUBJECT_BYTES)
        {
            return Err(Refusal::new(Reason::Attribute, "the subject is too long"));
        }
        let mut draft = LoginDraft {
            user_name_key: fold(&user_name),
            provider: assertion.provider.clone(),
            subject: assertion.subject.clone(),
            at: assertion.issued_at,
            profile: self.profile(assertion)?,
            groups,
            hash: [0; 32],
        };
        draft.hash = claims::hash(&draft, self.login.scope);
        Ok(Prepared { draft, user_name })
    }

    /// Listed groups in the form that the database compares. Raises `malformed_groups`.
    pub fn groups(&self, names: &[String]) -> Result<Vec<ClaimedGroup>, Refusal> {
        canonical(names, self.refused_groups.as_ref())
    }

    fn user_name(&self, sent: &str) -> Result<String, Refusal> {
        let refuse = |detail: &str| Err(Refusal::new(Reason::UserName, detail));
        if sent.len() > 4 * NAME_CHARACTERS {
            return refuse("the user name is too long");
        }
        let name = compose(sent.trim());
        let name = match &self.rewrite {
            Some(rule) => rule.apply(&name).trim().to_owned(),
            None => name.into_owned(),
        };
        if name.chars().count() > NAME_CHARACTERS {
            return refuse("the user name is too long");
        }
        match check_name(&name) {
            Ok(()) => Ok(name),
            Err(fault) => refuse(&format!("the user name is refused: {fault}")),
        }
    }

    fn profile(&self, assertion: &Assertion) -> Result<Profile, Refusal> {
        let refuse = |detail: &str| Err(Refusal::new(Reason::Attribute, detail));
        let claims = &assertion.claims;
        // parse(), which also takes a sign, decides on digits alone.
        let number = |text: &str| {
            let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u32>().ok().filter(|_| is_digits)
        };
        let uid = match claims.posix_id.as_deref().map(number) {
            None => None,
            Some(Some(uid)) if i64::from(uid) >= self.login.minimum_uid => Some(i64::from(uid)),
            Some(Some(_)) => {
                return Err(Refusal::new(
                    Reason::MinimumUid,
                    "the claimed POSIX id is below auth-minimum-user-id",
                ));
            }
            Some(None) => return refuse("the claimed POSIX id is not a number"),
        };
        if claims
            .posix_name
            .as_ref()
            .is_some_and(|name| !self.user_name_rule.is_match(name))
        {
            return refuse("the claimed POSIX name does not fit posix-user-name-rule");
        }
        if let Some(Err(fault)) = claims.home.as_deref().map(posix::check_home) {
            return refuse(&format!("the claimed home directory is refused: {fault}"));
        }
        Ok(Profile {
            display_name: claims.display_name.clone(),
            email: claims.email.clone(),
            posix_name: claims.posix_name.clone(),
            uid,
            home: claims.home.clone(),
        })
    }
}

impl Prepared {
    /// What the user is created from, if he has to be: the same document as SCIM would send. Raises `attribute`.
    pub fn user_draft(&self) -> Result<UserDraft, Refusal> {
        let profile = &self.draft.profile;
        let mut body = Map::new();
        body.insert("userName".into(), self.user_name.as_str().into());
        if let Some(name) = &profile.display_name {
            body.insert("displayName".into(), name.as_str().into());
        }
        if let Some(email) = &profile.email {
            body.insert("emails".into(), json!([{"value": email, "primary": true}]));
        }
        let mut draft = UserDraft::from_document(&normalise(ResourceType::User, body, Dialect::Strict)?)?;
        draft.posix_name.clone_from(&profile.posix_name);
        draft.uid = profile.uid;
        draft.home.clone_from(&profile.home);
        Ok(draft)
    }
}

/// `UID_MIN` of a login.defs(5) file.
fn uid_min(path: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == "UID_MIN").then(|| words.next()?.parse().ok())?
    })
}
