//! The people and groups that a measurement runs on: each one computed from a seed and an index, never stored.

pub mod groups;
pub mod names;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::random::Random;
use names::{DEPARTMENTS, FAMILY, GIVEN, TITLES};

/// RFC 7643 §4.1.
pub const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// RFC 7643 §4.3.
pub const ENTERPRISE_SCHEMA: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// RFC 7643 §4.2.
pub const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The version of the fold that [`fold`] computes, for the contract.
const KEY_VERSION: u16 = 1;

/// One user in so many has a `userName` outside ASCII.
const UNICODE_USER_NAMES: u64 = 50;

/// When the first resource of a population pretends to have been made, in milliseconds since 1970: 1 January 2024.
const FIRST_MILLISECOND: u64 = 1_704_067_200_000;

/// A set of users and groups.
#[derive(Debug, Clone)]
pub struct Population {
    seed: u64,
    series: String,
}

/// A user of the population.
#[expect(clippy::struct_field_names, reason = "userName is RFC 7643's name")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// His id where the loader may choose it: made of seed and index, ordered as those of the service are.
    pub id: Uuid,
    /// `userName`.
    pub user_name: String,
    /// The POSIX name the loader derives where the service does not.
    pub posix_name: String,
    /// `externalId`.
    pub external_id: String,
    /// `name.givenName` and `name.familyName`.
    pub name: (&'static str, &'static str),
    /// `emails.value`.
    pub email: String,
    /// `title`.
    pub title: &'static str,
    /// `department` of the enterprise extension.
    pub department: &'static str,
    /// `employeeNumber` of the enterprise extension.
    pub employee_number: String,
}

impl Population {
    /// The population of a seed. `series` goes into every name, so that two populations can share a service.
    pub fn new(seed: u64, series: &str) -> Self {
        Self {
            seed,
            series: series.to_owned(),
        }
    }

    /// The user of this index.
    pub fn user(&self, index: u64) -> User {
        let mut random = Random::new(self.seed, index);
        let (given, given_ascii) = *random.pick(&GIVEN);
        let (family, family_ascii) = *random.pick(&FAMILY);
        let number = format!("{}{}", self.series, base36(index));
        // 32 bytes of POSIX name must hold the number: it is what makes the name unique.
        let room = 30_usize.saturating_sub(number.len());
        let ascii: String = format!("{given_ascii}.{family_ascii}").chars().take(room).collect();
        let posix_name = format!("{ascii}.{number}");
        let local = if random.below(UNICODE_USER_NAMES) == 0 {
            let family: String = family.chars().filter(|c| !matches!(c, ' ' | '\'')).collect();
            format!("{given}.{family}.{number}")
        } else {
            posix_name.clone()
        };
        User {
            id: identifier(self.seed, index),
            user_name: format!("{local}@example.org"),
            external_id: format!("00u{:016x}{number}", random.next()),
            name: (given, family),
            email: format!("{posix_name}@mail.example.org"),
            title: random.pick::<&str>(&TITLES),
            department: random.pick::<&str>(&DEPARTMENTS),
            employee_number: format!("{:07}", 1_000_000 + index),
            posix_name,
        }
    }
}

impl User {
    /// `displayName`.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.name.0, self.name.1)
    }

    /// The key of his `userName`, as the contract wants it.
    pub fn user_name_key(&self) -> String {
        fold(&self.user_name)
    }

    /// What a client sends (RFC 7643 §8.3, the parts that identity providers fill).
    pub fn document(&self) -> Value {
        let mut document = self.attributes();
        document.insert("schemas".to_owned(), json!([USER_SCHEMA, ENTERPRISE_SCHEMA]));
        document.insert("active".to_owned(), true.into());
        Value::Object(document)
    }

    /// `p_user` of the contract's `api.user_create`.
    pub fn contract(&self) -> Value {
        let doc = Value::Object(self.attributes());
        json!({
            "id": self.id,
            "user_name_key": self.user_name_key(),
            "key_version": KEY_VERSION,
            "external_id": self.external_id,
            "display_name_key": fold(&self.display_name()),
            "emails": [fold(&self.email)],
            "posix_name_derived": self.posix_name,
            "gecos": self.display_name(),
            "doc_key": folded(&doc),
            "doc": doc,
        })
    }

    fn attributes(&self) -> Map<String, Value> {
        let value = json!({
            "userName": self.user_name,
            "externalId": self.external_id,
            "name": {"givenName": self.name.0, "familyName": self.name.1, "formatted": self.display_name()},
            "displayName": self.display_name(),
            "title": self.title,
            "emails": [{"value": self.email, "type": "work", "primary": true}],
            ENTERPRISE_SCHEMA: {"department": self.department, "employeeNumber": self.employee_number},
        });
        match value {
            Value::Object(attributes) => attributes,
            _ => Map::new(),
        }
    }
}

/// The key of a name of this population: see [`names`] for why lower case is enough.
fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// The document with every string folded but `externalId`, which compares with case (RFC 7643 §3.1).
fn folded(value: &Value) -> Value {
    match value {
        Value::String(text) => fold(text).into(),
        Value::Array(elements) => elements.iter().map(folded).collect(),
        Value::Object(parts) => {
            let fold_part = |(key, part): (&String, &Value)| {
                let part = if key == "externalId" {
                    part.clone()
                } else {
                    folded(part)
                };
                (key.clone(), part)
            };
            Value::Object(parts.iter().map(fold_part).collect())
        }
        other => other.clone(),
    }
}

/// A UUID of version 7 (RFC 9562 §5.7) made of seed and index: one millisecond apart, so that they order like the
/// service's own and lie before them.
fn identifier(seed: u64, index: u64) -> Uuid {
    let random = Random::new(seed, index).next();
    let time = u128::from(FIRST_MILLISECOND + index) << 80;
    let low = u128::from(random);
    Uuid::from_u128(time | 0x7000 << 64 | 2 << 62 | low >> 2)
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_user_is_the_same_whenever_he_is_made() {
        let population = Population::new(42, "");
        assert_eq!(population.user(123_456), population.user(123_456));
        assert_ne!(population.user(5), Population::new(43, "").user(5));
    }

    #[test]
    fn the_population_of_seed_1_stays_what_it_was() {
        // A service that holds half of a population can be filled up by a later release only while this holds.
        let user = Population::new(1, "").user(7);
        let told = (user.user_name.as_str(), user.id.to_string());
        assert_eq!(
            told,
            (
                "george.lefevre.7@example.org",
                "018cc251-f407-7000-8d2d-609368141323".to_owned()
            )
        );
    }

    #[test]
    fn names_and_ids_are_unique_and_posix_names_fit() {
        let population = Population::new(1, "series9");
        let (mut names, mut posix, mut ids) = (HashSet::new(), HashSet::new(), HashSet::new());
        for index in 0..20_000 {
            let user = population.user(index);
            assert!(
                user.posix_name.len() <= 32 && user.posix_name.is_ascii(),
                "{}",
                user.posix_name
            );
            assert!(names.insert(fold(&user.user_name)));
            assert!(posix.insert(user.posix_name));
            assert!(ids.insert(user.id));
        }
    }

    #[test]
    fn some_user_names_are_not_ascii() {
        let population = Population::new(1, "");
        let unicode = (0..10_000).filter(|index| !population.user(*index).user_name.is_ascii());
        assert!((50..400).contains(&unicode.count()));
    }

    #[test]
    fn ids_are_version_7_and_ascend() {
        let population = Population::new(1, "");
        let ids: Vec<Uuid> = (0..1_000).map(|index| population.user(index).id).collect();
        assert!(ids.is_sorted());
        assert!(
            ids.iter()
                .all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122)
        );
    }
}
