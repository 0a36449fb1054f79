//! A block: rows that are neighbours, in one row of the engine's under the key of the first.
//!
//! ```text
//! block   0 (8) | form 2 | length of the heads (4) | head | head ... | row | row ...
//! head    length of key (2) | length of row (4) | key
//! ```
//!
//! The keys stand together, so that a search for one reads no rows. A block is told from a row by
//! the revision 0, which no record has.

use sled::IVec;

use super::row_format::{BLOCK, block_body};
use crate::store::StoreError;

/// The longest row that is packed. The engine takes as long for a short row as for one of some
/// hundred bytes, so a longer one pays for itself; and one that is looked up alone is looked up
/// fastest where it stands alone.
const ROW_MAX: usize = 256;

/// So many bytes of its key a row must share with the first of its block. Rows that an index keeps
/// of one client or of one value do, and are walked; those whose keys are hashes are looked up.
const ALIKE: usize = 16;

/// The most rows in a block, which so is never longer than 8 KiB.
const ROWS_MAX: usize = 32;

/// What stands before the key in a head.
const LENGTHS: usize = 2 + 4;

/// The length of the heads.
const HEADS_LEN: usize = 4;

/// A row that is there.
pub(super) type Held = (IVec, IVec);

/// One row of a block: its key, and where it and the row stand.
struct Entry<'a> {
    key: &'a [u8],
    key_at: usize,
    row_at: usize,
    row_len: usize,
}

/// The rows of a block, one after another.
struct Entries<'a> {
    block: &'a [u8],
    /// Where the next head stands, and where the first row does.
    head_at: usize,
    heads_end: usize,
    row_at: usize,
}

impl<'a> Entries<'a> {
    /// None if it is no block.
    fn of(held: &'a IVec) -> Option<Result<Self, StoreError>> {
        let body = block_body(held)?;
        let Some((len, _)) = body.split_first_chunk::<HEADS_LEN>() else {
            return Some(Err(damaged()));
        };
        let head_at = held.len().saturating_sub(body.len()).saturating_add(HEADS_LEN);
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        let heads_end = head_at.saturating_add(len);
        Some(Ok(Self { block: held, head_at, heads_end, row_at: heads_end }))
    }

    fn read(&mut self) -> Option<Entry<'a>> {
        let heads = self.block.get(self.head_at..self.heads_end)?;
        let (key_len, rest) = heads.split_first_chunk::<2>()?;
        let (row_len, rest) = rest.split_first_chunk::<4>()?;
        let key = rest.get(..usize::from(u16::from_be_bytes(*key_len)))?;
        let row_len = usize::try_from(u32::from_be_bytes(*row_len)).ok()?;
        let key_at = self.head_at.saturating_add(LENGTHS);
        let row_at = self.row_at;
        self.head_at = key_at.saturating_add(key.len());
        self.row_at = row_at.saturating_add(row_len);
        // The row must be there too.
        self.block.get(row_at..self.row_at)?;
        Some(Entry { key, key_at, row_at, row_len })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.head_at == self.heads_end {
            true => None,
            false => Some(self.read().ok_or_else(damaged)),
        }
    }
}

fn damaged() -> StoreError {
    StoreError::Damaged("a block of rows is cut short".to_owned())
}

/// The row of a key among those that the engine holds under `first`.
pub(super) fn find(first: &[u8], held: IVec, key: &[u8]) -> Result<Option<IVec>, StoreError> {
    let Some(entries) = Entries::of(&held) else { return Ok((first == key).then_some(held)) };
    for entry in entries? {
        let entry = entry?;
        if entry.key >= key {
            let is_found = entry.key == key;
            return Ok(is_found.then(|| held.subslice(entry.row_at, entry.row_len)));
        }
    }
    Ok(None)
}

/// The rows that the engine holds under `first`, without copying their bytes.
pub(super) fn take_apart(first: IVec, held: &IVec) -> Result<Vec<Held>, StoreError> {
    let Some(entries) = Entries::of(held) else { return Ok(vec![(first, held.clone())]) };
    let part = |entry: Entry<'_>| {
        let key = held.subslice(entry.key_at, entry.key.len());
        (key, held.subslice(entry.row_at, entry.row_len))
    };
    entries?.map(|entry| entry.map(part)).collect()
}

/// The last key of what the engine holds under `first`.
pub(super) fn last_key(first: &IVec, held: &IVec) -> Result<IVec, StoreError> {
    let mut last: &[u8] = first;
    if let Some(entries) = Entries::of(held) {
        for entry in entries? {
            last = entry?.key;
        }
    }
    Ok(IVec::from(last))
}

/// How many of these rows make a block; at least one.
pub(super) fn fitting(rows: &[Held]) -> usize {
    let alike = rows.first().and_then(|(key, _)| key.get(..ALIKE));
    let fits = |(key, row): &&Held| {
        key.get(..ALIKE) == alike && key.len().saturating_add(row.len()) <= ROW_MAX
    };
    let fitting = rows.iter().take(ROWS_MAX).take_while(fits).count();
    if alike.is_none() { 1 } else { fitting.max(1) }
}

/// These rows as one of the engine's: a block, unless there is one alone. None of none.
pub(super) fn pack(group: &[Held]) -> Result<Option<Held>, StoreError> {
    let first = match group {
        [] => return Ok(None),
        [alone] => return Ok(Some(alone.clone())),
        [(first, _), ..] => first,
    };
    let too_long = |_| StoreError::Refused("a row is longer than a block can say");
    let (mut heads, mut rows) = (Vec::new(), Vec::new());
    for (key, row) in group {
        heads.extend_from_slice(&u16::try_from(key.len()).map_err(too_long)?.to_be_bytes());
        heads.extend_from_slice(&u32::try_from(row.len()).map_err(too_long)?.to_be_bytes());
        heads.extend_from_slice(key);
        rows.extend_from_slice(row);
    }
    let heads_len = u32::try_from(heads.len()).map_err(too_long)?.to_be_bytes();
    let block = [&BLOCK[..], &heads_len, &heads, &rows].concat();
    Ok(Some((first.clone(), IVec::from(block))))
}
