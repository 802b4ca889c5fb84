//! Where a page of a list begins, as the links between pages carry it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use uuid::Uuid;

use crate::db::admin_pages::{Place, Wanted};
use crate::fold::fold;

/// Longest text that is searched for, in characters.
const SEARCH_CHARACTERS: usize = 200;

/// Longest place that is read, in bytes: twice the longest attribute that is gone through.
const PLACE_BYTES: usize = 4_096;

/// What was typed into a search field; control characters are in no name.
pub fn wanted(typed: Option<&str>) -> Wanted {
    let text: String = typed
        .unwrap_or_default()
        .trim()
        .chars()
        .filter(|character| !character.is_control())
        .take(SEARCH_CHARACTERS)
        .collect();
    Wanted { key: fold(&text), text }
}

/// A place as text of letters, digits, `-` and `_`.
pub fn encode(place: &Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}\n{}\n{}", place.stage, place.id, place.key))
}

/// A place from text, in a search with `stages`, of which the last goes through numbers; the beginning for what is none.
pub fn decode(text: Option<&str>, stages: i32) -> Place {
    text.and_then(|text| read(text, stages)).unwrap_or_default()
}

fn read(text: &str, stages: i32) -> Option<Place> {
    if text.len() > PLACE_BYTES {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let mut parts = text.splitn(3, '\n');
    let stage: i32 = parts.next()?.parse().ok()?;
    let id: Uuid = parts.next()?.parse().ok()?;
    let key = parts.next()?;
    let is_sound = (1..=stages).contains(&stage)
        && !key.contains('\0')
        && (stage != stages || key.is_empty() || key.parse::<i64>().is_ok());
    is_sound.then(|| Place {
        stage,
        key: key.to_owned(),
        id,
    })
}

/// The place behind a token: when it was made and its public id.
pub fn encode_token(created: Timestamp, public_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{created}\n{public_id}"))
}

/// The same from text; `None` for what is none.
pub fn decode_token(text: &str) -> Option<(Timestamp, String)> {
    if text.len() > PLACE_BYTES {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (created, public_id) = text.split_once('\n')?;
    (!public_id.contains('\0')).then_some((created.parse().ok()?, public_id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_anything_else_is_the_beginning() {
        let place = Place {
            stage: 3,
            key: "jané\n\"<doe>".into(),
            id: Uuid::now_v7(),
        };
        assert_eq!(decode(Some(&encode(&place)), 5), place);
        assert_eq!(decode(Some(&encode(&place)), 2), Place::default());
        for (stage, key) in [(0, "a"), (6, "a"), (5, "a"), (2, "a\0b")] {
            let place = Place {
                stage,
                key: key.into(),
                id: Uuid::nil(),
            };
            assert_eq!(decode(Some(&encode(&place)), 5), Place::default());
        }
        for text in ["", "!", "MQ", &"A".repeat(5_000)] {
            assert_eq!(decode(Some(text), 5), Place::default());
        }
    }

    #[test]
    fn what_is_typed_is_trimmed_cut_and_freed_of_control_characters() {
        let typed = wanted(Some("  Ja\u{0}ne\n "));
        assert_eq!((typed.text.as_str(), typed.key.as_str()), ("Jane", "jane"));
        assert_eq!(wanted(Some(&"ä".repeat(1_000))).text.chars().count(), SEARCH_CHARACTERS);
    }

    #[test]
    fn the_place_behind_a_token_survives_a_link() {
        let at = Timestamp::now();
        assert_eq!(decode_token(&encode_token(at, "abc")), Some((at, "abc".to_owned())));
        assert_eq!(decode_token("!"), None);
    }
}
