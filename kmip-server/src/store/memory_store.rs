//! Keeps the records in memory: for tests and for nothing else. It forgets all when it is dropped.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{
    Change, Key, Outcome, Pending, Range, Record, SCAN_MAX, Store, StoreError, To, check,
};

/// A store that forgets.
#[derive(Default)]
pub struct MemoryStore(Mutex<Records>);

#[derive(Default)]
struct Records {
    by_key: BTreeMap<Key, Record>,
    /// The stamp of the last commit.
    last: u64,
}

impl MemoryStore {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, range: &Range) -> Vec<(Key, Record)> {
        if range.is_empty() {
            return Vec::new();
        }
        let records = self.records();
        let found = records.by_key.range::<[u8], _>(range.bounds());
        let copy = |(key, record): (&Key, &Record)| (key.clone(), record.copy());
        found.take(range.limit.min(SCAN_MAX)).map(copy).collect()
    }

    fn change(&self, changes: Vec<Change>) -> Result<Outcome, StoreError> {
        check(&changes)?;
        let mut records = self.records();
        let now = |key: &[u8]| records.by_key.get(key).map_or(0, |record| record.stamp);
        if let Some(change) = changes.iter().find(|change| now(&change.key) != change.expected) {
            return Ok(Outcome::Conflict { key: change.key.clone() });
        }
        records.last = records.last.saturating_add(1);
        let stamp = records.last;
        for Change { key, to, .. } in changes {
            match to {
                To::Put(value) => {
                    records.by_key.insert(key, Record { value, stamp });
                }
                To::Remove => {
                    records.by_key.remove(&key);
                }
                To::Keep => {}
            }
        }
        Ok(Outcome::Durable)
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        Box::pin(ready(Ok(self.records().by_key.get(key).map(Record::copy))))
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        Box::pin(ready(Ok(self.page(&range))))
    }

    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
        Box::pin(ready(self.change(changes)))
    }
}
