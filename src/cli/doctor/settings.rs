//! Settings that are taken and worth a word: names that nobody knows, and a brake that is off.

use rollcall::config::{Config, Warning};
use rollcall::db::Database;

use super::{Finding, fine, warning, wrong};

/// What reading the settings warned of.
pub(super) fn unknown(warnings: &[Warning]) -> Vec<Finding> {
    let check = "settings";
    if warnings.is_empty() {
        return vec![fine(check, "every name is known")];
    }
    let fix = "rollcall config lists the names; correct the misspelt one, or take it out";
    warnings
        .iter()
        .map(|told| warning(check, told.to_string(), fix))
        .collect()
}

/// The brake on deletions: whether there is one, and who is let through.
pub(super) async fn brake(config: &Config, db: &Database) -> Vec<Finding> {
    let check = "deletion brake";
    let limit = config.provisioning.deletion_limit_per_hour;
    let mut findings = vec![if limit == 0 {
        warning(
            check,
            "it is off (deletion-limit-per-hour=0): a mistake at the identity provider may delete everybody within minutes",
            "set deletion-limit-per-hour, to 50 for example; rollcall brake limit gives a token another one",
        )
    } else {
        fine(check, format!("{limit} deletions an hour for each token"))
    }];
    let states = match db.brake_state().await {
        Ok(states) => states,
        Err(error) => return vec![wrong(check, error.to_string(), "rollcall migrate")],
    };
    for state in states.iter().filter(|_| limit > 0) {
        let name = state.name.as_ref().unwrap_or(&state.actor);
        if let Some(until) = state.override_until {
            let evidence = format!("{name:?} is released until {}", until.strftime("%Y-%m-%d %H:%M UTC"));
            findings.push(fine(check, evidence));
        } else if state.own_limit == Some(0) {
            let fix = format!("rollcall brake limit --default -- {}", super::tokens::quoted(name));
            findings.push(warning(check, format!("it is off for {name:?}"), fix));
        }
    }
    findings
}
