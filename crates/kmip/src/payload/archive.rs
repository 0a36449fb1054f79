//! Archive (1.4, 4.22; 2.1, 6.1.4): the client needs an object no more for a while.

use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Lets an object be archived (1.4, 4.22; 2.1, 6.1.4).
    ArchiveRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
    }
}

structure! {
    /// The object that may be archived now (1.4, 4.22; 2.1, 6.1.4).
    ArchiveResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
    }
}
