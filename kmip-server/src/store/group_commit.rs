//! The one thread that decides and writes.
//!
//! ```text
//! commits -> queue -> group -> check each -> engine write: rows and head, durable
//!                      ^                          -> head file -> show -> answer all
//!                      +------------------------------------------------------+
//! ```
//!
//! A group is what is queued when the thread comes to look. Everyone in it is answered after the
//! write, those in conflict too: a conflict tells of another commit, which may be of this group.
//!
//! **A failed write has an unknown outcome.** After "no space" the store reads on, shows the rows
//! as they were, and opens the engine again once there is space; after any other failure it stops.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use super::engine::{EngineError, RowChange, Value};
use super::failure_signal::FailureSignal;
use super::free_space::FreeSpace;
use super::head_file::HeadFile;
use super::integrity::{Head, Integrity, Place};
use super::verify::{HEAD_KEY, count_rows, read_head};
use super::view::{Rows, STAMP_LEN, View, stamp};
use super::{Change, Key, Outcome, StoreError, To};

/// Most commits in one group.
pub(crate) const GROUP_MAX: usize = 256;

/// Length from which a group takes no further commit, so that a queue of large values does not
/// become one write of gigabytes.
const GROUP_LEN_MAX: usize = 8 << 20;

/// Where a commit is answered.
pub(crate) type Answer = oneshot::Sender<Result<Outcome, StoreError>>;

/// Commit in the queue, its rows laid out by the caller.
pub(crate) struct Commit {
    writes: Vec<Write>,
    len: usize,
    answer: Answer,
}

struct Write {
    key: Key,
    expected: u64,
    to: Laid,
}

/// What becomes of a key.
enum Laid {
    /// This row, with space for its stamp.
    Put(Value),
    Remove,
    Keep,
}

impl Commit {
    /// Lays out the rows of a commit: work that is not for the one thread.
    pub(crate) fn new(changes: Vec<Change>, answer: Answer) -> Self {
        let mut len = 0_usize;
        let write = |Change { key, expected, to }: Change| {
            let to = match to {
                To::Put(value) => {
                    len = len.saturating_add(value.len());
                    Laid::Put([&[0; STAMP_LEN], value.as_slice()].concat())
                }
                To::Remove => Laid::Remove,
                To::Keep => Laid::Keep,
            };
            Write { key, expected, to }
        };
        let writes = changes.into_iter().map(write).collect();
        Self { writes, len, answer }
    }

    fn is_guard(&self) -> bool {
        self.writes.iter().all(|write| matches!(write.to, Laid::Keep))
    }
}

/// The thread's own state.
pub(crate) struct Committer {
    pub(crate) view: Arc<View>,
    pub(crate) integrity: Arc<Integrity>,
    pub(crate) head: Head,
    pub(crate) head_file: HeadFile,
    pub(crate) queue: Receiver<Commit>,
    pub(crate) space: FreeSpace,
    pub(crate) signal: FailureSignal,
    /// Why the engine must be opened again before the next write.
    pub(crate) full: Option<String>,
}

/// Rows of a key before and after a group.
struct Slot {
    old: Option<Value>,
    /// `None` while the group does not write the key.
    new: Option<Option<Value>>,
}

/// Group on its way to the disk.
struct Group {
    number: u64,
    slots: BTreeMap<Key, Slot>,
}

/// Failure of the write of a group.
enum Failed {
    NoSpace(String),
    Stop(String),
}

impl Committer {
    /// Serves the queue until the store is dropped or a write fails. Tells whether the engine holds
    /// what was written last.
    pub(crate) fn run(mut self) -> bool {
        while let Ok(first) = self.queue.recv() {
            let commits = self.gather(first);
            if let Err(error) = self.carry_out(commits) {
                self.signal.raise(&error);
                return false;
            }
        }
        self.full.is_none()
    }

    fn gather(&self, first: Commit) -> Vec<Commit> {
        let mut len = first.len;
        let mut commits = vec![first];
        while commits.len() < GROUP_MAX && len < GROUP_LEN_MAX {
            let Ok(next) = self.queue.try_recv() else { break };
            len = len.saturating_add(next.len);
            commits.push(next);
        }
        commits
    }

    /// Carries out one group. Fails only if the store must stop.
    fn carry_out(&mut self, commits: Vec<Commit>) -> Result<(), StoreError> {
        if self.full.is_none() && self.view.is_full() {
            tracing::error!("the engine found no space for a write of its own");
            self.full = Some("the engine found no space".to_owned());
            self.reopen_for_reads()?;
        }
        let writes = commits.iter().any(|commit| !commit.is_guard());
        let refused = if writes { self.prepare()?.err() } else { None };
        let number = self.head.group.saturating_add(1);
        let mut group = Group { number, slots: BTreeMap::new() };
        let mut answers = Vec::with_capacity(commits.len());
        for commit in commits {
            let outcome = match &refused {
                Some(refused) if !commit.is_guard() => Err(refused.clone()),
                Some(_) | None => group.take(&self.view, commit.writes),
            };
            answers.push((commit.answer, outcome));
        }
        let failed = self.write(group).err();
        for (answer, outcome) in answers {
            let outcome = match (&failed, outcome) {
                (None, outcome) | (_, outcome @ Err(_)) => outcome,
                (Some(failed), Ok(Outcome::Durable)) => Err(StoreError::Unknown(failed.why())),
                (Some(failed), Ok(Outcome::Conflict { .. })) => Err(failed.error()),
            };
            // One who no longer waits need not be answered.
            let _ = answer.send(outcome);
        }
        match failed {
            None => Ok(()),
            Some(Failed::NoSpace(why)) => {
                tracing::error!(%why, "a write found no space; writes are refused until there is");
                self.full = Some(why);
                self.reopen_for_reads()
            }
            Some(failed @ Failed::Stop(_)) => Err(failed.error()),
        }
    }

    /// Returns why nothing can be written now, if so. Fails if the store must stop.
    fn prepare(&mut self) -> Result<Result<(), StoreError>, StoreError> {
        let space = match self.full {
            None => self.space.check(),
            Some(_) => self.space.check_reopen(),
        };
        if let Err(low) = space {
            return Ok(Err(low));
        }
        let Some(why) = self.full.take() else { return Ok(Ok(())) };
        match self.reopen() {
            Ok(()) => {
                tracing::info!("the engine was opened again; writes resume");
                Ok(Ok(()))
            }
            Err(EngineError::NoSpace(again)) => {
                self.full = Some(why);
                Ok(Err(StoreError::NoSpace(again)))
            }
            Err(error) => Err(not_reopened(&error)),
        }
    }

    /// After a failed write an engine may not read on until it was opened again, which may need
    /// space: what was held back for a start is given up for it. Fails if the store must stop.
    fn reopen_for_reads(&mut self) -> Result<(), StoreError> {
        if self.space.release() {
            match self.reopen() {
                Ok(()) => self.full = None,
                Err(EngineError::NoSpace(_)) => {}
                Err(error) => return Err(not_reopened(&error)),
            }
        }
        Ok(())
    }

    /// Opens the engine again after a failed write, and takes what it holds for what it is.
    fn reopen(&mut self) -> Result<(), EngineError> {
        let engine = &self.view.engine;
        engine.reopen()?;
        let head = read_head(&**engine, &self.integrity)?;
        let found = count_rows(&**engine, &self.integrity)?;
        let last = self.head.group;
        let head = head
            .filter(|head| head.group == last || Some(head.group) == last.checked_add(1))
            .filter(|head| (head.count, head.sum) == (found.count, found.sum))
            .ok_or_else(|| EngineError::Corrupt("rows are missing".to_owned()))?;
        self.head_file.write(&head).map_err(|error| EngineError::from(&error))?;
        self.head = head;
        self.view.reopened(head);
        Ok(())
    }

    fn write(&mut self, group: Group) -> Result<(), Failed> {
        let Some((head, old, mut changes)) = group.changes(&self.integrity, self.head) else {
            return Ok(());
        };
        changes.push((HEAD_KEY.to_vec(), Some(self.integrity.encode(Place::Row, &head))));
        self.view.begin_group(old);
        self.view.engine.write(&changes).map_err(Failed::from)?;
        let written = self.head_file.write(&head);
        written.map_err(|error| Failed::from(EngineError::from(&error)))?;
        self.head = head;
        self.view.end_group(&changes, head, &self.integrity);
        Ok(())
    }
}

fn not_reopened(error: &EngineError) -> StoreError {
    StoreError::Stopped(format!("it could not be opened again: {error}"))
}

impl From<EngineError> for Failed {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NoSpace(why) => Self::NoSpace(why),
            error @ (EngineError::Io(_) | EngineError::Corrupt(_)) => {
                Self::Stop(format!("a write failed: {error}"))
            }
        }
    }
}

impl Failed {
    fn why(&self) -> String {
        match self {
            Self::NoSpace(why) | Self::Stop(why) => why.clone(),
        }
    }

    fn error(&self) -> StoreError {
        match self {
            Self::NoSpace(why) => StoreError::NoSpace(why.clone()),
            Self::Stop(why) => StoreError::Stopped(why.clone()),
        }
    }
}

impl Group {
    /// Takes one commit in, if it is in conflict neither with the durable rows nor with the commits
    /// before it. All that can fail is done before anything is changed.
    fn take(&mut self, view: &View, writes: Vec<Write>) -> Result<Outcome, StoreError> {
        for Write { key, expected, .. } in &writes {
            let now = match self.slots.get(key) {
                Some(slot) => stamp(slot.now())?,
                None => {
                    let old = view.engine.get(key).map_err(|error| error.on_read())?;
                    let now = stamp(old.as_deref())?;
                    self.slots.insert(key.clone(), Slot { old, new: None });
                    now
                }
            };
            if now != *expected {
                return Ok(Outcome::Conflict { key: key.clone() });
            }
        }
        for Write { key, to, .. } in writes {
            let new = match to {
                Laid::Keep => continue,
                Laid::Remove => None,
                Laid::Put(mut row) => {
                    if let Some(stamp) = row.first_chunk_mut::<STAMP_LEN>() {
                        *stamp = self.number.to_be_bytes();
                    }
                    Some(row)
                }
            };
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.new = Some(new);
            }
        }
        Ok(Outcome::Durable)
    }

    /// Returns the head after the group, the old rows of its keys and its changes; `None` if it
    /// changes nothing.
    fn changes(self, integrity: &Integrity, head: Head) -> Option<(Head, Rows, Vec<RowChange>)> {
        let mut head = Head { group: self.number, ..head };
        let (mut old, mut changes) = (Rows::new(), Vec::new());
        for (key, slot) in self.slots {
            let Some(new) = slot.new else { continue };
            integrity.replace(&mut head, &key, slot.old.as_deref(), new.as_deref());
            if slot.old.is_some() || new.is_some() {
                old.insert(key.clone(), slot.old);
                changes.push((key, new));
            }
        }
        (!changes.is_empty()).then_some((head, old, changes))
    }
}

impl Slot {
    fn now(&self) -> Option<&[u8]> {
        self.new.as_ref().unwrap_or(&self.old).as_deref()
    }
}
