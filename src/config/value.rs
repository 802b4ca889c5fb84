//! How the text of a setting becomes a typed value.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::public_url::PublicUrl;
use super::secret::Secret;
use super::setting::{Kind, Setting};

/// A type that a setting can have.
pub(super) trait Value: Sized {
    /// What its text looks like.
    const KIND: Kind;

    /// The value of `text`, or nothing when the text is not what [`Setting::expectation`] says.
    fn parse(text: &str, setting: &Setting) -> Option<Self>;
}

/// An empty text is "not set".
impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;

    fn parse(text: &str, setting: &Setting) -> Option<Self> {
        if text.is_empty() {
            Some(None)
        } else {
            T::parse(text, setting).map(Some)
        }
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Switch;

    fn parse(text: &str, _: &Setting) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }
}

fn within(number: u64, setting: &Setting) -> Option<u64> {
    match setting.bounds {
        Some((least, most)) if !(least..=most).contains(&number) => None,
        _ => Some(number),
    }
}

/// Digits only: `+5`, ` 5` and `5.0` are refused.
fn digits(text: &str, setting: &Setting) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    within(text.parse().ok()?, setting)
}

impl Value for u32 {
    const KIND: Kind = Kind::Number;

    fn parse(text: &str, setting: &Setting) -> Option<Self> {
        digits(text, setting)?.try_into().ok()
    }
}

impl Value for usize {
    const KIND: Kind = Kind::Number;

    fn parse(text: &str, setting: &Setting) -> Option<Self> {
        digits(text, setting)?.try_into().ok()
    }
}

impl Value for Duration {
    const KIND: Kind = Kind::Seconds;

    fn parse(text: &str, setting: &Setting) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let span = Self::try_from_secs_f64(text.parse().ok()?).ok()?;
        let inside = |(least, most)| span >= Self::from_secs(least) && span <= Self::from_secs(most);
        setting.bounds.is_none_or(inside).then_some(span)
    }
}

impl Value for String {
    const KIND: Kind = Kind::Text;

    fn parse(text: &str, _: &Setting) -> Option<Self> {
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Value for PathBuf {
    const KIND: Kind = Kind::Path;

    fn parse(text: &str, _: &Setting) -> Option<Self> {
        (!text.is_empty()).then(|| Self::from(text))
    }
}

/// Items separated by commas, blanks around them dropped; an empty text is an empty list.
fn items<T: for<'a> From<&'a str>>(text: &str) -> Option<Vec<T>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',')
        .map(str::trim)
        .map(|item| (!item.is_empty()).then(|| T::from(item)))
        .collect()
}

impl Value for Vec<String> {
    const KIND: Kind = Kind::TextList;

    fn parse(text: &str, _: &Setting) -> Option<Self> {
        items(text)
    }
}

impl Value for Vec<PathBuf> {
    const KIND: Kind = Kind::PathList;

    fn parse(text: &str, _: &Setting) -> Option<Self> {
        items(text)
    }
}

impl Value for SocketAddr {
    const KIND: Kind = Kind::SocketAddress;

    fn parse(text: &str, _: &Setting) -> Option<Self> {
        match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}").parse().ok(),
            None => text.parse().ok(),
        }
    }
}

impl Value for PublicUrl {
    const KIND: Kind = Kind::Url;

    fn parse(text: &str, _: &Setting) -> Option<Self> {
        Self::parse(text)
    }
}

impl Value for Secret {
    const KIND: Kind = Kind::Secret;

    fn parse(text: &str, _: &Setting) -> Option<Self> {
        (!text.is_empty()).then(|| Self::new(text))
    }
}

/// Makes an enum whose variants are the words of a setting.
macro_rules! choice {
    ( $(#[doc = $about:literal])+ enum $name:ident { $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+ } ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $name {
            /// The word that stands for it in a setting.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl $crate::config::value::Value for $name {
            const KIND: $crate::config::Kind = $crate::config::Kind::Choice(&[$($word),+]);

            fn parse(text: &str, _: &$crate::config::Setting) -> Option<Self> {
                match text { $( $word => Some(Self::$variant), )+ _ => None }
            }
        }
    };
}
pub(super) use choice;
