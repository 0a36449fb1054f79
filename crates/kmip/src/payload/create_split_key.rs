//! Create Split Key (1.4, 4.38; 2.1, 6.1.10; since 1.2): a key in parts, each an object.

use crate::attributes::Attributes;
use crate::codec::BigInteger;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::version::Version;
use crate::vocabulary::{ObjectType, SplitKeyMethod};

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for a key to be split, one that stands or a new one (1.4, 4.38; 2.1, 6.1.10).
    CreateSplitKeyRequest {
        /// The kind of object that the parts make.
        ObjectType => object_type: ObjectType,
        /// The key to be split; a new one when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// Into how many.
        SplitKeyParts => split_key_parts: i32,
        /// How many make the key again.
        SplitKeyThreshold => split_key_threshold: i32,
        /// How.
        SplitKeyMethod => split_key_method: SplitKeyMethod,
        /// The prime of the field.
        PrimeFieldSize => prime_field_size: Option<BigInteger>,
        /// Attributes of the parts.
        TemplateAttribute / Attributes => attributes: Attributes,
        /// Where they may be kept.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// The parts (1.4, 4.38; 2.1, 6.1.10).
    CreateSplitKeyResponse {
        /// The parts; the first becomes the ID Placeholder.
        UniqueIdentifier => unique_identifiers: Vec<String>,
        /// Attributes that the server made up.
        TemplateAttribute [..=V1_4] => template_attribute: Option<Attributes>,
    }
}
