//! What readers see: the tree, with what was made durable since under it.
//!
//! ```text
//!             published when it is durable
//!  group ------------------> fresh --- the log is full ---> settling --- in the tree ---> (gone)
//!
//!  reader:  fresh, else settling, else tree
//! ```
//!
//! So a reader never waits for the disk, and never sees what a power cut could still take back:
//! what is in the tree and not on the disk yet stands in `settling` too, the same. A reader holds
//! the lock of both while it reads the tree: a page is one moment.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sled::IVec;

use super::layer::{Hash, Layer};
use super::log::Row;
use super::row_format::{self, Head};
use super::tree::{Reading, Tree};
use crate::store::{Key, Order, Range, Record, SCAN_MAX, StoreError};

/// The tree behind the rows that are in the log.
pub(super) struct View {
    tree: Tree,
    shown: RwLock<Shown>,
}

/// What is shown in place of rows of the tree.
#[derive(Default)]
struct Shown {
    /// Of the log that is being written.
    fresh: Layer,
    /// Of the full log, which are on their way into the tree.
    settling: Arc<Layer>,
    /// How many groups were published.
    groups: u64,
}

impl Shown {
    /// The row that is shown in place of the tree's, if there is one.
    fn over(&self, key: &[u8]) -> Option<&Option<IVec>> {
        let hash = Hash::of(key);
        self.fresh.get(key, hash).or_else(|| self.settling.get(key, hash))
    }

    fn row(&self, tree: &Reading<'_>, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.over(key).map_or_else(|| tree.get(key), |row| Ok(row.clone()))
    }

    /// The head of a key that is thought to be new, or not.
    fn head(&self, tree: &Reading<'_>, key: &[u8], is_new: bool) -> Result<Head, StoreError> {
        let row = match self.over(key) {
            Some(row) => row.clone(),
            None if is_new => tree.get_new(key)?,
            None => tree.get(key)?,
        };
        row.map_or(Ok(Head::default()), |row| row_format::head(&row))
    }
}

/// The heads of a commit's keys, read ahead by the caller and not by the one thread.
pub(super) struct Ahead {
    /// By the order of the keys; `None` where the read failed, which is for the commit to tell.
    heads: Vec<Option<Head>>,
    groups: u64,
}

impl Ahead {
    /// How many groups were published since.
    pub(super) fn age(&self, view: &View) -> u64 {
        view.shown().groups.wrapping_sub(self.groups)
    }

    /// The head of the `n`th key, which is this one.
    pub(super) fn head(&self, n: usize, view: &View, key: &[u8]) -> Result<Head, StoreError> {
        self.heads.get(n).copied().flatten().map_or_else(|| view.head(key), Ok)
    }
}

impl View {
    /// Shows a tree that is durable as it stands.
    pub(super) fn new(tree: Tree) -> Self {
        Self { tree, shown: RwLock::default() }
    }

    fn shown(&self) -> RwLockReadGuard<'_, Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown_mut(&self) -> RwLockWriteGuard<'_, Shown> {
        self.shown.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree itself: for the settler alone.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Shows the rows of a group: they are durable.
    pub(super) fn publish(&self, rows: Vec<Row>) {
        let mut shown = self.shown_mut();
        shown.fresh.extend(rows);
        shown.groups = shown.groups.wrapping_add(1);
    }

    /// The rows of the log that is full, to be put into the tree. Those before them must be there.
    pub(super) fn turn(&self) -> Arc<Layer> {
        let mut shown = self.shown_mut();
        shown.settling = Arc::new(std::mem::take(&mut shown.fresh));
        Arc::clone(&shown.settling)
    }

    /// The rows of the full log are on disk in the tree.
    pub(super) fn settled(&self) {
        let settled = std::mem::take(&mut self.shown_mut().settling);
        // The readers need not wait until all of it is dropped.
        drop(settled);
    }

    /// Reads the heads that a commit will ask for: of these keys, each with its expected revision.
    pub(super) fn read_ahead<'a>(&self, keys: impl Iterator<Item = (&'a IVec, u64)>) -> Ahead {
        let (shown, tree) = (self.shown(), self.tree.read());
        let head = |(key, expected): (&IVec, u64)| shown.head(&tree, key, expected == 0).ok();
        let heads = keys.map(head).collect();
        Ahead { heads, groups: shown.groups }
    }

    /// The durable head of a key.
    pub(super) fn head(&self, key: &[u8]) -> Result<Head, StoreError> {
        self.shown().head(&self.tree.read(), key, false)
    }

    /// The durable record of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Record>, StoreError> {
        if key < row_format::FIRST {
            return Ok(None);
        }
        let (shown, tree) = (self.shown(), self.tree.read());
        match shown.row(&tree, key)? {
            Some(row) => row_format::record(key, &row, |part| shown.row(&tree, part)).map(Some),
            None => Ok(None),
        }
    }

    /// The durable records of a page.
    pub(super) fn scan(&self, mut range: Range) -> Result<Vec<(Key, Record)>, StoreError> {
        if range.from.as_slice() < row_format::FIRST {
            range.from = row_format::FIRST.to_vec();
        }
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let (shown, tree) = (self.shown(), self.tree.read());
        let bounds = || range.bounds();
        let fresh = shown.fresh.rows().range::<[u8], _>(bounds()).map(owned);
        let settling = shown.settling.rows().range::<[u8], _>(bounds()).map(owned);
        match range.order {
            Order::Ascending => {
                let walk = tree.ascending(&range.from, &range.to).map(found);
                let rows = Over::new(settling, walk, range.order);
                page(&shown, &tree, Over::new(fresh, rows, range.order), range.limit)
            }
            Order::Descending => {
                let walk = tree.descending(&range.from, &range.to).map(found);
                let rows = Over::new(settling.rev(), walk, range.order);
                page(&shown, &tree, Over::new(fresh.rev(), rows, range.order), range.limit)
            }
        }
    }
}

fn page(
    shown: &Shown,
    tree: &Reading<'_>,
    rows: impl Iterator<Item = Step>,
    limit: usize,
) -> Result<Vec<(Key, Record)>, StoreError> {
    let limit = limit.min(SCAN_MAX);
    let mut page = Vec::new();
    for row in rows {
        // One that is removed hides the one below it, and is not there itself.
        let (key, Some(row)) = row? else { continue };
        let record = row_format::record(&key, &row, |part| shown.row(tree, part))?;
        page.push((key.to_vec(), record));
        if page.len() >= limit {
            break;
        }
    }
    Ok(page)
}

/// One row on a walk.
type Step = Result<Row, StoreError>;

fn owned((key, row): (&IVec, &Option<IVec>)) -> Step {
    Ok((key.clone(), row.clone()))
}

fn found(row: Result<(IVec, IVec), StoreError>) -> Step {
    row.map(|(key, row)| (key, Some(row)))
}

/// Walks two rows of rows in step; of a row that both have, the upper one counts.
struct Over<U: Iterator, L: Iterator> {
    upper: Peekable<U>,
    lower: Peekable<L>,
    order: Order,
}

impl<U: Iterator<Item = Step>, L: Iterator<Item = Step>> Over<U, L> {
    fn new(upper: U, lower: L, order: Order) -> Self {
        Self { upper: upper.peekable(), lower: lower.peekable(), order }
    }
}

impl<U: Iterator<Item = Step>, L: Iterator<Item = Step>> Iterator for Over<U, L> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let (Some(Ok((upper, _))), Some(Ok((lower, _)))) = (self.upper.peek(), self.lower.peek())
        else {
            // One side is at its end, or failed: a failure is told at once.
            let lower_fails = matches!(self.lower.peek(), Some(Err(_)));
            return match self.upper.peek() {
                Some(_) if !lower_fails => self.upper.next(),
                _ => self.lower.next(),
            };
        };
        let order = match self.order {
            Order::Ascending => upper.cmp(lower),
            Order::Descending => lower.cmp(upper),
        };
        match order {
            Ordering::Less => self.upper.next(),
            Ordering::Greater => self.lower.next(),
            Ordering::Equal => {
                self.lower.next();
                self.upper.next()
            }
        }
    }
}
