//! The writing of an import, batch by batch; records that somebody else was before are told one by one, and the others stand.

use anyhow::Context as _;
use futures_util::future::join_all;
use indicatif::ProgressBar;
use rollcall::db::imports::{Applied, REPORTED_FAULTS, Slice, Staged};
use rollcall::db::{Database, Origin};
use rollcall::error::Error;
use rollcall::scim::schema::ResourceType;
use rollcall::transfer::Fault;
use uuid::Uuid;

use crate::cli::progress::{Unit, bar};

/// Records per transaction: small enough that others who create users wait for a blink only.
const BATCH_ROWS: i32 = 2_000;

/// Groups per transaction; the contract bounds their members besides.
const BATCH_GROUPS: i32 = 200;

/// Parts of a file of users that are applied at once, each by a process of PostgreSQL: two processors are busy, and others who create
/// users have the rest.
const AT_ONCE: i64 = 2;

/// How often a batch that meets somebody is tried again although nothing stands against any of its records: who took a value may have
/// let go of it again.
const TRIES: u32 = 5;

/// What was written, and what was not.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) created: i64,
    /// Groups that were there and got members.
    pub(super) changed: i64,
    /// Records that were left out, because somebody had taken a name or number since the file was looked at.
    pub(super) refused: i64,
    /// Why, at most [`REPORTED_FAULTS`].
    pub(super) faults: Vec<Fault>,
    /// How many there are in all.
    pub(super) conflicts: u64,
}

impl Written {
    fn add(&mut self, other: Self) {
        self.created += other.created;
        self.changed += other.changed;
        self.refused += other.refused;
        self.conflicts += other.conflicts;
        let room = usize::try_from(REPORTED_FAULTS).unwrap_or(usize::MAX) - self.faults.len();
        self.faults.extend(other.faults.into_iter().take(room));
    }
}

/// A part of the staged records: those of one walk behind the record `after` up to `last`, or to the end.
#[derive(Debug, Clone, Copy)]
struct Part {
    after: i64,
    last: Option<i64>,
    is_first_walk: bool,
}

/// The staged records of one import on their way into the database.
pub(super) struct Work<'a> {
    pub(super) db: &'a Database,
    pub(super) import: Uuid,
    pub(super) origin: &'a Origin,
    pub(super) resource: ResourceType,
}

impl Work<'_> {
    /// Applies what is staged, in two walks: users who bring a uid before those who get one, so that no number is given to
    /// somebody for whom a later line of the file does not want it; groups before what they hold of each other.
    pub(super) async fn apply(&self, staged: Staged) -> anyhow::Result<Written> {
        let mut written = Written::default();
        self.walk(staged, &mut written).await.with_context(|| {
            let created = written.created;
            format!(
                "stopped after {created} of {} records, which stand: start the import again",
                staged.rows
            )
        })?;
        Ok(written)
    }

    async fn walk(&self, staged: Staged, written: &mut Written) -> Result<(), Error> {
        let writing = bar(
            "writing",
            Unit::Rows,
            Some(u64::try_from(staged.rows).unwrap_or_default()),
        );
        for is_first_walk in [true, false] {
            let at_once = if is_first_walk && self.resource == ResourceType::User {
                AT_ONCE
            } else {
                1
            };
            let parts = (0..at_once).map(|part| Part {
                after: staged.rows * part / at_once,
                last: (part + 1 < at_once).then_some(staged.rows * (part + 1) / at_once),
                is_first_walk,
            });
            let mut failed = None;
            for (part, outcome) in join_all(parts.map(|part| self.part(part, &writing))).await {
                written.add(part);
                failed = failed.or(outcome.err());
            }
            failed.map_or(Ok(()), Err)?;
        }
        // Who was made by somebody else under the same userName was passed over without a word.
        if written.created + staged.present + written.refused < staged.rows {
            while self.refuse(Slice::ALL, written).await? {}
        }
        writing.finish_and_clear();
        Ok(())
    }

    /// Applies a part batch by batch: what was written, and why it ended before its end.
    async fn part(&self, part: Part, writing: &ProgressBar) -> (Written, Result<(), Error>) {
        let mut written = Written::default();
        let mut after = part.after;
        while part.last.is_none_or(|last| after < last) {
            let applied = match self.batch(after, part, &mut written).await {
                Ok(applied) => applied,
                Err(error) => return (written, Err(error)),
            };
            written.created += applied.created;
            written.changed += applied.changed;
            let Some(last) = applied.last else { break };
            after = last;
            if part.is_first_walk || self.resource == ResourceType::User {
                writing.inc(u64::try_from(applied.seen).unwrap_or_default());
            }
        }
        (written, Ok(()))
    }

    /// Applies the next batch, without the records that somebody turns out to have been before.
    async fn batch(&self, after: i64, part: Part, written: &mut Written) -> Result<Applied, Error> {
        let is_first_walk = part.is_first_walk;
        let most = part.last.map_or(BATCH_ROWS, |last| {
            i32::try_from(last - after).unwrap_or(BATCH_ROWS).min(BATCH_ROWS)
        });
        let mut tries = 0;
        loop {
            let (outcome, slice) = match self.resource {
                ResourceType::User => (
                    self.db
                        .import_users_apply(self.import, after, most, is_first_walk, self.origin)
                        .await,
                    Slice {
                        after,
                        count: Some(most),
                    },
                ),
                ResourceType::Group => (
                    self.db
                        .import_groups_apply(self.import, after, BATCH_GROUPS, !is_first_walk, self.origin)
                        .await,
                    Slice {
                        after,
                        count: Some(BATCH_GROUPS),
                    },
                ),
            };
            let Err(error @ (Error::Taken { .. } | Error::Reserved { .. } | Error::DanglingReference { .. })) = outcome
            else {
                return outcome;
            };
            if !self.refuse(slice, written).await? {
                tries += 1;
                if tries == TRIES {
                    return Err(error);
                }
            }
        }
    }

    /// Takes out those of the slice against whom something stands now, and notes why; whether there were any.
    async fn refuse(&self, slice: Slice, written: &mut Written) -> Result<bool, Error> {
        let overtaken = self.db.import_recheck(self.import, self.resource, slice).await?;
        if overtaken.numbers.is_empty() {
            return Ok(false);
        }
        self.db.import_drop(self.import, &overtaken.numbers).await?;
        written.refused += i64::try_from(overtaken.numbers.len()).unwrap_or(i64::MAX);
        written.conflicts += overtaken.faults.len() as u64;
        let room = usize::try_from(REPORTED_FAULTS).unwrap_or(usize::MAX) - written.faults.len();
        written.faults.extend(overtaken.faults.into_iter().take(room));
        Ok(true)
    }
}
