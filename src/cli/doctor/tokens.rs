//! Tokens: those that have expired and those that soon will.

use jiff::{SignedDuration, Timestamp};
use rollcall::db::Database;
use rollcall::db::tokens::Token;

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
            let fix = format!("{}, then revoke {}", same_again(token), token.public_id);
            if left.is_negative() {
                Some(warning(
                    "tokens",
                    format!("{:?} ({}) has expired", token.name, token.public_id),
                    fix,
                ))
            } else if left < SOON {
                let when = match left.as_hours() {
                    hours @ ..48 => format!("{hours} hours"),
                    hours => format!("{} days", hours / 24),
                };
                let evidence = format!("{:?} expires in {when}", token.name);
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

/// The command that makes another token for the same use. Whoever mends copies it.
fn same_again(token: &Token) -> String {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let scopes = scopes.join(" --scope ");
    let name = quoted(&token.name);
    format!(
        "rollcall token generate --scope {scopes} --dialect {} -- {name}",
        token.dialect
    )
}

/// A word that a shell takes as it is.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
