//! Re-key Key Pair (1.4, 4.5; 2.1, 6.1.47; since 1.1): a new pair in the place of an old one.

use crate::attributes::Attributes;
use crate::codec::Interval;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::version::Version;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for a pair of keys to be replaced (1.4, 4.5; 2.1, 6.1.47).
    #[derive(Default)]
    ReKeyKeyPairRequest {
        /// The old private key; the ID Placeholder when absent.
        PrivateKeyUniqueIdentifier => private_key_unique_identifier: Option<Identifier>,
        /// From the Initial Date to the Activation Date of the new pair.
        Offset => offset: Option<Interval>,
        /// Attributes of both new keys that differ.
        CommonTemplateAttribute / CommonAttributes => common_attributes: Option<Attributes>,
        /// Attributes of the new private key that differ.
        PrivateKeyTemplateAttribute / PrivateKeyAttributes
            => private_key_attributes: Option<Attributes>,
        /// Attributes of the new public key that differ.
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
    /// The pair that replaces the old one (1.4, 4.5; 2.1, 6.1.47).
    ReKeyKeyPairResponse {
        /// The new private key; it becomes the ID Placeholder.
        PrivateKeyUniqueIdentifier => private_key_unique_identifier: String,
        /// The new public key.
        PublicKeyUniqueIdentifier => public_key_unique_identifier: String,
        /// Attributes of the private key that the server made up.
        PrivateKeyTemplateAttribute [..=V1_4] => private_key_template_attribute: Option<Attributes>,
        /// Attributes of the public key that the server made up.
        PublicKeyTemplateAttribute [..=V1_4] => public_key_template_attribute: Option<Attributes>,
    }
}
