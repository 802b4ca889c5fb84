//! JSON values in which no object has a member twice: of two values nobody can say which one was meant.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Most names that are kept.
const MOST_TOLD: usize = 20;

/// A value; names of members that an object has twice go into `twice`, without regard to case (RFC 7643 §2.1).
pub(super) struct Once<'a> {
    pub(super) twice: &'a mut Vec<String>,
}

/// Notes `name` in `twice` when `seen` has it already.
pub(super) fn note_if_twice(name: &str, seen: &mut HashSet<String>, twice: &mut Vec<String>) {
    if !seen.insert(name.to_ascii_lowercase()) && twice.len() < MOST_TOLD {
        twice.push(name.to_owned());
    }
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(Once {
            twice: &mut *self.twice,
        })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            note_if_twice(&name, &mut seen, self.twice);
            let value = map.next_value_seed(Once {
                twice: &mut *self.twice,
            })?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}
