//! Linearizability of one user's history: is there an order of all operations, each within its interval, in which every
//! answer was right? (Herlihy and Wing 1990; the search is Wing and Gong's, with remembered states.)

use std::collections::HashSet;

/// What an operation did or was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The user was created with this title.
    Create(String),
    /// He got this title.
    Write(String),
    /// He was seen with this title.
    Read(String),
    /// He was said to be there already.
    Exists,
    /// He was said not to be there.
    Missing,
    /// He was deleted.
    Delete,
}

/// A step within the interval in which it must have taken effect.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Not before this.
    pub start: u64,
    /// Not after this; `u64::MAX` when nobody was told.
    pub end: u64,
    /// What.
    pub step: Step,
}

/// Most operations of one history: one bit each.
pub const MAX_OPERATIONS: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    Before,
    Titled(usize),
    Gone,
}

/// Whether the history is linearizable. A history with more than [`MAX_OPERATIONS`] is cut there by its starts, which can
/// only hide what comes later.
pub fn is_linearizable(mut history: Vec<Operation>) -> bool {
    history.sort_by_key(|operation| operation.start);
    history.truncate(MAX_OPERATIONS);
    let everything = match history.len() {
        0 => return true,
        MAX_OPERATIONS => u128::MAX,
        count => (1_u128 << count) - 1,
    };
    let mut seen = HashSet::new();
    let mut open = vec![(everything, State::Before)];
    while let Some((left, state)) = open.pop() {
        if left == 0 {
            return true;
        }
        if !seen.insert((left, state.clone())) {
            continue;
        }
        let members = || (0..history.len()).filter(move |index| left & (1 << index) != 0);
        let latest = members().map(|index| history[index].end).min().unwrap_or(u64::MAX);
        for index in members().filter(|index| history[*index].start <= latest) {
            if let Some(next) = apply(&history, &state, index) {
                open.push((left & !(1 << index), next));
            }
        }
    }
    false
}

/// The state after an operation, if it is possible in `state`.
fn apply(history: &[Operation], state: &State, index: usize) -> Option<State> {
    let title = |at: usize| match &history[at].step {
        Step::Create(title) | Step::Write(title) => title,
        _ => unreachable!("only writes give titles"),
    };
    match (&history[index].step, state) {
        (Step::Create(_), State::Before) | (Step::Write(_), State::Titled(_)) => Some(State::Titled(index)),
        (Step::Read(seen), State::Titled(at)) => (seen == title(*at)).then(|| state.clone()),
        (Step::Delete, State::Titled(_)) => Some(State::Gone),
        (Step::Exists, State::Titled(_)) | (Step::Missing, State::Before | State::Gone) => Some(state.clone()),
        _ => None,
    }
}
