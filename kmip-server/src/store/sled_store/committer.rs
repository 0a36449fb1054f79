//! The one thread that writes.
//!
//! ```text
//! commits -> queue -> group -> check each -> one batch -> flush -> fdatasync -> answer all
//!                      ^                                                            |
//!                      +------------------------------------------------------------+
//! ```
//!
//! A group is what is queued when the thread comes to look: nobody is kept waiting for company.
//! A failed write ends it all. What is on disk after one is not known, so no later call may build
//! on it: the thread stops, and every call says so.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use sled::{Batch, IVec};
use tokio::sync::oneshot;

use super::rows::{self, Head, Rows};
use super::view::{Ahead, Before, View, unreadable};
use crate::store::health::Alarm;
use crate::store::{Outcome, StoreError};

/// The most commits in one group: enough that the disk is no longer what they wait for.
pub(super) const GROUP_MAX: usize = 256;

/// A group takes no further commit once it holds so many bytes, so that a queue of large values
/// does not become one write of gigabytes.
const GROUP_LEN_MAX: usize = 8 << 20;

/// A commit in the queue, its rows laid out by the caller: the one thread has little to do.
pub(super) struct Commit {
    pub(super) writes: Vec<Write>,
    pub(super) ahead: Ahead,
    pub(super) len: usize,
    pub(super) answer: oneshot::Sender<Result<Outcome, StoreError>>,
}

/// One change of a commit.
pub(super) struct Write {
    pub(super) key: IVec,
    pub(super) expected: u64,
    pub(super) to: Laid,
}

/// What becomes of the key, in rows.
pub(super) enum Laid {
    Put(Rows),
    Remove,
    Keep,
}

/// How often the disk was asked to keep what it has.
#[derive(Default)]
pub(super) struct Syncs(AtomicU64);

impl Syncs {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The thread's own things.
pub(super) struct Committer<S> {
    pub(super) view: Arc<View>,
    pub(super) queue: Receiver<Commit>,
    /// Makes the log durable: fdatasync on a handle of our own. The engine's flush alone does not.
    pub(super) sync: S,
    pub(super) syncs: Arc<Syncs>,
    pub(super) alarm: Alarm,
}

/// A group on its way into the tree.
#[derive(Default)]
struct Group {
    batch: Batch,
    before: Before,
    /// The heads as the group leaves them.
    heads: HashMap<IVec, Head>,
}

impl<S: FnMut() -> io::Result<()>> Committer<S> {
    /// Serves the queue until the store is dropped or a write fails.
    pub(super) fn run(mut self) {
        while let Ok(first) = self.queue.recv() {
            if let Err(error) = self.carry_out(first) {
                self.alarm.raise(&error);
                return;
            }
        }
    }

    /// Carries out one group. Everyone in it is answered after the sync, those in conflict too: a
    /// conflict tells of another commit, which may be of this group.
    fn carry_out(&mut self, first: Commit) -> Result<(), StoreError> {
        let mut group = Group::default();
        let mut answers = Vec::new();
        let mut len = 0_usize;
        let mut next = Some(first);
        while let Some(commit) = next {
            len = len.saturating_add(commit.len);
            let outcome = group.take(&self.view, commit.writes, commit.ahead);
            answers.push((commit.answer, outcome));
            let full = answers.len() >= GROUP_MAX || len >= GROUP_LEN_MAX;
            next = if full { None } else { self.queue.try_recv().ok() };
        }
        let written = self.write(group);
        for (answer, outcome) in answers {
            // One who no longer waits need not be told.
            let _ = answer.send(written.clone().and(outcome));
        }
        written
    }

    fn write(&mut self, group: Group) -> Result<(), StoreError> {
        if group.before.is_empty() {
            return Ok(());
        }
        let stopped =
            |what: &str, why: String| StoreError::Stopped(format!("{what} failed: {why}"));
        self.view.publish(group.before);
        let tree = self.view.tree();
        tree.apply_batch(group.batch).map_err(|error| stopped("a write", error.to_string()))?;
        tree.flush().map_err(|error| stopped("a flush", error.to_string()))?;
        (self.sync)().map_err(|error| stopped("a sync to disk", error.to_string()))?;
        self.syncs.0.fetch_add(1, Ordering::Relaxed);
        self.view.withdraw();
        Ok(())
    }
}

/// What a commit found, and what it leaves: all that can fail is done before anything is changed,
/// so a commit that fails leaves the group as it was.
struct Step {
    key: IVec,
    now: Head,
    /// The rows to be written, `None` for one to be removed.
    rows: Vec<(IVec, Option<IVec>)>,
    /// The touched rows as the tree has them.
    before: Vec<(IVec, Option<IVec>)>,
}

impl Group {
    /// Takes one commit in, if it is in conflict neither with the tree nor with those before it.
    fn take(
        &mut self,
        view: &View,
        writes: Vec<Write>,
        mut ahead: Ahead,
    ) -> Result<Outcome, StoreError> {
        let mut steps = Vec::with_capacity(writes.len());
        for (n, Write { key, expected, to }) in writes.into_iter().enumerate() {
            let (was, row) = self.find(view, &key, || ahead.take(n, view))?;
            if was.revision != expected {
                return Ok(Outcome::Conflict { key: key.to_vec() });
            }
            if let Some(step) = step(view, key, was, row, to)? {
                steps.push(step);
            }
        }
        for step in steps {
            for (key, row) in step.before {
                self.before.entry(key).or_insert(row);
            }
            for (key, row) in step.rows {
                match row {
                    Some(row) => self.batch.insert(key, row),
                    None => self.batch.remove(key),
                }
            }
            self.heads.insert(step.key, step.now);
        }
        Ok(Outcome::Durable)
    }

    /// The head of a key as the group leaves it so far, and its row in the tree unless the group
    /// has noted it.
    fn find(
        &self,
        view: &View,
        key: &IVec,
        ahead: impl FnOnce() -> Option<Option<IVec>>,
    ) -> Result<(Head, Option<Option<IVec>>), StoreError> {
        if let Some(head) = self.heads.get(key) {
            return Ok((*head, None));
        }
        let row = match ahead() {
            Some(row) => row,
            None => view.tree().get(key).map_err(unreadable)?,
        };
        let head = row.as_ref().map_or(Ok(Head::default()), |row| rows::head(row))?;
        Ok((head, Some(row)))
    }
}

/// Works out one change; `None` for a guard.
fn step(
    view: &View,
    key: IVec,
    was: Head,
    row: Option<Option<IVec>>,
    to: Laid,
) -> Result<Option<Step>, StoreError> {
    let (now, first, parts) = match to {
        Laid::Keep => return Ok(None),
        Laid::Remove => (Head::default(), None, Vec::new()),
        Laid::Put(rows) => (rows.head, Some(rows.first), rows.parts),
    };
    let mut step = Step { now, rows: Vec::new(), before: Vec::new(), key };
    let parts = parts.into_iter().map(Some).chain(std::iter::repeat(None));
    for (n, part) in (0..now.parts.max(was.parts)).zip(parts) {
        let key = rows::part_key(&step.key, n);
        step.before.push((key.clone(), view.tree().get(&key).map_err(unreadable)?));
        step.rows.push((key, part));
    }
    step.rows.push((step.key.clone(), first));
    if let Some(row) = row {
        step.before.push((step.key.clone(), row));
    }
    Ok(Some(step))
}
