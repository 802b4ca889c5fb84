//! The screen in front of the libraries.

use super::screen::{plain, response};
use crate::login::Reason;

const PROTOCOL: &str =
    "xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
const STATUS: &str = "<p:Status><p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></p:Status>";

fn document(inner: &str) -> String {
    format!("<p:Response {PROTOCOL} ID=\"r\" Destination=\"d&amp;\" InResponseTo=\"q\">{inner}</p:Response>")
}

#[test]
fn a_plain_response_shows_its_shell() {
    let shell = response(&document(&format!("{STATUS}<a:Assertion ID=\"a\"/>"))).unwrap();
    assert_eq!(
        (shell.destination.as_deref(), shell.in_response_to.as_deref()),
        (Some("d&"), Some("q"))
    );
}

#[test]
fn assertions_in_odd_places_and_other_names_are_refused() {
    for inner in [
        STATUS.to_owned(),
        format!("{STATUS}<a:Assertion/><a:Assertion/>"),
        format!("{STATUS}<x><a:Assertion/></x>"),
        format!("{STATUS}<p:Assertion/>"),
        format!("{STATUS}<Assertion xmlns=\"urn:other\"/><a:Assertion/>"),
        format!("{STATUS}<a:Assertion><p:Response/></a:Assertion>"),
        format!("{STATUS}<p:Extensions/><a:Assertion/>"),
        format!("{STATUS}<a:Assertion/><a:EncryptedAssertion/>"),
        format!("{STATUS}{STATUS}<a:Assertion/>"),
        "<a:Assertion/>".to_owned(),
        format!("{STATUS}<a:Assertion ID=\"r\"/>"),
        format!("{STATUS}<a:Assertion><u:x/></a:Assertion>"),
    ] {
        assert_eq!(
            response(&document(&inner)).unwrap_err().reason,
            Reason::InvalidAssertion,
            "{inner}"
        );
    }
    let refused = STATUS.replace("Success", "Responder");
    let refused = response(&document(&format!("{refused}<a:Assertion/>"))).unwrap_err();
    assert_eq!(refused.reason, Reason::ProviderRefused);
}

#[test]
fn what_is_no_element_tree_is_refused() {
    for xml in [
        "",
        "x",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "\u{feff}<a/>",
        "<!DOCTYPE a><a/>",
        "<a>&b;</a>",
        "<a x='1' x='2'/>",
    ] {
        assert!(plain(xml).is_err(), "{xml}");
    }
    assert!(plain("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- c --><a>&amp;&#65;</a>\n").is_ok());
    assert!(plain("<?xml version=\"1.0\" encoding=\"latin1\"?><a/>").is_err());
    assert!(plain(&format!("{}{}", "<a>".repeat(41), "</a>".repeat(41))).is_err());
    assert!(plain(&format!("<a>{}</a>", "<b/>".repeat(20_000))).is_err());
}
