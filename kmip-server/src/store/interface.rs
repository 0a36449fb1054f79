//! The interface of the store: keys, records, changes and the three verbs.

use std::future::Future;
use std::pin::Pin;

use crate::secret::SecretBuffer;
use crate::store::error::StoreError;

/// A key: ordered as bytes are.
pub type Key = Vec<u8>;

/// What a verb of the store gives: an answer to be awaited.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The longest key: a Unique Identifier, a hash and a prefix fit several times over.
pub const KEY_LEN_MAX: usize = 512;

/// The longest value: a whole KMIP message is not longer.
pub const VALUE_LEN_MAX: usize = 1 << 20;

/// The most changes in one commit. An etcd behind this trait needs `--max-txn-ops` as high.
pub const CHANGES_MAX: usize = 1024;

/// The most bytes of values in one commit, so that one commit cannot fill the memory of a group.
pub const COMMIT_LEN_MAX: usize = 8 << 20;

/// The most records in one page of a scan; a larger limit is lowered to this one.
pub const SCAN_MAX: usize = 1024;

/// Keys of callers begin with this byte or a higher one. Those below are the store's own: 0 the
/// engine's, 1 the head row's.
pub const KEY_FIRST: u8 = 2;

/// A value and the stamp of the commit that wrote it.
pub struct Record {
    /// The bytes.
    pub value: SecretBuffer,
    /// Names the commit that wrote the value, at least 1. Opaque, and never the same for two values
    /// of one key, also when the key was absent in between.
    pub stamp: u64,
}

impl Record {
    /// Another one of it. Not `Clone`: a value is copied where somebody means to.
    pub(crate) fn copy(&self) -> Self {
        Self { value: SecretBuffer::new(self.value.to_vec()), stamp: self.stamp }
    }
}

/// What a commit does to one key. A commit names a key once.
#[derive(Debug)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// The stamp the key must have, 0 for absent; otherwise the whole commit is a conflict.
    pub expected: u64,
    /// What becomes of it.
    pub to: To,
}

/// What becomes of a key.
pub enum To {
    /// It holds this value, under a new stamp.
    Put(SecretBuffer),
    /// It is absent.
    Remove,
    /// Nothing: the change is a pure guard.
    Keep,
}

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All changes were made, and are on disk.
    Durable,
    /// None was made: this key had another stamp than the expected one.
    Conflict {
        /// The first key, in the order of the changes, that did.
        key: Key,
    },
}

/// A page to be read: keys in `[from, to)`, the smallest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The smallest key.
    pub from: Key,
    /// The key after the greatest one; empty means that there is no end.
    pub to: Key,
    /// The most records to answer, at most [`SCAN_MAX`].
    pub limit: usize,
}

impl Range {
    /// The first page of all keys that begin with `prefix`.
    pub fn prefix(prefix: &[u8], limit: usize) -> Self {
        let mut to = prefix.to_vec();
        // The key after the last one with this prefix: the last byte that can grow grows.
        while let Some(last) = to.pop() {
            if let Some(next) = last.checked_add(1) {
                to.push(next);
                break;
            }
        }
        Self { from: prefix.to_vec(), to, limit }
    }

    /// The page that begins where a page that ended with `last` stopped.
    #[must_use]
    pub fn beyond(mut self, last: &[u8]) -> Self {
        self.from = [last, &[0]].concat();
        self
    }

    /// Whether no key can be in it. An engine must ask: its own ranges may panic on such bounds.
    pub(crate) fn is_empty(&self) -> bool {
        self.limit == 0 || (!self.to.is_empty() && self.from >= self.to)
    }

    /// The bounds, as the standard library's ordered maps take them.
    pub(crate) fn bounds(&self) -> (std::ops::Bound<&[u8]>, std::ops::Bound<&[u8]>) {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let to = if self.to.is_empty() { Unbounded } else { Excluded(self.to.as_slice()) };
        (Included(self.from.as_slice()), to)
    }
}

/// A place that keeps records, whole and in order, for as long as the disk lasts.
///
/// Every engine passes the same contract suite.
pub trait Store: Send + Sync {
    /// The record of `key`, as last made durable: a later power cut cannot take it back.
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>>;

    /// The records of one page, as last made durable. Each page is read by itself: between two
    /// pages others may write. A page that is shorter than its limit is the last one.
    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>>;

    /// Makes all changes or none. It answers when they are durable, or with the first conflict and
    /// nothing written. A dropped call may have been carried out or not.
    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome>;
}

impl<S: Store + ?Sized> Store for std::sync::Arc<S> {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        (**self).get(key)
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        (**self).scan(range)
    }

    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
        (**self).commit(changes)
    }
}

/// Refuses a commit that no engine takes. One place for all engines.
pub(crate) fn check(changes: &[Change]) -> Result<(), StoreError> {
    at_most("a count of changes", CHANGES_MAX, changes.len())?;
    let mut total: usize = 0;
    let mut keys: Vec<&[u8]> = Vec::with_capacity(changes.len());
    for change in changes {
        if change.key.first().is_none_or(|first| *first < KEY_FIRST) {
            return Err(StoreError::Refused("a key is empty or begins as the store's own do"));
        }
        at_most("a key", KEY_LEN_MAX, change.key.len())?;
        if let To::Put(value) = &change.to {
            at_most("a value", VALUE_LEN_MAX, value.len())?;
            total = total.saturating_add(value.len());
        }
        keys.push(&change.key);
    }
    at_most("values of one commit together", COMMIT_LEN_MAX, total)?;
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(StoreError::Refused("one commit names a key twice"));
    }
    Ok(())
}

fn at_most(what: &'static str, max: usize, actual: usize) -> Result<(), StoreError> {
    if actual > max { Err(StoreError::Limit { what, max, actual }) } else { Ok(()) }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({} bytes, stamp {})", self.value.len(), self.stamp)
    }
}

impl std::fmt::Debug for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Put(value) => write!(f, "Put({} bytes)", value.len()),
            Self::Remove => f.write_str("Remove"),
            Self::Keep => f.write_str("Keep"),
        }
    }
}
