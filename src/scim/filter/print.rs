//! Prints a filter in canonical form; parsing the result gives the same filter.

use std::fmt;

use super::{Filter, Literal};

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => join(formatter, parts, " and ", |part| matches!(part, Self::Or(_))),
            Self::Or(parts) => join(formatter, parts, " or ", |_| false),
            Self::Not(inner) => write!(formatter, "not ({inner})"),
            Self::Present(path) => write!(formatter, "{path} pr"),
            Self::Compare { path, operator, value } => write!(formatter, "{path} {} {value}", operator.as_str()),
            Self::Element { path, filter } => write!(formatter, "{path}[{filter}]"),
            // Every resource has an id.
            Self::Constant(true) => formatter.write_str("id pr"),
            Self::Constant(false) => formatter.write_str("not (id pr)"),
        }
    }
}

fn join(
    formatter: &mut fmt::Formatter<'_>,
    parts: &[Filter],
    separator: &str,
    needs_parentheses: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            formatter.write_str(separator)?;
        }
        if needs_parentheses(part) {
            write!(formatter, "({part})")?;
        } else {
            write!(formatter, "{part}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_json() {
            None => formatter.write_str("null"),
            Some(value) => write!(formatter, "{value}"),
        }
    }
}
