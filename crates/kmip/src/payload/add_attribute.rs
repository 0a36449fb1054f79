//! Add Attribute (1.4, 4.14; 2.1, 6.1.2): a new attribute, or a further instance of one.

use crate::attributes::Attribute;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::version::Version;

const V1_4: Version = Version::V1_4;

structure! {
    /// Asks for an attribute to be added (1.4, 4.14; 2.1, 6.1.2).
    AddAttributeRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// The attribute; without an index.
        Attribute / NewAttribute => attribute: Attribute,
    }
}

structure! {
    /// What was added (1.4, 4.14; 2.1, 6.1.2).
    AddAttributeResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// The attribute, with the index that it was given.
        Attribute [..=V1_4] => attribute: Option<Attribute>,
    }
}
