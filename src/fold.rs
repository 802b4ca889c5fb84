//! The one fold: how names and case-insensitive values compare, for every writer of the service.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;

/// Version of [`fold`]. Stored beside keys, so that a new Unicode version can re-key them.
pub const KEY_VERSION: i16 = 1;

/// `text` in Unicode's normalization form C (UAX #15), as names are kept.
pub fn compose(text: &str) -> Cow<'_, str> {
    // ASCII, as most names are, is in that form.
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// The key under which `text` compares without case: NFC, full default case folding, NFC.
///
/// Neither the locale nor the database has a say, so `straße` and `STRASSE`, and a composed and a decomposed `é`,
/// give one key. Folding is idempotent.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let composed = compose(text);
    let folded = CaseMapper::new().fold_string(&composed);
    compose(&folded).into_owned()
}

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// White space at either end.
    #[error("it starts or ends with white space")]
    OuterSpace,
    /// A control character, NUL included.
    #[error("it holds the control character U+{0:04X}")]
    Control(u32),
    /// A character that nobody sees: zero width, or a mark of writing direction.
    #[error("it holds the invisible character U+{0:04X}")]
    Invisible(u32),
}

/// Refuses names that look like another name or break a line: used for `userName` and a group's `displayName`.
pub fn check_name(name: &str) -> Result<(), NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        return Err(NameFault::OuterSpace);
    }
    for character in name.chars() {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            return Err(NameFault::Control(character.into()));
        }
        if !character.is_ascii() && is_invisible(character) {
            return Err(NameFault::Invisible(character.into()));
        }
    }
    Ok(())
}

/// Characters that take no room: soft hyphen, joiners, fillers, variation selectors, bidi marks, tags, the BOM.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{00AD}'
            | '\u{034F}'
            | '\u{061C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests;
