//! Re-key Key Pair (1.4, 4.5; 2.1, 6.1.47; since 1.1): a new pair in the place of an old one.

use super::create_key_pair::{key_pair_request, key_pair_response};
use crate::codec::Interval;
use crate::identifier::Identifier;

key_pair_request! {
    /// Asks for a pair of keys to be replaced. The attributes are those in which the new keys
    /// differ from the old ones (1.4, 4.5; 2.1, 6.1.47).
    ReKeyKeyPairRequest {
        /// The old private key; the ID Placeholder when absent.
        PrivateKeyUniqueIdentifier => private_key_unique_identifier: Option<Identifier>,
        /// From the Initial Date to the Activation Date of the new pair.
        Offset => offset: Option<Interval>,
    }
}

key_pair_response! {
    /// The pair that replaces the old one (1.4, 4.5; 2.1, 6.1.47).
    ReKeyKeyPairResponse {}
}
