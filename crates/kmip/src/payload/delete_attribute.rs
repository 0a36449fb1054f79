//! Delete Attribute (1.4, 4.16; 2.1, 6.1.13): an attribute, or one instance of it, is gone.

use crate::attributes::{Attribute, AttributeReference};
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::version::Version;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for an attribute to be deleted. In 1.x it is named, with its index; in 2.x the one
    /// instance is given by its value, or all by their name (1.4, 4.16; 2.1, 6.1.13).
    DeleteAttributeRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// The instance, by its value (2.0 on).
        CurrentAttribute [V2_0..] => current_attribute: Option<Attribute>,
        /// The attribute, by its name.
        AttributeName / AttributeReference => attribute: Option<AttributeReference>,
        /// Which instance (1.x); the first when absent.
        AttributeIndex [..=V1_4] => attribute_index: Option<i32>,
    }
}

structure! {
    /// What was deleted (1.4, 4.16; 2.1, 6.1.13).
    DeleteAttributeResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// The attribute as it was.
        Attribute [..=V1_4] => attribute: Option<Attribute>,
    }
}
