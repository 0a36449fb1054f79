//! Create (1.4, 4.1; 2.1, 6.1.8): the server makes a new symmetric key.

use crate::attributes::Attributes;
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::version::Version;
use crate::vocabulary::ObjectType;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for a new object (1.4, 4.1; 2.1, 6.1.8).
    CreateRequest {
        /// Its kind.
        ObjectType => object_type: ObjectType,
        /// Its attributes.
        TemplateAttribute / Attributes => attributes: Attributes,
        /// Where it may be kept.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// The new object (1.4, 4.1; 2.1, 6.1.8).
    CreateResponse {
        /// Its kind.
        ObjectType => object_type: ObjectType,
        /// Its name.
        UniqueIdentifier => unique_identifier: String,
        /// Attributes that the server made up.
        TemplateAttribute [..=V1_4] => template_attribute: Option<Attributes>,
    }
}
