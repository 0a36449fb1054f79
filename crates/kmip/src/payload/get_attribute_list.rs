//! Get Attribute List (1.4, 4.13; 2.1, 6.1.21): the names of an object's attributes.

use crate::attributes::AttributeReference;
use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Asks for the names (1.4, 4.13; 2.1, 6.1.21).
    GetAttributeListRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
    }
}

structure! {
    /// The names (1.4, 4.13; 2.1, 6.1.21).
    GetAttributeListResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// Each name once.
        AttributeName / AttributeReference => attributes: Vec<AttributeReference>,
    }
}
