//! nsswitch.conf: whether `pwb` is asked at all, and at the right place.

use std::path::Path;

use super::{Finding, fine, warning, wrong};

/// The fix for everything here; the package has the script.
const FIX: &str = "put pwb behind files and systemd and before sss in /etc/nsswitch.conf (on RHEL by authselect)";

/// Looks at the three databases.
pub(super) fn look(root: &Path) -> Vec<Finding> {
    let path = root.join("etc/nsswitch.conf");
    match std::fs::read_to_string(&path) {
        Err(error) => vec![wrong("nsswitch", format!("{}: {error}", path.display()), FIX)],
        Ok(text) => ["passwd", "group", "shadow"]
            .iter()
            .map(|database| judge(&text, database))
            .collect(),
    }
}

fn judge(text: &str, database: &str) -> Finding {
    let services = services(text, database);
    let at = |name: &str| services.iter().position(|service| *service == name);
    let line = format!("{database}: {}", services.join(" "));
    let Some(ours) = at("pwb") else {
        // Without shadow people resolve; account checks of PAM do not see that somebody is locked.
        let finding = if database == "shadow" { warning } else { wrong };
        return finding("nsswitch", format!("pwb is not asked for {database}"), FIX.to_owned());
    };
    if at("files").is_none_or(|files| files > ours) {
        return wrong("nsswitch", format!("{line}: local accounts must come first"), FIX);
    }
    match ["sss", "winbind", "ldap"]
        .iter()
        .find(|other| at(other).is_some_and(|other| other < ours))
    {
        Some(other) => warning("nsswitch", format!("{line}: {other} hides whom we know"), FIX),
        None => fine("nsswitch", line),
    }
}

/// The services of a database, without actions such as `[NOTFOUND=return]`.
fn services<'a>(text: &'a str, database: &str) -> Vec<&'a str> {
    let line = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(database)?.trim_start().strip_prefix(':'));
    let line = line.unwrap_or_default().split('#').next().unwrap_or_default();
    line.split_whitespace()
        .filter(|word| !word.starts_with('[') && !word.ends_with(']'))
        .collect()
}
