//! Destroy (1.4, 4.21; 2.1, 6.1.15): the key material is gone for ever.

use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Asks for an object to be destroyed (1.4, 4.21; 2.1, 6.1.15).
    DestroyRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
    }
}

structure! {
    /// The object that is destroyed (1.4, 4.21; 2.1, 6.1.15).
    DestroyResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
    }
}
