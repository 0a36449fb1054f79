//! Validate (1.4, 4.24; 2.1, 6.1.57): is a chain of certificates valid?

use crate::codec::DateTime;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::Certificate;
use crate::vocabulary::ValidityIndicator;

structure! {
    /// Asks about one chain (1.4, 4.24; 2.1, 6.1.57).
    #[derive(Default)]
    ValidateRequest {
        /// Certificates of the chain.
        Certificate => certificates: Vec<Certificate>,
        /// Kept certificates of the chain.
        UniqueIdentifier => unique_identifiers: Vec<Identifier>,
        /// When it must be valid; now when absent.
        ValidityDate => validity_date: Option<DateTime>,
    }
}

structure! {
    /// The verdict (1.4, 4.24; 2.1, 6.1.57).
    ValidateResponse {
        /// Valid, invalid or unknown.
        ValidityIndicator => validity_indicator: ValidityIndicator,
    }
}
