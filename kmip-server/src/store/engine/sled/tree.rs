//! The engine's tree, with rows that came together packed several to a row of its own: a *block*.
//!
//! ```text
//! key         -> a row that stands alone, see [`super::row_format`]
//! first key   -> a block: rows in their order, see [`block`]
//!
//! keys of the engine       a          d              k
//! what stands there        | a b c    | d e f g      | k
//! looked for: f                         `-- the greatest key that is not above f
//! ```
//!
//! The engine takes as long for a short row as for a long one. New objects have identifiers that
//! follow one another, so the rows of a client's index in a full log are neighbours: in blocks they
//! cost next to nothing.
//!
//! **Only short neighbours that come together are packed, and a row that is touched leaves its
//! block.** So rows that are looked up, that are written again, or that come at random, stand
//! alone, as they did before there were blocks; a store without blocks is one whose rows were never
//! packed.
//!
//! **What the engine keeps under one key ends where its next key begins.** A block falls apart from
//! right to left: what leaves it is written first, under keys inside it, and at last the block
//! without it. So whatever the engine has when the power goes, every row is found in it: as it was,
//! or as it will be when the log is read again. What such an end left over in a block, behind the
//! engine's next key, counts for nothing; it is cut off before that key may go.

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

#[cfg(test)]
mod tests;

use std::iter::Peekable;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use sled::{Db, IVec};

use super::block::{self, Held};
use super::gaps::Gaps;
use super::log::Row;
use crate::store::StoreError;

/// So many bytes of rows are planned at once: no more than go into the tree between two syncs.
const PLAN_LEN: usize = 64 << 10;

/// The engine's tree of blocks and rows.
pub(super) struct Tree {
    db: Db,
    /// Held by who reads, and by who takes a block apart: a walk must not see a row gone from the
    /// one place before it is in the other.
    whole: RwLock<()>,
    gaps: Gaps,
}

/// What is to be written, in this order, so that rows become what they shall be.
pub(super) struct Plan {
    writes: Vec<Row>,
    /// Does a block fall apart?
    parts: bool,
}

impl Plan {
    /// How many bytes are to be written.
    pub(super) fn len(&self) -> usize {
        let len = |(key, row): &Row| key.len().saturating_add(row.as_ref().map_or(0, |r| r.len()));
        self.writes.iter().map(len).fold(0, usize::saturating_add)
    }
}

impl Tree {
    /// The tree in an open engine.
    pub(super) fn new(db: Db) -> Self {
        Self { db, whole: RwLock::default(), gaps: Gaps::default() }
    }

    /// The tree as it is read: whole, for as long as this lives. Whoever has one must not ask for
    /// another: a block that waits to fall apart would have both wait for ever.
    pub(super) fn read(&self) -> Reading<'_> {
        let whole = self.whole.read().unwrap_or_else(PoisonError::into_inner);
        Reading { tree: self, _whole: whole }
    }

    /// What holds the row of this key, if there is one: the engine's greatest key up to it.
    fn holder(&self, key: &[u8]) -> Result<Option<Held>, StoreError> {
        self.db.range::<&[u8], _>(..=key).next_back().transpose().map_err(unreadable)
    }

    /// Plans the next of these rows, which must be in order: those that go where the first of them
    /// goes. None when there are no more.
    pub(super) fn plan(
        &self,
        rows: &mut Peekable<impl Iterator<Item = Row>>,
    ) -> Result<Option<Plan>, StoreError> {
        let Some((key, _)) = rows.peek() else { return Ok(None) };
        let key = key.clone();
        let holder = self.holder(&key)?;
        let next = self.db.get_gt(&key).map_err(unreadable)?.map(|(next, _)| next);
        let mut len = 0_usize;
        let mut come = Vec::new();
        while let Some((key, row)) =
            rows.next_if(|(key, _)| len < PLAN_LEN && next.as_ref().is_none_or(|next| key < next))
        {
            len = len.saturating_add(key.len()).saturating_add(row.as_ref().map_or(0, |r| r.len()));
            come.push((key, row));
        }
        let all = match &holder {
            Some((first, held)) => block::take_apart(first.clone(), held)?,
            None => Vec::new(),
        };
        let count = all.partition_point(|(key, _)| next.as_ref().is_none_or(|next| key < next));
        let stood = all.get(..count).unwrap_or_default();
        let is_behind = stood.last().is_none_or(|(last, _)| *last < key);
        let Some((first, _)) = holder.filter(|_| !is_behind) else {
            return Ok(Some(Plan { writes: writes(&[], come)?, parts: false }));
        };
        let mut plan = Plan { writes: writes(stood, come)?, parts: all.len() > 1 };
        if !plan.writes.iter().any(|(key, _)| *key == first) {
            plan.parts |= self.cut_off(&first, &mut plan.writes)?;
            plan.writes.push((first, None));
        }
        Ok(Some(plan))
    }

    /// Before a key of the engine goes: cuts off what the block before it has behind that key, and
    /// says whether there was anything.
    fn cut_off(&self, key: &IVec, writes: &mut Vec<Row>) -> Result<bool, StoreError> {
        let before = self.db.get_lt(key).map_err(unreadable)?;
        let Some((first, held)) = before else { return Ok(false) };
        let mut all = block::take_apart(first, &held)?;
        let count = all.partition_point(|(held, _)| held < key);
        let is_over = count < all.len();
        if is_over {
            all.truncate(count);
            writes.extend(block::pack(&all)?.map(|(key, row)| (key, Some(row))));
        }
        Ok(is_over)
    }

    /// Does what was planned. It is on disk after a flush.
    pub(super) fn carry_out(&self, plan: Plan) -> Result<(), StoreError> {
        let _whole = plan.parts.then(|| self.whole.write().unwrap_or_else(PoisonError::into_inner));
        self.gaps.begin(&extents(&plan.writes)?);
        plan.writes.into_iter().try_for_each(|write| self.write(write))?;
        self.gaps.end();
        Ok(())
    }

    fn write(&self, (key, row): Row) -> Result<(), StoreError> {
        let written = match row {
            Some(row) => self.db.insert(key, row),
            None => self.db.remove(key),
        };
        written.map(drop).map_err(|error| StoreError::Stopped(format!("a write failed: {error}")))
    }

    /// Gives what was done to the system. The engine does not sync it.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let flushed = self.db.flush();
        flushed.map(drop).map_err(|error| StoreError::Stopped(format!("a flush failed: {error}")))
    }
}

/// The tree, whole.
pub(super) struct Reading<'a> {
    tree: &'a Tree,
    _whole: RwLockReadGuard<'a, ()>,
}

impl Reading<'_> {
    /// The row of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        // Most rows that are looked up stand alone, and this is how the engine finds one fastest.
        if let Some(held) = self.tree.db.get(key).map_err(unreadable)? {
            return block::find(key, held, key);
        }
        match self.tree.holder(key)? {
            Some((first, held)) => block::find(&first, held, key),
            None => Ok(None),
        }
    }

    /// As [`Self::get`], of a key that is thought to be new: it remembers where there is nothing.
    pub(super) fn get_new(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        let Tree { db, gaps, .. } = self.tree;
        let Err(stamp) = gaps.look(key) else { return Ok(None) };
        let last = match self.tree.holder(key)? {
            None => IVec::default(),
            Some((first, held)) => match block::last_key(&first, &held)? {
                last if *last < *key => last,
                // Not behind all that stands there.
                _ => return self.get(key),
            },
        };
        let next = db.get_gt(key).map_err(unreadable)?;
        gaps.remember(stamp, last, next.map(|(next, _)| next).unwrap_or_default());
        Ok(None)
    }

    /// The rows of `[from, to)`, the first one first; an empty `to` is no end.
    pub(super) fn ascending(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> impl Iterator<Item = Result<Held, StoreError>> {
        let mut walk = self.walk(from, to).peekable();
        let pages = std::iter::from_fn(move || {
            let row = walk.next()?;
            // Where the next one cannot be read, that is told when its turn comes.
            let end = walk.peek().and_then(|next| next.as_ref().ok()).map_or(to, |(key, _)| key);
            Some(page(row, from, end))
        });
        pages.flatten()
    }

    /// The same rows, the last one first.
    pub(super) fn descending(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> impl Iterator<Item = Result<Held, StoreError>> {
        let mut walk = self.walk(from, to).rev();
        let mut end = IVec::from(to);
        let pages = std::iter::from_fn(move || {
            let row = walk.next()?;
            let first = row.as_ref().map_or(end.clone(), |(first, _)| first.clone());
            Some(page(row, from, &std::mem::replace(&mut end, first)))
        });
        pages.flat_map(|page| page.into_iter().rev())
    }

    /// What the engine has for rows of `[from, to)`.
    fn walk(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> impl DoubleEndedIterator<Item = Result<Held, StoreError>> + use<> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        // Before `from` there may be a block that reaches beyond it.
        let (start, error) = match self.tree.holder(from) {
            Ok(Some((first, _))) => (first, None),
            Ok(None) => (IVec::from(from), None),
            Err(error) => (IVec::from(from), Some(Err(error))),
        };
        let to = if to.is_empty() { Unbounded } else { Excluded(IVec::from(to)) };
        let rows = self.tree.db.range::<IVec, _>((Included(start), to));
        error.into_iter().chain(rows.map(|row| row.map_err(unreadable)))
    }
}

/// From which key to which one rows are to be written, for each of the engine's.
fn extents(writes: &[Row]) -> Result<Vec<(IVec, IVec)>, StoreError> {
    let put = writes.iter().filter_map(|(first, row)| Some((first, row.as_ref()?)));
    put.map(|(first, row)| Ok((first.clone(), block::last_key(first, row)?))).collect()
}

/// The rows of one of the engine's that lie in `[from, end)`.
fn page(row: Result<Held, StoreError>, from: &[u8], end: &[u8]) -> Vec<Result<Held, StoreError>> {
    match row.and_then(|(first, held)| block::take_apart(first, &held)) {
        Ok(mut all) => {
            all.retain(|(key, _)| **key >= *from && (end.is_empty() || **key < *end));
            all.into_iter().map(Ok).collect()
        }
        Err(error) => vec![Err(error)],
    }
}

/// What to write, from right to left, where these rows stood and those have come. Neighbours of one
/// kind are packed; a row that has come in the place of another stands with those that have come.
fn writes(stood: &[Held], come: Vec<Row>) -> Result<Vec<Row>, StoreError> {
    let mut groups: Vec<(bool, Vec<Held>)> = Vec::new();
    let mut add = |is_new, row: Held| match groups.last_mut() {
        Some((was_new, group)) if *was_new == is_new => group.push(row),
        Some(_) | None => groups.push((is_new, vec![row])),
    };
    let mut stood = stood.iter().peekable();
    for (key, row) in come {
        while let Some(row) = stood.next_if(|(stands, _)| *stands < key) {
            add(false, copy(row));
        }
        stood.next_if(|(stands, _)| *stands == key);
        if let Some(row) = row {
            add(true, (key, row));
        }
    }
    stood.for_each(|row| add(false, copy(row)));
    let mut writes = Vec::new();
    for (_, group) in groups {
        let mut group = group.as_slice();
        while !group.is_empty() {
            let (part, rest) =
                group.split_at_checked(block::fitting(group)).unwrap_or((group, &[]));
            writes.extend(block::pack(part)?.map(|(key, row)| (key, Some(row))));
            group = rest;
        }
    }
    writes.reverse();
    Ok(writes)
}

/// A row of a block with bytes of its own, so that it does not keep the whole block in memory.
fn copy((key, row): &Held) -> Held {
    (IVec::from(&**key), IVec::from(&**row))
}
