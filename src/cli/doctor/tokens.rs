//! Tokens: those that have expired and those that soon will.

use jiff::{SignedDuration, Timestamp};
use rollcall::db::Database;

use super::{Finding, fine, warning, wrong};

/// A token that expires within this is worth a warning.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 20);

/// Looks at every token.
pub(super) async fn look(db: &Database) -> Vec<Finding> {
    let list = match db.token_list(false).await {
        Ok(list) => list,
        Err(error) => return vec![wrong("tokens", error.to_string(), "rollcall migrate")],
    };
    let now = Timestamp::now();
    let mut findings: Vec<_> = list
        .iter()
        .filter_map(|token| {
            let left = token.expires_at?.duration_since(now);
            let fix = format!(
                "rollcall token generate {:?}, then revoke {}",
                token.name, token.public_id
            );
            if left.is_negative() {
                Some(warning(
                    "tokens",
                    format!("{:?} ({}) has expired", token.name, token.public_id),
                    fix,
                ))
            } else if left < SOON {
                let evidence = format!("{:?} expires in {} days", token.name, left.as_hours() / 24);
                Some(warning("tokens", evidence, fix))
            } else {
                None
            }
        })
        .collect();
    if findings.is_empty() {
        findings.push(fine("tokens", format!("{} valid", list.len())));
    }
    findings
}
