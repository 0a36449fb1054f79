//! Revoke (1.4, 4.20; 2.1, 6.1.44): gives an object up, and says why.

use crate::codec::DateTime;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::structures::RevocationReason;

structure! {
    /// Asks for an object to be given up (1.4, 4.20; 2.1, 6.1.44).
    RevokeRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// Why.
        RevocationReason => revocation_reason: RevocationReason,
        /// Since when it may have been known to others, if it was.
        CompromiseOccurrenceDate => compromise_occurrence_date: Option<DateTime>,
    }
}

structure! {
    /// The object that is given up (1.4, 4.20; 2.1, 6.1.44).
    RevokeResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
    }
}
