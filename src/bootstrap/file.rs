//! The keys of the bootstrap file, and the checks that need nothing but the file.

use std::path::PathBuf;

use serde_json::{Map, Value};
use toml::de::DeTable;

use super::entry::{Entry, Faults, Keys, Kind, entries, length, once, unknown};
use super::{Bootstrap, Fault, Group, MAX_ENTRIES, Source, Token, User, attributes, settings};
use crate::fold::fold;
use crate::scim::dialect::Dialect;
use crate::scim::error::ScimError;
use crate::scim::limits::NAME_CHARACTERS;
use crate::tokens::{self, MIN_SECRET_LENGTH, Scope, SecretHash};

const USER: Keys = Keys {
    required: &[("user-name", Kind::Text)],
    optional: &[
        ("display-name", Kind::Text),
        ("email", Kind::Text),
        ("external-id", Kind::Text),
        ("posix-name", Kind::Text),
        ("uid", Kind::Number),
        ("home", Kind::Text),
        ("shell", Kind::Text),
        ("admin", Kind::Switch),
        ("locked", Kind::Switch),
        ("ssh-keys", Kind::Texts),
    ],
};

const GROUP: Keys = Keys {
    required: &[("display-name", Kind::Text)],
    optional: &[
        ("external-id", Kind::Text),
        ("posix-name", Kind::Text),
        ("gid", Kind::Number),
        ("members", Kind::Texts),
        ("members-only", Kind::Switch),
    ],
};

const TOKEN: Keys = Keys {
    required: &[("name", Kind::Text), ("scopes", Kind::Texts)],
    optional: &[
        ("dialect", Kind::Text),
        ("days", Kind::Number),
        ("file", Kind::Text),
        ("id", Kind::Text),
        ("sha256", Kind::Text),
        ("token-in-clear", Kind::Text),
    ],
};

/// Longest time for which a token is valid, in days.
const MAX_DAYS: u32 = 36_500;

pub(super) fn read(text: &str) -> Result<Bootstrap, Vec<Fault>> {
    let mut faults = Faults::of(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    let root = root.get_ref();
    for error in errors {
        faults.at(error.span().map_or(0, |span| span.start), error.message());
    }
    let entries_of =
        |table| ["user", "group", "token", "reserved-ids", "deletion-limits"].map(|name| length(table, name));
    let settings = root.get("settings").and_then(|settings| settings.get_ref().as_table());
    let tables = std::iter::once(root).chain(settings);
    if tables.flat_map(entries_of).sum::<usize>() > MAX_ENTRIES {
        faults.note(1, format!("the file has more than {MAX_ENTRIES} entries"));
    }
    // What is half read would be found wanting for no fault of its own.
    if faults.count() > 0 {
        return faults.or(Bootstrap::default());
    }
    let mut bootstrap = Bootstrap::default();
    for (key, value) in root {
        let name = key.get_ref().as_ref();
        match name {
            "user" => {
                let read = entries(name, value, &USER, &mut faults);
                once("user-name", &read, &mut faults, |entry| {
                    entry.text("user-name").map(fold)
                });
                once("posix-name", &read, &mut faults, |entry| {
                    entry.text("posix-name").map(str::to_owned)
                });
                once("uid", &read, &mut faults, |entry| {
                    entry.number("uid").map(|uid| uid.to_string())
                });
                bootstrap.users = read.iter().filter_map(|entry| user(entry, &mut faults)).collect();
            }
            "group" => {
                let read = entries(name, value, &GROUP, &mut faults);
                once("display-name", &read, &mut faults, |entry| {
                    entry.text("display-name").map(fold)
                });
                once("posix-name", &read, &mut faults, |entry| {
                    entry.text("posix-name").map(str::to_owned)
                });
                once("gid", &read, &mut faults, |entry| {
                    entry.number("gid").map(|gid| gid.to_string())
                });
                bootstrap.groups = read.iter().filter_map(|entry| group(entry, &mut faults)).collect();
            }
            "token" => {
                let read = entries(name, value, &TOKEN, &mut faults);
                once("name", &read, &mut faults, |entry| {
                    entry.text("name").map(str::to_owned)
                });
                once("id", &read, &mut faults, |entry| entry.text("id").map(str::to_owned));
                once("file", &read, &mut faults, |entry| {
                    entry.text("file").map(str::to_owned)
                });
                bootstrap.tokens = read.iter().filter_map(|entry| token(entry, &mut faults)).collect();
            }
            "settings" => settings::read(value, &mut bootstrap, &mut faults),
            _ => faults.at(
                key.span().start,
                unknown(name, ["user", "group", "token", "settings"].into_iter()),
            ),
        }
    }
    faults.or(bootstrap)
}

/// Notes each key whose value SCIM would refuse, looked at by itself beside a name that is in order; true when there is none.
fn is_sound<T>(
    entry: &Entry,
    faults: &mut Faults,
    name: (&str, &str),
    say: impl Fn(&mut Map<String, Value>, &str, &Value),
    draft: impl Fn(Map<String, Value>) -> Result<T, ScimError>,
) -> bool {
    let before = faults.count();
    for (key, line, value) in entry.given() {
        let mut body = Map::new();
        say(&mut body, name.0, &Value::from(name.1));
        say(&mut body, key, value);
        if let Err(error) = draft(body) {
            faults.note(line, error.detail);
        }
    }
    faults.count() == before
}

fn body(entry: &Entry, say: impl Fn(&mut Map<String, Value>, &str, &Value)) -> Map<String, Value> {
    let mut body = Map::new();
    for (key, _, value) in entry.given() {
        say(&mut body, key, value);
    }
    body
}

fn user(entry: &Entry, faults: &mut Faults) -> Option<User> {
    let is_sound = is_sound(
        entry,
        faults,
        ("user-name", "x"),
        attributes::say_of_user,
        attributes::user,
    );
    let user_name = entry.text("user-name")?.to_owned();
    let user = User {
        line: entry.line("user-name"),
        key: fold(&user_name),
        user_name,
        said: body(entry, attributes::say_of_user),
    };
    if let (true, Err(error)) = (is_sound, user.new_draft()) {
        faults.note(user.line, error.detail);
    }
    Some(user)
}

fn group(entry: &Entry, faults: &mut Faults) -> Option<Group> {
    let is_sound = is_sound(
        entry,
        faults,
        ("display-name", "x"),
        attributes::say_of_group,
        attributes::group,
    );
    let display_name = entry.text("display-name")?.to_owned();
    let group = Group {
        line: entry.line("display-name"),
        key: fold(&display_name),
        display_name,
        members: entry.texts("members").unwrap_or_default(),
        members_only: entry.switch("members-only").unwrap_or(false),
        said: body(entry, attributes::say_of_group),
    };
    if let (true, Err(error)) = (is_sound, group.new_draft()) {
        faults.note(group.line, error.detail);
    }
    Some(group)
}

fn token(entry: &Entry, faults: &mut Faults) -> Option<Token> {
    let name = entry.text("name").unwrap_or("without a name").to_owned();
    let mut refuse = |key: &str, message: &str| faults.note(entry.line(key), format!("token {name:?}: {message}"));
    if name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS || name.chars().any(char::is_control) {
        refuse("name", "a name has 1 to 255 characters and no control characters");
    }
    let mut scopes = Vec::new();
    let named = entry.texts("scopes");
    if named.as_ref().is_some_and(Vec::is_empty) {
        refuse("scopes", "scopes must name one at least");
    }
    for scope in named.unwrap_or_default() {
        match scope.parse::<Scope>() {
            Ok(scope) => scopes.push(scope),
            Err(message) => refuse("scopes", &message),
        }
    }
    let dialect = entry.text("dialect").unwrap_or("strict").parse::<Dialect>();
    if dialect.is_err() {
        refuse("dialect", "unknown dialect");
    }
    let days = entry.number("days");
    if days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        refuse("days", &format!("days must be from 1 to {MAX_DAYS}"));
    }
    let source = source(entry, &mut refuse);
    entry.text("name")?;
    Some(Token {
        line: entry.line("name"),
        scopes,
        dialect: dialect.ok()?,
        days: days.map(i64::from),
        source: source?,
        name,
    })
}

/// Where the secret comes from; what is wrong with it is refused without repeating any of it.
fn source(entry: &Entry, refuse: &mut impl FnMut(&str, &str)) -> Option<Source> {
    let keys = ["file", "id", "sha256", "token-in-clear"];
    // A key of the wrong kind has been noted, and stands here as well.
    match keys.map(|key| entry.has(key)) {
        [true, false, false, false] => {
            let file = PathBuf::from(entry.text("file")?);
            if !file.is_absolute() {
                refuse("file", "file must be an absolute path");
            }
            Some(Source::File(file))
        }
        [false, true, true, false] => {
            let (id, hash) = (entry.text("id"), entry.text("sha256"));
            if id.is_some_and(|id| !tokens::is_public_id(id)) {
                refuse("id", "id must be what stands between rc_ and the dot of a token");
            }
            let read = hash.and_then(SecretHash::from_hex);
            if hash.is_some() && read.is_none() {
                refuse("sha256", "sha256 must be 64 hexadecimal digits");
            }
            Some(Source::Hash(id?.to_owned(), read?))
        }
        [false, false, false, true] => {
            let key = "token-in-clear";
            let Some((id, secret)) = tokens::split(entry.text(key)?) else {
                refuse(key, "token-in-clear must be as rc_<id>.<secret>");
                return None;
            };
            if secret.len() < MIN_SECRET_LENGTH {
                let most = format!(
                    "the secret of token-in-clear must have {MIN_SECRET_LENGTH} characters at least, as generated ones have"
                );
                refuse(key, &most);
            }
            Some(Source::Hash(id.to_owned(), SecretHash::of(secret)))
        }
        _ => {
            refuse("name", "give file, or id and sha256, or token-in-clear");
            None
        }
    }
}
