//! What a response must look like before any library sees it. Two XML parsers work on it later (libxml2 and quick-xml);
//! everything that they could read differently, and every place where a second assertion could hide, is refused here.

use std::collections::HashSet;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::invalid;
use crate::login::refusal::{Reason, Refusal};

/// Deepest nesting.
const DEPTH: usize = 40;

/// Most elements.
const ELEMENTS: usize = 20_000;

const PROTOCOL: &[u8] = b"urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &[u8] = b"urn:oasis:names:tc:SAML:2.0:assertion";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// What the unsigned shell of a response says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shell {
    /// `Destination`.
    pub destination: Option<String>,
    /// `InResponseTo`.
    pub in_response_to: Option<String>,
}

/// Screens a response. Raises `invalid_assertion`, and `provider_refused` for a status other than success.
pub(super) fn response(xml: &str) -> Result<Shell, Refusal> {
    let mut walk = Walk::default();
    walk.run(xml)?;
    let root = walk.root.ok_or_else(|| invalid("the response is empty"))?;
    if walk.encrypted {
        return Err(invalid("the assertion is encrypted, which is not supported"));
    }
    if walk.responses != 1 || !walk.root_is_response {
        return Err(invalid("the document is not one response"));
    }
    match walk.status.as_deref() {
        Some(SUCCESS) => {}
        Some(_) => {
            return Err(Refusal::new(
                Reason::ProviderRefused,
                "the provider's status is not success",
            ));
        }
        None => return Err(invalid("the response has no status, or two")),
    }
    if walk.assertions != 1 || walk.extensions {
        return Err(invalid(
            "the response does not hold exactly one assertion, or has extensions",
        ));
    }
    Ok(root)
}

/// Screens other XML, metadata for instance: no document type, no entities of its own, UTF-8, nesting.
pub(super) fn plain(xml: &str) -> Result<(), Refusal> {
    let mut walk = Walk {
        allows_comments: true,
        ..Walk::default()
    };
    walk.run(xml)
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a different fact of the document")]
struct Walk {
    allows_comments: bool,
    depth: usize,
    elements: usize,
    ids: HashSet<String>,
    root: Option<Shell>,
    root_is_response: bool,
    responses: usize,
    assertions: usize,
    encrypted: bool,
    extensions: bool,
    /// Whether the element at depth 2 is the response's status.
    in_status: bool,
    statuses: usize,
    status: Option<String>,
}

impl Walk {
    fn run(&mut self, xml: &str) -> Result<(), Refusal> {
        if !xml.starts_with('<') {
            return Err(invalid("the document does not begin with an element"));
        }
        let mut reader = NsReader::from_str(xml);
        reader.config_mut().check_end_names = true;
        loop {
            let (namespace, event) = reader
                .read_resolved_event()
                .map_err(|_| invalid("the document is not well-formed XML"))?;
            match event {
                Event::Start(start) => {
                    self.open(&namespace, &start)?;
                }
                Event::Empty(start) => {
                    self.open(&namespace, &start)?;
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::DocType(_) => return Err(invalid("the document declares a document type")),
                Event::Comment(_) | Event::PI(_) | Event::CData(_) if !self.allows_comments => {
                    return Err(invalid(
                        "the document holds a comment, an instruction or a CDATA section",
                    ));
                }
                Event::Comment(_) | Event::PI(_) | Event::CData(_) => {}
                Event::Decl(declaration) => {
                    let encoding = declaration.encoding().transpose();
                    let encoding = encoding.map_err(|_| invalid("the XML declaration cannot be read"))?;
                    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"utf-8")) {
                        return Err(invalid("the document is not UTF-8"));
                    }
                }
                Event::GeneralRef(reference) => {
                    let name: &[u8] = &reference;
                    if !name.starts_with(b"#") && ![&b"amp"[..], b"lt", b"gt", b"quot", b"apos"].contains(&name) {
                        return Err(invalid("the document refers to an entity"));
                    }
                }
                Event::Text(text) => {
                    let text: &[u8] = &text;
                    if self.depth == 0 && !text.trim_ascii().is_empty() {
                        return Err(invalid("there is text beside the document's element"));
                    }
                }
                Event::Eof if self.depth == 0 => return Ok(()),
                Event::Eof => return Err(invalid("the document ends early")),
            }
        }
    }

    fn open(&mut self, namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<(), Refusal> {
        self.depth += 1;
        self.elements += 1;
        if self.depth > DEPTH || self.elements > ELEMENTS {
            return Err(invalid("the document is too deep or too long"));
        }
        if self.depth == 1 && self.elements > 1 {
            return Err(invalid("the document has two elements side by side"));
        }
        if matches!(namespace, ResolveResult::Unknown(_)) {
            return Err(invalid("the document uses a namespace that it does not declare"));
        }
        let is_in = |wanted: &[u8]| matches!(namespace, ResolveResult::Bound(found) if found.0 == wanted);
        let mut shell = Shell::default();
        let mut value = None;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| invalid("an attribute cannot be read, or comes twice"))?;
            let key = attribute.key.as_ref();
            let is_id = [&b"ID"[..], b"Id", b"id", b"xml:id"].contains(&key);
            if !is_id && ![&b"Destination"[..], b"InResponseTo", b"Value"].contains(&key) {
                continue;
            }
            let text = std::str::from_utf8(&attribute.value).ok();
            let text = text.and_then(|text| quick_xml::escape::unescape(text).ok());
            let text = text.ok_or_else(|| invalid("an attribute cannot be read"))?.into_owned();
            match key {
                b"Destination" => shell.destination = Some(text),
                b"InResponseTo" => shell.in_response_to = Some(text),
                b"Value" => value = Some(text),
                _ if !self.ids.insert(text) => return Err(invalid("two elements have one ID")),
                _ => {}
            }
        }
        // By local name alone, whatever the namespace: an element that only one parser takes for an assertion is one.
        match start.local_name().as_ref() {
            b"Response" => {
                self.responses += 1;
                self.root_is_response = self.depth == 1 && is_in(PROTOCOL);
            }
            b"Assertion" => {
                self.assertions += 1;
                if self.depth != 2 || !is_in(ASSERTION) {
                    // Two, so that it is refused with the rest of the checks done.
                    self.assertions += 1;
                }
            }
            b"EncryptedAssertion" | b"EncryptedID" | b"EncryptedAttribute" => self.encrypted = true,
            b"Extensions" => self.extensions = true,
            b"Status" if self.depth == 2 => {
                self.statuses += 1;
                self.in_status = is_in(PROTOCOL);
            }
            b"StatusCode" if self.depth == 3 && self.in_status => {
                // A second status leaves none.
                self.status = value.filter(|_| self.statuses == 1 && self.status.is_none());
            }
            _ => {}
        }
        if self.depth == 1 {
            self.root = Some(shell);
        }
        Ok(())
    }

    fn close(&mut self) {
        if self.depth == 2 {
            self.in_status = false;
        }
        self.depth = self.depth.saturating_sub(1);
    }
}
