//! JSON values whose objects keep no spare room: a body of 50,000 members is mostly objects of one entry, for which a growing map
//! takes room for three.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A [`Value`] that takes no more memory than it needs.
pub(super) struct Lean(pub(super) Value);

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder).map(Self)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Lean(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some((key, Lean(value))) = entries.next_entry::<String, Lean>()? {
            read.push((key, value));
        }
        // Knows its size beforehand, and so takes just that.
        Ok(Value::Object(Map::from_iter(read)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_it_would_be_otherwise() {
        let text = r#"{"a":[1,-2,3.5,1e300,18446744073709551615,true,null,"x\u00e9\n",[],{}],"b":{"a":{"b":{}}},"a":"last","c":"kept"}"#;
        let Lean(lean) = serde_json::from_str(text).unwrap();
        let usual: Value = serde_json::from_str(text).unwrap();
        assert_eq!(lean, usual);
        assert_eq!(lean.to_string(), usual.to_string(), "also in its order");
    }

    #[test]
    fn a_fault_is_found_where_it_is() {
        for text in [
            r#"{"a":}"#,
            r#"{"a":1"#,
            r"[1,2",
            r#"{"a":1}}"#,
            "",
            "nul",
            r#""\ud800""#,
        ] {
            let lean = serde_json::from_str::<Lean>(text).map(|lean| lean.0).unwrap_err();
            let usual = serde_json::from_str::<Value>(text).unwrap_err();
            assert_eq!(lean.to_string(), usual.to_string(), "{text}");
        }
    }
}
