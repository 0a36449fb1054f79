//! The engine's tree, with rows that came together packed several to a row of its own: a *block*.
//!
//! ```text
//! key         -> a row that stands alone, see [`rows`]
//! first key   -> 0 (8) | form 2 | entry | entry ...          a block: rows in their order
//!
//! keys of the engine       a          d              k
//! what stands there        | a b c    | d e f g      | k
//! looked for: f                         `-- the greatest key that is not above f
//! ```
//!
//! The engine takes as long for a short row as for a long one, and writes each row some four times
//! while its leaves fill and split. New objects have keys that follow one another, so the rows of
//! one kind of a full log are neighbours: in blocks, they cost the engine a quarter.
//!
//! **Only neighbours that come together are packed, and a row that is touched leaves its block.**
//! So rows that are written again and again, or at random, stand alone, as they did before there
//! were blocks; a store without blocks is one whose rows were never packed.
//!
//! **What the engine keeps under one key ends where its next key begins.** A block falls apart from
//! right to left: what leaves it is written first, under keys inside it, and at last the block
//! without it. So whatever the engine has when the power goes, every row is found in it: as it was,
//! or as it will be when the log is read again. What such an end left over in a block, behind the
//! engine's next key, counts for nothing; it is cut off before that key may go.

#[cfg(test)]
mod tests;

use std::iter::Peekable;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use sled::{Db, IVec};

use super::entries::{self, Entry, Row};
use super::gaps::Gaps;
use super::rows;
use super::view::unreadable;
use crate::store::StoreError;

/// The longest block: ten objects with their keys, or some dozens of the short rows of an index. A
/// longer one costs the engine hardly less (an object takes 1.9 microseconds in blocks of 4 KiB, 1.4
/// in these, 1.3 in blocks of 16), and more when a row leaves it.
const BLOCK_LEN: usize = 8192;

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

/// A row that is there.
type Held = (IVec, IVec);

/// What is to be written, in this order, so that rows become what they shall be.
#[derive(Default)]
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
            len = len.saturating_add(entries::len(&key, row.as_deref().unwrap_or_default()));
            come.push((key, row));
        }
        let mut plan = Plan::default();
        let Some((first, held)) = holder else {
            plan.writes = writes(&[], come)?;
            return Ok(Some(plan));
        };
        let all = take_apart(first.clone(), &held)?;
        let count = all.partition_point(|(key, _)| next.as_ref().is_none_or(|next| key < next));
        let stood = all.get(..count).unwrap_or_default();
        if stood.last().is_none_or(|(last, _)| *last < key) {
            // Behind all that stands there.
            plan.writes = writes(&[], come)?;
            return Ok(Some(plan));
        }
        plan.parts = all.len() > 1;
        plan.writes = writes(stood, come)?;
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
        let mut all = take_apart(first, &held)?;
        let count = all.partition_point(|(held, _)| held < key);
        let is_over = count < all.len();
        if is_over {
            all.truncate(count);
            writes.extend(pack(&all)?.map(|(key, row)| (key, Some(row))));
        }
        Ok(is_over)
    }

    /// Does what was planned. It is on disk after a flush.
    pub(super) fn carry_out(&self, plan: Plan) -> Result<(), StoreError> {
        let _whole = plan.parts.then(|| self.whole.write().unwrap_or_else(PoisonError::into_inner));
        self.gaps.begin(plan.writes.iter().filter_map(extent));
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
        let Some((first, held)) = self.tree.holder(key)? else { return Ok(None) };
        let Some(mut rest) = rows::block(&held) else { return Ok((first == key).then_some(held)) };
        while !rest.is_empty() {
            let entry = read(rest)?;
            if entry.key >= key {
                return Ok((entry.key == key).then(|| part(&held, &entry).1));
            }
            rest = entry.rest;
        }
        Ok(None)
    }

    /// As [`Self::get`], of a key that is thought to be new: it remembers where there is nothing.
    pub(super) fn get_new(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        let Tree { db, gaps, .. } = self.tree;
        let Err(stamp) = gaps.look(key) else { return Ok(None) };
        let last = match self.tree.holder(key)? {
            None => IVec::default(),
            Some((first, held)) => match take_apart(first, &held)?.pop() {
                Some((last, _)) if *last < *key => IVec::from(&*last),
                // Not behind all that stands there.
                Some(_) | None => return self.get(key),
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

/// The first and the last key of what is to be written; none if something is to go.
fn extent((first, row): &Row) -> Option<(IVec, IVec)> {
    let (row, mut last) = (row.as_ref()?, &**first);
    let mut rest = rows::block(row).unwrap_or_default();
    while let Some(entry) = entries::read(rest) {
        (last, rest) = (entry.key, entry.rest);
    }
    Some((first.clone(), IVec::from(last)))
}

fn read(bytes: &[u8]) -> Result<Entry<'_>, StoreError> {
    entries::read(bytes)
        .filter(|entry| entry.row.is_some())
        .ok_or_else(|| StoreError::Damaged("a block of rows is cut short".to_owned()))
}

/// An entry of a block, without copying its bytes.
fn part(block: &IVec, entry: &Entry<'_>) -> Held {
    let row = entry.row.map_or(0, <[u8]>::len);
    let row_at = block.len().saturating_sub(entry.rest.len()).saturating_sub(row);
    let key_at = row_at.saturating_sub(entry.key.len());
    (block.subslice(key_at, entry.key.len()), block.subslice(row_at, row))
}

/// The rows under one key of the engine.
fn take_apart(first: IVec, held: &IVec) -> Result<Vec<Held>, StoreError> {
    let Some(mut rest) = rows::block(held) else { return Ok(vec![(first, held.clone())]) };
    let mut all = Vec::new();
    while !rest.is_empty() {
        let entry = read(rest)?;
        all.push(part(held, &entry));
        rest = entry.rest;
    }
    Ok(all)
}

/// The rows of one of the engine's that lie in `[from, end)`.
fn page(row: Result<Held, StoreError>, from: &[u8], end: &[u8]) -> Vec<Result<Held, StoreError>> {
    match row.and_then(|(first, held)| take_apart(first, &held)) {
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
            let (block, rest) = group.split_at_checked(fitting(group)).unwrap_or((group, &[]));
            writes.extend(pack(block)?.map(|(key, row)| (key, Some(row))));
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

/// How many of these rows make a block; at least one.
fn fitting(rows: &[Held]) -> usize {
    let mut len = 0_usize;
    let fits = |(key, row): &&Held| {
        len = len.saturating_add(entries::len(key, row));
        len <= BLOCK_LEN
    };
    rows.iter().take_while(fits).count().max(1)
}

/// These rows as one of the engine's: a block, unless there is one alone.
fn pack(group: &[Held]) -> Result<Option<Held>, StoreError> {
    let (first, row) = match group {
        [] => return Ok(None),
        [alone] => return Ok(Some(alone.clone())),
        [(first, row), ..] => (first, row),
    };
    let mut block = rows::new_block(entries::len(first, row).saturating_mul(group.len()));
    for (key, row) in group {
        entries::write(&mut block, key, Some(row))
            .ok_or(StoreError::Refused("a row is longer than a block can say"))?;
    }
    Ok(Some((first.clone(), IVec::from(block))))
}
