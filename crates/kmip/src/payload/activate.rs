//! Activate (1.4, 4.19; 2.1, 6.1.1): makes a Pre-Active object Active.

use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Asks for an object to be made Active (1.4, 4.19; 2.1, 6.1.1).
    ActivateRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
    }
}

structure! {
    /// The object that is now Active (1.4, 4.19; 2.1, 6.1.1).
    ActivateResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
    }
}
