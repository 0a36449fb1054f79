//! The frames that are sent, made once.

use kmip::attributes::{AttributeReference, AttributeValue, Attributes};
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage};
use kmip::payload::{
    CreateRequest, GetAttributesRequest, GetRequest, LocateRequest, RequestPayload,
};
use kmip::structures::Name;
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, ObjectType};
use kmip::{Identifier, Version};

pub(crate) fn frame(items: Vec<RequestPayload>) -> Vec<u8> {
    let header = RequestHeader::new(Version::V1_4, i32::try_from(items.len()).unwrap());
    let items = items.into_iter().map(RequestBatchItem::from).collect();
    RequestMessage { header, items }.encode()
}

pub(crate) fn name(n: usize) -> String {
    format!("volume-{n:08}")
}

pub(crate) fn create(name: Option<&str>) -> RequestPayload {
    let basic = [
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::Encrypt.union(CryptographicUsageMask::Decrypt),
        ),
    ];
    let name = name.map(|name| AttributeValue::Name(Name::text(name)));
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new(basic.into_iter().chain(name)),
        protection_storage_masks: None,
    }
    .into()
}

pub(crate) fn get(id: &str) -> RequestPayload {
    GetRequest {
        unique_identifier: Some(Identifier::from(id)),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
    .into()
}

pub(crate) fn locate(name: &str) -> RequestPayload {
    LocateRequest {
        attributes: [AttributeValue::Name(Name::text(name))].into_iter().collect(),
        ..LocateRequest::default()
    }
    .into()
}

pub(crate) fn get_attributes(id: &str) -> RequestPayload {
    GetAttributesRequest {
        unique_identifier: Some(Identifier::from(id)),
        attributes: ["State", "Activation Date"].map(AttributeReference::from_name).to_vec(),
    }
    .into()
}
