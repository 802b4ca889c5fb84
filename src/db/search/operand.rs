//! The left side of a comparison in SQL, and what each operator makes of it.

use jiff::Timestamp;

use crate::fold::fold;
use crate::scim::filter::{Literal, Operator};
use crate::scim::id;
use crate::scim::schema::Attribute;
use crate::scim::version::Precondition;

use super::bound::{Parameters, SqlValue};

/// A value in the database, by the way it compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    /// Text with collation "C", folded when its attribute compares without case.
    Text(String),
    /// Text out of a document, which has the database's collation.
    DocumentText(String),
    /// A JSON boolean.
    DocumentBoolean(String),
    /// A JSON object or array; can only be present or not.
    DocumentObject(String),
    /// A `uuid` that clients see as text.
    Id(String),
    /// A `bigint`.
    Integer(String),
    /// A `boolean`.
    Boolean(String),
    /// A `timestamptz`, shown in whole milliseconds.
    Time(String),
    /// A `bigint` shown as an entity tag.
    Version(String),
    /// A URL that ends with `prefix` (an SQL expression) and the `uuid`.
    Location { prefix: String, id: String },
    /// The same for every resource.
    Constant(&'static str),
    /// Never there.
    Absent,
}

/// The SQL of a constant condition.
pub(super) fn constant(truth: bool) -> String {
    if truth { "true".to_owned() } else { "false".to_owned() }
}

impl Operand {
    pub(super) fn text(sql: &str) -> Self {
        Self::Text(sql.to_owned())
    }

    /// Whether there is a value.
    pub(super) fn present(&self) -> String {
        match self {
            Self::Text(sql)
            | Self::DocumentText(sql)
            | Self::DocumentBoolean(sql)
            | Self::DocumentObject(sql)
            | Self::Integer(sql)
            | Self::Boolean(sql)
            | Self::Time(sql) => format!("{sql} is not null"),
            Self::Id(_) | Self::Version(_) | Self::Location { .. } | Self::Constant(_) => constant(true),
            Self::Absent => constant(false),
        }
    }

    /// A comparison with any operator but `ne`, and with any literal but `null`. The condition may be null in SQL where
    /// it is false in SCIM; only [`super::condition`] puts it under a `not`, and guards against that.
    pub(super) fn compare(
        &self,
        attribute: &Attribute,
        operator: Operator,
        literal: &Literal,
        parameters: &mut Parameters,
    ) -> String {
        match (self, literal) {
            (Self::Text(sql), Literal::String(text)) => {
                let text = if attribute.folds() { fold(text) } else { text.clone() };
                compare_text(sql, operator, &text, parameters)
            }
            (Self::DocumentText(sql), Literal::String(text)) => {
                let text = if attribute.folds() { fold(text) } else { text.clone() };
                compare_document_text(sql, operator, &text, parameters)
            }
            (Self::DocumentBoolean(sql), Literal::Boolean(truth)) => {
                format!("{sql} = to_jsonb({})", parameters.bind(SqlValue::Bool(*truth)))
            }
            (Self::Boolean(sql), Literal::Boolean(truth)) => {
                format!("{sql} = {}", parameters.bind(SqlValue::Bool(*truth)))
            }
            (Self::Integer(sql), Literal::Integer(number)) => {
                format!("{sql} {} {}", symbol(operator), parameters.bind(SqlValue::Int(*number)))
            }
            (Self::Integer(sql), Literal::Decimal(number)) => {
                format!(
                    "{sql} {} {}",
                    symbol(operator),
                    parameters.bind(SqlValue::Float(*number))
                )
            }
            (Self::Time(sql), Literal::Time(time)) => compare_time(sql, operator, *time, parameters),
            (Self::Id(sql), Literal::String(text)) => compare_id(sql, operator, text, parameters),
            (Self::Version(sql), Literal::String(text)) => compare_version(sql, operator, text, parameters),
            (Self::Location { prefix, id }, Literal::String(text)) => {
                if operator == Operator::Eq {
                    let last = text.rsplit('/').next().unwrap_or_default();
                    compare_id(id, operator, last, parameters)
                } else {
                    compare_document_text(&format!("({prefix} || {id}::text)"), operator, text, parameters)
                }
            }
            (Self::Constant(value), Literal::String(text)) => {
                constant(compare_constant(attribute, value, operator, text))
            }
            _ => constant(false),
        }
    }

    /// Whether the value is one of `texts`; `None` when that has no short form.
    pub(super) fn one_of(&self, attribute: &Attribute, texts: &[&str], parameters: &mut Parameters) -> Option<String> {
        let fold_one = |text: &&str| {
            if attribute.folds() {
                fold(text)
            } else {
                (*text).to_owned()
            }
        };
        match self {
            Self::Text(sql) | Self::DocumentText(sql) => {
                let texts = texts.iter().map(fold_one).collect();
                Some(format!("{sql} = any({})", parameters.bind(SqlValue::Texts(texts))))
            }
            Self::Id(sql) => {
                let ids = texts
                    .iter()
                    .filter(|text| id::parse(text).is_some())
                    .map(|&text| text.to_owned())
                    .collect();
                Some(format!(
                    "{sql} = any(({})::uuid[])",
                    parameters.bind(SqlValue::Texts(ids))
                ))
            }
            _ => None,
        }
    }
}

const fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Ne => "<>",
        Operator::Gt => ">",
        Operator::Ge => ">=",
        Operator::Lt => "<",
        Operator::Le => "<=",
        Operator::Eq | Operator::Co | Operator::Sw | Operator::Ew => "=",
    }
}

fn compare_text(sql: &str, operator: Operator, text: &str, parameters: &mut Parameters) -> String {
    match operator {
        Operator::Co => format!("position({} in {sql}) > 0", parameters.text(text)),
        Operator::Ew => {
            let placeholder = parameters.text(text);
            format!("right({sql}, char_length({placeholder})) = {placeholder}")
        }
        // A range, because an index serves it.
        Operator::Sw => match upper_bound(text) {
            Some(bound) => {
                format!(
                    "({sql} >= {} and {sql} < {})",
                    parameters.text(text),
                    parameters.text(bound)
                )
            }
            None => format!("starts_with({sql}, {})", parameters.text(text)),
        },
        _ => format!("{sql} {} {}", symbol(operator), parameters.text(text)),
    }
}

/// Order is by code point everywhere, whatever the database's collation.
fn compare_document_text(sql: &str, operator: Operator, text: &str, parameters: &mut Parameters) -> String {
    match operator {
        Operator::Sw => format!("starts_with({sql}, {})", parameters.text(text)),
        Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
            compare_text(&format!("{sql} collate \"C\""), operator, text, parameters)
        }
        _ => compare_text(sql, operator, text, parameters),
    }
}

/// The least text that is greater than every text with this prefix, by code point; `None` when there is none.
pub(super) fn upper_bound(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            _ => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn compare_id(sql: &str, operator: Operator, text: &str, parameters: &mut Parameters) -> String {
    match (operator, id::parse(text)) {
        (Operator::Eq, Some(id)) => format!("{sql} = {}", parameters.bind(SqlValue::Uuid(id))),
        (Operator::Eq, None) => constant(false),
        _ => compare_document_text(&format!("({sql}::text)"), operator, text, parameters),
    }
}

fn compare_version(sql: &str, operator: Operator, text: &str, parameters: &mut Parameters) -> String {
    if operator != Operator::Eq {
        return compare_document_text(&format!("('W/\"' || {sql}::text || '\"')"), operator, text, parameters);
    }
    // `*` is a precondition, not a version.
    let tags = match Precondition::parse(text) {
        Ok(Precondition::Tags(tags)) => tags,
        Ok(Precondition::Any) | Err(_) => Vec::new(),
    };
    let number = tags
        .first()
        .filter(|_| tags.len() == 1)
        .and_then(|tag| tag.split('-').next()?.parse().ok());
    number.map_or_else(
        || constant(false),
        |number| format!("{sql} = {}", parameters.bind(SqlValue::Int(number))),
    )
}

fn compare_constant(attribute: &Attribute, value: &str, operator: Operator, text: &str) -> bool {
    let (value, text) = if attribute.folds() {
        (fold(value), fold(text))
    } else {
        (value.to_owned(), text.to_owned())
    };
    match operator {
        Operator::Eq => value == text,
        Operator::Ne => value != text,
        Operator::Co => value.contains(&text),
        Operator::Sw => value.starts_with(&text),
        Operator::Ew => value.ends_with(&text),
        Operator::Gt => value > text,
        Operator::Ge => value >= text,
        Operator::Lt => value < text,
        Operator::Le => value <= text,
    }
}

/// Compares with what clients see, which is the time cut to milliseconds, in a form that an index serves: a client that
/// asks for what changed after the `lastModified` it has seen must not get that resource again.
fn compare_time(sql: &str, operator: Operator, time: Timestamp, parameters: &mut Parameters) -> String {
    const MILLISECOND: i128 = 1_000_000;
    let nanoseconds = time.as_nanosecond();
    let floor = nanoseconds.div_euclid(MILLISECOND) * MILLISECOND;
    let whole = floor == nanoseconds;
    let at = |nanoseconds: i128| Timestamp::from_nanosecond(nanoseconds).unwrap_or(time);
    let mut bound = |nanoseconds: i128| parameters.bind(SqlValue::Time(at(nanoseconds)));
    let ceiling = if whole { floor } else { floor + MILLISECOND };
    match operator {
        Operator::Gt => format!("{sql} >= {}", bound(floor + MILLISECOND)),
        Operator::Ge => format!("{sql} >= {}", bound(ceiling)),
        Operator::Lt => format!("{sql} < {}", bound(ceiling)),
        Operator::Le => format!("{sql} < {}", bound(floor + MILLISECOND)),
        _ if whole => format!("({sql} >= {} and {sql} < {})", bound(floor), bound(floor + MILLISECOND)),
        _ => constant(false),
    }
}
