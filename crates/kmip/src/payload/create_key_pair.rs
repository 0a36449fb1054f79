//! Create Key Pair (1.4, 4.2; 2.1, 6.1.9): the server makes a private key and its public key.

use crate::attributes::Attributes;
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::version::Version;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for a pair of keys. What is said of one key goes before what is said of both
    /// (1.4, 4.2; 2.1, 6.1.9).
    #[derive(Default)]
    CreateKeyPairRequest {
        /// Attributes of both.
        CommonTemplateAttribute / CommonAttributes => common_attributes: Option<Attributes>,
        /// Attributes of the private key.
        PrivateKeyTemplateAttribute / PrivateKeyAttributes
            => private_key_attributes: Option<Attributes>,
        /// Attributes of the public key.
        PublicKeyTemplateAttribute / PublicKeyAttributes
            => public_key_attributes: Option<Attributes>,
        /// Where both may be kept.
        CommonProtectionStorageMasks [V2_0..]
            => common_protection_storage_masks: Option<ProtectionStorageMasks>,
        /// Where the private key may be kept.
        PrivateProtectionStorageMasks [V2_0..]
            => private_protection_storage_masks: Option<ProtectionStorageMasks>,
        /// Where the public key may be kept.
        PublicProtectionStorageMasks [V2_0..]
            => public_protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// The new pair (1.4, 4.2; 2.1, 6.1.9).
    CreateKeyPairResponse {
        /// The private key; it becomes the ID Placeholder.
        PrivateKeyUniqueIdentifier => private_key_unique_identifier: String,
        /// The public key.
        PublicKeyUniqueIdentifier => public_key_unique_identifier: String,
        /// Attributes of the private key that the server made up.
        PrivateKeyTemplateAttribute [..=V1_4] => private_key_template_attribute: Option<Attributes>,
        /// Attributes of the public key that the server made up.
        PublicKeyTemplateAttribute [..=V1_4] => public_key_template_attribute: Option<Attributes>,
    }
}
