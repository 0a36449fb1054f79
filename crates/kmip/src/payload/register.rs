//! Register (1.4, 4.3; 2.1, 6.1.43): the client brings an object.

use crate::attributes::Attributes;
use crate::macros::structure;
use crate::objects::{Object, ProtectionStorageMasks};
use crate::version::Version;
use crate::vocabulary::ObjectType;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for an object to be kept (1.4, 4.3; 2.1, 6.1.43).
    RegisterRequest {
        /// Its kind.
        ObjectType => object_type: ObjectType,
        /// Its attributes.
        TemplateAttribute / Attributes => attributes: Attributes,
        /// The object, under the tag of its kind.
        SymmetricKey => object: Object,
        /// Where it may be kept.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// The object that is kept (1.4, 4.3; 2.1, 6.1.43).
    RegisterResponse {
        /// Its name.
        UniqueIdentifier => unique_identifier: String,
        /// Attributes that the server made up.
        TemplateAttribute [..=V1_4] => template_attribute: Option<Attributes>,
    }
}
