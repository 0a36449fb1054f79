//! Objects with bytes of the client's choice wherever it has one: identifier, name, attribute, key.

use kmip::Identifier;
use kmip::attributes::{AllAttributes, Attribute, AttributeValue, VendorAttribute};
use kmip::client::{BatchOptions, Client, Error};
use kmip::message::{RequestBatchItem, ResponseBatchItem};
use kmip::objects::{KeyBlock, Object, SecretData};
use kmip::payload::{GetAttributesRequest, ImportRequest, ResponsePayload};
use kmip::structures::Name;
use kmip::vocabulary::{
    BatchErrorContinuationOption, CryptographicUsageMask, KeyFormatType, ResultStatus,
    SecretDataType, tags,
};
use ttlv::{Raw, Writer};

use crate::requests::get;

/// Longest Unique Identifier that a client may choose, in bytes.
pub(crate) const ID_LEN_MAX: usize = 128;

/// What a client chose of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Name and value of a custom attribute.
    pub(crate) label: String,
    pub(crate) note: Vec<u8>,
    /// The bytes in the key block.
    pub(crate) key: Vec<u8>,
}

impl Chosen {
    fn attributes(&self) -> Vec<AttributeValue> {
        let note = |w: &mut Writer| w.byte_string(tags::AttributeValue, &self.note);
        vec![
            AttributeValue::Name(Name::text(&self.name)),
            AttributeValue::Vendor(VendorAttribute {
                vendor: "x".to_owned(),
                name: self.label.clone(),
                value: Raw::build(note),
            }),
        ]
    }

    fn import(&self) -> ImportRequest {
        let mask = AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt);
        let attributes = self.attributes().into_iter().chain([mask]).map(Attribute::from);
        ImportRequest {
            unique_identifier: self.id.clone(),
            object_type: None,
            replace_existing: Some(true),
            key_wrap_type: None,
            attributes: AllAttributes(attributes.collect()),
            object: Object::SecretData(SecretData {
                secret_data_type: SecretDataType::Password,
                key_block: KeyBlock::plain(KeyFormatType::Opaque, &self.key),
            }),
        }
    }
}

/// Imports all of these in one batch, or none.
pub(crate) async fn import(client: &Client, objects: &[Chosen]) -> Result<(), Error> {
    let items = objects.iter().map(|object| RequestBatchItem::from(object.import())).collect();
    let options =
        BatchOptions { continuation: Some(BatchErrorContinuationOption::Undo), in_order: true };
    let answers = client.batch(items, options).await?;
    assert_eq!(answers.len(), objects.len());
    for (object, answer) in objects.iter().zip(answers) {
        let why = answer.result_message.as_deref().unwrap_or_default();
        assert_eq!(answer.result_status, ResultStatus::Success, "{why}: {:?}", object.id);
    }
    Ok(())
}

/// What the server has of an object differently from what was chosen.
pub(crate) async fn differences(client: &Client, object: &Chosen) -> Vec<&'static str> {
    let id = Some(Identifier::from(object.id.as_str()));
    let attributes = GetAttributesRequest { unique_identifier: id, attributes: Vec::new() };
    let items = vec![get(&object.id).into(), attributes.into()];
    let answers = client.batch(items, BatchOptions::default()).await.unwrap();
    let payload = |answer: &ResponseBatchItem| answer.payload.clone();
    let mut found = Vec::new();
    match answers.first().and_then(payload) {
        Some(ResponsePayload::Get(answer)) => {
            let key = answer.object.key_block().and_then(KeyBlock::bytes);
            found.extend((key != Some(&object.key)).then_some("other key bytes"));
        }
        _ => found.push("no key"),
    }
    match answers.get(1).and_then(payload) {
        Some(ResponsePayload::GetAttributes(answer)) => {
            for chosen in object.attributes() {
                let is_there = answer.attributes.0.iter().any(|there| there.value == chosen);
                found.extend((!is_there).then_some("another name or attribute"));
            }
        }
        _ => found.push("no attributes"),
    }
    found
}
