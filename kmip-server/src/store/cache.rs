//! A store that remembers the records which nearly every message asks for and which hardly ever
//! change, and that they are not there, which is what most of them are.
//!
//! ```text
//! get      remembered? -> the record          else -> the store below, and it is remembered
//! commit   forgets what it writes, then -> the store below; remembered again when that has ended
//! ```
//!
//! **While a commit is under way, nothing that it writes is remembered.** So nobody is given a
//! record that another one has replaced durably. A commit whose caller has gone may still be
//! carried out: what it writes is not remembered any more.
//!
//! All commits must come through here: of another process on the same records it knows nothing.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Change, Key, Outcome, Pending, Range, Record, Store, To};

/// The most records that are remembered: some for each of a thousand clients. When there are more,
/// all are forgotten, and read again as they are asked for.
const RECORDS_MAX: usize = 4096;

/// A store over another one.
pub(crate) struct CachedStore<S> {
    store: S,
    /// What the keys begin with that are remembered.
    prefixes: &'static [&'static [u8]],
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    records: HashMap<Key, Option<Record>>,
    /// How many commits that write a key are under way.
    writing: HashMap<Key, usize>,
    /// How many commits that wrote such keys have ended.
    ended: u64,
}

impl<S: Store> CachedStore<S> {
    /// Remembers the records whose keys begin so.
    pub(crate) fn new(store: S, prefixes: &'static [&'static [u8]]) -> Self {
        Self { store, prefixes, known: RwLock::default() }
    }

    fn is_remembered(&self, key: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, key: &[u8], record: Option<&Record>, ended: u64) {
        let mut known = self.known_mut();
        // One that was written since it was read may be another by now.
        if known.ended != ended || known.writing.contains_key(key) {
            return;
        }
        if known.records.len() >= RECORDS_MAX {
            known.records.clear();
        }
        known.records.insert(key.to_vec(), record.map(Record::copy));
    }

    fn begin(&self, keys: &[Key]) {
        let mut known = self.known_mut();
        for key in keys {
            known.records.remove(key);
            let count = known.writing.entry(key.clone()).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn end(&self, keys: &[Key]) {
        let mut known = self.known_mut();
        known.ended = known.ended.wrapping_add(1);
        for key in keys {
            match known.writing.get_mut(key) {
                Some(count) if *count > 1 => *count = count.saturating_sub(1),
                Some(_) | None => drop(known.writing.remove(key)),
            }
        }
    }
}

impl<S: Store> Store for CachedStore<S> {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        if !self.is_remembered(key) {
            return self.store.get(key);
        }
        let known = self.known();
        if let Some(record) = known.records.get(key) {
            return Box::pin(ready(Ok(record.as_ref().map(Record::copy))));
        }
        let ended = known.ended;
        drop(known);
        Box::pin(async move {
            let record = self.store.get(key).await?;
            self.remember(key, record.as_ref(), ended);
            Ok(record)
        })
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        self.store.scan(range)
    }

    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
        let written = changes.iter().filter(|change| !matches!(change.to, To::Keep));
        let keys: Vec<Key> = written
            .map(|change| &change.key)
            .filter(|key| self.is_remembered(key))
            .cloned()
            .collect();
        if keys.is_empty() {
            return self.store.commit(changes);
        }
        Box::pin(async move {
            self.begin(&keys);
            let outcome = self.store.commit(changes).await;
            self.end(&keys);
            outcome
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::store::contract_tests::{keep, put, remove};
    use crate::store::memory_store::MemoryStore;

    /// Counts what it is asked for, and carries a commit out when it may go on.
    struct Slow {
        store: MemoryStore,
        gets: AtomicUsize,
        /// May a get be answered; may a commit be carried out; may it be answered?
        answers: Semaphore,
        commits: Semaphore,
        ends: Semaphore,
    }

    impl Store for Slow {
        fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
            self.gets.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                let record = self.store.get(key).await;
                self.answers.acquire().await.unwrap().forget();
                record
            })
        }

        fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
            self.store.scan(range)
        }

        fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
            Box::pin(async move {
                self.commits.acquire().await.unwrap().forget();
                let outcome = self.store.commit(changes).await;
                self.ends.acquire().await.unwrap().forget();
                outcome
            })
        }
    }

    fn slow(may: usize) -> (Arc<Slow>, CachedStore<Arc<Slow>>) {
        let slow = Arc::new(Slow {
            store: MemoryStore::default(),
            gets: AtomicUsize::new(0),
            answers: Semaphore::new(may),
            commits: Semaphore::new(may),
            ends: Semaphore::new(may),
        });
        (Arc::clone(&slow), CachedStore::new(slow, &[b"r/"]))
    }

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    async fn value(store: &impl Store, key: &str) -> Option<Vec<u8>> {
        store.get(key.as_bytes()).await.unwrap().map(|record| record.value.to_vec())
    }

    #[tokio::test]
    async fn what_is_remembered_is_not_read_again_until_it_is_written() {
        let (below, store) = slow(1000);
        // The stamps of a memory store count its commits.
        let steps = [
            (None, None),
            (Some(put("r/a", 0, "1")), Some("1")),
            (Some(put("r/a", 1, "2")), Some("2")),
            (Some(put("r/a", 1, "lost")), Some("2")),
            (Some(remove("r/a", 2)), None),
        ];
        for (n, (change, then)) in (1..).zip(steps) {
            if let Some(change) = change {
                store.commit(vec![change]).await.unwrap();
            }
            for _ in 0..3 {
                assert_eq!(value(&store, "r/a").await.as_deref(), then.map(str::as_bytes));
            }
            assert_eq!(below.gets.load(Ordering::Relaxed), n, "one read after each write");
        }
        store.commit(vec![put("o/1", 0, ""), keep("r/a", 0)]).await.unwrap();
        assert!(value(&store, "r/a").await.is_none());
        assert_eq!(below.gets.load(Ordering::Relaxed), 5, "a guard is no write");
        for n in 1..4 {
            assert!(value(&store, "o/1").await.is_some());
            assert_eq!(below.gets.load(Ordering::Relaxed), 5 + n, "others are not remembered");
        }
    }

    #[tokio::test]
    async fn what_was_read_before_a_commit_is_not_remembered_after_it() {
        let (below, store) = slow(0);
        // It has read that there is none, and has not answered.
        let mut early = store.get(b"r/a");
        assert!(poll(&mut early).is_pending());
        let mut commit = store.commit(vec![put("r/a", 0, "1")]);
        assert!(poll(&mut commit).is_pending());
        below.commits.add_permits(1);
        assert!(poll(&mut commit).is_pending());
        // Carried out below, and not answered yet: who reads now may be told of it already.
        below.answers.add_permits(1);
        assert!(matches!(poll(&mut early), Poll::Ready(Ok(None))));
        below.answers.add_permits(1);
        assert_eq!(value(&store, "r/a").await.as_deref(), Some(&b"1"[..]));
        let mut late = store.get(b"r/b");
        assert!(poll(&mut late).is_pending());
        below.ends.add_permits(1);
        assert!(matches!(poll(&mut commit), Poll::Ready(Ok(Outcome::Durable))));
        below.answers.add_permits(100);
        let _ = pin!(late).await;
        assert_eq!(value(&store, "r/a").await.as_deref(), Some(&b"1"[..]));
    }

    #[tokio::test]
    async fn a_commit_that_nobody_waits_for_leaves_nothing_remembered() {
        let (below, store) = slow(0);
        below.answers.add_permits(100);
        let mut commit = store.commit(vec![put("r/a", 0, "1")]);
        assert!(poll(&mut commit).is_pending());
        drop(commit);
        assert!(value(&store, "r/a").await.is_none());
        // The one below carries it out all the same.
        below.store.commit(vec![put("r/a", 0, "1")]).await.unwrap();
        assert_eq!(value(&store, "r/a").await.as_deref(), Some(&b"1"[..]));
    }

    #[tokio::test]
    async fn so_many_are_remembered_and_no_more() {
        let (_below, store) = slow(10 * RECORDS_MAX);
        for n in 0..RECORDS_MAX.saturating_mul(2) {
            assert!(value(&store, &format!("r/{n}")).await.is_none());
            assert!(store.known().records.len() <= RECORDS_MAX);
        }
    }
}
