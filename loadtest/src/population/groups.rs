//! How large groups are and who is in them: mostly teams of a few people, some departments, a few that hold everybody.

use std::ops::Range;

use serde_json::{Value, json};
use uuid::Uuid;

use super::names::DEPARTMENTS;
use super::{GROUP_SCHEMA, Population, fold, identifier};
use crate::random::Random;

/// The largest group, however many users there are.
pub const LARGEST: u64 = 50_000;

/// Groups that hold all, a half, a quarter, … of the users.
const HUGE: u64 = 5;

/// A group of the population.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id where the loader may choose it: made of seed and index, ordered as those of the service are.
    pub id: Uuid,
    /// `displayName`.
    pub display_name: String,
    /// `externalId`.
    pub external_id: String,
    /// The indices of its members, without duplicates.
    pub members: Vec<u64>,
}

impl Group {
    /// What a client sends (RFC 7643 §4.2), with these members' ids.
    pub fn document(&self, members: &[String]) -> Value {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        json!({
            "schemas": [GROUP_SCHEMA],
            "displayName": self.display_name,
            "externalId": self.external_id,
            "members": members,
        })
    }

    /// `p_group` of the contract's `api.group_create`.
    pub fn contract(&self) -> Value {
        let key = fold(&self.display_name);
        json!({
            "id": self.id,
            "display_name_key": key,
            "key_version": super::KEY_VERSION,
            "external_id": self.external_id,
            "posix_name_derived": self.display_name,
            "doc": {"displayName": self.display_name, "externalId": self.external_id},
            "doc_key": {"displayName": key, "externalId": self.external_id},
        })
    }
}

/// Members of an even group.
pub const EVEN: u64 = 50;

impl Population {
    /// `displayName` of the group of this index.
    pub fn group_name(&self, index: u64) -> String {
        let department = *Random::new(self.seed ^ 0x6772_6f75_7073, index).pick(&DEPARTMENTS);
        format!("{department} {}{index}", self.series)
    }

    /// The group of this index with [`EVEN`] members: each user is in as many of them as any other, so that what a user
    /// costs can be compared between populations of different sizes. `users` must be a multiple of [`EVEN`].
    pub fn even_group(&self, index: u64, users: u64) -> Group {
        let layer = users / EVEN;
        let mut random = Random::new(self.seed ^ 0x6576_656e, index / layer.max(1));
        let first = index % layer.max(1) * EVEN;
        Group {
            id: identifier(self.seed ^ 2, index),
            display_name: self.group_name(index),
            external_id: format!("g-{}{index}", self.series),
            members: members(first..(first + EVEN).min(users), users, &mut random),
        }
    }

    /// The group of this index, with members among the first `users` users.
    pub fn group(&self, index: u64, users: u64) -> Group {
        let mut random = Random::new(self.seed ^ 0x6772_6f75_7073, index);
        // The name takes the first number of the stream.
        random.next();
        let size = size(index, users, &mut random);
        Group {
            id: identifier(self.seed ^ 1, index),
            display_name: self.group_name(index),
            external_id: format!("g-{}{index}", self.series),
            members: members(0..size, users, &mut random),
        }
    }
}

/// 70 in 100 groups are teams of 3–20, 20 have up to 200, 9 up to 2,000, one up to 10,000; the first ones are huge.
fn size(index: u64, users: u64, random: &mut Random) -> u64 {
    let size = if index < HUGE {
        users >> index
    } else {
        let (low, high) = match random.below(100) {
            0..70 => (3, 20),
            70..90 => (20, 200),
            90..99 => (200, 2_000),
            _ => (2_000, 10_000),
        };
        low + random.below(high - low)
    };
    size.min(users).min(LARGEST)
}

/// Different indices below `users`: these turns of a walk around all of them with a step that shares no divisor with
/// their number.
fn members(turns: Range<u64>, users: u64, random: &mut Random) -> Vec<u64> {
    if users == 0 {
        return Vec::new();
    }
    let mut step = 1 + random.below(users);
    while greatest_common_divisor(step, users) != 1 {
        step += 1;
    }
    let start = random.below(users);
    let member = |turn: u64| (u128::from(start) + u128::from(turn) * u128::from(step)) % u128::from(users);
    turns
        .map(|turn| u64::try_from(member(turn)).unwrap_or_default())
        .collect()
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_group_is_the_same_whenever_it_is_made() {
        let population = Population::new(3, "");
        assert_eq!(population.group(17, 1_000), population.group(17, 1_000));
        assert_ne!(population.group(17, 1_000), Population::new(4, "").group(17, 1_000));
    }

    #[test]
    fn members_exist_and_are_different() {
        let population = Population::new(3, "");
        for users in [1, 2, 7, 1_000] {
            for index in 0..200 {
                let members = population.group(index, users).members;
                assert!(members.iter().all(|member| *member < users));
                assert_eq!(members.iter().collect::<HashSet<_>>().len(), members.len());
            }
        }
        assert!(population.group(0, 0).members.is_empty());
    }

    #[test]
    fn each_user_is_in_as_many_even_groups_as_any_other() {
        let population = Population::new(3, "");
        let mut memberships = [0; 1_000];
        for index in 0..3 * 1_000 / EVEN {
            let group = population.even_group(index, 1_000);
            assert_eq!(group.members.len() as u64, EVEN);
            assert_eq!(group.display_name, population.group_name(index));
            for member in group.members {
                memberships[usize::try_from(member).unwrap()] += 1;
            }
        }
        assert_eq!(memberships, [3; 1_000]);
    }

    #[test]
    fn most_groups_are_small_and_a_few_are_huge() {
        let population = Population::new(3, "");
        let sizes: Vec<usize> = (0..1_000)
            .map(|index| population.group(index, 100_000).members.len())
            .collect();
        assert_eq!(sizes[0], 50_000);
        assert_eq!(sizes[1], 50_000);
        assert_eq!(sizes[2], 25_000);
        let small = sizes.iter().filter(|size| **size < 20).count();
        assert!((600..800).contains(&small), "{small}");
        assert!(sizes[5..].iter().any(|size| *size > 1_000));
    }
}
