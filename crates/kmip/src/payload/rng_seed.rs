//! RNG Seed (1.4, 4.36; 2.1, 6.1.50; since 1.2): what a client adds to the server's chance.

use crate::input_data::InputData;
use crate::macros::structure;

structure! {
    /// The seed (1.4, 4.36; 2.1, 6.1.50).
    RNGSeedRequest {
        /// The bytes.
        Data => data: InputData,
    }
}

structure! {
    /// How much of it was used (1.4, 4.36; 2.1, 6.1.50).
    RNGSeedResponse {
        /// Bytes; none when the server seeds itself alone.
        DataLength => data_length: i32,
    }
}
