//! The store as one batch sees it: what is durable, with the batch's own changes over it.
//!
//! Nothing is written here. What the items want written is gathered and becomes one commit, under
//! the stamps that were read; undo is dropping it.
//!
//! What a decision was read from is guarded ([`Transaction::guard`]): if it changes before the
//! commit, the commit is a conflict, though it does not write that key.

use std::collections::{BTreeMap, BTreeSet};

use crate::secret::SecretBuffer;
use crate::store::{Change, Key, Range, Store, StoreError, To};

/// A value, or none where the key is absent.
type Value = Option<SecretBuffer>;

/// A batch's view.
pub(crate) struct Transaction<'a> {
    store: &'a dyn Store,
    /// What was read last: who reads what is known of an object then asks for the object, which
    /// stands in the same row.
    last: Option<Read>,
    /// What was first seen of every other key that was read.
    read: BTreeMap<Key, Seen>,
    /// What the items that are done want written.
    batch: BTreeMap<Key, Value>,
    /// What the item under way wants written.
    item: BTreeMap<Key, Value>,
    /// Keys whose changes are minor: see [`Transaction::put_minor`].
    minor: BTreeSet<Key>,
}

/// A record as it was read.
struct Read {
    key: Key,
    seen: Seen,
    value: Value,
    /// Was it only glanced at?
    is_glance: bool,
}

/// What the commit must know of a key that was read.
#[derive(Clone, Copy)]
struct Seen {
    /// The stamp; 0 if it was absent.
    stamp: u64,
    /// Was it read for a decision?
    is_guarded: bool,
}

impl<'a> Transaction<'a> {
    /// A view without changes.
    pub(crate) fn new(store: &'a dyn Store) -> Self {
        let (batch, item) = (BTreeMap::new(), BTreeMap::new());
        let minor = BTreeSet::new();
        Self { store, last: None, read: BTreeMap::new(), batch, item, minor }
    }

    /// The value of a key, to be kept.
    pub(crate) async fn get(&mut self, key: &[u8]) -> Result<Value, StoreError> {
        let value = self.peek(key).await?;
        Ok(value.map(|value| SecretBuffer::new(value.to_vec())))
    }

    /// The value of a key that a decision is made by: it must be the same when the batch is
    /// committed, if the batch writes anything.
    pub(crate) async fn get_guarded(&mut self, key: &[u8]) -> Result<Value, StoreError> {
        self.guard(key).await?;
        self.get(key).await
    }

    /// Requires that a key is at the commit as it was first read in this batch. It costs nothing
    /// for the key that was read last.
    pub(crate) async fn guard(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.peek(key).await?;
        let last = self.last.as_mut().filter(|last| last.key == key).map(|last| &mut last.seen);
        // One that was not read at all is the batch's own.
        if let Some(seen) = last.or_else(|| self.read.get_mut(key)) {
            seen.is_guarded = true;
        }
        Ok(())
    }

    /// The value of a key, to be looked at: each copy of a secret has to be wiped again.
    pub(crate) async fn peek(&mut self, key: &[u8]) -> Result<Option<&[u8]>, StoreError> {
        self.look(key, false).await
    }

    /// As [`Self::peek`], at one of many keys of which nothing is decided: it is forgotten with the
    /// next one, and so is not part of what the commit must know. A million take no memory.
    pub(crate) async fn glance(&mut self, key: &[u8]) -> Result<Option<&[u8]>, StoreError> {
        self.look(key, true).await
    }

    async fn look(&mut self, key: &[u8], is_glance: bool) -> Result<Option<&[u8]>, StoreError> {
        if let Some(last) = self.last.as_mut().filter(|last| last.key == key) {
            last.is_glance &= is_glance;
        } else if self.wanted(key).is_none() {
            let (stamp, value) = match self.store.get(key).await? {
                Some(record) => (record.stamp, Some(record.value)),
                None => (0, None),
            };
            let seen = Seen { stamp, is_guarded: false };
            let read = Read { key: key.to_vec(), seen, value, is_glance };
            if let Some(last) = self.last.replace(read) {
                keep_first(&mut self.read, last);
            }
        }
        let value = match self.wanted(key) {
            Some(value) => value.as_ref(),
            None => self.last.as_ref().and_then(|last| last.value.as_ref()),
        };
        Ok(value.map(|value| value.as_slice()))
    }

    /// What the batch wants to become of a key, if anything.
    fn wanted(&self, key: &[u8]) -> Option<&Value> {
        self.item.get(key).or_else(|| self.batch.get(key))
    }

    /// The key shall have this value. It must have been read, or else be absent: the commit fails
    /// if it is not.
    pub(crate) fn put(&mut self, key: Key, value: SecretBuffer) {
        self.minor.remove(&key);
        self.item.insert(key, Some(value));
    }

    /// As [`Self::put`], of a change without which the answer is right too: it is given even where
    /// there is no space for the change.
    pub(crate) fn put_minor(&mut self, key: Key, value: SecretBuffer) {
        if self.wanted(&key).is_none() {
            self.minor.insert(key.clone());
        }
        self.item.insert(key, Some(value));
    }

    /// The key shall be absent. It must have been read.
    pub(crate) fn remove(&mut self, key: Key) {
        self.minor.remove(&key);
        self.item.insert(key, None);
    }

    /// Tells whether all that the batch wants written is minor.
    pub(crate) fn is_minor(&self) -> bool {
        self.batch.keys().all(|key| self.minor.contains(key))
    }

    /// The item under way is done: its changes are the batch's.
    pub(crate) fn keep_item(&mut self) {
        self.batch.append(&mut self.item);
    }

    /// The item under way failed: it changes nothing.
    pub(crate) fn drop_item(&mut self) {
        self.item.clear();
    }

    /// Keys that begin with `prefix` and are greater than `after`, the smallest first; a page that
    /// is shorter than `limit` is the last.
    pub(crate) async fn page(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        let mut range = Range::prefix(prefix, limit);
        if let Some(after) = after {
            range = range.beyond(after);
        }
        let mut keys = Vec::new();
        loop {
            let (from, to) = (range.from.clone(), range.to.clone());
            let page = self.store.scan(range.clone()).await?;
            let last = page.last().filter(|_| page.len() >= limit).map(|(key, _)| key.clone());
            // Of our own changes, those belong to this page that lie in the part the page covers.
            let to = last.as_ref().map_or(to, |last| [last.as_slice(), &[0]].concat());
            let stored = page.into_iter().map(|(key, _)| (key, true));
            let mut part: BTreeMap<Key, bool> = stored.collect();
            for (key, value) in self.batch.range(from.clone()..to.clone()) {
                part.insert(key.clone(), value.is_some());
            }
            for (key, value) in self.item.range(from..to) {
                part.insert(key.clone(), value.is_some());
            }
            keys.extend(part.into_iter().filter_map(|(key, stands)| stands.then_some(key)));
            // What the batch has removed is missing here, and is no end.
            match last {
                Some(last) if keys.len() < limit => range = range.beyond(&last),
                Some(_) | None => return Ok(keys),
            }
        }
    }

    /// How many keys the batch and the item under way want changed or guarded.
    pub(crate) fn changed(&self) -> usize {
        let last = self.last.iter().map(|last| (&last.key, &last.seen));
        let read = self.read.iter().chain(last);
        let guards = read.filter(|(key, seen)| seen.is_guarded && self.wanted(key).is_none());
        self.batch.len().saturating_add(self.item.len()).saturating_add(guards.count())
    }

    /// What the batch wants written, as one commit.
    pub(crate) fn into_changes(self) -> Vec<Change> {
        if self.batch.is_empty() {
            return Vec::new();
        }
        let mut read = self.read;
        if let Some(last) = self.last {
            keep_first(&mut read, last);
        }
        let guards =
            read.iter().filter(|(key, seen)| seen.is_guarded && !self.batch.contains_key(*key));
        let guard = |(key, seen): (&Key, &Seen)| Change {
            key: key.clone(),
            expected: seen.stamp,
            to: To::Keep,
        };
        let mut changes: Vec<Change> = guards.map(guard).collect();
        changes.extend(self.batch.into_iter().map(|(key, value)| {
            let expected = read.get(&key).map_or(0, |seen| seen.stamp);
            let to = match value {
                Some(value) => To::Put(value),
                // Made and removed by this batch.
                None if expected == 0 => To::Keep,
                None => To::Remove,
            };
            Change { key, expected, to }
        }));
        changes
    }
}

/// Puts a key with those that were read. One that changed since it was first read in this batch
/// must fail the commit, so the first stamp stands.
fn keep_first(read: &mut BTreeMap<Key, Seen>, last: Read) {
    if last.is_glance {
        return;
    }
    let first = read.entry(last.key).or_insert(last.seen);
    first.is_guarded |= last.seen.is_guarded;
}

#[cfg(test)]
mod tests {
    use super::Transaction;
    use crate::secret::SecretBuffer;
    use crate::store::memory_store::MemoryStore;
    use crate::store::{Outcome, Store};

    async fn put(view: &mut Transaction<'_>, key: &[u8], value: &[u8]) {
        view.get(key).await.unwrap();
        view.put(key.to_vec(), SecretBuffer::new(value.to_vec()));
    }

    #[tokio::test]
    async fn what_is_glanced_at_is_forgotten_until_it_is_read() {
        let store = MemoryStore::default();
        let mut view = Transaction::new(&store);
        for at in 0..100_u8 {
            put(&mut view, &[b'k', at], b"1").await;
        }
        view.keep_item();
        store.commit(view.into_changes()).await.unwrap();

        let mut view = Transaction::new(&store);
        for at in 0..100_u8 {
            assert_eq!(view.glance(&[b'k', at]).await.unwrap(), Some(&b"1"[..]));
        }
        assert!(view.read.is_empty());
        // What is read after all, also as the last one that was glanced at, is part of the commit.
        for at in [99, 0] {
            view.glance(&[b'k', at]).await.unwrap();
            view.guard(&[b'k', at]).await.unwrap();
            view.glance(&[b'k', 50]).await.unwrap();
        }
        put(&mut view, b"new", b"1").await;
        view.keep_item();
        let changes = view.into_changes();
        let keys: Vec<&[u8]> = changes.iter().map(|change| change.key.as_slice()).collect();
        assert_eq!(keys, [&b"k\0"[..], b"kc", b"new"]);
    }

    #[tokio::test]
    async fn an_item_that_fails_changes_nothing_and_the_batch_sees_itself() {
        let store = MemoryStore::default();
        let mut view = Transaction::new(&store);
        put(&mut view, b"p/1", b"one").await;
        view.keep_item();
        put(&mut view, b"p/2", b"two").await;
        view.drop_item();
        assert_eq!(view.get(b"p/1").await.unwrap().as_deref(), Some(&b"one".to_vec()));
        assert!(view.get(b"p/2").await.unwrap().is_none());
        assert_eq!(view.page(b"p/", None, 10).await.unwrap(), [b"p/1"]);
        assert_eq!(store.commit(view.into_changes()).await.unwrap(), Outcome::Durable);
        assert!(store.get(b"p/1").await.unwrap().is_some());
    }

    #[test]
    fn batch_is_minor_until_one_change_is_not() {
        let store = MemoryStore::default();
        let mut view = Transaction::new(&store);
        let value = || SecretBuffer::new(vec![1]);
        for (key, is_minor, after) in [
            (b"a", true, true),
            (b"b", true, true),
            (b"b", false, false),
            (b"b", true, false),
            (b"a", true, false),
        ] {
            match is_minor {
                true => view.put_minor(key.to_vec(), value()),
                false => view.put(key.to_vec(), value()),
            }
            view.keep_item();
            assert_eq!(view.is_minor(), after, "{}", key.escape_ascii());
        }
        let mut view = Transaction::new(&store);
        view.put_minor(b"a".to_vec(), value());
        view.remove(b"a".to_vec());
        view.keep_item();
        assert!(!view.is_minor());
    }

    #[tokio::test]
    async fn two_batches_that_read_the_same_key_cannot_both_write_it() {
        let store = MemoryStore::default();
        let (mut one, mut two) = (Transaction::new(&store), Transaction::new(&store));
        for view in [&mut one, &mut two] {
            put(view, b"name", b"x").await;
            view.keep_item();
        }
        assert_eq!(store.commit(one.into_changes()).await.unwrap(), Outcome::Durable);
        assert!(matches!(
            store.commit(two.into_changes()).await.unwrap(),
            Outcome::Conflict { .. }
        ));
    }

    #[tokio::test]
    async fn guarded_key_that_changed_or_came_since_makes_a_conflict() {
        for present in [false, true] {
            let store = MemoryStore::default();
            let mut first = Transaction::new(&store);
            put(&mut first, b"other", b"").await;
            if present {
                put(&mut first, b"rule", b"old").await;
            }
            first.keep_item();
            store.commit(first.into_changes()).await.unwrap();
            let mut guarded = Transaction::new(&store);
            let value = guarded.get_guarded(b"rule").await.unwrap();
            assert_eq!(value.is_some(), present);
            put(&mut guarded, b"object", b"").await;
            guarded.keep_item();
            let mut free = Transaction::new(&store);
            free.get(b"rule").await.unwrap();
            put(&mut free, b"other object", b"").await;
            free.keep_item();
            let mut reads = Transaction::new(&store);
            reads.guard(b"rule").await.unwrap();
            assert!(reads.into_changes().is_empty(), "nothing to write, nothing to guard");
            let mut change = Transaction::new(&store);
            put(&mut change, b"rule", b"new").await;
            change.keep_item();
            assert_eq!(store.commit(change.into_changes()).await.unwrap(), Outcome::Durable);
            let conflict = Outcome::Conflict { key: b"rule".to_vec() };
            assert_eq!(store.commit(guarded.into_changes()).await.unwrap(), conflict);
            assert_eq!(store.commit(free.into_changes()).await.unwrap(), Outcome::Durable);
        }
    }

    /// It changed between the first read and the one that was for a decision.
    #[tokio::test]
    async fn key_is_guarded_as_it_was_first_read() {
        let store = MemoryStore::default();
        for keys_between in [&[][..], &[b"a", b"b"]] {
            let mut view = Transaction::new(&store);
            view.peek(b"rule").await.unwrap();
            put(&mut view, b"object", b"").await;
            view.keep_item();
            let mut change = Transaction::new(&store);
            put(&mut change, b"rule", b"").await;
            change.keep_item();
            assert_eq!(store.commit(change.into_changes()).await.unwrap(), Outcome::Durable);
            view.guard(b"rule").await.unwrap();
            for key in keys_between {
                view.peek(*key).await.unwrap();
            }
            assert_eq!(view.changed(), 2, "one is written, one is guarded");
            let conflict = Outcome::Conflict { key: b"rule".to_vec() };
            assert_eq!(store.commit(view.into_changes()).await.unwrap(), conflict);
        }
    }

    #[tokio::test]
    async fn pages_mix_what_is_kept_with_what_is_new() {
        let store = MemoryStore::default();
        let mut view = Transaction::new(&store);
        for key in [b"p/1", b"p/3", b"p/5"] {
            put(&mut view, key, b"").await;
        }
        view.keep_item();
        store.commit(view.into_changes()).await.unwrap();
        let mut view = Transaction::new(&store);
        put(&mut view, b"p/2", b"").await;
        view.get(b"p/3").await.unwrap();
        view.remove(b"p/3".to_vec());
        let first = view.page(b"p/", None, 2).await.unwrap();
        assert_eq!(first, [b"p/1".to_vec(), b"p/2".to_vec()]);
        let rest = view.page(b"p/", Some(b"p/3"), 2).await.unwrap();
        assert_eq!(rest, [b"p/5".to_vec()]);
    }

    /// A page of which the batch had removed a key was short, and so it was taken for the last.
    #[tokio::test]
    async fn a_page_is_short_only_at_the_end() {
        let store = MemoryStore::default();
        let mut view = Transaction::new(&store);
        let keys: Vec<Vec<u8>> = (10..30).map(|n| format!("p/{n}").into_bytes()).collect();
        for key in &keys {
            put(&mut view, key, b"").await;
        }
        view.keep_item();
        store.commit(view.into_changes()).await.unwrap();
        let mut view = Transaction::new(&store);
        for key in keys.iter().skip(1).step_by(2).take(8).chain([&keys[2], &keys[4]]) {
            view.get(key).await.unwrap();
            view.remove(key.clone());
        }
        let mut expected: Vec<Vec<u8>> =
            keys.iter().filter(|key| !view.item.contains_key(*key)).cloned().collect();
        for key in keys.iter().step_by(3) {
            let new = [key, b"new".as_slice()].concat();
            put(&mut view, &new, b"").await;
            expected.push(new);
        }
        expected.sort();
        for limit in 1..12 {
            let mut found: Vec<Vec<u8>> = Vec::new();
            loop {
                let page = view.page(b"p/", found.last().map(Vec::as_slice), limit).await.unwrap();
                found.extend(page.iter().cloned());
                assert!(found.len() <= expected.len(), "{limit}: a key came twice");
                if page.len() < limit {
                    break;
                }
            }
            assert_eq!(found, expected, "{limit}");
        }
    }
}
