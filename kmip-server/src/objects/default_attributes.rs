//! Attributes that the server supplies where a client leaves them out (2.1, 4, table 28).

use kmip::attributes::AttributeValue;
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask as Mask, ObjectType};

/// Where an object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The server makes it, and may choose what it is.
    Made,
    /// The client brings it: what it is can be read from it, and is no matter of defaults.
    Brought,
}

/// What the server itself supplies, from 2.0 on: older versions refuse what lacks these.
pub(crate) const BUILT_IN: &[(ObjectType, &[AttributeValue])] = &[
    (
        ObjectType::SymmetricKey,
        &[
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(Mask::Encrypt.union(Mask::Decrypt)),
        ],
    ),
    (
        ObjectType::PrivateKey,
        &[
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::RSA),
            AttributeValue::CryptographicLength(2048),
            AttributeValue::CryptographicUsageMask(Mask::Decrypt.union(Mask::Sign)),
        ],
    ),
    (
        ObjectType::PublicKey,
        &[
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::RSA),
            AttributeValue::CryptographicLength(2048),
            AttributeValue::CryptographicUsageMask(Mask::Encrypt.union(Mask::Verify)),
        ],
    ),
    (
        ObjectType::SplitKey,
        &[
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(Mask(0)),
        ],
    ),
    (ObjectType::SecretData, &[AttributeValue::CryptographicUsageMask(Mask(0))]),
];

/// What the server supplies for objects of a kind.
pub(crate) fn built_in(kind: ObjectType) -> &'static [AttributeValue] {
    BUILT_IN.iter().find(|(of, _)| *of == kind).map_or(&[], |(_, values)| values)
}
