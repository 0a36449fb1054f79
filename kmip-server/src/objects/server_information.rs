//! Vendor extensions in Server Information (1.4, 4.25; 2.1, 7.37).

use ttlv::Tag;

/// Result of the last check of all rows of the store, a Text String.
pub(crate) const STORE_CHECK: Tag = Tag(0x54_4B20);

/// End of that check, a Date-Time.
pub(crate) const STORE_CHECK_DATE: Tag = Tag(0x54_4B21);

/// [`STORE_CHECK`] of a store that has all its rows.
pub(crate) const STORE_WHOLE: &str = "all records are there";

/// [`STORE_CHECK`] of one that has not.
pub(crate) const STORE_INCOMPLETE: &str = "records are missing";

/// [`STORE_CHECK`] of one that could not be read to its end.
pub(crate) const STORE_UNREADABLE: &str = "not all records can be read";
