//! Create Key Pair (1.4, 4.2; 2.1, 6.1.9): the server makes a private key and its public key.

/// Defines the request of an operation that makes a pair of keys: its own items, and then those
/// that Create Key Pair and Re-key Key Pair share (1.4, 4.2 and 4.5; 2.1, 6.1.9 and 6.1.47).
macro_rules! key_pair_request {
    ($(#[$doc:meta])* $name:ident { $($own_items:tt)* }) => {
        $crate::macros::structure! {
            $(#[$doc])*
            #[derive(Default)]
            $name {
                $($own_items)*
                /// Attributes of both keys.
                CommonTemplateAttribute / CommonAttributes
                    => common_attributes: Option<$crate::attributes::Attributes>,
                /// Attributes of the private key.
                PrivateKeyTemplateAttribute / PrivateKeyAttributes
                    => private_key_attributes: Option<$crate::attributes::Attributes>,
                /// Attributes of the public key.
                PublicKeyTemplateAttribute / PublicKeyAttributes
                    => public_key_attributes: Option<$crate::attributes::Attributes>,
                /// Where both may be kept.
                CommonProtectionStorageMasks [$crate::Version::V2_0..]
                    => common_protection_storage_masks:
                        Option<$crate::objects::ProtectionStorageMasks>,
                /// Where the private key may be kept.
                PrivateProtectionStorageMasks [$crate::Version::V2_0..]
                    => private_protection_storage_masks:
                        Option<$crate::objects::ProtectionStorageMasks>,
                /// Where the public key may be kept.
                PublicProtectionStorageMasks [$crate::Version::V2_0..]
                    => public_protection_storage_masks:
                        Option<$crate::objects::ProtectionStorageMasks>,
            }
        }
    };
}

/// Defines the response of an operation that makes a pair of keys (1.4, 4.2 and 4.5; 2.1, 6.1.9
/// and 6.1.47).
macro_rules! key_pair_response {
    ($(#[$doc:meta])* $name:ident {}) => {
        $crate::macros::structure! {
            $(#[$doc])*
            $name {
                /// The private key; it becomes the ID Placeholder.
                PrivateKeyUniqueIdentifier => private_key_unique_identifier: String,
                /// The public key.
                PublicKeyUniqueIdentifier => public_key_unique_identifier: String,
                /// Attributes of the private key that the server made up.
                PrivateKeyTemplateAttribute [..=$crate::Version::V1_4]
                    => private_key_template_attribute: Option<$crate::attributes::Attributes>,
                /// Attributes of the public key that the server made up.
                PublicKeyTemplateAttribute [..=$crate::Version::V1_4]
                    => public_key_template_attribute: Option<$crate::attributes::Attributes>,
            }
        }
    };
}

pub(super) use key_pair_request;
pub(super) use key_pair_response;

key_pair_request! {
    /// Asks for a pair of keys. What is said of one key goes before what is said of both
    /// (1.4, 4.2; 2.1, 6.1.9).
    CreateKeyPairRequest {
    }
}

key_pair_response! {
    /// The new pair (1.4, 4.2; 2.1, 6.1.9).
    CreateKeyPairResponse {}
}
