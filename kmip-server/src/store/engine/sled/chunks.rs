//! Rows in sled, where a long one is kept in parts.
//!
//! ```text
//! key                                      -> 0 | row                        up to 60 KiB
//! key                                      -> 1 | count of parts (2) | first part
//! 0 | length of key (2) | key | part (2)   -> further parts, from 1
//! ```
//!
//! sled puts a leaf that is longer than a quarter of a segment into a blob file, which it never
//! syncs. A leaf has up to 16 rows.

use ::sled::{Batch, Db, IVec};

use super::files::failure;
use crate::store::engine::{EngineError, RowChange, Value};

/// Length of a part.
const PART_LEN: usize = 60 << 10;

const WHOLE: u8 = 0;
const IN_PARTS: u8 = 1;

/// Length of what is before the first of several parts.
const PREFIX_LEN: usize = 3;

/// Returns the row that is whole in one part; `None` if it has several.
pub(super) fn whole(first: &[u8]) -> Option<Value> {
    first.strip_prefix(&[WHOLE]).map(<[u8]>::to_vec)
}

/// Returns the row whose first part is this one. No batch may be applied meanwhile.
pub(super) fn join(db: &Db, key: &[u8], first: &[u8]) -> Result<Value, EngineError> {
    if let Some(row) = whole(first) {
        return Ok(row);
    }
    let (count, part) = parts(first)?;
    let mut row = Vec::with_capacity(PART_LEN.saturating_mul(count.into()));
    row.extend_from_slice(part);
    for number in 1..count {
        let part = db.get(part_key(key, number)?).map_err(failure)?;
        let part = part.ok_or_else(|| corrupt("a part of a row is missing"))?;
        row.extend_from_slice(&part);
    }
    Ok(row)
}

/// Returns the batch that makes these changes, with the parts of rows that are replaced.
pub(super) fn batch(db: &Db, changes: &[RowChange]) -> Result<Batch, EngineError> {
    let mut batch = Batch::default();
    for (key, row) in changes {
        let was = match db.get(key).map_err(failure)? {
            Some(first) if first.first() != Some(&WHOLE) => parts(&first)?.0,
            Some(_) | None => 1,
        };
        let count = match row {
            Some(row) => insert(&mut batch, key, row)?,
            None => {
                batch.remove(key.as_slice());
                1
            }
        };
        for number in count..was {
            batch.remove(part_key(key, number)?);
        }
    }
    Ok(batch)
}

/// Puts a row into the batch, and returns the count of its parts.
fn insert(batch: &mut Batch, key: &[u8], row: &[u8]) -> Result<u16, EngineError> {
    if row.len() <= PART_LEN {
        batch.insert(key, [&[WHOLE], row].concat());
        return Ok(1);
    }
    let too_long = |_| corrupt("a row is longer than its count of parts can say");
    let count = u16::try_from(row.len().div_ceil(PART_LEN)).map_err(too_long)?;
    for (number, part) in (0..count).zip(row.chunks(PART_LEN)) {
        match number {
            0 => batch.insert(key, [&[IN_PARTS], &count.to_be_bytes()[..], part].concat()),
            _ => batch.insert(part_key(key, number)?, part),
        }
    }
    Ok(count)
}

/// Returns the count of parts, and the first.
fn parts(first: &[u8]) -> Result<(u16, &[u8]), EngineError> {
    match first.split_at_checked(PREFIX_LEN) {
        Some(([IN_PARTS, high, low], part)) => Ok((u16::from_be_bytes([*high, *low]), part)),
        Some(_) | None => Err(corrupt("a row has an unknown form")),
    }
}

fn part_key(key: &[u8], number: u16) -> Result<IVec, EngineError> {
    let len = u16::try_from(key.len()).map_err(|_| corrupt("a key is too long"))?;
    Ok([&[0][..], &len.to_be_bytes(), key, &number.to_be_bytes()].concat().into())
}

fn corrupt(why: &str) -> EngineError {
    EngineError::Corrupt(why.to_owned())
}
