//! Obtain Lease (1.4, 4.17; 2.1, 6.1.35): how long a client may use what it has in its cache.

use crate::codec::{DateTime, Interval};
use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Asks for a lease (1.4, 4.17; 2.1, 6.1.35).
    ObtainLeaseRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
    }
}

structure! {
    /// The lease (1.4, 4.17; 2.1, 6.1.35).
    ObtainLeaseResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// How long it lasts; zero for no limit.
        LeaseTime => lease_time: Interval,
        /// When the object was last changed: a cache that is older is stale.
        LastChangeDate => last_change_date: DateTime,
    }
}
