//! Recover (1.4, 4.23; 2.1, 6.1.42): an archived object is on-line again.

use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Asks for an object to be brought back (1.4, 4.23; 2.1, 6.1.42).
    RecoverRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
    }
}

structure! {
    /// The object that is on-line (1.4, 4.23; 2.1, 6.1.42).
    RecoverResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
    }
}
