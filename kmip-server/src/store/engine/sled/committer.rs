//! The one thread that decides and writes the log.
//!
//! ```text
//! commits -> queue -> group -> check each -> one frame -> fdatasync -> show -> answer all
//!                      ^                                                          |
//!                      +----------------------------------------------------------+
//! ```
//!
//! A group is what is queued when the thread comes to look. Where many commit, it waits for company
//! first, and never longer than a sync takes ([`Pace`]).
//! A failed write ends it all. What is on disk after one is not known, so no later call may build
//! on it: the thread stops, and every call says so.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use sled::IVec;
use tokio::sync::oneshot;

use super::layer::Layer;
use super::log::{Log, Row};
use super::row_format::{self, Head};
use super::view::{Ahead, View};
use crate::store::failure_signal::FailureSignal;
use crate::store::{Outcome, StoreError};

/// The most commits in one group: enough that the disk is no longer what they wait for.
pub(super) const GROUP_MAX: usize = 256;

/// A group takes no further commit once it holds so many bytes, so that a queue of large values
/// does not become one write of gigabytes.
const GROUP_LEN_MAX: usize = 8 << 20;

/// A group waits for company when the one before it had more commits than this. With fewer clients
/// than that, all of them may be waiting already, and the wait would be lost.
const COMPANY: usize = 8;

/// The longest wait, so that a slow disk is not made slower than it is.
const WAIT_MAX: Duration = Duration::from_millis(1);

/// When a group waits for company.
///
/// ```text
/// many cores    sync | sync | sync          a group is half of those who commit
///               wait   sync | wait   sync   a group is all of them: as many a second
/// few cores     each sync takes the processor from those who would fill the next group
/// ```
///
/// To sync costs as much processor as a small commit does. Where the processor is what all wait
/// for, a group that is twice as large takes half of that away; where it is the disk, a wait as
/// long as a sync costs nothing, because those who come meanwhile need not wait for the next one.
#[derive(Default)]
pub(super) struct Pace {
    /// How many commits the last group had, and how long its sync took.
    commits: usize,
    sync: Duration,
}

impl Pace {
    /// How long the next group waits before it is closed.
    fn wait(&self) -> Duration {
        if self.commits > COMPANY { self.sync.min(WAIT_MAX) } else { Duration::ZERO }
    }
}

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
    Put(row_format::Rows),
    Remove,
    Keep,
}

/// How often the disk was asked to keep what it has.
#[derive(Default)]
pub(super) struct Syncs(AtomicU64);

impl Syncs {
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The thread's own things.
pub(super) struct Committer<S> {
    pub(super) view: Arc<View>,
    pub(super) queue: Receiver<Commit>,
    pub(super) log: Log,
    /// Makes a file of the log durable.
    pub(super) sync: S,
    pub(super) syncs: Arc<Syncs>,
    pub(super) settling: Settling,
    pub(super) alarm: FailureSignal,
    /// The heads as the group before this one left them.
    pub(super) last: Heads,
    /// When the next group waits.
    pub(super) pace: Pace,
}

/// The committer's end of the settler.
pub(super) struct Settling {
    pub(super) work: Sender<Arc<Layer>>,
    pub(super) done: Receiver<()>,
    /// Is it at work?
    pub(super) busy: bool,
}

pub(super) type Heads = HashMap<IVec, Head>;

/// A group on its way to the disk.
#[derive(Default)]
struct Group {
    rows: Vec<Row>,
    /// The heads as the group leaves them.
    heads: Heads,
}

impl<S: FnMut(&File) -> io::Result<()>> Committer<S> {
    /// Serves the queue until the store is dropped or a write fails.
    pub(super) fn run(mut self) {
        while let Ok(first) = self.queue.recv() {
            std::thread::sleep(self.pace.wait());
            if let Err(error) = self.carry_out(first) {
                self.alarm.raise(&error);
                return;
            }
        }
        if let Err(error) = self.close() {
            self.alarm.raise(&error);
        }
    }

    /// Carries out one group. Everyone in it is answered after the sync, those in conflict too: a
    /// conflict tells of another commit, which may be of this group.
    fn carry_out(&mut self, first: Commit) -> Result<(), StoreError> {
        // It will have about as many keys as the one before.
        let heads = Heads::with_capacity(self.last.len());
        let mut group = Group { heads, ..Group::default() };
        let mut answers = Vec::new();
        let mut len = 0_usize;
        let mut next = Some(first);
        while let Some(commit) = next {
            len = len.saturating_add(commit.len);
            let outcome = group.take(&self.view, &self.last, commit.writes, &commit.ahead);
            answers.push((commit.answer, outcome));
            let full = answers.len() >= GROUP_MAX || len >= GROUP_LEN_MAX;
            next = if full { None } else { self.queue.try_recv().ok() };
        }
        self.pace.commits = answers.len();
        let written = self.write(group);
        for (answer, outcome) in answers {
            // One who no longer waits need not be told.
            let _ = answer.send(written.clone().and(outcome));
        }
        written
    }

    fn write(&mut self, group: Group) -> Result<(), StoreError> {
        if group.rows.is_empty() {
            return Ok(());
        }
        if self.log.is_full() {
            self.turn()?;
        }
        let start = Instant::now();
        self.log.append(&group.rows)?;
        self.make_durable()?;
        self.pace.sync = start.elapsed();
        self.syncs.0.fetch_add(1, Ordering::Relaxed);
        self.view.publish(group.rows);
        self.last = group.heads;
        Ok(())
    }

    fn make_durable(&mut self) -> Result<(), StoreError> {
        (self.sync)(self.log.active_file())
            .map_err(|error| StoreError::Stopped(format!("a sync to disk failed: {error}")))
    }

    /// The active file is full: its rows go to the settler, and the other file is written on. That
    /// one is free once the settler is done with its rows; until then everybody waits here, which
    /// is what bounds the memory.
    fn turn(&mut self) -> Result<(), StoreError> {
        self.settling.wait()?;
        self.log.forget_other()?;
        self.make_durable()?;
        self.settling.begin(self.view.turn())?;
        self.log.turn();
        Ok(())
    }

    /// Leaves everything in the tree, and a log that tells of nothing.
    fn close(&mut self) -> Result<(), StoreError> {
        self.settling.wait()?;
        self.settling.begin(self.view.turn())?;
        self.settling.wait()?;
        self.log.forget()?;
        self.make_durable()
    }
}

impl Settling {
    fn wait(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.busy) {
            self.done.recv().map_err(|_| stopped())?;
        }
        Ok(())
    }

    fn begin(&mut self, rows: Arc<Layer>) -> Result<(), StoreError> {
        self.busy = true;
        self.work.send(rows).map_err(|_| stopped())
    }
}

/// Why the settler has gone, it has told by its alarm.
fn stopped() -> StoreError {
    StoreError::Stopped("a write behind the log failed".to_owned())
}

impl Group {
    /// Takes one commit in, if it is in conflict neither with what is durable nor with those
    /// before it. All that can fail is done before anything is changed.
    fn take(
        &mut self,
        view: &View,
        last: &Heads,
        writes: Vec<Write>,
        ahead: &Ahead,
    ) -> Result<Outcome, StoreError> {
        let age = ahead.age(view);
        let mut heads = Vec::with_capacity(writes.len());
        for (n, Write { key, expected, .. }) in writes.iter().enumerate() {
            // What was read ahead stands, but for what the groups since then have changed.
            let head = match (self.heads.get(key), age) {
                (Some(head), _) => *head,
                (None, 0) => ahead.head(n, view, key)?,
                (None, 1) => match last.get(key) {
                    Some(head) => *head,
                    None => ahead.head(n, view, key)?,
                },
                (None, _) => view.head(key)?,
            };
            if head.revision != *expected {
                return Ok(Outcome::Conflict { key: key.to_vec() });
            }
            heads.push(head);
        }
        for (Write { key, to, .. }, was) in writes.into_iter().zip(heads) {
            let (now, first, parts) = match to {
                Laid::Keep => continue,
                Laid::Remove => (Head::default(), None, Vec::new()),
                Laid::Put(rows) => (rows.head, Some(rows.first), rows.parts),
            };
            let parts = parts.into_iter().map(Some).chain(std::iter::repeat(None));
            for (n, part) in (0..now.parts.max(was.parts)).zip(parts) {
                self.rows.push((row_format::part_key(&key, n), part));
            }
            self.rows.push((key.clone(), first));
            self.heads.insert(key, now);
        }
        Ok(Outcome::Durable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_waits_where_many_commit_and_no_longer_than_a_sync() {
        let us = Duration::from_micros;
        let rows = [
            // Commits in the last group, its sync, the wait of the next group, in microseconds.
            (0, 200, 0),
            (1, 200, 0),
            (COMPANY, 200, 0),
            (COMPANY + 1, 200, 200),
            (GROUP_MAX, 200, 200),
            (GROUP_MAX, 20_000, 1_000),
        ];
        for (commits, sync, wait) in rows {
            let pace = Pace { commits, sync: us(sync) };
            assert_eq!(pace.wait(), us(wait), "{commits} commits, {sync} us");
        }
    }
}
