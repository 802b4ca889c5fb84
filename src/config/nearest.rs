//! Which of our names somebody meant: Levenshtein distance with a bound.

/// Names this near to one of ours are taken for misspellings of it.
pub(super) const MISSPELLING: usize = 2;

/// Longest name worth comparing, in bytes; anything longer is no misspelling of ours.
const LONGEST_NAME: usize = 80;

/// The nearest of `names` within [`MISSPELLING`] insertions, deletions or substitutions of `given`.
pub(super) fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > LONGEST_NAME {
        return None;
    }
    names
        .filter(|name| name.len().abs_diff(given.len()) <= MISSPELLING)
        .map(|name| (distance(given.as_bytes(), name.as_bytes()), name))
        .filter(|(distance, _)| *distance <= MISSPELLING)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein distance of two names in bytes, row by row.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, byte) in left.iter().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(right) {
            let above = *cell;
            before = (diagonal + usize::from(byte != other)).min(above + 1).min(before + 1);
            diagonal = above;
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_character_edits() {
        assert_eq!(distance(b"listen", b"listen"), 0);
        assert_eq!(distance(b"listen", b"lisen"), 1);
        assert_eq!(distance(b"listen", b"lisetn"), 2);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(distance(b"abc", b""), 3);
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }

    #[test]
    fn the_nearest_wins_over_the_merely_near() {
        assert_eq!(
            nearest("read-listn", ["ops-listen", "read-listen"].into_iter()),
            Some("read-listen")
        );
        assert_eq!(nearest("www-port", ["listen", "role"].into_iter()), None);
        assert_eq!(nearest(&"x".repeat(10_000), ["listen"].into_iter()), None);
    }
}
