//! Moving users and groups in and out: what files and directories say, as records ready for the database, and back.
//!
//! Pure but for a reader and a writer: what stands against a record in the database is for `db::imports` to say.

mod accounts;
mod csv;
mod directory;
mod distinguished_name;
mod fault;
mod json;
mod ldif;
mod lines;
mod nesting;
mod record;
mod write;

use std::io::BufRead;
use std::ops::{ControlFlow, RangeInclusive};

use regex::Regex;

pub use csv::quote;
pub use directory::Attributes;
pub use fault::Fault;
pub use nesting::{Nesting, circles, held_by_themselves};
pub use record::{Entry, Group, Member, Name, User};
pub use write::{GroupLine, LeftOut, MemberName, UserLine, Writer};

use crate::scim::schema::ResourceType;
use fault::Faults;
use lines::Lines;

/// Most bytes of one line, or of one record of CSV, that describes a user.
pub const LINE_BYTES: usize = 1024 * 1024;

/// Most bytes of one line, or of one record of CSV, that describes a group: as many members as nodes take, 250,000, with
/// names of 255 bytes.
pub const GROUP_LINE_BYTES: usize = 64 * 1024 * 1024;

/// What is wrong with a file in which nothing stands but blank lines and comments: whoever made it failed unseen. A list of SCIM
/// without resources and a line of heads alone say that there is nobody, and are in order.
const NO_RECORD: &str = "the file holds no record";

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `passwd(5)`, also what `getent passwd` prints.
    Passwd,
    /// `group(5)`, also what `getent group` prints.
    Group,
    /// Comma-separated values (RFC 4180) with a line of heads.
    Csv,
    /// The LDAP data interchange format (RFC 2849).
    Ldif,
    /// SCIM resources: a list response, an array, or one after the other.
    Json,
}

/// What a reader needs to know besides the file.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which of the two kinds of resource is wanted.
    pub resource: ResourceType,
    /// What a POSIX user name must match as a whole.
    pub user_name_rule: Regex,
    /// Whether SSH keys may carry options.
    pub ssh_key_options: bool,
    /// What is put behind `@` to make a `userName` of a POSIX name.
    pub domain: Option<String>,
    /// Numbers outside of these are passed over (local accounts in the output of `getent`).
    pub ids: Option<RangeInclusive<i64>>,
}

impl Rules {
    fn passes_over(&self, id: Option<i64>) -> bool {
        matches!((&self.ids, id), (Some(ids), Some(id)) if !ids.contains(&id))
    }

    /// The `userName` of somebody of whom only the POSIX name is known.
    fn user_name(&self, posix_name: &str) -> String {
        match &self.domain {
            Some(domain) => format!("{posix_name}@{domain}"),
            None => posix_name.to_owned(),
        }
    }
}

/// Takes one record or one fault after the other; `Break` ends the reading. Behind the faults of a record comes what is good
/// in it, so that it can be compared with others: with a fault nothing of the file may be written.
pub type Sink<'a> = dyn FnMut(Result<Entry, Fault>) -> ControlFlow<()> + 'a;

/// Reads a file to its end and gives what it holds to `sink`. Memory does not grow with the file.
///
/// Raises what the reader raises, and nothing else: whatever is wrong with the text is a fault with its line.
pub fn read(format: Format, rules: &Rules, input: &mut dyn BufRead, sink: &mut Sink<'_>) -> std::io::Result<()> {
    match format {
        Format::Passwd => accounts::read(Lines::new(input, LINE_BYTES), sink, |line, text, faults| {
            accounts::user(rules, line, text, faults)
        }),
        Format::Group => accounts::read(Lines::new(input, GROUP_LINE_BYTES), sink, |line, text, faults| {
            accounts::group(rules, line, text, faults)
        }),
        Format::Csv => csv::read(rules, input, sink),
        Format::Ldif => ldif::read(rules, input, sink),
        Format::Json => json::read(rules, input, sink),
    }
}

/// Gives `sink` what one entry of a directory that is asked live holds: nothing when it is of another kind; `number` is its
/// place in the answer.
pub fn directory_entry(rules: &Rules, number: u64, entry: &Attributes, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let mut faults = Faults::default();
    let entry = directory::entry(rules, number, entry, &mut faults);
    faults.tell(entry, sink)
}

#[cfg(test)]
mod tests;
