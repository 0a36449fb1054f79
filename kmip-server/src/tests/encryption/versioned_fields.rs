//! Fields that some versions lack: an answer that is useless without one is not given there, or
//! says it otherwise.
//!
//! The tables of the crate `kmip` name each field of each payload with its versions. A new field
//! that some version lacks fails here until it has a row.

use kmip::codec::Field;
use kmip::message::ResponseHeader;
use kmip::objects::{KeyWrappingData, WrappingKeyInformation};
use kmip::payload::{KeyWrappingSpecification, PAYLOADS};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode, EncodingOption, WrappingMethod};

use crate::tests::encryption::modes::served;
use crate::tests::encryption::parts::set_part;
use crate::tests::encryption::scripts::script;
use crate::tests::harness::*;
use crate::tests::known_answers::served::register;

/// What becomes of a message in a version that lacks a field of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    /// The message says it in another place.
    Elsewhere,
    /// The server refuses what would need the field.
    Refused,
    /// The rest means the same: the field adds to it, or has a default that the version means.
    Complete,
    /// No version that is served has it, and it is neither sent nor needed.
    Unserved,
}

use Without::{Complete, Elsewhere, Refused, Unserved};

/// Fields by their names, whatever they stand in.
const EVERYWHERE: &[(&str, Without)] = &[
    // Operations in parts; since 1.3.
    ("correlation_value", Refused),
    ("init_indicator", Refused),
    ("final_indicator", Refused),
    // The attributes that the server has set: Get Attributes gives them in every version.
    ("template_attribute", Complete),
    ("private_key_template_attribute", Complete),
    ("public_key_template_attribute", Complete),
    // How a key is used: an attribute of the key where the request cannot say it.
    ("cryptographic_parameters", Complete),
    // Where an object may be kept: anywhere, if nothing is said.
    ("protection_storage_masks", Complete),
    ("common_protection_storage_masks", Complete),
    ("private_protection_storage_masks", Complete),
    ("public_protection_storage_masks", Complete),
];

/// Fields by what they stand in: an operation, an attribute, or the field that holds them.
const ROWS: &[(&str, &str, Without)] = &[
    ("Encrypt", "authenticated_encryption_tag", Elsewhere),
    ("Decrypt", "authenticated_encryption_tag", Elsewhere),
    ("Encrypt", "authenticated_encryption_additional_data", Complete),
    ("Decrypt", "authenticated_encryption_additional_data", Complete),
    ("Sign", "digested_data", Complete),
    ("SignatureVerify", "digested_data", Complete),
    // How a key is wrapped: without it nobody unwraps.
    ("key_wrapping_data", "encoding_option", Refused),
    ("encryption_key_information", "cryptographic_parameters", Refused),
    ("mac_signature_key_information", "cryptographic_parameters", Refused),
    // Asked for by the client: what is left out has the default of the version.
    ("key_wrapping_specification", "encoding_option", Complete),
    ("Get", "key_wrap_type", Complete),
    ("SplitKey", "polynomial", Unserved),
    // Attributes: the client's own words, told as far as its version goes.
    ("CryptographicParameters", "", Complete),
    ("Digest", "key_format_type", Complete),
    // The attribute that was added, changed or deleted, which the request named.
    ("AddAttribute", "attribute", Complete),
    ("ModifyAttribute", "attribute", Complete),
    ("DeleteAttribute", "attribute", Complete),
    ("ModifyAttribute", "current_attribute", Elsewhere),
    ("DeleteAttribute", "current_attribute", Elsewhere),
    ("DeleteAttribute", "attribute_index", Elsewhere),
    // The object itself says its type.
    ("Import", "object_type", Elsewhere),
    ("Locate", "offset_items", Complete),
    ("Locate", "object_group_member", Complete),
    ("Locate", "located_items", Complete),
    ("ReCertify", "certificate_request_unique_identifier", Elsewhere),
    ("rights", "object_groups", Complete),
    // Query: each is the answer to a function of the same version.
    ("Query", "", Complete),
    ("server_information", "", Complete),
    ("extension_information", "", Complete),
    ("profile_information", "profile_version", Complete),
    ("capability_information", "", Complete),
    // One kind a set, and none that holds in some groups only: Query tells 2.0 so.
    ("object_defaults", "object_types", Elsewhere),
    ("object_defaults", "object_groups", Elsewhere),
    // The header: for logs, and for attestation and mutual proofs that the version does not have.
    ("ResponseHeader", "", Complete),
];

/// Goes over all fields, and gives those that some version lacks with what they stand in. A field
/// of Cryptographic Parameters is named by who holds the parameters.
fn versioned(
    holder: &str,
    outer: &str,
    fields: &'static [Field],
    found: &mut Vec<(String, String)>,
) {
    for field in fields {
        let is_attribute = std::ptr::eq(fields, AttributeValue::FIELDS);
        let is_lacked = Version::SERVED.iter().any(|version| !(field.is_in)(*version));
        // Which attributes a version has is the business of the attributes' own table.
        if is_lacked && !is_attribute {
            let (holder, name) = match holder {
                "cryptographic_parameters" => (outer, holder),
                _ => (holder, field.name),
            };
            found.push((holder.to_owned(), name.to_owned()));
        }
        versioned(field.name, holder, field.fields, found);
    }
}

fn class(holder: &str, name: &str) -> Option<usize> {
    let own = ROWS
        .iter()
        .position(|(of, field, _)| *of == holder && (*field == name || field.is_empty()));
    let everywhere = || EVERYWHERE.iter().position(|(field, _)| *field == name);
    own.or_else(|| everywhere().map(|at| ROWS.len() + at))
}

#[test]
fn every_field_that_a_version_lacks_is_classified() {
    let mut found = Vec::new();
    for payload in PAYLOADS {
        let name = format!("{:?}", payload.operation);
        versioned(&name, "", payload.request, &mut found);
        versioned(&name, "", payload.response, &mut found);
    }
    versioned("ResponseHeader", "", ResponseHeader::FIELDS, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    let unknown: Vec<_> =
        found.iter().filter(|(holder, name)| class(holder, name).is_none()).collect();
    assert!(unknown.is_empty(), "without a row: {unknown:?}");
    for row in 0..ROWS.len() + EVERYWHERE.len() {
        let is_used = found.iter().any(|(holder, name)| class(holder, name) == Some(row));
        assert!(is_used, "no field needs row {row}");
    }
}

/// Whatever is sent in parts to a version without them is refused: no answer could say how to go
/// on.
#[tokio::test]
async fn no_stream_begins_in_a_version_without_parts() {
    let harness = Harness::new();
    for payload in PAYLOADS {
        let value = payload.response.iter().find(|field| field.tag == tags::CorrelationValue);
        let Some(field) = value else { continue };
        let lacking = Version::SERVED
            .iter()
            .filter(|version| !(field.is_in)(**version) && payload.operation.exists_in(**version));
        for version in lacking {
            let mut first = script(&harness, payload.operation).await.first;
            set_part(&mut first, b"part", None, (true, false));
            let answer = as_if_in(&harness, *version, first).await;
            assert_eq!(answer.result_reason, Some(ResultReason::InvalidField), "{version}");
        }
    }
}

/// Sends a request of 1.3, with all its fields, in a message of another version of 1.x.
async fn as_if_in(
    harness: &Harness,
    version: Version,
    request: RequestPayload,
) -> ResponseBatchItem {
    let header = RequestHeader::new(Version::V1_3, 1);
    let message = RequestMessage { header, items: vec![request.into()] };
    let mut frame = message.encode().to_vec();
    // Behind the headers of the message, of its header and of the version, and the major number.
    let minor = &mut frame[48..52];
    assert_eq!(minor, 3_i32.to_be_bytes());
    minor.copy_from_slice(&version.minor.to_be_bytes());
    let mut answer = ResponseMessage::decode(&harness.bytes(&frame).await).unwrap();
    assert_eq!(answer.header.protocol_version, version);
    answer.items.remove(0)
}

fn wrapped_get(object: &str, key: &str, parameters: Option<CryptographicParameters>) -> GetRequest {
    GetRequest {
        key_wrapping_specification: Some(Box::new(KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(WrappingKeyInformation {
                unique_identifier: key.to_owned(),
                cryptographic_parameters: parameters,
            }),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: Some(EncodingOption::NoEncoding),
        })),
        ..get(object)
    }
}

/// A key that is kept wrapped with No Encoding is not given to KMIP 1.0, which has no field to say
/// so: its clients would take it for an encoded Key Value (1.4, 2.1.5).
#[tokio::test]
async fn a_wrapped_key_is_given_where_its_wrapping_can_be_told() {
    let harness = Harness::new();
    let aes = CryptographicAlgorithm::AES;
    let wrapping = register(&harness, aes, &[1; 16], vec![]).await;
    let key = register(&harness, aes, &[2; 16], vec![]).await;
    let wrapped = harness.ask(NEWEST, wrapped_get(&key, &wrapping, None)).await.unwrap().object;
    let request = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([
            AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
            AttributeValue::CryptographicAlgorithm(aes),
            AttributeValue::CryptographicLength(128),
        ]),
        object: wrapped,
        protection_storage_masks: None,
    };
    let kept = harness.ask(NEWEST, request).await.unwrap().unique_identifier;
    for version in Version::SERVED {
        let item = harness.batch(*version, vec![get(&kept).into()]).await.remove(0);
        let has_field = KeyWrappingData::FIELDS
            .iter()
            .any(|field| field.name == "encoding_option" && (field.is_in)(*version));
        let refused = (!has_field).then_some(ResultReason::InvalidField);
        assert_eq!(item.result_reason, refused, "{version}");
    }
}

/// Parameters of the wrapping key that a version cannot be told: it must name parameters itself.
#[tokio::test]
async fn a_key_is_wrapped_by_parameters_that_can_be_told() {
    let harness = Harness::new();
    let aes = CryptographicAlgorithm::AES;
    let counted = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CTR),
        random_iv: Some(true),
        counter_length: Some(32),
        ..CryptographicParameters::default()
    };
    let own = AttributeValue::CryptographicParameters(Box::new(counted));
    let wrapping = register(&harness, aes, &[1; 16], vec![own]).await;
    let key = register(&harness, aes, &[2; 16], vec![]).await;
    let named = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        ..CryptographicParameters::default()
    };
    for version in Version::SERVED {
        let is_told = *version >= Version::V1_2;
        let answer = harness.ask(*version, wrapped_get(&key, &wrapping, None)).await;
        assert_eq!(answer.is_ok(), is_told, "{version}");
        let answer = harness.ask(*version, wrapped_get(&key, &wrapping, Some(named.clone()))).await;
        assert!(answer.is_ok(), "{version}");
    }
}

/// Key Wrapping Data has no field for a tag in any version, so that no cipher that makes one wraps.
#[tokio::test]
async fn no_cipher_with_a_tag_wraps_a_key() {
    let harness = Harness::new();
    let key = register(&harness, CryptographicAlgorithm::AES, &[2; 16], vec![]).await;
    let tagged = served().into_iter().filter(|of| of.kind.has_tag());
    let mut count = 0;
    for of in tagged {
        let wrapping = register(&harness, of.algorithm, &of.key, vec![]).await;
        let how = CryptographicParameters {
            block_cipher_mode: of.mode,
            cryptographic_algorithm: Some(of.algorithm),
            ..CryptographicParameters::default()
        };
        let refused = harness.ask(NEWEST, wrapped_get(&key, &wrapping, Some(how))).await;
        let reason = Some(ResultReason::UnsupportedCryptographicParameters);
        assert_eq!(refused.err(), reason, "{}", of.name());
        count += 1;
    }
    assert!(count >= 4);
}
