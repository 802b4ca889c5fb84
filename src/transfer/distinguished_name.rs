//! Distinguished names (RFC 4514), compared whatever way their characters are written.

/// What has a meaning of its own inside a name, and is written behind a backslash where it has none.
const SPECIAL: &[u8] = b",+\"\\<>;=";

/// A name for comparing: folded, without spaces around its commas, plus and equals signs, each character in one spelling, whether it
/// was escaped by itself (`\,`), by its bytes (`\2C`, RFC 4514 §2.4) or by quotation marks (RFC 2253 §4), and the pairs of a
/// relative name in one order (a set, X.501 §9.3).
pub(super) fn key(name: &str) -> String {
    let folded = crate::fold::fold(&canonical(name));
    let relative = |name: &str| {
        let mut pairs = parts(name, '+');
        pairs.sort_unstable();
        pairs.join("+")
    };
    parts(&folded, ',')
        .into_iter()
        .map(relative)
        .collect::<Vec<_>>()
        .join(",")
}

/// What a separator that no backslash stands before divides.
fn parts(text: &str, separator: char) -> Vec<&str> {
    let mut is_escaped = false;
    text.split(|character| {
        let divides = character == separator && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        divides
    })
    .collect()
}

/// The pairs of attribute and value that a name begins with, values as they are meant. None when it is no name.
pub(super) fn first(name: &str) -> Option<Vec<(String, String)>> {
    let canonical = canonical(name);
    let relative = parts(&canonical, ',').into_iter().next()?;
    let pair = |text: &str| {
        let (attribute, value) = text.split_once('=')?;
        (!attribute.is_empty()).then(|| (attribute.to_owned(), meant(value)))
    };
    parts(relative, '+').into_iter().map(pair).collect()
}

/// A value without its backslashes.
fn meant(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    text
}

fn canonical(name: &str) -> String {
    let mut key = Key::default();
    let mut rest = name.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'\\' => match behind {
                [high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    key.literal(digit(*high) * 16 + digit(*low));
                    rest = behind;
                }
                [escaped, behind @ ..] => {
                    key.literal(*escaped);
                    rest = behind;
                }
                [] => key.literal(byte),
            },
            b'"' => key.is_quoted = !key.is_quoted,
            _ if key.is_quoted => key.literal(byte),
            b',' | b'+' => key.separate(byte, false),
            b'=' if !key.is_value => key.separate(byte, true),
            b'=' => key.literal(byte),
            b' ' if key.text.len() == key.begin => {}
            b' ' => key.text.push(byte),
            _ => {
                key.text.push(byte);
                key.end = key.text.len();
            }
        }
    }
    key.text.truncate(key.end);
    String::from_utf8_lossy(&key.text).into_owned()
}

/// A key that is being written.
#[derive(Default)]
struct Key {
    text: Vec<u8>,
    /// Where the part begins that is being read: spaces there are left out.
    begin: usize,
    /// Behind its last character that is no plain space: spaces from there on are left out when the part ends.
    end: usize,
    /// Whether that part is a value, in which an equals sign is one.
    is_value: bool,
    is_quoted: bool,
}

impl Key {
    /// A character that separates nothing.
    fn literal(&mut self, byte: u8) {
        if SPECIAL.contains(&byte) {
            self.text.push(b'\\');
        }
        self.text.push(byte);
        self.end = self.text.len();
    }

    /// A character that ends a part; whether a value follows.
    fn separate(&mut self, byte: u8, is_value: bool) {
        self.text.truncate(self.end);
        self.text.push(byte);
        self.begin = self.text.len();
        self.end = self.begin;
        self.is_value = is_value;
    }
}

fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::{first, key};

    #[test]
    fn a_name_is_the_same_in_every_spelling() {
        for (one, other) in [
            ("cn=Doe\\, John,ou=p,dc=x", "CN = doe\\2C John , OU=P,dc=x"),
            ("cn=Doe\\, John,ou=p", "cn=\"Doe, John\",ou=p"),
            ("cn=J\u{fc}rgen,dc=x", "cn=J\\C3\\BCrgen,dc=x"),
            ("cn=a\\=b", "cn=a=b"),
            ("cn=a\\ ", "cn=a\\20"),
            ("uid=a,dc=x", " uid=a , dc=x "),
            ("cn=a\\+b+uid=c,dc=x", "UID=c + CN=a\\2Bb,dc=x"),
        ] {
            assert_eq!(key(one), key(other));
        }
    }

    #[test]
    fn a_name_begins_with_values_as_they_are_meant() {
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(one, other)| ((*one).to_owned(), (*other).to_owned()));
            Some(owned.collect::<Vec<_>>())
        };
        assert_eq!(first("cn=Doe\\, John,ou=p"), pairs(&[("cn", "Doe, John")]));
        assert_eq!(first("UID = jane , dc=x"), pairs(&[("UID", "jane")]));
        let both = pairs(&[("cn", "Jane Doe"), ("uid", "jane")]);
        assert_eq!(first("cn=Jane Doe + uid=jane,dc=x"), both);
        for none in ["", "jane", "=jane,dc=x", "uid=jane+,dc=x", "+uid=jane,dc=x"] {
            assert_eq!(first(none), None, "{none}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [
            ("cn=a\\,dc=x", "cn=a,dc=x"),
            ("cn=a\\ ,dc=x", "cn=a,dc=x"),
            ("cn=a b", "cn=ab"),
            ("cn=a+uid=b", "cn=a\\+uid=b"),
            ("cn=\"a", "cn=b"),
            ("", "cn="),
        ] {
            assert_ne!(key(one), key(other));
        }
        assert_eq!(key("cn=a\\"), key("cn=a\\\\"), "a backslash at the end is one");
    }
}
