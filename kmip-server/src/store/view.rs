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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use super::engine::{Engine, EngineError, RowChange, Value};
use super::integrity::{Head, Integrity};
use super::verify::missing;
use super::{KEY_FIRST, Key, Range, Record, SCAN_MAX, StoreError};
use crate::secret::SecretBuffer;

/// Length of the stamp before the value in a row.
pub(crate) const STAMP_LEN: usize = 8;

/// Rows by key; `None` where there is none.
pub(crate) type Rows = BTreeMap<Key, Option<Value>>;

/// Most rows that one step of a check counts: writes wait for it, and a row may have 1 MiB.
const CHECK_PAGE: usize = 32;

/// Durable rows of an engine.
pub(crate) struct View {
    pub(crate) engine: Arc<dyn Engine>,
    shown: RwLock<Shown>,
    /// What is missing, once a check has found that something is.
    incomplete: OnceLock<String>,
    /// Whether a read has met damage.
    met_damage: AtomicBool,
    /// Whether the engine has refused a read for a write of its own that found no space.
    is_full: AtomicBool,
}

/// What readers see beside the engine, all of one moment.
struct Shown {
    /// Rows of the group under way, as they were before it.
    pending: Rows,
    /// Head of the last durable group.
    head: Head,
    /// Check under way.
    check: Mutex<Option<Progress>>,
}

/// Check of all rows that is under way.
struct Progress {
    /// Rows with lesser keys are counted.
    next: Key,
    /// Their count and sum.
    found: Head,
}

/// Outcome of one step of a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CheckStep {
    /// There is more to count.
    More,
    /// The engine was opened again meanwhile.
    Interrupted,
    /// All rows of this head are there.
    Whole(Head),
    /// They are not.
    Incomplete(String),
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
    /// Shows the rows of an engine, which are durable and have this head.
    pub(crate) fn new(engine: Arc<dyn Engine>, head: Head) -> Self {
        let shown = Shown { pending: Rows::new(), head, check: Mutex::new(None) };
        Self {
            engine,
            shown: RwLock::new(shown),
            incomplete: OnceLock::new(),
            met_damage: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
        }
    }

    fn shown(&self) -> RwLockReadGuard<'_, Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown_mut(&self) -> RwLockWriteGuard<'_, Shown> {
        self.shown.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows these rows in place of the engine's until the group has ended.
    pub(crate) fn begin_group(&self, old: Rows) {
        self.shown_mut().pending = old;
    }

    /// Shows the engine's rows again: the group with these changes and this head is durable.
    pub(crate) fn end_group(&self, changes: &[RowChange], head: Head, integrity: &Integrity) {
        let mut shown = self.shown_mut();
        let ended = std::mem::take(&mut shown.pending);
        shown.head = head;
        let check = shown.check.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Progress { next, found }) = check {
            for (key, new) in changes.iter().filter(|(key, _)| is_client_key(key) && key < next) {
                let old = ended.get(key).and_then(Option::as_ref);
                integrity.replace(found, key, old.map(Vec::as_slice), new.as_deref());
            }
        }
        drop(shown);
        // Readers need not wait until all of it is dropped.
        drop(ended);
    }

    /// Shows the engine's rows after it was opened again.
    pub(crate) fn reopened(&self, head: Head) {
        *self.shown_mut() = Shown { pending: Rows::new(), head, check: Mutex::new(None) };
        self.is_full.store(false, Ordering::Relaxed);
    }

    /// Begins a check of all rows; one that is under way is given up.
    pub(crate) fn begin_check(&self) {
        let begun = Progress { next: vec![KEY_FIRST], found: Head::default() };
        *self.shown().check() = Some(begun);
    }

    /// Counts some more rows of a check.
    pub(crate) fn check_page(&self, integrity: &Integrity) -> Result<CheckStep, EngineError> {
        let shown = self.shown();
        let Some(Progress { next, mut found }) = shown.check().take() else {
            return Ok(CheckStep::Interrupted);
        };
        let range = Range { from: next, to: Vec::new(), limit: CHECK_PAGE };
        let page = self.page(&shown, &range)?;
        for (key, row) in &page {
            integrity.replace(&mut found, key, None, Some(row));
        }
        match page.last() {
            Some((last, _)) if page.len() >= CHECK_PAGE => {
                let next = range.beyond(last).from;
                *shown.check() = Some(Progress { next, found });
                Ok(CheckStep::More)
            }
            Some(_) | None => Ok(match missing(&found, &shown.head) {
                None => CheckStep::Whole(shown.head),
                Some(report) => CheckStep::Incomplete(report),
            }),
        }
    }

    /// From now on, answers nothing from an absence.
    pub(crate) fn set_incomplete(&self, report: &str) {
        // The first report stays.
        let _ = self.incomplete.set(report.to_owned());
    }

    fn on_read(&self, error: EngineError) -> StoreError {
        match error {
            EngineError::Corrupt(_) => self.met_damage.store(true, Ordering::Relaxed),
            EngineError::NoSpace(_) => self.is_full.store(true, Ordering::Relaxed),
            EngineError::Io(_) => {}
        }
        error.on_read()
    }

    /// Tells whether the engine has refused a read since it was last opened, because a write of its
    /// own found no space.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Tells whether a check or a read has met damage.
    pub(crate) fn is_damaged(&self) -> bool {
        self.incomplete.get().is_some() || self.met_damage.load(Ordering::Relaxed)
    }

    /// Fails if a check has found that rows are missing.
    pub(crate) fn check_complete(&self) -> Result<(), StoreError> {
        match self.incomplete.get() {
            Some(report) => Err(StoreError::Damaged(report.clone())),
            None => Ok(()),
        }
    }

    /// Returns the durable record of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Record>, StoreError> {
        if !is_client_key(key) {
            return Ok(None);
        }
        let shown = self.shown();
        let row = match shown.pending.get(key) {
            Some(old) => old.clone(),
            None => self.engine.get(key).map_err(|error| self.on_read(error))?,
        };
        match row {
            Some(row) => record(row).map(Some),
            None => self.check_complete().map(|()| None),
        }
    }

    /// Returns the durable records of a page.
    pub(crate) fn scan(&self, mut range: Range) -> Result<Vec<(Key, Record)>, StoreError> {
        self.check_complete()?;
        range.limit = range.limit.min(SCAN_MAX);
        if !is_client_key(&range.from) {
            range.from = vec![KEY_FIRST];
        }
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let page = self.page(&self.shown(), &range).map_err(|error| self.on_read(error))?;
        page.into_iter().map(|(key, row)| Ok((key, record(row)?))).collect()
    }

    /// Returns the durable rows of a range that is not empty.
    fn page(&self, shown: &Shown, range: &Range) -> Result<Vec<(Key, Value)>, EngineError> {
        let old = || shown.pending.range::<[u8], _>(range.bounds());
        // Rows that are not durable yet are left out, so as many more are read.
        let limit = range.limit.saturating_add(old().count());
        let mut page = self.engine.scan(&Range { limit, ..range.clone() })?;
        if old().next().is_some() {
            page = overlay(page, limit, old());
            page.truncate(range.limit);
        }
        Ok(page)
    }
}

impl Shown {
    fn check(&self) -> MutexGuard<'_, Option<Progress>> {
        self.check.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whether a key is one of the store's callers.
fn is_client_key(key: &[u8]) -> bool {
    key.first().is_some_and(|first| *first >= KEY_FIRST)
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
