//! Check (1.4, 4.10; 2.1, 6.1.7): may the client use the object so?

use crate::codec::Interval;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::vocabulary::CryptographicUsageMask;

structure! {
    /// What the client means to do (1.4, 4.10; 2.1, 6.1.7).
    CheckRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// How much it means to protect, in the units of the Usage Limits.
        UsageLimitsCount => usage_limits_count: Option<i64>,
        /// What it means to use the object for.
        CryptographicUsageMask => cryptographic_usage_mask: Option<CryptographicUsageMask>,
        /// For how long.
        LeaseTime => lease_time: Option<Interval>,
    }
}

structure! {
    /// What of it the server does not allow; nothing when all is well (1.4, 4.10; 2.1, 6.1.7).
    CheckResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: Option<String>,
        /// How much it would allow.
        UsageLimitsCount => usage_limits_count: Option<i64>,
        /// What it would allow.
        CryptographicUsageMask => cryptographic_usage_mask: Option<CryptographicUsageMask>,
        /// For how long it would.
        LeaseTime => lease_time: Option<Interval>,
    }
}
