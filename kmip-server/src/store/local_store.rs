//! A store on an engine of this machine: stamps, groups, and the check of what is there.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::background_check::{CheckSignal, Checker};
use super::data_directory::DataDirectory;
use super::failure_signal::{FailureWatch, watched};
use super::free_space::FreeSpace;
use super::group_commit::{Commit, Committer};
use super::integrity::Integrity;
use super::open::rows::Rows;
use super::view::View;
use super::{
    Change, Key, OpenError, Outcome, Pending, Range, Record, Store, StoreError, check, evidence,
};

/// Longest page that is read on the runtime's workers; longer ones leave them.
const PAGE_ON_WORKER: usize = 64;

/// Records in an engine.
pub(crate) struct LocalStore {
    view: Arc<View>,
    failure: FailureWatch,
    /// Empty once the store is being dropped.
    queue: Option<Sender<Commit>>,
    thread: Option<JoinHandle<bool>>,
    integrity: Arc<Integrity>,
    checker: Option<(Sender<()>, JoinHandle<()>)>,
    /// Dropped last: no other process opens the files before they are closed.
    directory: Option<DataDirectory>,
}

impl LocalStore {
    /// Starts the committer of rows that were checked.
    pub(crate) fn start(
        rows: Rows,
        integrity: Arc<Integrity>,
        space: FreeSpace,
    ) -> Result<Self, OpenError> {
        let Rows { engine, head, head_file, .. } = rows;
        let (signal, failure) = watched();
        let (sender, queue) = channel();
        let view = Arc::new(View::new(engine, head));
        let committer = Committer {
            view: Arc::clone(&view),
            integrity: Arc::clone(&integrity),
            head,
            head_file,
            queue,
            space,
            signal,
            full: None,
        };
        let thread = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer.run())
            .map_err(OpenError::Thread)?;
        let (queue, thread) = (Some(sender), Some(thread));
        Ok(Self { view, failure, queue, thread, integrity, checker: None, directory: None })
    }

    /// Checks all rows at this interval from now on.
    pub(crate) fn with_checks(
        self,
        interval: Duration,
        signal: CheckSignal,
    ) -> Result<Self, OpenError> {
        let mut store = self;
        let (sender, stop) = channel();
        let (view, integrity) = (Arc::clone(&store.view), Arc::clone(&store.integrity));
        let checker = Checker { view, integrity, signal, interval, stop };
        let thread = std::thread::Builder::new()
            .name("checker".to_owned())
            .spawn(move || checker.run())
            .map_err(OpenError::Thread)?;
        store.checker = Some((sender, thread));
        Ok(store)
    }

    /// Keeps the directory locked for as long as the store lives, and lists its files at the end.
    pub(crate) fn with_directory(self, directory: DataDirectory) -> Self {
        // A type with a destructor cannot be taken apart.
        let mut store = self;
        store.directory = Some(directory);
        store
    }

    /// Closes the engine, and lists its files for the next start.
    fn close(&self, directory: &DataDirectory) {
        let files = directory.files();
        let closed = self.view.engine.close().map_err(|error| error.to_string());
        if self.view.is_damaged() {
            return;
        }
        let listed = closed.and_then(|()| {
            evidence::record_stop(&files, &self.integrity).map_err(|error| error.to_string())
        });
        if let Err(why) = listed {
            let stopped = files.stopped.display();
            tracing::warn!(%stopped, %why, "the engine's files cannot be listed");
        }
    }

    /// Returns a watch that reports when the store has stopped.
    pub(crate) fn failure(&self) -> FailureWatch {
        self.failure.clone()
    }

    #[cfg(test)]
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// Puts a commit in the queue.
    pub(crate) fn submit(
        &self,
        changes: Vec<Change>,
    ) -> Result<oneshot::Receiver<Result<Outcome, StoreError>>, StoreError> {
        check(&changes)?;
        self.failure.check()?;
        self.view.check_complete()?;
        let (answer, outcome) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(Commit::new(changes, answer)).map_err(|_| ended())?;
        Ok(outcome)
    }

    /// Has the engine opened again, if it has refused a read for want of space: sled writes now and
    /// then by itself. Tells whether it was; what the refusal was for is read once more then.
    async fn reopened(&self) -> Result<bool, StoreError> {
        if !self.view.is_full() {
            return Ok(false);
        }
        // Before a group the thread looks whether the engine is to be opened again.
        self.submit(Vec::new())?.await.map_err(|_| ended())??;
        Ok(!self.view.is_full())
    }

    async fn page(&self, range: Range) -> Result<Vec<(Key, Record)>, StoreError> {
        let read = self.page_once(range.clone()).await;
        match read {
            Err(_) if self.reopened().await? => self.page_once(range).await,
            read => read,
        }
    }

    async fn page_once(&self, range: Range) -> Result<Vec<(Key, Record)>, StoreError> {
        self.failure.check()?;
        if range.limit <= PAGE_ON_WORKER {
            return self.view.scan(range);
        }
        let view = Arc::clone(&self.view);
        let read = tokio::task::spawn_blocking(move || view.scan(range)).await;
        read.map_err(|_| StoreError::Unreadable("a scan was ended".to_owned()))?
    }
}

fn ended() -> StoreError {
    StoreError::Stopped("its thread has ended".to_owned())
}

impl Store for LocalStore {
    // A point read is a walk in memory, now and then a page from the disk: it stays on the worker.
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        let read = self.failure.check().and_then(|()| self.view.get(key));
        if read.is_ok() || !self.view.is_full() {
            return Box::pin(std::future::ready(read));
        }
        Box::pin(async move { if self.reopened().await? { self.view.get(key) } else { read } })
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        Box::pin(self.page(range))
    }

    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
        Box::pin(async move { self.submit(changes)?.await.map_err(|_| ended())? })
    }
}

impl Drop for LocalStore {
    /// What is queued is still carried out: its callers may have gone, but were not refused.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some((stop, thread)) = self.checker.take() {
            drop(stop);
            let _ = thread.join();
        }
        // A panic of the thread was reported by its signal.
        let is_sound = self.thread.take().is_some_and(|thread| thread.join().unwrap_or(false));
        // What a failed write or damage has left is not listed as what must be there.
        if let Some(directory) = self.directory.as_ref().filter(|_| is_sound) {
            self.close(directory);
        }
    }
}
