//! Modify Attribute (1.4, 4.15; 2.1, 6.1.34): a new value for an attribute.

use crate::attributes::Attribute;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::version::Version;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for an attribute to be changed (1.4, 4.15; 2.1, 6.1.34).
    ModifyAttributeRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// The instance to be changed, by its value (2.0 on).
        CurrentAttribute [V2_0..] => current_attribute: Option<Attribute>,
        /// The new value; in 1.x its index says which instance.
        Attribute / NewAttribute => attribute: Attribute,
    }
}

structure! {
    /// What was changed (1.4, 4.15; 2.1, 6.1.34).
    ModifyAttributeResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// The attribute as it is now.
        Attribute [..=V1_4] => attribute: Option<Attribute>,
    }
}
