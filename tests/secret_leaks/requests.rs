//! The requests that are made with a known key.

use kmip::Identifier;
use kmip::attributes::{AttributeValue, Attributes};
use kmip::objects::{Key, KeyBlock, Object};
use kmip::payload::{CreateRequest, GetRequest, RegisterRequest};
use kmip::structures::Name;
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ObjectType};

/// The attributes of a key of 256 bits with this name, in this group.
pub(crate) fn attributes(name: &str, group: &str, bits: i32) -> Attributes {
    Attributes::new([
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(bits),
        AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
        AttributeValue::Name(Name::text(name)),
        AttributeValue::ObjectGroup(group.to_owned()),
    ])
}

pub(crate) fn register(attributes: Attributes, key: &[u8]) -> RegisterRequest {
    let key_block = KeyBlock {
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(256),
        ..KeyBlock::plain(KeyFormatType::Raw, key)
    };
    RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes,
        object: Object::SymmetricKey(Key { key_block }),
        protection_storage_masks: None,
    }
}

pub(crate) fn create(attributes: Attributes) -> CreateRequest {
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes,
        protection_storage_masks: None,
    }
}

pub(crate) fn get(id: &str) -> GetRequest {
    GetRequest {
        unique_identifier: Some(Identifier::from(id)),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}
