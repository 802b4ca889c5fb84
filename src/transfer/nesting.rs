//! Groups that hold each other in a circle.

use std::collections::{HashMap, HashSet};

use super::Fault;

/// One staged group that holds another one of the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nesting {
    /// The record of the group that holds.
    pub group: i64,
    /// Its line.
    pub line: u64,
    /// Its POSIX name.
    pub name: String,
    /// The record of the group that is held.
    pub member: i64,
}

/// A fault for each group that names itself as a member, which no group can be.
pub fn held_by_themselves(nestings: &[Nesting]) -> Vec<Fault> {
    let own = nestings.iter().filter(|nesting| nesting.group == nesting.member);
    own.map(|nesting| {
        Fault::of_value(
            nesting.line,
            "members",
            &nesting.name,
            "a group cannot be a member of itself",
        )
    })
    .collect()
}

/// A warning for each group that lies on a circle of several or leads into and out of one: legal, all of them have the same
/// members then, and seldom meant. Time and memory grow with the number of nestings.
pub fn circles(nestings: &[Nesting]) -> Vec<Fault> {
    let others = || nestings.iter().filter(|nesting| nesting.group != nesting.member);
    let reverse: Vec<_> = others().map(|nesting| (nesting.member, nesting.group)).collect();
    let forward: Vec<_> = others().map(|nesting| (nesting.group, nesting.member)).collect();
    // What is left when those without a way on are taken away, again and again, in both directions.
    let (down, up) = (left_over(&forward), left_over(&reverse));
    let mut told = HashSet::new();
    others()
        .filter(|nesting| down.contains(&nesting.group) && up.contains(&nesting.group) && told.insert(nesting.group))
        .map(|nesting| {
            Fault::of_value(
                nesting.line,
                "members",
                &nesting.name,
                "the group holds itself through others",
            )
        })
        .collect()
}

fn left_over(edges: &[(i64, i64)]) -> HashSet<i64> {
    let mut ways_on: HashMap<i64, usize> = HashMap::new();
    let mut sources: HashMap<i64, Vec<i64>> = HashMap::new();
    for &(from, to) in edges {
        *ways_on.entry(from).or_default() += 1;
        ways_on.entry(to).or_default();
        sources.entry(to).or_default().push(from);
    }
    let mut ends: Vec<i64> = ways_on
        .iter()
        .filter(|(_, ways)| **ways == 0)
        .map(|(node, _)| *node)
        .collect();
    while let Some(end) = ends.pop() {
        ways_on.remove(&end);
        for from in sources.remove(&end).unwrap_or_default() {
            if let Some(ways) = ways_on.get_mut(&from) {
                *ways -= 1;
                if *ways == 0 {
                    ends.push(from);
                }
            }
        }
    }
    ways_on.into_keys().collect()
}
