//! From a file into the staging tables: read in one thread, sent by another.

use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use rollcall::db::Database;
use rollcall::db::imports::Batch;
use rollcall::transfer::{Entry, Fault, Format, Rules, read};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::cli::Misconfigured;
use crate::cli::progress::{Unit, bar};

/// Rows of a message to the staging tables.
const STAGED_ROWS: usize = 2_000;

/// Messages on their way at once: while one is worked on the next is written.
const AT_ONCE: usize = 2;

/// Messages that wait between the reader and the sender: what bounds the memory.
const WAITING: usize = 2;

/// What reading told.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) faults: Vec<Fault>,
    pub(super) conflicts: u64,
    pub(super) passed_over: u64,
    pub(super) warnings: Vec<Fault>,
    pub(super) warned: u64,
}

/// Reads a file to its end and stages it. `most`: so many faults and warnings are kept.
pub(super) async fn stage(
    db: &Database,
    import: Uuid,
    rules: &Rules,
    path: &Path,
    format: Format,
    most: usize,
) -> anyhow::Result<Gathered> {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let (path, rules) = (path.to_owned(), rules.clone());
    let reader = tokio::task::spawn_blocking(move || {
        let (input, progress) = open(&path)?;
        let mut collector = Collector::new(most);
        let mut input = BufReader::with_capacity(1 << 16, progress.wrap_read(input));
        read(format, &rules, &mut input, &mut |entry| {
            collector.take(entry);
            match collector.full().map(|batch| sender.blocking_send(batch)) {
                Some(Err(_)) => ControlFlow::Break(()),
                None | Some(Ok(())) => ControlFlow::Continue(()),
            }
        })
        .with_context(|| format!("cannot read {}", path.display()))?;
        progress.finish_and_clear();
        let (rest, gathered) = collector.finish();
        // Nobody is there to receive it when staging has failed, and that failure is the one that is told.
        let _ = sender.blocking_send(rest);
        anyhow::Ok(gathered)
    });
    // When one fails the receiver goes, and the reader ends with its next message.
    stream::poll_fn(|context| receiver.poll_recv(context))
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, async |batch| db.import_stage(import, &batch).await)
        .await?;
    drop(receiver);
    reader.await?
}

fn open(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, ProgressBar)> {
    if path == Path::new("-") {
        return Ok((Box::new(std::io::stdin()), bar("reading", Unit::Bytes, None)));
    }
    let file = File::open(path).map_err(|error| Misconfigured(format!("cannot open {}: {error}", path.display())))?;
    let metadata = file.metadata().ok();
    if metadata.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return Err(Misconfigured(format!("cannot read {}: it is a folder", path.display())).into());
    }
    let size = metadata.map(|metadata| metadata.len());
    Ok((
        Box::new(file),
        bar("reading", Unit::Bytes, size.filter(|size| *size > 0)),
    ))
}

/// Gathers entries into batches, and faults up to what a report lists.
#[derive(Debug)]
pub(super) struct Collector {
    most: usize,
    batch: Batch,
    number: i64,
    gathered: Gathered,
}

impl Collector {
    /// One that keeps so many faults and warnings.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            batch: Batch::default(),
            number: 0,
            gathered: Gathered::default(),
        }
    }

    /// Takes one entry.
    pub(super) fn take(&mut self, entry: Result<Entry, Fault>) {
        match entry {
            Ok(Entry::PassedOver) => self.gathered.passed_over += 1,
            Ok(Entry::Warning(fault)) => {
                self.gathered.warned += 1;
                list(&mut self.gathered.warnings, fault, self.most);
            }
            Ok(entry) => {
                self.number += 1;
                self.batch.add(self.number, entry);
            }
            Err(fault) => {
                self.gathered.conflicts += 1;
                list(&mut self.gathered.faults, fault, self.most);
            }
        }
    }

    /// The batch, when it is large enough to be sent.
    pub(super) fn full(&mut self) -> Option<Batch> {
        (self.batch.rows() >= STAGED_ROWS).then(|| std::mem::take(&mut self.batch))
    }

    /// What is left, and what was told.
    pub(super) fn finish(self) -> (Batch, Gathered) {
        (self.batch, self.gathered)
    }
}

/// Adds a fault to those that a report lists, up to their bound.
fn list(faults: &mut Vec<Fault>, fault: Fault, most: usize) {
    if faults.len() < most {
        faults.push(fault);
    }
}
