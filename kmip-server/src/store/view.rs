//! Rows of the engine as readers see them: as last made durable.
//!
//! ```text
//! committer   old rows into `pending` | engine write and sync | `pending` empty
//! reader      row of `pending`, else of the engine
//! ```
//!
//! While a group is written, its keys are read as they were. A reader holds the lock of `pending`
//! while it reads the engine, so that a page is of one moment.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::engine::{Engine, Value};
use super::{KEY_FIRST, Key, Range, Record, SCAN_MAX, StoreError};
use crate::secret::SecretBuffer;

/// Length of the stamp before the value in a row.
pub(crate) const STAMP_LEN: usize = 8;

/// Rows by key; `None` where there is none.
pub(crate) type Rows = BTreeMap<Key, Option<Value>>;

/// Durable rows of an engine.
pub(crate) struct View {
    pub(crate) engine: Arc<dyn Engine>,
    pending: RwLock<Rows>,
}

/// Returns the stamp of a row; 0 if there is none.
pub(crate) fn stamp(row: Option<&[u8]>) -> Result<u64, StoreError> {
    let Some(row) = row else { return Ok(0) };
    let stamp = row.first_chunk().ok_or_else(no_stamp)?;
    Ok(u64::from_be_bytes(*stamp))
}

fn no_stamp() -> StoreError {
    StoreError::Damaged("a row has no stamp".to_owned())
}

/// Returns the record in a row.
pub(crate) fn record(mut row: Value) -> Result<Record, StoreError> {
    let stamp = stamp(Some(&row))?;
    row.copy_within(STAMP_LEN.., 0);
    row.truncate(row.len().saturating_sub(STAMP_LEN));
    Ok(Record { value: SecretBuffer::new(row), stamp })
}

impl View {
    /// Shows the rows of an engine, which are durable.
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine, pending: RwLock::default() }
    }

    fn pending(&self) -> RwLockReadGuard<'_, Rows> {
        self.pending.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending_mut(&self) -> RwLockWriteGuard<'_, Rows> {
        self.pending.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows these rows in place of the engine's until [`Self::end_group`].
    pub(crate) fn begin_group(&self, old: Rows) {
        *self.pending_mut() = old;
    }

    /// Shows the engine's rows again: they are durable.
    pub(crate) fn end_group(&self) {
        let ended = std::mem::take(&mut *self.pending_mut());
        // Readers need not wait until all of it is dropped.
        drop(ended);
    }

    /// Returns the durable record of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Record>, StoreError> {
        if key.first().is_none_or(|first| *first < KEY_FIRST) {
            return Ok(None);
        }
        let pending = self.pending();
        let row = match pending.get(key) {
            Some(old) => old.clone(),
            None => self.engine.get(key).map_err(|error| error.on_read())?,
        };
        row.map(record).transpose()
    }

    /// Returns the durable records of a page.
    pub(crate) fn scan(&self, mut range: Range) -> Result<Vec<(Key, Record)>, StoreError> {
        range.limit = range.limit.min(SCAN_MAX);
        if range.from.first().is_none_or(|first| *first < KEY_FIRST) {
            range.from = vec![KEY_FIRST];
        }
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let pending = self.pending();
        let old = || pending.range::<[u8], _>(range.bounds());
        // Rows that are not durable yet are left out, so as many more are read.
        let limit = range.limit.saturating_add(old().count());
        let page = self.engine.scan(&Range { limit, ..range.clone() });
        let mut page = page.map_err(|error| error.on_read())?;
        if old().next().is_some() {
            page = overlay(page, limit, old());
            page.truncate(range.limit);
        }
        page.into_iter().map(|(key, row)| Ok((key, record(row)?))).collect()
    }
}

/// Puts old rows in place of the engine's, in the part of the range that the page covers.
fn overlay<'a>(
    page: Vec<(Key, Value)>,
    limit: usize,
    old: impl Iterator<Item = (&'a Key, &'a Option<Value>)>,
) -> Vec<(Key, Value)> {
    let end = page.last().filter(|_| page.len() >= limit).map(|(key, _)| key.clone());
    let is_covered = |key: &Key| end.as_ref().is_none_or(|end| key <= end);
    let mut rows: BTreeMap<Key, Value> = page.into_iter().collect();
    for (key, row) in old.filter(|(key, _)| is_covered(key)) {
        match row {
            Some(row) => rows.insert(key.clone(), row.clone()),
            None => rows.remove(key),
        };
    }
    rows.into_iter().collect()
}
