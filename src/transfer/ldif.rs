//! The LDAP data interchange format (RFC 2849): content records, one entry after the other.

use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::directory::{Attributes, NOT_TEXT, entry};
use super::fault::Faults;
use super::lines::Lines;
use super::{Fault, LINE_BYTES, Rules, Sink};

/// Most bytes of one entry: a group of a hundred thousand members by distinguished name has 8 MB.
pub const ENTRY_BYTES: usize = 32 * 1024 * 1024;

/// Reads entry after entry.
pub(super) fn read(rules: &Rules, input: &mut dyn BufRead, sink: &mut Sink<'_>) -> std::io::Result<()> {
    let mut lines = Lines::new(input, LINE_BYTES);
    let mut is_empty = true;
    loop {
        let Found {
            at,
            attributes,
            mut faults,
            is_last,
        } = next_entry(&mut lines)?;
        let has_name = !attributes.dn.is_empty();
        is_empty = is_empty && !has_name && faults.is_empty();
        let entry = has_name.then(|| entry(rules, at, &attributes, &mut faults)).flatten();
        if is_last && is_empty {
            faults.keep::<()>(Err(Fault::of_line(lines.number().max(1), super::NO_RECORD)));
        }
        if faults.tell(entry, sink).is_break() || is_last {
            return Ok(());
        }
    }
}

/// An entry as far as it could be read, and what is wrong with its lines.
#[derive(Default)]
struct Found {
    /// The line of its dn.
    at: u64,
    attributes: Attributes,
    faults: Faults,
    /// Whether the file ends behind it.
    is_last: bool,
}

/// What is wrong with a line.
enum Broken {
    /// The others may be right.
    Line(Fault),
    /// What follows may belong to another entry: it is passed over.
    Rest(Fault),
}

impl Found {
    /// Takes a complete line; whether the next ones can be taken too.
    fn take(&mut self, line: &(u64, String)) -> bool {
        let (fault, goes_on) = match take(line, &mut self.at, &mut self.attributes) {
            Ok(()) => return true,
            Err(Broken::Line(fault)) => (fault, true),
            Err(Broken::Rest(fault)) => (fault, false),
        };
        self.faults.keep::<()>(Err(fault));
        goes_on
    }
}

/// The next entry.
fn next_entry(lines: &mut Lines<'_>) -> std::io::Result<Found> {
    let mut found = Found::default();
    // A line and where it begins; it is complete when the next one does not continue it.
    let mut pending: Option<(u64, String)> = None;
    let (mut has_begun, mut goes_on, mut bytes) = (false, true, 0);
    // Whether the last line could not be read: what continues it is passed over.
    let mut is_unreadable = false;
    loop {
        let number = lines.number() + 1;
        let line = match lines.next()? {
            None => {
                found.is_last = true;
                break;
            }
            Some(Ok(line)) => line.trim_end_matches('\r'),
            Some(Err(fault)) => {
                found.faults.keep::<()>(Err(fault));
                (has_begun, is_unreadable) = (true, true);
                let complete = pending.take().filter(|_| goes_on);
                goes_on = goes_on && complete.is_none_or(|complete| found.take(&complete));
                continue;
            }
        };
        if line.is_empty() {
            if has_begun {
                break;
            }
            continue;
        }
        has_begun = true;
        bytes += line.len();
        if bytes > ENTRY_BYTES && goes_on {
            let reason = format!("the entry is larger than {ENTRY_BYTES} bytes");
            found.faults.keep::<()>(Err(Fault::of_line(number, reason)));
            (goes_on, pending) = (false, None);
        }
        if !goes_on {
            continue;
        }
        if let Some(more) = line.strip_prefix(' ') {
            match &mut pending {
                Some((_, text)) => text.push_str(more),
                None if is_unreadable => {}
                None => {
                    let fault = Fault::of_line(number, "the line continues nothing");
                    found.faults.keep::<()>(Err(fault));
                }
            }
            continue;
        }
        is_unreadable = false;
        if let Some(complete) = pending.replace((number, line.to_owned())) {
            goes_on = found.take(&complete);
        }
    }
    if let Some(complete) = pending.filter(|_| goes_on) {
        found.take(&complete);
    }
    Ok(found)
}

/// Adds one complete line to the entry.
fn take((number, text): &(u64, String), at: &mut u64, attributes: &mut Attributes) -> Result<(), Broken> {
    if text.starts_with('#') {
        return Ok(());
    }
    let Some((name, value)) = text.split_once(':') else {
        return Err(Broken::Line(Fault::of_line(*number, "the line has no colon")));
    };
    let value = if let Some(encoded) = value.strip_prefix(':') {
        let encoded = encoded.trim();
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| Broken::Line(Fault::of_value(*number, name, encoded, "it is not base64")))?;
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => text,
            _ if name.eq_ignore_ascii_case("dn") => {
                return Err(Broken::Rest(Fault::of_value(*number, name, encoded, NOT_TEXT)));
            }
            _ => {
                attributes.add_unreadable(*number, name.to_owned(), encoded.to_owned());
                return Ok(());
            }
        }
    } else if value.starts_with('<') {
        let fault = Fault::of_value(*number, name, value, "values by URL are not supported");
        return Err(Broken::Line(fault));
    } else {
        value.strip_prefix(' ').unwrap_or(value).to_owned()
    };
    // Options such as `;lang-en` or `;range=0-1499` make another attribute of it; a ranged list is not complete.
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "version" if attributes.dn.is_empty() => Ok(()),
        "dn" if attributes.dn.is_empty() => {
            *at = *number;
            attributes.dn = value;
            Ok(())
        }
        "dn" => Err(Broken::Rest(Fault::of_line(
            *number,
            "the entry has two distinguished names: is an empty line missing?",
        ))),
        _ if attributes.dn.is_empty() => Err(Broken::Rest(Fault::of_line(
            *number,
            "the entry does not begin with its dn",
        ))),
        "changetype" if value != "add" => Err(Broken::Rest(Fault::of_value(
            *number,
            "changetype",
            &value,
            "only entries are imported, not changes",
        ))),
        _ if name.contains(";range=") => Err(Broken::Line(Fault::of_value(
            *number,
            &name,
            "",
            "the list of values is not complete",
        ))),
        _ => {
            attributes.add(name, value);
            Ok(())
        }
    }
}
