//! A store whose commits wait until the test lets them through: what is slow, on demand.

use std::sync::Arc;

use crate::store::memory_store::MemoryStore;
use crate::store::{Change, Key, Outcome, Pending, Range, Record, Store};
use tokio::sync::Semaphore;

/// A store in memory with a store before its commits.
pub(crate) struct BlockingStore {
    store: MemoryStore,
    open: Semaphore,
}

impl BlockingStore {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { store: MemoryStore::default(), open: Semaphore::new(0) })
    }

    /// Lets so many commits through.
    pub(crate) fn let_through(&self, commits: usize) {
        self.open.add_permits(commits);
    }
}

impl Store for BlockingStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        self.store.get(key)
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        self.store.scan(range)
    }

    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
        Box::pin(async move {
            self.open.acquire().await.unwrap().forget();
            self.store.commit(changes).await
        })
    }
}
