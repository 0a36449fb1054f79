//! The embedded engine: sled 0.34.7, used so that what it acknowledged is on the disk.
//!
//! sled's own `flush` does not call fsync on Linux, and loses acknowledged writes when the power
//! goes. Kept to these rules it loses none; each is here because a proof fails without it:
//!
//! 1. One tree ([`rows`]). No tree per kind of record.
//! 2. One thread writes ([`committer`]): one batch for a whole group, flush, then fdatasync on a
//!    handle of our own, then the answers.
//! 3. What is created is synced before it is used, and renamed into place whole ([`directory`]).
//! 4. Segments of 8 MiB, so that a leaf is never too large for the log ([`directory`]).
//! 5. No row above 64 KiB, and `blobs/` stays empty ([`rows`], [`directory`]).
//! 6. A damaged snapshot is put aside, and built anew from the log ([`directory`]).
//! 7. After a failed write nothing goes on ([`committer`]).
//! 8. An export is a scan: nothing of the engine is in the records it gives.
//!
//! This is the only room that names sled.

mod committer;
mod directory;
mod rows;
#[cfg(test)]
mod tests;
mod view;

use std::future::ready;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use sled::IVec;
use tokio::sync::oneshot;

use committer::{Commit, Committer, Laid, Syncs, Write};
pub use directory::Directory;
pub(super) use directory::sync;
use view::View;

use super::health::{Health, watched};
use super::{
    Change, Key, OpenError, Outcome, Pending, Range, Record, Store, StoreError, To, check,
};

/// Records in a directory.
pub struct SledStore {
    view: Arc<View>,
    health: Health,
    syncs: Arc<Syncs>,
    /// Gone once the store is being dropped.
    queue: Option<Sender<Commit>>,
    thread: Option<JoinHandle<()>>,
    _directory: Directory,
}

impl SledStore {
    /// Opens the store in a directory, and makes one if there is none.
    pub fn open(directory: Directory) -> Result<Self, OpenError> {
        let open = directory.open()?;
        let log = open.log;
        Self::with_sync(directory, open.tree, move || log.sync_data())
    }

    /// Opens a store in the directory at `path`, for this process alone.
    pub fn open_at(path: &Path) -> Result<Self, OpenError> {
        Self::open(Directory::lock(path)?)
    }

    fn with_sync(
        directory: Directory,
        tree: sled::Db,
        sync: impl FnMut() -> std::io::Result<()> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (alarm, health) = watched();
        let (sender, queue) = channel();
        let (view, syncs) = (Arc::new(View::new(tree)), Arc::new(Syncs::default()));
        let committer =
            Committer { view: Arc::clone(&view), queue, sync, syncs: Arc::clone(&syncs), alarm };
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || committer.run())
            .map_err(|error| OpenError::io("start the thread of", directory.path(), error))?;
        let (queue, thread) = (Some(sender), Some(thread));
        Ok(Self { view, health, syncs, queue, thread, _directory: directory })
    }

    /// Tells whether it has stopped.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// How many groups were made durable: each with one batch, one flush and one sync.
    pub fn syncs(&self) -> u64 {
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
                    Laid::Put(rows::lay_out(&value, expected.saturating_add(1))?)
                }
                To::Remove => Laid::Remove,
                To::Keep => Laid::Keep,
            };
            writes.push(Write { key: IVec::from(key), expected, to });
        }
        let ahead = self.view.read_ahead(writes.iter().map(|write| &write.key));
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
    /// What is queued is still carried out: its callers may have gone, but were not told no.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told by the alarm.
            let _ = thread.join();
        }
    }
}
