//! The keys of the bootstrap file, and the checks that need nothing but the file.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::{Bootstrap, Fault, MAX_BYTES, MAX_ENTRIES, Source};
use crate::fold::fold;
use crate::scim::dialect::Dialect;
use crate::scim::limits::NAME_CHARACTERS;
use crate::tokens::{self, MIN_SECRET_LENGTH, Scope, SecretHash};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    user: Vec<UserTable>,
    #[serde(default)]
    group: Vec<GroupTable>,
    #[serde(default)]
    token: Vec<TokenTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct UserTable {
    pub(super) user_name: Spanned<String>,
    pub(super) display_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) posix_name: Option<String>,
    pub(super) uid: Option<u32>,
    pub(super) home: Option<String>,
    pub(super) shell: Option<String>,
    pub(super) admin: Option<bool>,
    pub(super) locked: Option<bool>,
    pub(super) ssh_keys: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct GroupTable {
    pub(super) display_name: Spanned<String>,
    pub(super) external_id: Option<String>,
    pub(super) posix_name: Option<String>,
    pub(super) gid: Option<u32>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    members_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TokenTable {
    name: Spanned<String>,
    scopes: Vec<String>,
    dialect: Option<String>,
    days: Option<i64>,
    file: Option<PathBuf>,
    id: Option<String>,
    sha256: Option<String>,
    #[serde(rename = "token-in-clear")]
    in_clear: Option<String>,
}

/// Where a byte of the text is.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn of<T>(&self, spanned: &Spanned<T>) -> usize {
        self.at(spanned.span().start)
    }

    fn at(&self, byte: usize) -> usize {
        self.0.get(..byte).unwrap_or(self.0).matches('\n').count() + 1
    }
}

fn fault(line: usize, message: impl Into<String>) -> Fault {
    Fault {
        line,
        message: message.into(),
    }
}

pub(super) fn read(text: &str) -> Result<Bootstrap, Fault> {
    if text.len() > MAX_BYTES {
        return Err(fault(1, format!("the file is larger than {MAX_BYTES} bytes")));
    }
    let lines = Lines(text);
    let whole: Whole = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.at(span.start));
        fault(line, error.message())
    })?;
    let entries = whole.user.len() + whole.group.len() + whole.token.len();
    if entries > MAX_ENTRIES {
        return Err(fault(1, format!("the file has more than {MAX_ENTRIES} entries")));
    }
    let bootstrap = Bootstrap {
        users: whole
            .user
            .into_iter()
            .map(|user| user.checked(&lines))
            .collect::<Result<_, _>>()?,
        groups: whole
            .group
            .into_iter()
            .map(|group| group.checked(&lines))
            .collect::<Result<_, _>>()?,
        tokens: whole
            .token
            .into_iter()
            .map(|token| token.checked(&lines))
            .collect::<Result<_, _>>()?,
    };
    once(
        "user-name",
        bootstrap.users.iter().map(|user| (user.line, user.key.as_str())),
    )?;
    once(
        "display-name",
        bootstrap.groups.iter().map(|group| (group.line, group.key.as_str())),
    )?;
    once(
        "name",
        bootstrap.tokens.iter().map(|token| (token.line, token.name.as_str())),
    )?;
    Ok(bootstrap)
}

/// Raises a name that stands twice.
fn once<'a>(key: &str, names: impl Iterator<Item = (usize, &'a str)>) -> Result<(), Fault> {
    let mut seen = HashMap::new();
    for (line, name) in names {
        if let Some(first) = seen.insert(name, line) {
            return Err(fault(line, format!("{key} {name:?} stands on line {first} already")));
        }
    }
    Ok(())
}

impl UserTable {
    fn checked(self, lines: &Lines<'_>) -> Result<super::User, Fault> {
        let line = lines.of(&self.user_name);
        let said = super::user_body(&self);
        let user_name = self.user_name.into_inner();
        let user = super::User {
            line,
            key: fold(&user_name),
            user_name,
            said,
        };
        user.new_draft().map_err(|error| fault(line, error.detail))?;
        Ok(user)
    }
}

impl GroupTable {
    fn checked(self, lines: &Lines<'_>) -> Result<super::Group, Fault> {
        let line = lines.of(&self.display_name);
        let said = super::group_body(&self);
        let display_name = self.display_name.into_inner();
        let group = super::Group {
            line,
            key: fold(&display_name),
            display_name,
            members: self.members,
            members_only: self.members_only,
            said,
        };
        group.new_draft().map_err(|error| fault(line, error.detail))?;
        Ok(group)
    }
}

impl TokenTable {
    fn checked(self, lines: &Lines<'_>) -> Result<super::Token, Fault> {
        let line = lines.of(&self.name);
        let refuse = |message: &str| fault(line, format!("token {:?}: {message}", self.name.get_ref()));
        let name = self.name.get_ref();
        if name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS || name.chars().any(char::is_control) {
            return Err(refuse("a name has 1 to 255 characters and no control characters"));
        }
        let scopes = self
            .scopes
            .iter()
            .map(|scope| scope.parse())
            .collect::<Result<Vec<Scope>, _>>();
        let scopes = scopes.map_err(|message| refuse(&message))?;
        if scopes.is_empty() {
            return Err(refuse("scopes must name one at least"));
        }
        let dialect: Dialect = self
            .dialect
            .as_deref()
            .unwrap_or("strict")
            .parse()
            .map_err(|_| refuse("unknown dialect"))?;
        if self.days.is_some_and(|days| !(1..=36_500).contains(&days)) {
            return Err(refuse("days must be from 1 to 36500"));
        }
        let source = match (&self.file, &self.id, &self.sha256, &self.in_clear) {
            (Some(file), None, None, None) if file.is_absolute() => Source::File(file.clone()),
            (Some(_), None, None, None) => return Err(refuse("file must be an absolute path")),
            (None, Some(id), Some(hash), None) => Source::Hash(
                tokens::is_public_id(id)
                    .then(|| id.clone())
                    .ok_or_else(|| refuse("id must be what stands between rc_ and the dot of a token"))?,
                SecretHash::from_hex(hash).ok_or_else(|| refuse("sha256 must be 64 hexadecimal digits"))?,
            ),
            (None, None, None, Some(token)) => {
                let (id, secret) =
                    tokens::split(token).ok_or_else(|| refuse("token-in-clear must be as rc_<id>.<secret>"))?;
                if secret.len() < MIN_SECRET_LENGTH {
                    return Err(refuse(&format!(
                        "the secret of token-in-clear must have {MIN_SECRET_LENGTH} characters at least, as generated ones have"
                    )));
                }
                Source::Hash(id.to_owned(), SecretHash::of(secret))
            }
            _ => return Err(refuse("give file, or id and sha256, or token-in-clear")),
        };
        Ok(super::Token {
            line,
            scopes,
            dialect,
            days: self.days,
            source,
            name: self.name.into_inner(),
        })
    }
}
