//! Get Attributes (1.4, 4.12; 2.1, 6.1.20): what is known of an object.

use crate::attributes::{AllAttributes, AttributeReference};
use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Asks for attributes (1.4, 4.12; 2.1, 6.1.20).
    GetAttributesRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// Which; all when none is named.
        AttributeName / AttributeReference => attributes: Vec<AttributeReference>,
    }
}

structure! {
    /// The attributes (1.4, 4.12; 2.1, 6.1.20).
    GetAttributesResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// What is known of it.
        Attribute / Attributes => attributes: AllAttributes,
    }
}
