//! Numbers: what is left of the pools, and local accounts of this machine that meet them.

use std::ops::RangeInclusive;
use std::path::Path;

use rollcall::config::Config;
use rollcall::db::Database;
use rollcall::db::status::LocalAccount;

use super::{Finding, fine, warning, wrong};

/// Most local accounts that are compared; a machine with more has a directory of its own.
const MOST_ACCOUNTS: usize = 10_000;

/// Most collisions that are told one by one.
const MOST_TOLD: usize = 20;

/// Looks at the pools, and at `/etc/passwd` and `/etc/group` beneath `root`.
pub(super) async fn look(config: &Config, db: &Database, root: &Path) -> Vec<Finding> {
    let mut findings = headroom(db).await;
    let mut accounts = local(root, "user");
    accounts.extend(local(root, "group"));
    findings.extend(pool_overlap(config, &accounts));
    findings.extend(collisions(db, &accounts).await);
    findings
}

async fn headroom(db: &Database) -> Vec<Finding> {
    match db.id_headroom().await {
        Ok(pools) => pools
            .iter()
            .map(|pool| {
                let evidence = format!(
                    "{} of {} numbers are left for {}s",
                    pool.remaining, pool.size, pool.pool
                );
                let setting = if pool.pool == "user" {
                    "user-provisioning-max-uid"
                } else {
                    "group-provisioning-max-gid"
                };
                if pool.remaining == 0 {
                    wrong("id headroom", evidence, format!("raise {setting}"))
                } else if pool.remaining < pool.size / 10 {
                    warning("id headroom", evidence, format!("raise {setting}"))
                } else {
                    fine("id headroom", evidence)
                }
            })
            .collect(),
        Err(error) => vec![wrong("id headroom", error.to_string(), "rollcall migrate")],
    }
}

/// The numbers that people and groups may have (nss/CONTRACT.md §3); others are system accounts.
const NUMBERS: [RangeInclusive<u32>; 2] = [1000..=65_533, 65_536..=2_147_352_575];

/// Accounts in `/etc/passwd` or `/etc/group` beneath `root`, system accounts left out: those are protected by name.
pub(super) fn local(root: &Path, kind: &'static str) -> Vec<LocalAccount> {
    let file = if kind == "user" { "etc/passwd" } else { "etc/group" };
    let text = std::fs::read(root.join(file)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let account = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
        let number: u32 = fields.nth(1)?.parse().ok()?;
        NUMBERS
            .iter()
            .any(|range| range.contains(&number))
            .then_some(LocalAccount { kind, name, number })
    };
    text.lines().filter_map(account).take(MOST_ACCOUNTS).collect()
}

/// Local accounts whose numbers the pools would propose: the machine would show two accounts as one.
fn pool_overlap(config: &Config, accounts: &[LocalAccount]) -> Option<Finding> {
    let pools = &config.provisioning;
    let within = |account: &&LocalAccount| match account.kind {
        "user" => (pools.start_uid..=pools.max_uid).contains(&account.number),
        _ => (pools.start_gid..=pools.max_gid).contains(&account.number),
    };
    let highest = accounts.iter().filter(within).map(|account| account.number).max()?;
    let evidence = format!("local accounts of this machine lie in the pools, the highest at {highest}");
    let fix = "raise user-provisioning-start-uid and group-provisioning-start-gid, to 10000 for example";
    Some(warning("id ranges", evidence, fix))
}

async fn collisions(db: &Database, accounts: &[LocalAccount]) -> Vec<Finding> {
    let met = match db.doctor_collisions(accounts).await {
        Ok(met) => met,
        Err(error) => return vec![wrong("local accounts", error.to_string(), "rollcall migrate")],
    };
    if met.is_empty() {
        return vec![fine(
            "local accounts",
            format!("{} do not meet any of ours", accounts.len()),
        )];
    }
    let told = met.iter().take(MOST_TOLD).map(|collision| {
        let (kind, name, number) = (&collision.kind, &collision.name, collision.number);
        let evidence = format!(
            "the local {kind} {name} ({number}) meets {} by {}",
            collision.held_by, collision.same
        );
        let change = if kind == "user" { "userdel" } else { "groupdel" };
        let fix = match collision.same.as_str() {
            "both" => format!("{change} {name}: the account is in both places and the local one wins"),
            _ => format!("give the local {kind} {name} another name or number (usermod, groupmod), or delete it"),
        };
        if collision.same == "both" {
            warning("local accounts", evidence, fix)
        } else {
            wrong("local accounts", evidence, fix)
        }
    });
    told.collect()
}
