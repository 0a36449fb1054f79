//! Get Usage Allocation (1.4, 4.18; 2.1, 6.1.23): a part of what a key may still protect.

use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Asks for an allocation (1.4, 4.18; 2.1, 6.1.23).
    GetUsageAllocationRequest {
        /// The key; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// How much the client means to protect, in the units of the Usage Limits.
        UsageLimitsCount => usage_limits_count: i64,
    }
}

structure! {
    /// The allocation is made (1.4, 4.18; 2.1, 6.1.23).
    GetUsageAllocationResponse {
        /// The key.
        UniqueIdentifier => unique_identifier: String,
    }
}
