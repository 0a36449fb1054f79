//! Enumerations of requests whose values the standard does not have (1.4, 9.1.3.2; 2.1, 11.1):
//! none is taken, and a vendor's extension is a fact that is kept or a wish that is refused.

use kmip::objects::OpaqueObject;
use kmip::payload::ImportRequest;
use kmip::structures::Link;
use kmip::vocabulary::{
    AsynchronousIndicator, KeyCompressionType, KeyWrapType, NameType, ObjectGroupMember,
    OpaqueDataType,
};

use crate::tests::harness::*;

/// A value that no version has, and one that a vendor may have.
const UNKNOWN: u32 = 0x0000_0999;
const EXTENSION: u32 = 0x8000_0999;

fn named(number: u32) -> AttributeValue {
    AttributeValue::Name(Name { value: format!("n{number}"), name_type: NameType(number) })
}

fn linked(number: u32) -> AttributeValue {
    AttributeValue::Link(Link {
        link_type: LinkType(number),
        linked_object_identifier: Identifier::from("1"),
    })
}

fn opaque(number: u32) -> RegisterRequest {
    RegisterRequest {
        object_type: ObjectType::OpaqueObject,
        attributes: Attributes::default(),
        object: Object::OpaqueObject(OpaqueObject {
            opaque_data_type: OpaqueDataType(number),
            opaque_data_value: SecretBytes::new(&[1]),
        }),
        protection_storage_masks: None,
    }
}

/// A request about an object, with this value of an enumeration in it.
type WithValue = fn(&str, u32) -> RequestPayload;

/// One row an enumeration: where it is, the request with a value of it, and whether an extension
/// of it is a fact about an object, which is kept.
fn requests() -> Vec<(&'static str, WithValue, bool)> {
    vec![
        ("NameType", |_, n| aes(vec![named(n)]).into(), true),
        ("LinkType", |_, n| aes(vec![linked(n)]).into(), true),
        ("OpaqueDataType", |_, n| opaque(n).into(), true),
        ("RevocationReasonCode", |id, n| revoke(id, RevocationReasonCode(n)).into(), true),
        (
            "QueryFunction",
            |_, n| {
                let query_functions = vec![QueryFunction(n)];
                QueryRequest { query_functions, object_groups: None }.into()
            },
            false,
        ),
        (
            "CryptographicAlgorithm",
            |_, n| {
                create_with([AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm(n))])
                    .into()
            },
            false,
        ),
        (
            "ObjectType",
            |_, n| CreateRequest { object_type: ObjectType(n), ..aes(vec![]) }.into(),
            false,
        ),
        ("KeyFormatType", |id, n| get_as(Some(id), Some(KeyFormatType(n))).into(), false),
    ]
}

/// The same, of what came after 1.0.
fn later_requests() -> Vec<(&'static str, Version, WithValue)> {
    vec![
        ("ObjectGroupMember", Version::V1_1, |_, n| {
            let object_group_member = Some(ObjectGroupMember(n));
            LocateRequest { object_group_member, ..LocateRequest::default() }.into()
        }),
        ("KeyWrapType", Version::V1_4, |id, n| {
            GetRequest { key_wrap_type: Some(KeyWrapType(n)), ..get(id) }.into()
        }),
        ("KeyWrapType", Version::V1_4, |_, n| {
            let RegisterRequest { object, .. } = opaque(EXTENSION);
            ImportRequest {
                unique_identifier: format!("i{n}"),
                object_type: Some(ObjectType::OpaqueObject),
                replace_existing: None,
                key_wrap_type: Some(KeyWrapType(n)),
                attributes: kmip::attributes::AllAttributes::default(),
                object,
            }
            .into()
        }),
        ("KeyCompressionType", OLDEST, |id, n| {
            GetRequest { key_compression_type: Some(KeyCompressionType(n)), ..get(id) }.into()
        }),
    ]
}

async fn outcome(
    harness: &Harness,
    version: Version,
    request: RequestPayload,
) -> (Option<ResultReason>, String) {
    let item = harness.batch(version, vec![request]).await.remove(0);
    (item.result_reason, item.result_message.unwrap_or_default())
}

#[tokio::test]
async fn value_that_no_version_has_is_refused_by_name_and_number() {
    for version in Version::SERVED {
        let harness = Harness::new();
        let object = harness.create(*version, vec![]).await;
        let all = requests().into_iter().map(|(what, request, _)| (what, request));
        let later = later_requests().into_iter().filter(|(_, since, _)| version >= since);
        for (what, request) in all.chain(later.map(|(what, _, request)| (what, request))) {
            let (reason, message) = outcome(&harness, *version, request(&object, UNKNOWN)).await;
            assert_eq!(reason, Some(ResultReason::InvalidField), "{what} in {version}: {message}");
            assert!(
                message.starts_with(&format!("0x00000999 is not a value of {what} (")),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn extension_of_a_vendor_is_kept_as_a_fact_and_refused_as_a_wish() {
    for version in Version::SERVED {
        let harness = Harness::new();
        let object = harness.create(*version, vec![]).await;
        harness.ask(*version, ActivateRequest { unique_identifier: id(&object) }).await.unwrap();
        for (what, request, is_fact) in requests() {
            let (reason, message) = outcome(&harness, *version, request(&object, EXTENSION)).await;
            assert_eq!(reason.is_none(), is_fact, "{what} in {version}: {message}");
        }
        for (what, _, request) in later_requests().iter().filter(|(_, since, _)| version >= since) {
            let (reason, _) = outcome(&harness, *version, request(&object, EXTENSION)).await;
            assert!(reason.is_some(), "{what} in {version}");
        }
    }
}

/// A header with such a value: the whole message is refused, and nothing of it is done.
#[tokio::test]
async fn value_of_a_header_that_no_version_has_refuses_the_message() {
    type Set = fn(&mut RequestHeader, u32);
    let rows: [(&str, Version, Set); 2] = [
        ("BatchErrorContinuationOption", OLDEST, |header, n| {
            header.batch_error_continuation_option = Some(BatchErrorContinuationOption(n));
        }),
        ("AsynchronousIndicator", Version::V2_0, |header, n| {
            header.asynchronous_indicator =
                Some(kmip::message::Asynchronous(AsynchronousIndicator(n)));
        }),
    ];
    let harness = Harness::new();
    for (what, since, set) in rows {
        for version in Version::SERVED.iter().filter(|version| **version >= since) {
            for number in [0x55, UNKNOWN, EXTENSION] {
                let mut header = RequestHeader::new(*version, 1);
                set(&mut header, number);
                let items = vec![RequestBatchItem::from(aes(vec![]))];
                let item = harness.message(&RequestMessage { header, items }).await.items.remove(0);
                assert_eq!(item.result_status, ResultStatus::OperationFailed, "{what} {version}");
                if number != EXTENSION {
                    assert_eq!(item.result_reason, Some(ResultReason::InvalidMessage));
                    let message = item.result_message.unwrap();
                    assert!(message.contains(what), "{message}");
                    assert!(message.contains(&format!("0x{number:08X}")), "{message}");
                }
            }
        }
    }
}
