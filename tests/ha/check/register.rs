//! Linearizability of one user's history: is there an order of all operations, each within its interval, in which every
//! answer was right? (Herlihy and Wing 1990.) The search is `todc-utils`': Wing and Gong's with Lowe's remembered states.

use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;

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

/// Whether the history is linearizable.
pub fn is_linearizable(history: &[Operation]) -> bool {
    if history.is_empty() {
        return true;
    }
    // Who ends at the instant at which another begins may come behind it: calls stand before answers. Each operation is a process of
    // its own for the checker.
    let mut actions: Vec<(u64, bool, usize)> = Vec::new();
    for (index, operation) in history.iter().enumerate() {
        actions.extend([(operation.start, false, index), (operation.end, true, index)]);
    }
    actions.sort_unstable();
    let actions = actions.into_iter().map(|(_, is_answer, index)| {
        let step = history[index].step.clone();
        let action = if is_answer {
            Action::Response(step)
        } else {
            Action::Call(step)
        };
        (index, action)
    });
    WGLChecker::<User>::is_linearizable(History::from_actions(actions.collect()))
}

/// How a user behaves when one does something after the other.
struct User;

/// What he is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    Before,
    Titled(String),
    Gone,
}

impl Specification for User {
    type State = State;
    type Operation = Step;

    fn init() -> State {
        State::Before
    }

    fn apply(step: &Step, state: &State) -> (bool, State) {
        let next = match (step, state) {
            (Step::Create(title), State::Before) | (Step::Write(title), State::Titled(_)) => {
                Some(State::Titled(title.clone()))
            }
            (Step::Read(seen), State::Titled(title)) => (seen == title).then(|| state.clone()),
            (Step::Delete, State::Titled(_)) => Some(State::Gone),
            (Step::Exists, State::Titled(_)) | (Step::Missing, State::Before | State::Gone) => Some(state.clone()),
            _ => None,
        };
        (next.is_some(), next.unwrap_or_else(|| state.clone()))
    }
}
