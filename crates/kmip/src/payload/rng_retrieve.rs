//! RNG Retrieve (1.4, 4.35; 2.1, 6.1.49; since 1.2): random bytes.

use crate::codec::SecretBytes;
use crate::macros::structure;

structure! {
    /// Asks for random bytes (1.4, 4.35; 2.1, 6.1.49).
    RNGRetrieveRequest {
        /// How many.
        DataLength => data_length: i32,
    }
}

structure! {
    /// The bytes (1.4, 4.35; 2.1, 6.1.49).
    RNGRetrieveResponse {
        /// The bytes.
        Data => data: SecretBytes,
    }
}
