//! The writing of an import, batch by batch; records that somebody else was before are told one by one, and the others stand.

use anyhow::Context as _;
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
            let mut after = 0;
            loop {
                let applied = self.batch(after, is_first_walk, written).await?;
                written.created += applied.created;
                written.changed += applied.changed;
                let Some(last) = applied.last else { break };
                after = last;
                if is_first_walk || self.resource == ResourceType::User {
                    writing.inc(u64::try_from(applied.seen).unwrap_or_default());
                }
            }
        }
        // Who was made by somebody else under the same userName was passed over without a word.
        if written.created + staged.present + written.refused < staged.rows {
            while self.refuse(Slice::ALL, written).await? {}
        }
        writing.finish_and_clear();
        Ok(())
    }

    /// Applies the next batch, without the records that somebody turns out to have been before.
    async fn batch(&self, after: i64, is_first_walk: bool, written: &mut Written) -> Result<Applied, Error> {
        let mut tries = 0;
        loop {
            let (outcome, slice) = match self.resource {
                ResourceType::User => (
                    self.db
                        .import_users_apply(self.import, after, BATCH_ROWS, is_first_walk, self.origin)
                        .await,
                    Slice {
                        after,
                        count: Some(BATCH_ROWS),
                        asked: Some(is_first_walk),
                    },
                ),
                ResourceType::Group => (
                    self.db
                        .import_groups_apply(self.import, after, BATCH_GROUPS, !is_first_walk, self.origin)
                        .await,
                    Slice {
                        after,
                        count: Some(BATCH_GROUPS),
                        asked: None,
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
