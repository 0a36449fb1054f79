//! Records as rows of the one tree.
//!
//! ```text
//! whole    key                               -> revision (8) | 0 | value
//! parted   key                               -> revision (8) | 1 | length of the value (4)
//!          0 | length of key (2) | key | n (2) -> the nth part of the value
//! block    key of its first row              -> 0 (8) | 2 | rows, see [`super::block`]
//! ```
//!
//! A row is never longer than [`ROW_LEN_MAX`]. A leaf of the tree holds up to sixteen rows; with
//! longer ones it can grow beyond what the engine keeps in its log, and goes to a blob file, which
//! the engine never syncs.

use sled::IVec;

use crate::secret::SecretBuffer;
use crate::store::StoreError;

/// The longest row.
pub(super) const ROW_LEN_MAX: usize = 64 << 10;

/// The first byte of the rows that hold parts. No key of a record begins with it.
const PART: u8 = 0;

/// The smallest key of a record.
pub(super) const FIRST: &[u8] = &[PART + 1];

const WHOLE: u8 = 0;
const PARTED: u8 = 1;
/// What a block begins with: no record has the revision 0.
pub(super) const BLOCK: [u8; REVISION_LEN + FORM_LEN] = [0, 0, 0, 0, 0, 0, 0, 0, 2];
const REVISION_LEN: usize = 8;
const FORM_LEN: usize = 1;
const WHOLE_LEN_MAX: usize = ROW_LEN_MAX - REVISION_LEN - FORM_LEN;

/// What a row says about its record before one looks at the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The record's revision; 0 means that there is none.
    pub(super) revision: u64,
    /// How many rows of parts belong to it.
    pub(super) parts: u16,
}

/// A record's rows, ready to be written.
pub(super) struct Rows {
    pub(super) head: Head,
    pub(super) first: IVec,
    pub(super) parts: Vec<IVec>,
}

/// Lays a value out in rows.
pub(super) fn lay_out(value: &[u8], revision: u64) -> Result<Rows, StoreError> {
    let too_long = || StoreError::Refused("a value is longer than its length field can say");
    let revision_bytes = revision.to_be_bytes();
    let (first, parts) = if value.len() <= WHOLE_LEN_MAX {
        ([&revision_bytes[..], &[WHOLE], value].concat(), Vec::new())
    } else {
        let len = u32::try_from(value.len()).map_err(|_| too_long())?;
        let first = [&revision_bytes[..], &[PARTED], &len.to_be_bytes()].concat();
        (first, value.chunks(ROW_LEN_MAX).map(IVec::from).collect())
    };
    let head = Head { revision, parts: u16::try_from(parts.len()).map_err(|_| too_long())? };
    Ok(Rows { head, first: IVec::from(first), parts })
}

/// The row key of the `n`th part of a record.
pub(super) fn part_key(key: &[u8], n: u16) -> IVec {
    let len = u16::try_from(key.len()).unwrap_or(u16::MAX);
    IVec::from([&[PART][..], &len.to_be_bytes(), key, &n.to_be_bytes()].concat())
}

/// What stands in a block; none if this is a row.
pub(super) fn block_body(row: &[u8]) -> Option<&[u8]> {
    row.strip_prefix(&BLOCK)
}

/// A first row, taken apart.
enum First<'a> {
    Whole(u64, &'a [u8]),
    Parted(u64, usize),
}

fn take_apart(row: &[u8]) -> Result<First<'_>, StoreError> {
    let damaged = || StoreError::Damaged("a row has no such form".to_owned());
    let (revision, rest) = row.split_first_chunk::<REVISION_LEN>().ok_or_else(damaged)?;
    let revision = u64::from_be_bytes(*revision);
    match rest.split_first() {
        Some((&WHOLE, value)) => Ok(First::Whole(revision, value)),
        Some((&PARTED, len)) => {
            let len = u32::from_be_bytes(len.try_into().map_err(|_| damaged())?);
            Ok(First::Parted(revision, usize::try_from(len).map_err(|_| damaged())?))
        }
        Some(_) | None => Err(damaged()),
    }
}

/// The head of a first row.
pub(super) fn head(row: &[u8]) -> Result<Head, StoreError> {
    match take_apart(row)? {
        First::Whole(revision, _) => Ok(Head { revision, parts: 0 }),
        First::Parted(revision, len) => {
            let parts = u16::try_from(len.div_ceil(ROW_LEN_MAX)).unwrap_or(u16::MAX);
            Ok(Head { revision, parts })
        }
    }
}

/// The record of a first row, whose parts `part` finds by their row key.
pub(super) fn record(
    key: &[u8],
    row: &[u8],
    part: impl Fn(&IVec) -> Result<Option<IVec>, StoreError>,
) -> Result<crate::store::Record, StoreError> {
    let (revision, value) = match take_apart(row)? {
        First::Whole(revision, value) => (revision, value.to_vec()),
        First::Parted(revision, len) => {
            let mut value = Vec::new();
            for n in 0..head(row)?.parts {
                let part = part(&part_key(key, n))?
                    .ok_or_else(|| StoreError::Damaged(format!("part {n} of it is missing")))?;
                value.extend_from_slice(&part);
            }
            if value.len() != len {
                let found = value.len();
                return Err(StoreError::Damaged(format!("{found} bytes of {len} are there")));
            }
            (revision, value)
        }
    };
    Ok(crate::store::Record { value: SecretBuffer::new(value), revision })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn there_and_back(len: usize) -> (usize, Vec<u8>) {
        let value: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let rows = lay_out(&value, 7).unwrap();
        assert_eq!(head(&rows.first).unwrap(), rows.head);
        let parts: BTreeMap<_, _> = (0..).map(|n| part_key(b"k", n)).zip(rows.parts).collect();
        assert!(parts.values().all(|row| row.len() <= ROW_LEN_MAX));
        assert!(rows.first.len() <= ROW_LEN_MAX);
        let record = record(b"k", &rows.first, |key| Ok(parts.get(key).cloned())).unwrap();
        assert_eq!(record.revision, 7);
        assert_eq!(*record.value, value);
        (parts.len(), value)
    }

    #[test]
    fn a_value_of_any_length_comes_back_from_rows_of_bounded_length() {
        let rows = [
            (0, 0),
            (1, 0),
            (WHOLE_LEN_MAX, 0),
            (WHOLE_LEN_MAX + 1, 1),
            (ROW_LEN_MAX, 1),
            (ROW_LEN_MAX + 1, 2),
            (crate::store::VALUE_LEN_MAX, 16),
        ];
        for (len, parts) in rows {
            assert_eq!(there_and_back(len).0, parts, "{len} bytes");
        }
    }

    #[test]
    fn parts_of_two_keys_never_share_a_row() {
        // The key `a` followed by a part number looks like a longer key; the length tells.
        assert_ne!(part_key(b"a", 1), part_key(&[b'a', 0, 1], 0));
    }

    #[test]
    fn a_row_cut_short_or_without_its_parts_is_damaged_and_not_shorter() {
        let rows = lay_out(&[9; ROW_LEN_MAX + 5], 1).unwrap();
        let none = |_: &IVec| Ok(None);
        for row in [&rows.first[..4], &rows.first[..8], &rows.first[..10], &rows.first[..]] {
            assert!(matches!(record(b"k", row, none), Err(StoreError::Damaged(_))));
        }
        let one = |_: &IVec| Ok(rows.parts.first().cloned());
        assert!(matches!(record(b"k", &rows.first, one), Err(StoreError::Damaged(_))));
    }
}
