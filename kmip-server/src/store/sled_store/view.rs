//! What readers see: the tree as it was when the last group became durable.
//!
//! ```text
//!            publish          apply, flush, fdatasync          withdraw
//! committer ----+------------------------------------------------+---->
//! before     {} | { each touched row as it was }                 | {}
//! readers  tree |  the row as it was, if touched; else the tree  | tree
//! ```
//!
//! So a reader never waits for the disk, and never sees what a power cut could still take back. A
//! reader holds the lock of the earlier rows while it reads the tree: a page is one moment.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use sled::{Db, IVec};

use super::rows;
use crate::store::{Key, Order, Range, Record, SCAN_MAX, StoreError};

/// Rows as they were: `None` for one that was absent.
pub(super) type Before = BTreeMap<IVec, Option<IVec>>;

/// The tree behind the rows that are not durable yet.
pub(super) struct View {
    tree: Db,
    shown: RwLock<Shown>,
}

/// What is shown in place of rows of the tree.
#[derive(Default)]
struct Shown {
    before: Before,
    /// How many groups were published.
    groups: u64,
}

/// Rows that were read ahead of their commit, by the caller and not by the one thread.
pub(super) struct Ahead {
    /// By the order of the keys; `None` where the row is just being written.
    rows: Vec<Option<Option<IVec>>>,
    groups: u64,
}

impl Ahead {
    /// The row of the `n`th key, if it still is what the tree holds: no group was published since.
    /// Asked for before that of the commit itself is.
    pub(super) fn take(&mut self, n: usize, view: &View) -> Option<Option<IVec>> {
        let row = self.rows.get_mut(n).and_then(Option::take)?;
        (self.groups == view.shown().groups).then_some(row)
    }
}

impl View {
    /// Shows a tree that is durable as it stands.
    pub(super) fn new(tree: Db) -> Self {
        Self { tree, shown: RwLock::default() }
    }

    fn shown(&self) -> RwLockReadGuard<'_, Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree itself: for the committer alone.
    pub(super) fn tree(&self) -> &Db {
        &self.tree
    }

    /// Shows these rows as they were, whatever the tree holds from now on.
    pub(super) fn publish(&self, before: Before) {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        *shown = Shown { before, groups: shown.groups.wrapping_add(1) };
    }

    /// Shows the tree: it is durable.
    pub(super) fn withdraw(&self) {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut shown.before);
        // The readers need not wait until all of it is dropped.
        drop(shown);
        drop(before);
    }

    /// Reads rows that a commit will ask for.
    pub(super) fn read_ahead<'a>(&self, keys: impl Iterator<Item = &'a IVec>) -> Ahead {
        let shown = self.shown();
        // A failure to read is for the commit to find, and to tell.
        let row = |key| {
            if shown.before.contains_key(key) { None } else { self.tree.get(key).ok() }
        };
        Ahead { rows: keys.map(row).collect(), groups: shown.groups }
    }

    /// The durable record of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Record>, StoreError> {
        if key < rows::FIRST {
            return Ok(None);
        }
        let shown = self.shown();
        match self.row(&shown.before, key)? {
            Some(row) => rows::record(key, &row, |part| self.row(&shown.before, part)).map(Some),
            None => Ok(None),
        }
    }

    fn row(&self, before: &Before, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        match before.get(key) {
            Some(row) => Ok(row.clone()),
            None => self.tree.get(key).map_err(unreadable),
        }
    }

    /// The durable records of a page.
    pub(super) fn scan(&self, mut range: Range) -> Result<Vec<(Key, Record)>, StoreError> {
        if range.from.as_slice() < rows::FIRST {
            range.from = rows::FIRST.to_vec();
        }
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let shown = self.shown();
        let before = &shown.before;
        let tree = self.tree.range::<&[u8], _>(range.bounds());
        let touched = before.range::<[u8], _>(range.bounds());
        match range.order {
            Order::Ascending => self.merge(before, touched, tree, &range),
            Order::Descending => self.merge(before, touched.rev(), tree.rev(), &range),
        }
    }

    /// Walks both sides in step; of a row that both have, the one before the group counts.
    fn merge<'a>(
        &self,
        before: &Before,
        touched: impl Iterator<Item = (&'a IVec, &'a Option<IVec>)>,
        tree: impl Iterator<Item = sled::Result<(IVec, IVec)>>,
        range: &Range,
    ) -> Result<Vec<(Key, Record)>, StoreError> {
        let limit = range.limit.min(SCAN_MAX);
        let (mut touched, mut tree) = (touched.peekable(), tree.peekable());
        let mut page = Vec::new();
        while page.len() < limit {
            let next = match (touched.peek(), tree.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (_, Some(Err(_))) | (None, Some(_)) => Ordering::Greater,
                (Some((was, _)), Some(Ok((is, _)))) => match range.order {
                    Order::Ascending => (*was).cmp(is),
                    Order::Descending => is.cmp(was),
                },
            };
            if next == Ordering::Equal {
                tree.next();
            }
            let (key, row) = if next == Ordering::Greater {
                let Some(row) = tree.next() else { break };
                row.map_err(unreadable)?
            } else {
                match touched.next() {
                    Some((key, Some(row))) => (key.clone(), row.clone()),
                    Some((_, None)) => continue,
                    None => break,
                }
            };
            let record = rows::record(&key, &row, |part| self.row(before, part))?;
            page.push((key.to_vec(), record));
        }
        Ok(page)
    }
}

/// What the engine's error means to a reader.
pub(super) fn unreadable(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } => {
            StoreError::Damaged("the engine found a wrong checksum".to_owned())
        }
        sled::Error::Io(_)
        | sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_) => StoreError::Unreadable(error.to_string()),
    }
}
