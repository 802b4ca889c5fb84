//! How many members a JSON object has as it is written: a tree keeps one of those with the same name.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// The number of members of an object.
pub(super) struct Members(pub(super) usize);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Counter)
    }
}

struct Counter;

impl<'de> Visitor<'de> for Counter {
    type Value = Members;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members, A::Error> {
        let mut count = 0;
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Members(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_one_name_count_each_and_those_inside_do_not() {
        let count = |text| serde_json::from_str::<Members>(text).unwrap().0;
        assert_eq!(count("{}"), 0);
        assert_eq!(count(r#"{"a":{"b":1,"c":2},"\u0061":[{"d":3}]}"#), 2);
    }
}
