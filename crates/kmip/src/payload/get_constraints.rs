//! Get Constraints (2.1, 6.1.22): what new objects must be.

use crate::macros::structure;
use crate::payload::Constraints;

structure! {
    /// Asks for the constraints that hold (2.1, 6.1.22).
    GetConstraintsRequest {}
}

structure! {
    /// The constraints that hold (2.1, 6.1.22).
    GetConstraintsResponse {
        /// The constraints.
        Constraints => constraints: Constraints,
    }
}
