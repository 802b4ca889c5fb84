//! Query strings and cursors of the read API.

use axum::http::Uri;
use uuid::Uuid;

use super::answer::{Refused, bad_request};
use crate::db::nss::{Key, Position};
use crate::http::scim_request::form_pairs;

/// Records on a page when the node does not say.
const DEFAULT_LIMIT: i32 = 1_000;

/// Most records on a page.
const MAX_LIMIT: i32 = 5_000;

/// Longest name that is looked up, in bytes.
const MAX_NAME: usize = 255;

pub(super) fn print_position(position: Position) -> String {
    format!("{}.{}.{}", position.epoch, position.id, position.ordinal)
}

pub(super) fn parse_position(text: &str) -> Option<Position> {
    let mut parts = text.split('.');
    let position = Position {
        epoch: parts.next()?.parse().ok()?,
        id: parts.next()?.parse().ok()?,
        ordinal: parts.next()?.parse().ok()?,
    };
    (parts.next().is_none() && position.id >= 0 && position.ordinal >= 0).then_some(position)
}

/// Which of the two tables a walk is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Users,
    Groups,
}

pub(super) fn parse_phase(text: &str) -> Option<(Phase, Option<Uuid>)> {
    let (phase, id) = match text.split_at_checked(1)? {
        ("u", id) => (Phase::Users, id),
        ("g", id) => (Phase::Groups, id),
        _ => return None,
    };
    let id = if id.is_empty() { None } else { Some(id.parse().ok()?) };
    Some((phase, id))
}

/// A decoded query string with known names, each given once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(uri: &Uri, known: &[&str]) -> Result<Self, Refused> {
        let pairs: Vec<_> = form_pairs(uri.query().unwrap_or_default()).collect();
        let stray = pairs.iter().enumerate().any(|(at, (key, _))| {
            !known.contains(&key.as_str()) || pairs.iter().skip(at + 1).any(|(other, _)| other == key)
        });
        if stray {
            return Err(bad_request("unknown or repeated parameter"));
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn name(&self) -> Result<&str, Refused> {
        match self.get("name") {
            Some(name) if !name.is_empty() && name.len() <= MAX_NAME && !name.contains('\0') => Ok(name),
            _ => Err(bad_request("name must have 1 to 255 bytes")),
        }
    }

    /// The one key that is given; `None` for an enumeration.
    pub(super) fn key(&self, number: &str) -> Result<Option<Key>, Refused> {
        match (self.get("name"), self.get(number)) {
            (Some(_), Some(_)) => Err(bad_request(&format!("give one of name and {number}"))),
            (Some(_), None) => Ok(Some(Key::Name(self.name()?.to_owned()))),
            (None, Some(digits)) => {
                let plain = !digits.is_empty() && digits.len() <= 10 && digits.bytes().all(|b| b.is_ascii_digit());
                let value = if plain { digits.parse().ok() } else { None };
                Ok(Some(Key::Number(
                    value.ok_or_else(|| bad_request(&format!("{number} must be a number")))?,
                )))
            }
            (None, None) => Ok(None),
        }
    }

    pub(super) fn after(&self) -> Result<Option<Uuid>, Refused> {
        let parse = |text: &str| text.parse().map_err(|_| bad_request("after is not of this service"));
        self.get("after").map(parse).transpose()
    }

    pub(super) fn phase(&self) -> Result<(Phase, Option<Uuid>), Refused> {
        let parse = |text| parse_phase(text).ok_or_else(|| bad_request("after is not of this service"));
        self.get("after").map_or(Ok((Phase::Users, None)), parse)
    }

    pub(super) fn limit(&self) -> Result<i32, Refused> {
        match self.get("limit").map(str::parse::<u32>) {
            None => Ok(DEFAULT_LIMIT),
            Some(Ok(limit)) if limit > 0 => Ok(i32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
            _ => Err(bad_request("limit must be a number above 0")),
        }
    }
}
