//! Bind parameters of a statement under construction.

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// A bound value.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// `text`
    Text(String),
    /// `text[]`
    Texts(Vec<String>),
    /// `bigint`
    Int(i64),
    /// `double precision`
    Float(f64),
    /// `boolean`
    Bool(bool),
    /// `timestamptz`
    Time(Timestamp),
    /// `uuid`
    Uuid(Uuid),
}

impl SqlValue {
    /// The cast behind the placeholder, which settles the parameter's type whatever surrounds it.
    const fn cast(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Texts(_) => "text[]",
            Self::Int(_) => "bigint",
            Self::Float(_) => "double precision",
            Self::Bool(_) => "boolean",
            Self::Time(_) => "timestamptz",
            Self::Uuid(_) => "uuid",
        }
    }

    /// The value as the driver takes it.
    pub fn as_parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(value) => value,
            Self::Texts(value) => value,
            Self::Int(value) => value,
            Self::Float(value) => value,
            Self::Bool(value) => value,
            Self::Time(value) => value,
            Self::Uuid(value) => value,
        }
    }
}

/// The values bound so far, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameters {
    values: Vec<SqlValue>,
}

impl Parameters {
    /// Binds a value and returns its placeholder with its cast, such as `$3::text`.
    pub fn bind(&mut self, value: SqlValue) -> String {
        let cast = value.cast();
        self.values.push(value);
        format!("${}::{cast}", self.values.len())
    }

    /// Binds text.
    pub fn text(&mut self, value: impl Into<String>) -> String {
        self.bind(SqlValue::Text(value.into()))
    }

    /// The values, the first of which is `$1`.
    pub fn values(&self) -> &[SqlValue] {
        &self.values
    }

    /// The values as the driver takes them.
    pub fn as_parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(SqlValue::as_parameter).collect()
    }
}
