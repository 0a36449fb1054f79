//! Rows one behind the other in one run of bytes: the body of a frame of the log.
//!
//! ```text
//! entry   length of key (2) | length of row (4), all ones for a removed one | key | row
//! ```

use sled::IVec;

/// In the place of a row's length: there is none.
const REMOVED: u32 = u32::MAX;

/// A row of the tree and what becomes of it; `None` removes it.
pub(super) type Row = (IVec, Option<IVec>);

/// The first entry of some bytes.
pub(super) struct Entry<'a> {
    pub(super) key: &'a [u8],
    pub(super) row: Option<&'a [u8]>,
    /// The entries behind it.
    pub(super) rest: &'a [u8],
}

/// Writes an entry; none if the key or the row is longer than its length can say.
pub(super) fn write(to: &mut Vec<u8>, key: &[u8], row: Option<&[u8]>) -> Option<()> {
    let key_len = u16::try_from(key.len()).ok()?;
    let len = match row {
        Some(row) => u32::try_from(row.len()).ok().filter(|len| *len != REMOVED)?,
        None => REMOVED,
    };
    to.extend_from_slice(&key_len.to_be_bytes());
    to.extend_from_slice(&len.to_be_bytes());
    to.extend_from_slice(key);
    to.extend_from_slice(row.unwrap_or_default());
    Some(())
}

/// Reads the first entry; none if these bytes do not begin with a whole one.
pub(super) fn read(bytes: &[u8]) -> Option<Entry<'_>> {
    let (key_len, rest) = bytes.split_first_chunk::<2>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*key_len)))?;
    let len = u32::from_be_bytes(*len);
    if len == REMOVED {
        return Some(Entry { key, row: None, rest });
    }
    let (row, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    Some(Entry { key, row: Some(row), rest })
}
