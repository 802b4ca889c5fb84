//! Calls that share a statement: while some of a kind are under way the next ones gather, and then go together (group
//! commit). A call that finds fewer than [`Together::UNDER_WAY`] before it goes as soon as every task that is ready has run: nobody waits for company
//! that is not there yet.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::oneshot;

use super::deadline;
use super::pool::Database;
use crate::error::Error;
use crate::telemetry::traces::Caller;

/// Most calls in one statement: what the last of them waits for the others stays below a commit or two.
const MOST: usize = 32;

/// How long a statement keeps its turn: one that waits for a lock, or for a database, must not keep the others waiting. From then
/// on only the pool of connections limits how many there are.
const PATIENCE: Duration = Duration::from_millis(150);

/// Calls of one kind sent one by one at once, after they could not go together.
const ONE_BY_ONE: usize = 4;

/// A call that can go to the database together with others of its kind.
pub(super) trait Together: Send + Sync + Sized + 'static {
    /// What one call gives.
    type Outcome: Send + 'static;

    /// Statements of this kind under way at once: one is being worked on while the other is committed or on its way.
    const UNDER_WAY: usize = 2;

    /// Where calls of this kind gather.
    fn place(db: &Database) -> &Place<Self>;

    /// Whether it may share a statement with `other`; one that cannot share with itself goes alone at once.
    fn goes_with(&self, other: &Self) -> bool;

    /// How many ordinary calls it counts for.
    fn weight(&self) -> usize {
        1
    }

    /// Carries it out by itself.
    fn alone(&self, db: &Database) -> impl Future<Output = Result<Self::Outcome, Error>> + Send;

    /// Carries out all, or does nothing: then each is sent alone, unless there is no database. The outcomes come in the order
    /// of the calls.
    fn all(db: &Database, calls: &[Self]) -> impl Future<Output = Result<Vec<Self::Outcome>, Error>> + Send;
}

/// Where calls of one kind wait for each other.
pub(super) struct Place<T: Together>(Mutex<Gathered<T>>);

struct Gathered<T: Together> {
    waiting: VecDeque<Waiting<T>>,
    under_way: usize,
    next_number: u64,
}

struct Waiting<T: Together> {
    number: u64,
    call: T,
    caller: Caller,
    /// Until when its request is tried.
    end: Instant,
    answer: oneshot::Sender<Result<T::Outcome, Error>>,
}

impl<T: Together> Default for Place<T> {
    fn default() -> Self {
        Self(Mutex::new(Gathered {
            waiting: VecDeque::new(),
            under_way: 0,
            next_number: 0,
        }))
    }
}

impl<T: Together> Place<T> {
    fn lock(&self) -> MutexGuard<'_, Gathered<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Together> Gathered<T> {
    /// Takes the calls that go next: the oldest and those right behind it that may share its statement. Whoever has gone
    /// away meanwhile is left out, so that nothing is done for nobody.
    fn take(&mut self) -> Vec<Waiting<T>> {
        let mut taken: Vec<Waiting<T>> = Vec::new();
        let mut weight = 0;
        while let Some(next) = self.waiting.pop_front() {
            if next.answer.is_closed() {
                continue;
            }
            weight += next.call.weight();
            if taken
                .first()
                .is_some_and(|first| weight > MOST || !next.call.goes_with(&first.call))
            {
                self.waiting.push_front(next);
                break;
            }
            taken.push(next);
        }
        taken
    }
}

impl Database {
    /// Carries a call out, together with others if there are any.
    ///
    /// Raises what it would raise alone; `Error::Unavailable` when its turn does not come within the time-out for a free
    /// connection.
    pub(super) async fn together<T: Together>(&self, call: T) -> Result<T::Outcome, Error> {
        if !call.goes_with(&call) {
            return call.alone(self).await;
        }
        let (answer, mut outcome) = oneshot::channel();
        let (number, starts) = {
            let mut gathered = T::place(self).lock();
            let number = gathered.next_number;
            gathered.next_number += 1;
            gathered.waiting.push_back(Waiting {
                number,
                call,
                caller: Caller::current(),
                end: deadline::end(self.settings.write_deadline),
                answer,
            });
            let starts = gathered.under_way < T::UNDER_WAY;
            gathered.under_way += usize::from(starts);
            (number, starts)
        };
        if starts {
            // A task of its own: whoever goes away must not take the others' calls along.
            tokio::spawn(drive::<T>(self.clone()));
        }
        let gone = |_| Err(Error::Internal("a call that went together with others was lost".into()));
        tokio::select! {
            outcome = &mut outcome => return outcome.unwrap_or_else(gone),
            () = tokio::time::sleep(self.settings.wait_timeout) => {}
        }
        {
            let waiting = &mut T::place(self).lock().waiting;
            if let Some(place) = waiting.iter().position(|waiting| waiting.number == number) {
                waiting.remove(place);
                return Err(Error::unavailable());
            }
        }
        outcome.await.unwrap_or_else(gone)
    }
}

/// One of those under way. When it ends, however it ends, it makes room, or another goes on for those who came meanwhile.
struct Turn<T: Together>(Database, PhantomData<fn() -> T>);

impl<T: Together> Drop for Turn<T> {
    fn drop(&mut self) {
        {
            let gathered = &mut T::place(&self.0).lock();
            if gathered.waiting.is_empty() {
                gathered.under_way -= 1;
                return;
            }
        }
        tokio::spawn(drive::<T>(self.0.clone()));
    }
}

/// Carries out what has gathered, until nobody waits or a statement takes too long.
async fn drive<T: Together>(db: Database) {
    let mut turn = Some(Turn::<T>(db.clone(), PhantomData));
    while turn.is_some() {
        // Whoever is about to call, because his request has arrived or his last answer went out, calls before this goes on.
        tokio::task::yield_now().await;
        let taken = T::place(&db).lock().take();
        // A statement that many share is told of in the trace of the oldest, and is tried for as long as the youngest may wait.
        let Some(caller) = taken.first().map(|first| first.caller.clone()) else {
            return;
        };
        let end = taken.iter().map(|one| one.end).max().unwrap_or_else(Instant::now);
        let work = deadline::until(end, caller.around(carry_out(&db, taken)));
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => {}
            () = tokio::time::sleep(PATIENCE) => {
                drop(turn.take());
                work.await;
            }
        }
    }
}

async fn carry_out<T: Together>(db: &Database, taken: Vec<Waiting<T>>) {
    let (calls, answers): (Vec<T>, Vec<_>) = taken.into_iter().map(|one| (one.call, one.answer)).unzip();
    if calls.len() > 1 {
        let outcomes: Option<Vec<_>> = match T::all(db, &calls).await {
            Ok(outcomes) => Some(outcomes.into_iter().map(Ok).collect()),
            Err(error @ Error::Unavailable { .. }) => Some(calls.iter().map(|_| Err(error.clone())).collect()),
            // One of them cannot be had, or cannot be had so: only that one shall hear of it.
            Err(error) => {
                tracing::debug!(%error, calls = calls.len(), "one by one");
                None
            }
        };
        if let Some(outcomes) = outcomes {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Whoever has gone away does not want it.
                let _ = answer.send(outcome);
            }
            return;
        }
    }
    let each: Vec<BoxFuture<'_, ()>> = calls
        .iter()
        .zip(answers)
        .map(|(call, answer)| call.alone(db).map(|outcome| drop(answer.send(outcome))).boxed())
        .collect();
    futures_util::stream::iter(each)
        .for_each_concurrent(ONE_BY_ONE, |one| one)
        .await;
}

/// One column of the parallel arrays that a statement for many calls takes.
pub(super) fn column<'a, C, T>(calls: &'a [C], of: impl Fn(&'a C) -> T) -> Vec<T> {
    calls.iter().map(of).collect()
}
