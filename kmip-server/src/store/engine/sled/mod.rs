//! The embedded engine: a log of our own, and sled 0.34.7 behind it, used so that what was
//! acknowledged is on the disk.
//!
//! ```text
//! callers --- commits ---> committer --- one frame, fdatasync ---> log.0 | log.1
//!    ^                         |                                        |
//!    +--------- answers -------+---> fresh rows                         | full
//!                                        |                              v
//! readers <-- fresh, settling, tree -----+       settler --- blocks, fdatasync ---> sled
//! ```
//!
//! sled's own `flush` does not call fsync on Linux, and loses acknowledged writes when the power
//! goes; and each flush wakes seven threads. So a commit waits for our log alone, and sled takes
//! the rows of a whole log at once. Kept to these rules it loses none; each is here because a
//! proof fails without it:
//!
//! 1. One tree ([`tree`]). No tree per kind of record.
//! 2. One thread decides ([`committer`]): one frame of the log for a whole group, fdatasync, then
//!    the rows are shown, then the answers. One thread puts rows into the tree ([`settler`]):
//!    flush, then fdatasync on a handle of our own, and only then may the log be written over.
//! 3. What is created is synced before it is used, and renamed into place whole
//!    ([`data_directory`]).
//! 4. Segments of 8 MiB, so that a leaf is never too large for sled's log ([`data_directory`]).
//! 5. No row above 64 KiB, and `blobs/` stays empty ([`row_format`], [`data_directory`]).
//! 6. A damaged snapshot is put aside, and built anew from sled's log ([`data_directory`]).
//! 7. After a failed write nothing goes on ([`committer`], [`settler`]).
//! 8. An export is a scan: nothing of the engine is in the records it gives.
//! 9. A torn last frame was acknowledged to nobody and is passed over; a frame that is missing
//!    before the last one is damage, and the store does not open ([`log`]).
//! 10. A reader is shown what is durable, and what the tree is given is hidden behind the same
//!     rows until it is ([`view`]).
//! 11. Short rows that came together lie in one of the engine's ([`block`]), and no write takes a
//!     row from where it is before it is somewhere else ([`tree`]).
//!
//! This is the only room that names sled.

mod block;
mod committer;
mod data_directory;
mod gaps;
mod layer;
mod log;
mod row_format;
mod settler;
#[cfg(test)]
mod tests;
mod tree;
mod view;

use std::fs::File;
use std::future::ready;
use std::io;
#[cfg(test)]
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread::JoinHandle;

use sled::IVec;
use tokio::sync::oneshot;

use committer::{Commit, Committer, Heads, Laid, Pace, Settling, Syncs, Write};
pub(crate) use data_directory::Directory;
use data_directory::Open;
use settler::Settler;
use view::View;

use crate::store::failure_signal::{FailureWatch, watched};
use crate::store::{
    Change, Key, OpenError, Outcome, Pending, Range, Record, Store, StoreError, To, check,
};

/// Records in a directory.
pub(crate) struct SledStore {
    view: Arc<View>,
    health: FailureWatch,
    #[cfg(test)]
    syncs: Arc<Syncs>,
    /// Gone once the store is being dropped.
    queue: Option<Sender<Commit>>,
    threads: Vec<JoinHandle<()>>,
    _directory: Directory,
}

impl SledStore {
    /// Opens the store in a directory, and makes one if there is none.
    pub(crate) fn open(directory: Directory) -> Result<Self, OpenError> {
        let open = directory.open()?;
        Self::with_syncs(directory, open, |log| log.sync_data(), |file| file.sync_data())
    }

    /// Opens a store in the directory at `path`, for this process alone.
    #[cfg(test)]
    pub(crate) fn open_at(path: &Path) -> Result<Self, OpenError> {
        Self::open(Directory::lock(path)?)
    }

    /// Starts the two threads, with what makes a file of the log durable and what the file of the
    /// tree.
    fn with_syncs(
        directory: Directory,
        open: Open,
        sync_log: impl FnMut(&File) -> io::Result<()> + Send + 'static,
        mut sync_tree: impl FnMut(&File) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let Open { tree, file, log } = open;
        let (alarm, health) = watched();
        let (view, syncs) = (Arc::new(View::new(tree)), Arc::new(Syncs::default()));
        let (sender, queue) = channel();
        let (work, to_settle) = channel();
        let (settled, done) = sync_channel(1);
        let settler = Settler {
            view: Arc::clone(&view),
            work: to_settle,
            done: settled,
            sync: move || sync_tree(&file),
            alarm: alarm.clone(),
        };
        let committer = Committer {
            view: Arc::clone(&view),
            queue,
            log,
            sync: sync_log,
            syncs: Arc::clone(&syncs),
            settling: Settling { work, done, busy: false },
            alarm,
            last: Heads::default(),
            pace: Pace::default(),
        };
        let start = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
            thread.map_err(|error| OpenError::io("start a thread of", directory.path(), error))
        };
        let threads = vec![
            start("settler", Box::new(move || settler.run()))?,
            start("committer", Box::new(move || committer.run()))?,
        ];
        Ok(Self {
            view,
            health,
            #[cfg(test)]
            syncs,
            queue: Some(sender),
            threads,
            _directory: directory,
        })
    }

    /// Tells whether it has stopped.
    pub(crate) fn health(&self) -> FailureWatch {
        self.health.clone()
    }

    /// How many groups were made durable: each with one frame and one sync.
    #[cfg(test)]
    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.count()
    }

    async fn carry_out(&self, changes: Vec<Change>) -> Result<Outcome, StoreError> {
        check(&changes)?;
        self.health.check()?;
        let (answer, outcome) = oneshot::channel();
        let commit = self.lay_out(changes, answer)?;
        let stopped = || StoreError::Stopped("its thread has ended".to_owned());
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(commit).map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }

    /// Does for a commit what need not be done on the one thread.
    fn lay_out(
        &self,
        changes: Vec<Change>,
        answer: oneshot::Sender<Result<Outcome, StoreError>>,
    ) -> Result<Commit, StoreError> {
        let mut writes = Vec::with_capacity(changes.len());
        let mut len = 0_usize;
        for Change { key, expected, to } in changes {
            let to = match to {
                To::Put(value) => {
                    len = len.saturating_add(value.len());
                    Laid::Put(row_format::lay_out(&value, expected.saturating_add(1))?)
                }
                To::Remove => Laid::Remove,
                To::Keep => Laid::Keep,
            };
            writes.push(Write { key: IVec::from(key), expected, to });
        }
        let ahead = self.view.read_ahead(writes.iter().map(|write| (&write.key, write.expected)));
        Ok(Commit { writes, ahead, len, answer })
    }
}

impl Store for SledStore {
    // A read is done at once and not on another thread: it is a walk in memory, now and then a
    // page from the disk.
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        Box::pin(ready(self.health.check().and_then(|()| self.view.get(key))))
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        Box::pin(ready(self.health.check().and_then(|()| self.view.scan(range))))
    }

    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
        Box::pin(self.carry_out(changes))
    }
}

impl Drop for SledStore {
    /// What is queued is still carried out: its callers may have gone, but were not told no. All
    /// that is in the log goes into the tree.
    fn drop(&mut self) {
        drop(self.queue.take());
        for thread in self.threads.drain(..) {
            // A panic of a thread was told by the alarm.
            let _ = thread.join();
        }
    }
}
