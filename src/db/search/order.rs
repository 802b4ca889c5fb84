//! Sort orders and the conditions with which cursors continue in them.

use crate::scim::list::{Cursor, Sort};
use crate::scim::schema::{AttributePath, ResourceType};

use super::attributes::{Scope, operand};
use super::bound::{Parameters, SqlValue};
use super::condition::elements;
use super::operand::Operand;

/// Longest piece of a text in a document that counts for the order, in characters: the sort key travels in cursors.
const KEY_CHARACTERS: usize = 128;

/// A total order of the rows `r` of a view (RFC 7644 §3.4.2.3): by an attribute, what lacks it last (first when
/// descending), ties by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The sort key with its type; `None` for the id alone.
    key: Option<(String, &'static str)>,
    descending: bool,
}

impl Order {
    /// The order that a query asks for; by id when it asks for none.
    ///
    /// A multi-valued attribute counts with its primary value, or its first (RFC 7644 §3.4.2.3). `members`, `groups`
    /// and `schemas` don't order anything.
    pub fn new(sort: Option<&Sort>, resource_type: ResourceType) -> Self {
        let Some(sort) = sort else {
            return Self {
                key: None,
                descending: false,
            };
        };
        let key = if sort.path.attribute.multi_valued {
            preferred(sort.path).map(|sql| (sql, "text"))
        } else {
            single(operand(Scope::Resource(resource_type), sort.path))
        };
        Self {
            key,
            descending: sort.descending,
        }
    }

    /// What follows `order by`.
    pub fn order_by(&self) -> String {
        let (direction, nulls) = if self.descending {
            ("desc", "first")
        } else {
            ("asc", "last")
        };
        match &self.key {
            Some((key, _)) => format!("{key} {direction} nulls {nulls}, r.id {direction}"),
            None => format!("r.id {direction}"),
        }
    }

    /// The sort key of a row as text, for its cursor: null when the attribute is not present.
    pub fn key_as_text(&self) -> String {
        match &self.key {
            Some((key, _)) => format!("({key})::text"),
            None => "null::text".to_owned(),
        }
    }

    /// The condition that a row comes after the one where the cursor's page ended.
    ///
    /// `None` when the cursor's sort key is not one of this order: 400 `invalidCursor`.
    pub fn after(&self, cursor: &Cursor, parameters: &mut Parameters) -> Option<String> {
        let symbol = if self.descending { "<" } else { ">" };
        let id = parameters.bind(SqlValue::Uuid(cursor.id));
        Some(match (&self.key, &cursor.sort_key) {
            (None, None) => format!("r.id {symbol} {id}"),
            (None, Some(_)) => return None,
            (Some((key, _)), None) if self.descending => {
                format!("(({key} is null and r.id < {id}) or {key} is not null)")
            }
            (Some((key, _)), None) => format!("({key} is null and r.id > {id})"),
            (Some((key, cast)), Some(value)) => {
                if !is_readable(cast, value) {
                    return None;
                }
                let value = format!("{}::{cast}", parameters.text(value.clone()));
                let rows = format!("({key}, r.id) {symbol} ({value}, {id})");
                if self.descending {
                    rows
                } else {
                    format!("({rows} or {key} is null)")
                }
            }
        })
    }
}

fn single(operand: Operand) -> Option<(String, &'static str)> {
    match operand {
        Operand::Text(sql) => Some((sql, "text")),
        Operand::DocumentText(sql) => Some((cut(&sql), "text")),
        Operand::DocumentBoolean(sql) => Some((format!("({sql} = 'true'::jsonb)"), "boolean")),
        Operand::Integer(sql) | Operand::Version(sql) => Some((sql, "bigint")),
        Operand::Boolean(sql) => Some((sql, "boolean")),
        Operand::Time(sql) => Some((sql, "timestamptz")),
        Operand::Id(_)
        | Operand::Location { .. }
        | Operand::Constant(_)
        | Operand::DocumentObject(_)
        | Operand::Absent => None,
    }
}

fn cut(sql: &str) -> String {
    format!("left({sql}, {KEY_CHARACTERS}) collate \"C\"")
}

/// The primary value of a multi-valued attribute of the document, or its first.
fn preferred(path: AttributePath) -> Option<String> {
    if matches!(
        (path.extension, path.attribute.name),
        (None, "members" | "groups" | "schemas")
    ) {
        return None;
    }
    let part = match operand(Scope::Object("e.value"), AttributePath::core(path.sub?)) {
        Operand::DocumentText(sql) => sql,
        Operand::DocumentBoolean(sql) => format!("({sql}::text)"),
        _ => return None,
    };
    let rows = elements(path);
    let primary = "((e.value->'primary') = 'true'::jsonb) is true";
    Some(cut(&format!(
        "(select {part} from {rows} with ordinality as e(value, place) order by {primary} desc, e.place limit 1)"
    )))
}

/// Whether the database can read a sort key that a client brings back; a forged one must not become an SQL error.
fn is_readable(cast: &str, value: &str) -> bool {
    match cast {
        "bigint" => value.parse::<i64>().is_ok(),
        "boolean" => matches!(value, "true" | "false"),
        "timestamptz" => {
            // As PostgreSQL prints it: `2024-04-23 18:57:43.123456+00`, with a short or a long offset.
            let shape = value
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b' ' | b'+'))
                // Years before the first are written otherwise, and none of ours is one.
                && value.starts_with(|c: char| c.is_ascii_digit())
                && !value.starts_with("0000");
            shape
                && (value.parse::<jiff::Timestamp>().is_ok()
                    || format!("{value}:00").parse::<jiff::Timestamp>().is_ok())
        }
        _ => true,
    }
}
