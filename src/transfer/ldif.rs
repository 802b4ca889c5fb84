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
        let (found, is_last) = next_entry(&mut lines)?;
        is_empty = is_empty && matches!(found, Ok((_, None)));
        let mut faults = Faults::default();
        let entry = match found {
            Ok((_, None)) => None,
            Ok((line, Some(attributes))) => entry(rules, line, &attributes, &mut faults),
            Err(fault) => faults.keep(Err(fault)),
        };
        if is_last && is_empty {
            faults.keep::<()>(Err(Fault::of_line(lines.number().max(1), super::NO_RECORD)));
        }
        if faults.tell(entry, sink).is_break() || is_last {
            return Ok(());
        }
    }
}

type Found = Result<(u64, Option<Attributes>), Fault>;

/// The next entry with the line of its dn, and whether the file ends behind it. After a fault the rest of the entry is
/// passed over.
fn next_entry(lines: &mut Lines<'_>) -> std::io::Result<(Found, bool)> {
    let mut attributes = Attributes::default();
    let mut at = 0;
    // A line and where it begins; it is complete when the next one does not continue it.
    let mut pending: Option<(u64, String)> = None;
    let mut fault = None;
    let mut bytes = 0;
    let is_last = loop {
        let number = lines.number() + 1;
        let line = match lines.next()? {
            None => break true,
            Some(Ok(line)) => line.trim_end_matches('\r'),
            Some(Err(found)) => {
                fault.get_or_insert(found);
                continue;
            }
        };
        bytes += line.len();
        if bytes > ENTRY_BYTES {
            fault.get_or_insert(Fault::of_line(
                number,
                format!("the entry is larger than {ENTRY_BYTES} bytes"),
            ));
            pending = None;
        }
        if line.is_empty() {
            if at == 0 && pending.is_none() && fault.is_none() {
                continue;
            }
            break false;
        }
        if fault.is_some() {
            continue;
        }
        if let Some(more) = line.strip_prefix(' ') {
            match &mut pending {
                Some((_, text)) => text.push_str(more),
                None => fault = Some(Fault::of_line(number, "the line continues nothing")),
            }
            continue;
        }
        if let Some(complete) = pending.replace((number, line.to_owned())) {
            fault = take(&complete, &mut at, &mut attributes).err();
        }
    };
    if let (Some(complete), None) = (pending, &fault) {
        fault = take(&complete, &mut at, &mut attributes).err();
    }
    Ok((
        match fault {
            Some(fault) => Err(fault),
            None if attributes.dn.is_empty() => Ok((at, None)),
            None => Ok((at, Some(attributes))),
        },
        is_last,
    ))
}

/// Adds one complete line to the entry.
fn take((number, text): &(u64, String), at: &mut u64, attributes: &mut Attributes) -> Result<(), Fault> {
    if text.starts_with('#') {
        return Ok(());
    }
    let Some((name, value)) = text.split_once(':') else {
        return Err(Fault::of_line(*number, "the line has no colon"));
    };
    let value = if let Some(encoded) = value.strip_prefix(':') {
        let encoded = encoded.trim();
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| Fault::of_value(*number, name, encoded, "it is not base64"))?;
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => text,
            _ if name.eq_ignore_ascii_case("dn") => {
                return Err(Fault::of_value(*number, name, encoded, NOT_TEXT));
            }
            _ => {
                attributes.add_unreadable(*number, name.to_owned(), encoded.to_owned());
                return Ok(());
            }
        }
    } else if value.starts_with('<') {
        return Err(Fault::of_value(*number, name, value, "values by URL are not supported"));
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
        "dn" => Err(Fault::of_line(
            *number,
            "the entry has two distinguished names: is an empty line missing?",
        )),
        _ if attributes.dn.is_empty() => Err(Fault::of_line(*number, "the entry does not begin with its dn")),
        "changetype" if value != "add" => Err(Fault::of_value(
            *number,
            "changetype",
            &value,
            "only entries are imported, not changes",
        )),
        _ if name.contains(";range=") => Err(Fault::of_value(
            *number,
            &name,
            "",
            "the list of values is not complete",
        )),
        _ => {
            attributes.add(name, value);
            Ok(())
        }
    }
}
