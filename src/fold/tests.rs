//! Tests of the fold and of the name check.

use proptest::prelude::*;

use super::*;

#[test]
fn pairs_that_must_be_one_name_have_one_key() {
    let pairs = [
        ("Admins", "admins"),
        ("É", "é"),
        ("e\u{301}", "é"),
        ("E\u{301}", "é"),
        ("straße", "STRASSE"),
        ("ΣΟΦΟΣ", "σοφος"),
        ("ΣΟΦΟΣ", "σοφοσ"),
        ("INFO", "info"),
        ("ﬀ", "FF"),
        ("ǅ", "ǆ"),
    ];
    for (left, right) in pairs {
        assert_eq!(fold(left), fold(right), "{left} and {right}");
    }
}

#[test]
fn the_dotted_capital_i_keeps_its_dot() {
    // Decided once: the default fold, not the Turkic one, so the two names stay different everywhere.
    assert_eq!(fold("İstanbul"), "i\u{307}stanbul");
    assert_ne!(fold("İstanbul"), fold("istanbul"));
}

#[test]
fn look_alikes_of_other_scripts_stay_different() {
    assert_ne!(fold("а"), fold("a"));
}

#[test]
fn a_plain_name_passes() {
    for name in ["jane.doe@example.org", "Zoë Müller", "開発", "a b", "O'Brien"] {
        assert_eq!(check_name(name), Ok(()), "{name}");
    }
}

#[test]
fn names_that_deceive_are_refused() {
    assert_eq!(check_name(""), Err(NameFault::Empty));
    assert_eq!(check_name(" jane"), Err(NameFault::OuterSpace));
    assert_eq!(check_name("jane\u{A0}"), Err(NameFault::OuterSpace));
    assert_eq!(check_name("ja\u{0}ne"), Err(NameFault::Control(0)));
    assert_eq!(check_name("ja\nne"), Err(NameFault::Control(10)));
    assert_eq!(check_name("ja\u{200B}ne"), Err(NameFault::Invisible(0x200B)));
    assert_eq!(check_name("ja\u{202E}ne"), Err(NameFault::Invisible(0x202E)));
    assert_eq!(check_name("\u{FEFF}jane"), Err(NameFault::Invisible(0xFEFF)));
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn case_makes_no_difference_to_ascii(text in "[ -~]{0,40}") {
        prop_assert_eq!(fold(&text.to_ascii_uppercase()), fold(&text.to_ascii_lowercase()));
    }
}
