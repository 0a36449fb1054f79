//! Set Attribute (2.1, 6.1.51): a single-instance attribute has this value from now on.

use crate::attributes::Attribute;
use crate::identifier::Identifier;
use crate::macros::structure;

structure! {
    /// Asks for an attribute to be set, whether it was there or not (2.1, 6.1.51).
    SetAttributeRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// The attribute.
        Attribute / NewAttribute => attribute: Attribute,
    }
}

structure! {
    /// The object whose attribute was set (2.1, 6.1.51).
    SetAttributeResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
    }
}
