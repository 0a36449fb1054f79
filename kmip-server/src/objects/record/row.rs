//! Rows of a managed object: metadata, with small material behind it.

use ttlv::Error;

use super::packed;
use crate::store::StoreError;

/// The longest material that is kept beside what is known of the object: every symmetric key. One
/// row costs half of two to write, and to serve. A longer one, which every search would have to
/// read past, has a row of its own.
pub(crate) const BESIDE_LEN_MAX: usize = 1024;

/// A row of `Metadata::key`, taken apart: what is known, and the object itself if it is there.
pub(crate) fn take_apart(row: &[u8]) -> (&[u8], &[u8]) {
    if packed::is_packed(row) {
        let len = packed::len(row).unwrap_or(row.len());
        return row.split_at_checked(len).unwrap_or((row, &[]));
    }
    let len = row.first_chunk().map(|header| ttlv::Header::parse(*header).len);
    let len = len.and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
    row.split_at_checked(len.saturating_add(ttlv::HEADER_LEN)).unwrap_or((row, &[]))
}

/// A row that is not what this program writes.
pub(crate) fn damaged(id: &str, error: &Error) -> StoreError {
    StoreError::Damaged(format!("object {id}: {error}"))
}
