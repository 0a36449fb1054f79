//! A store on an engine of this machine: stamps, groups, and the check of what is there.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::data_directory::DataDirectory;
use super::engine::Engine;
use super::failure_signal::{FailureWatch, watched};
use super::free_space::FreeSpace;
use super::group_commit::{Commit, Committer};
use super::head_file::HeadFile;
use super::integrity::{Head, Integrity};
use super::view::View;
use super::{Change, Key, OpenError, Outcome, Pending, Range, Record, Store, StoreError, check};

/// Longest page that is read on the runtime's workers; longer ones leave them.
const PAGE_ON_WORKER: usize = 64;

/// Records in an engine.
pub(crate) struct LocalStore {
    view: Arc<View>,
    failure: FailureWatch,
    /// Empty once the store is being dropped.
    queue: Option<Sender<Commit>>,
    thread: Option<JoinHandle<()>>,
    /// Dropped last: no other process opens the files before they are closed.
    lock: Option<DataDirectory>,
}

impl LocalStore {
    /// Starts the committer of an engine whose rows have this head.
    pub(crate) fn start(
        engine: Arc<dyn Engine>,
        integrity: Arc<Integrity>,
        head: Head,
        head_file: HeadFile,
        space: FreeSpace,
    ) -> Result<Self, OpenError> {
        let (signal, failure) = watched();
        let (sender, queue) = channel();
        let view = Arc::new(View::new(engine));
        let committer = Committer {
            view: Arc::clone(&view),
            integrity,
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
        Ok(Self { view, failure, queue: Some(sender), thread: Some(thread), lock: None })
    }

    /// Keeps the directory locked for as long as the store lives.
    pub(crate) fn with_lock(self, directory: DataDirectory) -> Self {
        // A type with a destructor cannot be taken apart.
        let mut store = self;
        store.lock = Some(directory);
        store
    }

    /// Returns a watch that reports when the store has stopped.
    pub(crate) fn failure(&self) -> FailureWatch {
        self.failure.clone()
    }

    /// Puts a commit in the queue.
    pub(crate) fn submit(
        &self,
        changes: Vec<Change>,
    ) -> Result<oneshot::Receiver<Result<Outcome, StoreError>>, StoreError> {
        check(&changes)?;
        self.failure.check()?;
        let (answer, outcome) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(Commit::new(changes, answer)).map_err(|_| ended())?;
        Ok(outcome)
    }

    async fn page(&self, range: Range) -> Result<Vec<(Key, Record)>, StoreError> {
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
        Box::pin(std::future::ready(self.failure.check().and_then(|()| self.view.get(key))))
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
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported by its signal.
            let _ = thread.join();
        }
    }
}
