//! A directory that is asked live, by LDAP, a page of entries at a time.

mod ranges;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry};
use rollcall::db::Database;
use rollcall::scim::schema::ResourceType;
use rollcall::transfer::{Attributes, Rules, directory_entry};
use uuid::Uuid;

use super::source::{Collector, Gathered};
use crate::cli::progress::{Unit, bar};
use crate::cli::{Misconfigured, Refused};

/// Entries per page (RFC 2696): no server of note gives less by default.
const PAGE: i32 = 500;

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long the server may take for the next entry.
const ENTRY_LIMIT: Duration = Duration::from_mins(1);

/// What accounts and groups are found by; Active Directory's classes beside those of RFC 2307.
const USERS: &str = "(&(uidNumber=*)(|(objectClass=posixAccount)(objectClass=user)))";
const GROUPS: &str = "(|(objectClass=posixGroup)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)\
                      (objectClass=groupOfMembers)(&(objectClass=group)(gidNumber=*))\
                      (&(uidNumber=*)(objectClass=posixAccount)))";

/// What is asked of each entry.
const ATTRIBUTES: [&str; 16] = [
    "objectClass",
    "uid",
    "sAMAccountName",
    "uidNumber",
    "gidNumber",
    "homeDirectory",
    "unixHomeDirectory",
    "loginShell",
    "sshPublicKey",
    "gecos",
    "cn",
    "displayName",
    "mail",
    "memberUid",
    "member",
    "uniqueMember",
];

/// A directory that is asked live.
#[derive(Debug, Args)]
pub(crate) struct Directory {
    /// Ask this LDAP server (ldaps:, ldap: or ldapi:) instead of reading a file.
    #[arg(id = "ldap_uri", long = "ldap-uri", value_name = "URI", requires = "ldap_base")]
    pub(super) uri: Option<String>,
    /// Where in the tree to look.
    #[arg(id = "ldap_base", long = "ldap-base", value_name = "DN", requires = "ldap_uri")]
    base: Option<String>,
    /// Sign in as this entry; without it anonymously.
    #[arg(id = "ldap_bind_dn", long = "ldap-bind-dn", value_name = "DN", requires_all = ["ldap_uri", "ldap_password_file"])]
    bind_dn: Option<String>,
    /// File that holds the password for it.
    #[arg(
        id = "ldap_password_file",
        long = "ldap-password-file",
        value_name = "FILE",
        requires = "ldap_bind_dn"
    )]
    password_file: Option<PathBuf>,
    /// Ask for these entries instead of all users or groups.
    #[arg(
        id = "ldap_filter",
        long = "ldap-filter",
        value_name = "FILTER",
        requires = "ldap_uri"
    )]
    filter: Option<String>,
    /// Change to TLS (`StartTLS`) before anything is asked.
    #[arg(id = "ldap_start_tls", long = "ldap-start-tls", requires = "ldap_uri")]
    start_tls: bool,
}

impl Directory {
    /// Asks for all entries and stages them as they come. `most`: so many faults and warnings are kept.
    pub(super) async fn stage(
        &self,
        db: &Database,
        import: Uuid,
        rules: &Rules,
        most: usize,
    ) -> anyhow::Result<Gathered> {
        let mut ldap = self.connect().await?;
        let base = self.base.as_deref().unwrap_or_default();
        let filter = self.filter.as_deref().unwrap_or(match rules.resource {
            ResourceType::User => USERS,
            ResourceType::Group => GROUPS,
        });
        let adapters: Vec<Box<dyn Adapter<_, _>>> =
            vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(PAGE))];
        let mut search = ldap
            .streaming_search_with(adapters, base, Scope::Subtree, filter, ATTRIBUTES.to_vec())
            .await
            .context("the directory refuses the search")?;
        let reading = bar("reading", Unit::Rows, None);
        let mut collector = Collector::new(most);
        let mut number = 0;
        while let Some(found) = tokio::time::timeout(ENTRY_LIMIT, search.next())
            .await
            .context("the directory has fallen silent")??
        {
            number += 1;
            reading.inc(1);
            let mut found = SearchEntry::construct(found);
            match ranges::complete(&mut ldap, &mut found, number).await? {
                Err(fault) => collector.take(Err(fault)),
                Ok(()) => {
                    let _ = directory_entry(rules, number, &attributes(number, found), &mut |entry| {
                        collector.take(entry);
                        ControlFlow::Continue(())
                    });
                }
            }
            if let Some(batch) = collector.full() {
                db.import_stage(import, &batch).await?;
            }
        }
        search
            .finish()
            .await
            .success()
            .context("the directory ended the search early")?;
        let _ = ldap.unbind().await;
        reading.finish_and_clear();
        let (rest, gathered) = collector.finish();
        db.import_stage(import, &rest).await?;
        Ok(gathered)
    }

    async fn connect(&self) -> anyhow::Result<Ldap> {
        let uri = self.uri.as_deref().unwrap_or_default();
        if self.bind_dn.is_some() && !self.is_private(uri) {
            let text = "the password would cross the network in clear: use ldaps:, ldapi: or --ldap-start-tls";
            return Err(Refused(text.into()).into());
        }
        if !["ldap://", "ldaps://", "ldapi://"]
            .iter()
            .any(|scheme| uri.starts_with(scheme))
        {
            return Err(Misconfigured(format!("{uri:?} begins with none of ldap://, ldaps://, ldapi://")).into());
        }
        let settings = LdapConnSettings::new()
            .set_conn_timeout(CONNECT_LIMIT)
            .set_starttls(self.start_tls);
        let (connection, mut ldap) = LdapConnAsync::with_settings(settings, uri)
            .await
            .with_context(|| format!("cannot reach {uri}"))?;
        ldap3::drive!(connection);
        if let (Some(dn), Some(file)) = (&self.bind_dn, &self.password_file) {
            let password = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let bound = ldap.simple_bind(dn, password.trim_end_matches(['\n', '\r'])).await?;
            bound.success().context("the directory refuses the sign-in")?;
        }
        Ok(ldap)
    }

    /// Whether nobody on the way can read along.
    fn is_private(&self, uri: &str) -> bool {
        let host = uri.strip_prefix("ldap://").unwrap_or_default();
        let is_local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| {
            host.strip_prefix(local)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        self.start_tls || is_local || uri.starts_with("ldaps://") || uri.starts_with("ldapi://")
    }
}

fn attributes(number: u64, found: SearchEntry) -> Attributes {
    let mut attributes = Attributes::of(found.dn);
    for (name, values) in found.attrs {
        for value in values {
            if value.contains('\0') {
                attributes.add_unreadable(number, name.clone(), value);
            } else {
                attributes.add(name.to_ascii_lowercase(), value);
            }
        }
    }
    for (name, values) in found.bin_attrs {
        for value in values.iter().filter(|value| std::str::from_utf8(value).is_err()) {
            attributes.add_unreadable(number, name.clone(), String::from_utf8_lossy(value).into_owned());
        }
    }
    attributes
}
