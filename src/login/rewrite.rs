//! `auth-user-rewrite-rule`: how the provider's user name becomes ours.

use anyhow::Context;
use regex::Regex;

/// A regular expression and its replacement, in one setting separated by a blank: `^(.*)@example\.org$ $1`.
///
/// Workbench does not document the grammar; this is the one of its older option for proxied headers. The expression must
/// match the whole name, otherwise the name stays as it is; `$1` … are the groups it captures.
#[derive(Debug, Clone)]
pub struct RewriteRule {
    pattern: Regex,
    replacement: String,
}

impl RewriteRule {
    /// Reads a rule; raises what is wrong with it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (pattern, replacement) = text
            .trim()
            .rsplit_once(' ')
            .context("auth-user-rewrite-rule needs a regular expression, a blank and a replacement")?;
        let pattern = Regex::new(&format!("^(?:{})$", pattern.trim()))
            .context("auth-user-rewrite-rule does not begin with a regular expression")?;
        Ok(Self {
            pattern,
            replacement: braced(replacement),
        })
    }

    /// The name after the rule.
    pub fn apply(&self, name: &str) -> String {
        self.pattern.replace(name, &self.replacement).into_owned()
    }
}

/// `$1_x` means group 1 and `_x`, as everywhere but in the regex crate.
fn braced(replacement: &str) -> String {
    let mut text = String::with_capacity(replacement.len() + 8);
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        text.push(character);
        if character == '$' && characters.peek().is_some_and(char::is_ascii_digit) {
            text.push('{');
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                text.push(digit);
            }
            text.push('}');
        }
    }
    text
}
