//! Join Split Key (1.4, 4.39; 2.1, 6.1.27; since 1.2): the parts of a key make it again.

use crate::attributes::Attributes;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::version::Version;
use crate::vocabulary::{ObjectType, SecretDataType};

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for parts to be joined (1.4, 4.39; 2.1, 6.1.27).
    JoinSplitKeyRequest {
        /// The kind of object that they make.
        ObjectType => object_type: ObjectType,
        /// The parts, as many as the threshold at least.
        UniqueIdentifier => unique_identifiers: Vec<Identifier>,
        /// Which kind of secret data.
        SecretDataType => secret_data_type: Option<SecretDataType>,
        /// Attributes of the object.
        TemplateAttribute / Attributes => attributes: Option<Attributes>,
        /// Where it may be kept.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// The object that the parts make (1.4, 4.39; 2.1, 6.1.27).
    JoinSplitKeyResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// Attributes that the server made up.
        TemplateAttribute [..=V1_4] => template_attribute: Option<Attributes>,
    }
}
