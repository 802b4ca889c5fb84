//! nsswitch.conf: whether `pwb` is asked at all, and at the right place.

use std::path::Path;

use super::{Finding, fine, warning, wrong};

/// The fix for everything here; the package has the script.
const FIX: &str = "put pwb behind files and systemd and before sss in /etc/nsswitch.conf (on RHEL by authselect)";

/// The fix for an action before `pwb`.
const ACTION_FIX: &str = "take the action before pwb out of /etc/nsswitch.conf (on RHEL by authselect)";

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
    let line = line(text, database);
    let words = words(line);
    let services: Vec<&str> = words.iter().filter_map(Word::service).collect();
    let at = |name: &str| services.iter().position(|service| *service == name);
    let line = format!("{database}: {line}");
    // Without shadow people resolve; account checks of PAM do not see that somebody is locked.
    let unasked = if database == "shadow" { warning } else { wrong };
    let Some(ours) = at("pwb") else {
        return unasked("nsswitch", format!("pwb is not asked for {database}"), FIX.to_owned());
    };
    if at("files").is_none_or(|files| files > ours) {
        return wrong("nsswitch", format!("{line}: local accounts must come first"), FIX);
    }
    if let Some(last) = end_before_ours(&words) {
        let evidence = format!("{line}: whom {last} does not know nobody else is asked for");
        return unasked("nsswitch", evidence, ACTION_FIX.to_owned());
    }
    match ["sss", "winbind", "ldap"]
        .iter()
        .find(|other| at(other).is_some_and(|other| other < ours))
    {
        Some(other) => warning("nsswitch", format!("{line}: {other} hides whom we know"), FIX),
        None => fine("nsswitch", line),
    }
}

/// What the line of a database says, without its comment.
fn line<'a>(text: &'a str, database: &str) -> &'a str {
    let line = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(database)?.trim_start().strip_prefix(':'));
    line.unwrap_or_default().split('#').next().unwrap_or_default().trim()
}

/// What stands in such a line.
#[derive(Debug, Clone, Copy)]
enum Word<'a> {
    Service(&'a str),
    /// What is between brackets: what follows from the outcome at the service before it.
    Action(&'a str),
}

impl<'a> Word<'a> {
    fn service(&self) -> Option<&'a str> {
        match *self {
            Self::Service(name) => Some(name),
            Self::Action(_) => None,
        }
    }
}

fn words(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('[') {
            Some(inside) => {
                let (action, after) = inside.split_once(']').unwrap_or((inside, ""));
                (Word::Action(action), after)
            }
            None => {
                let end = rest.find(|c: char| c == '[' || c.is_whitespace());
                let (service, after) = rest.split_at(end.unwrap_or(rest.len()));
                (Word::Service(service), after)
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// The service before `pwb` that is the last to be asked for whom it does not know.
fn end_before_ours<'a>(words: &[Word<'a>]) -> Option<&'a str> {
    let mut last = None;
    let mut is_end = false;
    for word in words {
        match *word {
            Word::Service(_) if is_end => return last,
            Word::Service("pwb") => return None,
            Word::Service(name) => last = Some(name),
            Word::Action(action) => is_end = ends_unknown(action).unwrap_or(is_end),
        }
    }
    None
}

/// Whether an action ends the search for whom the service does not know, as `NOTFOUND=return` and `!UNAVAIL=return` do (nsswitch.conf(5));
/// `None` when it says nothing of them.
fn ends_unknown(action: &str) -> Option<bool> {
    let action = action.to_ascii_lowercase().replace('=', " = ");
    let mut words = action.split_whitespace();
    let mut is_end = None;
    while let (Some(status), Some("="), Some(what)) = (words.next(), words.next(), words.next()) {
        let is_about = match status.strip_prefix('!') {
            Some(other) => other != "notfound",
            None => status == "notfound",
        };
        if is_about {
            is_end = Some(what == "return");
        }
    }
    is_end
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::cli::doctor::Severity;

    #[test]
    fn an_action_before_pwb_that_ends_the_search_is_found_however_it_is_written() {
        for (line, is_end) in [
            ("files [NOTFOUND=return] pwb", true),
            ("files[notfound=RETURN]pwb", true),
            ("files [!UNAVAIL=return] pwb", true),
            ("files [ SUCCESS=return  NOTFOUND = return ] pwb", true),
            ("files systemd [!SUCCESS=return] pwb sss", true),
            ("files [NOTFOUND=return] systemd pwb", true),
            ("files [NOTFOUND=return", false),
            ("files [UNAVAIL=return] pwb", false),
            ("files [!NOTFOUND=return] pwb", false),
            ("files [NOTFOUND=return NOTFOUND=continue] pwb", false),
            ("files [SUCCESS=merge] pwb [NOTFOUND=return] sss", false),
            ("files pwb # [NOTFOUND=return] pwb", false),
        ] {
            let evidence = judge(&format!("group: x\npasswd: {line}\n"), "passwd").evidence;
            assert_eq!(evidence.contains("nobody else is asked"), is_end, "{line}: {evidence}");
        }
        let shadow = judge("shadow: files [NOTFOUND=return] pwb", "shadow");
        assert_eq!(shadow.severity, Severity::Warning);
    }
}
