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
use std::sync::{PoisonError, RwLock};

use sled::{Db, IVec};

use super::rows;
use crate::store::{Key, Order, Range, Record, SCAN_MAX, StoreError};

/// Rows as they were: `None` for one that was absent.
pub(super) type Before = BTreeMap<IVec, Option<IVec>>;

/// The tree behind the rows that are not durable yet.
pub(super) struct View {
    tree: Db,
    before: RwLock<Before>,
}

impl View {
    /// Shows a tree that is durable as it stands.
    pub(super) fn new(tree: Db) -> Self {
        Self { tree, before: RwLock::default() }
    }

    /// The tree itself: for the committer alone.
    pub(super) fn tree(&self) -> &Db {
        &self.tree
    }

    /// Shows these rows as they were, whatever the tree holds from now on.
    pub(super) fn publish(&self, before: Before) {
        *self.before.write().unwrap_or_else(PoisonError::into_inner) = before;
    }

    /// Shows the tree: it is durable.
    pub(super) fn withdraw(&self) {
        drop(std::mem::take(&mut *self.before.write().unwrap_or_else(PoisonError::into_inner)));
    }

    /// The durable record of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Record>, StoreError> {
        if key < rows::FIRST {
            return Ok(None);
        }
        let before = self.before.read().unwrap_or_else(PoisonError::into_inner);
        match self.row(&before, key)? {
            Some(row) => rows::record(key, &row, |part| self.row(&before, part)).map(Some),
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
        let before = self.before.read().unwrap_or_else(PoisonError::into_inner);
        let tree = self.tree.range::<&[u8], _>(range.bounds());
        let touched = before.range::<[u8], _>(range.bounds());
        match range.order {
            Order::Ascending => self.merge(&before, touched, tree, &range),
            Order::Descending => self.merge(&before, touched.rev(), tree.rev(), &range),
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
