//! Requests that a server performs: what the target `message` starts from.
//!
//! The first client has some objects. Their identifiers are drawn by the server, so an input names
//! them by [`NAMES`], and the target puts the identifiers in their place.

use std::sync::OnceLock;

use kmip::attributes::{AttributeList, AttributeValue, Attributes};
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage};
use kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object, OpaqueObject, SecretData};
use kmip::payload::*;
use kmip::structures::{CryptographicParameters, Name, RevocationReason};
use kmip::vocabulary::*;
use kmip::{DateTime, Identifier, InputData, SecretBytes, Version};

use crate::sample_messages;
use crate::tree::{self, Node};

/// Names of the first client's objects, in the order in which [`owned`] makes them.
pub const NAMES: [&str; 6] = ["0b9e", "w", "#mac", "#opaque", "#private", "#public"];

/// Requests that make the objects of the first client.
pub fn owned() -> Vec<RequestPayload> {
    use CryptographicUsageMask as Mask;
    let key = |algorithm, mask| register_key(algorithm, mask, Some(DateTime(1)));
    let cipher = Mask::Encrypt.union(Mask::Decrypt).union(Mask::DeriveKey).union(Mask::Export);
    let wraps = Mask::WrapKey.union(Mask::UnwrapKey).union(Mask::Encrypt).union(Mask::Decrypt);
    let opaque = OpaqueObject {
        opaque_data_type: OpaqueDataType(0x8000_0001),
        opaque_data_value: SecretBytes::new(b"of the first client"),
    };
    vec![
        key(CryptographicAlgorithm::AES, cipher),
        key(CryptographicAlgorithm::AES, wraps),
        key(CryptographicAlgorithm::HMAC_SHA256, Mask::MACGenerate.union(Mask::MACVerify)),
        register(Object::OpaqueObject(opaque), Vec::new()),
        create_pair(),
    ]
}

/// Requests as trees, one or more messages each.
pub fn trees() -> &'static [Vec<Node>] {
    static TREES: OnceLock<Vec<Vec<Node>>> = OnceLock::new();
    TREES.get_or_init(|| {
        let versions = [Version::V1_0, Version::V1_2, Version::V1_4, Version::V2_0, Version::V2_1];
        let all = versions.into_iter().flat_map(|version| {
            let performed = sessions().into_iter().map(move |batch| message(version, batch));
            let samples = sample_messages::requests().into_iter();
            performed.chain(samples.map(move |payload| message(version, vec![payload])))
        });
        all.filter_map(|bytes| tree::read(&bytes)).collect()
    })
}

/// A request message.
pub fn message(version: Version, payloads: Vec<RequestPayload>) -> Vec<u8> {
    let known = payloads.into_iter().filter(|payload| payload.operation().exists_in(version));
    let items: Vec<RequestBatchItem> = known
        .zip(1_u8..)
        .map(|(payload, number)| RequestBatchItem {
            unique_batch_item_id: Some(vec![number]),
            ..RequestBatchItem::from(payload)
        })
        .collect();
    let header = RequestHeader::new(version, i32::try_from(items.len()).unwrap_or(i32::MAX));
    RequestMessage { header, items }.encode()
}

fn register_key(
    algorithm: CryptographicAlgorithm,
    mask: CryptographicUsageMask,
    activated: Option<DateTime>,
) -> RequestPayload {
    let values = [
        AttributeValue::CryptographicAlgorithm(algorithm),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(mask),
    ];
    let values = values.into_iter().chain(activated.map(AttributeValue::ActivationDate));
    register(Object::SymmetricKey(Key { key_block: key_block(algorithm) }), values.collect())
}

fn key_block(algorithm: CryptographicAlgorithm) -> KeyBlock {
    KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain {
            material: KeyMaterial::Bytes(SecretBytes::new(&[7; 32])),
            attributes: AttributeList::default(),
        }),
        cryptographic_algorithm: Some(algorithm),
        cryptographic_length: Some(256),
        key_wrapping_data: None,
    }
}

fn register(object: Object, values: Vec<AttributeValue>) -> RequestPayload {
    RegisterRequest {
        object_type: object.object_type(),
        attributes: Attributes::new(values),
        object,
        protection_storage_masks: None,
    }
    .into()
}

fn create(algorithm: CryptographicAlgorithm, name: &str) -> RequestPayload {
    use CryptographicUsageMask as Mask;
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([
            AttributeValue::CryptographicAlgorithm(algorithm),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(Mask::Encrypt.union(Mask::Decrypt)),
            AttributeValue::Name(Name::text(name)),
            AttributeValue::ObjectGroup("g".to_owned()),
        ]),
        protection_storage_masks: None,
    }
    .into()
}

fn create_pair() -> RequestPayload {
    use CryptographicUsageMask as Mask;
    let values = |mask| Some(Attributes::new([AttributeValue::CryptographicUsageMask(mask)]));
    CreateKeyPairRequest {
        common_attributes: Some(Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::EC),
            AttributeValue::CryptographicLength(256),
            AttributeValue::ActivationDate(DateTime(1)),
        ])),
        private_key_attributes: values(Mask::Sign),
        public_key_attributes: values(Mask::Verify),
        common_protection_storage_masks: None,
        private_protection_storage_masks: None,
        public_protection_storage_masks: None,
    }
    .into()
}

fn id(name: &str) -> Option<Identifier> {
    Some(Identifier::from(name))
}

fn data() -> Option<InputData> {
    Some(InputData::from(&b"sixteen bytes .."[..]))
}

fn get(unique_identifier: Option<Identifier>) -> RequestPayload {
    GetRequest {
        unique_identifier,
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
    .into()
}

/// Batches, each of which is performed whole or nearly so.
fn sessions() -> Vec<Vec<RequestPayload>> {
    let secret = Object::SecretData(SecretData {
        secret_data_type: SecretDataType::Password,
        key_block: KeyBlock {
            key_format_type: KeyFormatType::Opaque,
            cryptographic_algorithm: None,
            cryptographic_length: None,
            ..key_block(CryptographicAlgorithm::AES)
        },
    });
    let mut sessions = vec![
        vec![
            create(CryptographicAlgorithm::AES, "n"),
            ActivateRequest { unique_identifier: None }.into(),
            get(None),
            GetAttributesRequest { unique_identifier: None, attributes: Vec::new() }.into(),
            GetAttributeListRequest { unique_identifier: None }.into(),
        ],
        vec![
            register(secret, vec![AttributeValue::Name(Name::text("s"))]),
            get(None),
            DestroyRequest { unique_identifier: None }.into(),
        ],
        vec![create_pair(), get(None)],
        owned(),
        vec![
            ReKeyRequest {
                unique_identifier: id("0b9e"),
                offset: None,
                attributes: None,
                protection_storage_masks: None,
            }
            .into(),
            get(None),
        ],
        vec![LoginRequest::default().into()],
    ];
    for name in NAMES {
        sessions.push(vec![get(id(name))]);
        let unique_identifier = id(name);
        sessions.push(vec![ExportRequest { unique_identifier, ..Default::default() }.into()]);
    }
    sessions.extend(uses());
    sessions.extend(life_cycle());
    sessions
}

/// Uses of keys.
fn uses() -> Vec<Vec<RequestPayload>> {
    let cipher = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        random_iv: Some(true),
        ..CryptographicParameters::default()
    };
    let encrypt = EncryptRequest {
        unique_identifier: id("0b9e"),
        cryptographic_parameters: Some(Box::new(cipher)),
        data: data(),
        iv_counter_nonce: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        authenticated_encryption_additional_data: None,
    };
    let first = EncryptRequest { init_indicator: Some(true), ..encrypt.clone() };
    let mac = MACRequest {
        unique_identifier: id("#mac"),
        cryptographic_parameters: None,
        data: data(),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    let sign = SignRequest {
        unique_identifier: id("#private"),
        cryptographic_parameters: Some(Box::new(CryptographicParameters {
            digital_signature_algorithm: Some(DigitalSignatureAlgorithm::ECDSAWithSHA256),
            ..CryptographicParameters::default()
        })),
        data: data(),
        digested_data: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    vec![vec![encrypt.into()], vec![first.into()], vec![mac.into()], vec![sign.into()]]
}

/// What becomes of an object, and what is asked about it.
fn life_cycle() -> Vec<Vec<RequestPayload>> {
    let revoke = RevokeRequest {
        unique_identifier: id("0b9e"),
        revocation_reason: RevocationReason {
            code: RevocationReasonCode::KeyCompromise,
            message: None,
        },
        compromise_occurrence_date: Some(DateTime(1)),
    };
    let locate = LocateRequest {
        attributes: [AttributeValue::Name(Name::text("n"))].into_iter().collect(),
        ..LocateRequest::default()
    };
    let query = QueryRequest {
        query_functions: vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects],
        object_groups: None,
    };
    vec![
        vec![revoke.into(), DestroyRequest { unique_identifier: id("0b9e") }.into()],
        vec![
            ArchiveRequest { unique_identifier: id("#opaque") }.into(),
            RecoverRequest { unique_identifier: id("#opaque") }.into(),
        ],
        vec![locate.into(), LocateRequest::default().into()],
        vec![query.into()],
        vec![DiscoverVersionsRequest { protocol_versions: Vec::new() }.into()],
        vec![ObtainLeaseRequest { unique_identifier: id("w") }.into()],
    ]
}
