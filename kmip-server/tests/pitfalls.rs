//! What other KMIP servers get wrong, a test for each.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

mod desk;

use desk::{Desk, aes, create_with, created, id, name};
use kmip::attributes::{Attribute, AttributeReference, AttributeValue, VendorAttribute};
use kmip::codec::{DateTime, SecretBytes};
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, CreateRequest, DestroyRequest, DiscoverVersionsRequest,
    Filter, GetAttributesRequest, GetRequest, LocateRequest, ModifyAttributeRequest, QueryRequest,
    ReKeyRequest, RegisterRequest, ResponsePayload, RevokeRequest, UnknownPayload,
};
use kmip::structures::{MessageExtension, RevocationReason};
use kmip::vocabulary::{
    BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType,
    LinkType, ObjectType, Operation, QueryFunction, ResultReason, ResultStatus,
    RevocationReasonCode, State, tags,
};
use kmip::{Encode, Version};
use ttlv::{Raw, Writer};

const OLDEST: Version = Version::V1_0;
const NEWEST: Version = Version::V2_1;

fn get(object: &str) -> GetRequest {
    get_as(Some(object), None)
}

fn get_as(object: Option<&str>, key_format_type: Option<KeyFormatType>) -> GetRequest {
    GetRequest {
        unique_identifier: object.map(kmip::Identifier::from),
        key_format_type,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

fn locate(values: Vec<AttributeValue>) -> LocateRequest {
    LocateRequest { attributes: values.into_iter().collect(), ..LocateRequest::default() }
}

fn revoke(object: &str, code: RevocationReasonCode) -> RevokeRequest {
    RevokeRequest {
        unique_identifier: id(object),
        revocation_reason: RevocationReason { code, message: None },
        compromise_occurrence_date: None,
    }
}

fn key_bytes(object: &Object) -> Vec<u8> {
    object.key_block().unwrap().bytes().unwrap().to_vec()
}

async fn attribute(desk: &Desk, object: &str, name: &str) -> Option<AttributeValue> {
    let request = GetAttributesRequest {
        unique_identifier: id(object),
        attributes: vec![AttributeReference::from_name(name)],
    };
    let found = desk.ask(Version::V1_4, request).await.unwrap().attributes.0;
    found.into_iter().next().map(|attribute| attribute.value)
}

async fn state(desk: &Desk, object: &str) -> State {
    match attribute(desk, object, "State").await {
        Some(AttributeValue::State(state)) => state,
        other => panic!("{other:?}"),
    }
}

// ---- batches ------------------------------------------------------------------------------

#[tokio::test]
async fn stop_is_the_default_and_what_follows_is_not_done() {
    let desk = Desk::new();
    let items = desk.batch(OLDEST, vec![get("none").into(), aes(vec![name("a")]).into()]).await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].result_reason, Some(ResultReason::ItemNotFound));
    assert!(desk.ask(OLDEST, locate(vec![name("a")])).await.unwrap().unique_identifiers.is_empty());
}

#[tokio::test]
async fn what_stop_left_before_the_failure_stays() {
    let desk = Desk::new();
    let items = desk.batch(OLDEST, vec![aes(vec![name("a")]).into(), get("none").into()]).await;
    assert_eq!(items[0].result_status, ResultStatus::Success);
    let found = desk.ask(OLDEST, locate(vec![name("a")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [created(&items[0])]);
}

#[tokio::test]
async fn continue_goes_on_after_a_failure() {
    let desk = Desk::new();
    let on_error = Some(BatchErrorContinuationOption::Continue);
    let items = vec![get("none").into(), aes(vec![]).into()];
    let items = desk.batch_with(OLDEST, on_error, items).await;
    assert_eq!(items[0].result_status, ResultStatus::OperationFailed);
    assert_eq!(items[1].result_status, ResultStatus::Success);
    desk.ask(OLDEST, get(&created(&items[1]))).await.unwrap();
}

#[tokio::test]
async fn undone_means_gone() {
    let desk = Desk::new();
    let on_error = Some(BatchErrorContinuationOption::Undo);
    let items = vec![aes(vec![name("a")]).into(), get("none").into()];
    let items = desk.batch_with(NEWEST, on_error, items).await;
    assert_eq!(items[0].result_status, ResultStatus::OperationUndone);
    assert_eq!(items[0].payload, None);
    assert_eq!(items[1].result_status, ResultStatus::OperationFailed);
    let found = desk.ask(NEWEST, locate(vec![])).await.unwrap();
    assert_eq!((found.located_items, found.unique_identifiers.len()), (Some(0), 0));
}

#[tokio::test]
async fn the_id_placeholder_serves_every_operation_of_a_batch() {
    let desk = Desk::new();
    for version in Version::SERVED {
        let items = desk
            .batch(
                *version,
                vec![
                    aes(vec![]).into(),
                    ActivateRequest { unique_identifier: None }.into(),
                    get_as(None, None).into(),
                    RevokeRequest {
                        unique_identifier: None,
                        revocation_reason: RevocationReason {
                            code: RevocationReasonCode::CessationOfOperation,
                            message: None,
                        },
                        compromise_occurrence_date: None,
                    }
                    .into(),
                    DestroyRequest { unique_identifier: None }.into(),
                ],
            )
            .await;
        assert_eq!(items.len(), 5, "{version}");
        assert!(items.iter().all(|i| i.result_status == ResultStatus::Success), "{items:?}");
    }
}

#[tokio::test]
async fn a_batch_count_that_does_not_fit_is_invalid() {
    let desk = Desk::new();
    for count in [2, 0, -1, i32::MAX] {
        let header = RequestHeader::new(Version::V1_2, count);
        let items = vec![RequestBatchItem::from(aes(vec![]))];
        let response = desk.message(&RequestMessage { header, items }).await;
        assert_eq!(response.header.protocol_version, Version::V1_2);
        assert_eq!(response.items[0].result_reason, Some(ResultReason::InvalidMessage));
    }
    assert!(desk.ask(NEWEST, locate(vec![])).await.unwrap().unique_identifiers.is_empty());
}

#[tokio::test]
async fn an_item_that_cannot_be_read_spoils_itself_alone() {
    let desk = Desk::new();
    let payload = Raw::build(|w| {
        w.structure(tags::RequestPayload, |w| w.integer(tags::UniqueIdentifier, 5));
    });
    let broken = UnknownPayload { operation: Operation::Get, payload };
    let on_error = Some(BatchErrorContinuationOption::Continue);
    let items = vec![kmip::payload::RequestPayload::Unknown(broken), aes(vec![]).into()];
    let items = desk.batch_with(Version::V1_4, on_error, items).await;
    assert_eq!(items[0].operation, Some(Operation::Get));
    assert_eq!(items[0].result_reason, Some(ResultReason::InvalidMessage));
    assert_eq!(items[1].result_status, ResultStatus::Success);
}

// ---- messages and versions ------------------------------------------------------------------

#[tokio::test]
async fn an_unknown_operation_fails_alone_and_by_its_name() {
    let desk = Desk::new();
    for operation in [Operation::Certify, Operation(0x8000_0001), Operation(0x0000_7777)] {
        let payload = Raw::build(|w| w.structure(tags::RequestPayload, |_| {}));
        let unknown = UnknownPayload { operation, payload };
        let items = desk.batch(NEWEST, vec![kmip::payload::RequestPayload::Unknown(unknown)]).await;
        assert_eq!(items[0].operation, Some(operation));
        assert_eq!(items[0].result_reason, Some(ResultReason::OperationNotSupported));
    }
}

#[tokio::test]
async fn an_operation_that_is_newer_than_the_version_is_not_supported() {
    let desk = Desk::new();
    let object = desk.create(Version::V1_4, vec![]).await;
    let request = kmip::payload::SetAttributeRequest {
        unique_identifier: id(&object),
        attribute: AttributeValue::Comment("x".to_owned()).into(),
    };
    let refused = desk.ask(Version::V1_4, request.clone()).await;
    assert_eq!(refused, Err(ResultReason::OperationNotSupported));
    desk.ask(Version::V2_0, request).await.unwrap();
}

#[tokio::test]
async fn a_version_that_is_not_served_is_told_which_are() {
    let desk = Desk::new();
    for (major, minor, answered) in
        [(1, 7, Version::V1_4), (4, 0, NEWEST), (2, 9, NEWEST), (0, 1, OLDEST), (-1, 0, OLDEST)]
    {
        let header = RequestHeader::new(Version { major, minor }, 1);
        let items = vec![RequestBatchItem::from(DiscoverVersionsRequest::default())];
        let response = desk.message(&RequestMessage { header, items }).await;
        assert_eq!(response.header.protocol_version, answered);
        let message = response.items[0].result_message.as_deref().unwrap();
        assert!(message.contains("2.1, 2.0, 1.4, 1.3, 1.2, 1.1, 1.0"), "{message}");
    }
}

#[tokio::test]
async fn discover_versions_answers_in_the_clients_order() {
    let desk = Desk::new();
    let asked = vec![Version::V1_1, Version { major: 9, minor: 9 }, Version::V2_0];
    let request = DiscoverVersionsRequest { protocol_versions: asked };
    let answer = desk.ask(Version::V1_2, request).await.unwrap();
    assert_eq!(answer.protocol_versions, [Version::V1_1, Version::V2_0]);
    let all = desk.ask(Version::V1_2, DiscoverVersionsRequest::default()).await.unwrap();
    assert_eq!(all.protocol_versions, Version::SERVED);
}

/// Some clients cannot parse an attribute, an operation or a reason that is newer than they are.
#[tokio::test]
async fn nothing_newer_than_the_client_is_sent_to_it() {
    let desk = Desk::new();
    let object = desk.create(NEWEST, vec![name("n")]).await;
    for version in Version::SERVED {
        let request = GetAttributesRequest { unique_identifier: id(&object), attributes: vec![] };
        let found = desk.ask(*version, request).await.unwrap();
        for attribute in &found.attributes.0 {
            assert!(attribute.value.exists_in(*version), "{version}: {attribute:?}");
        }
        let all = [QueryFunction::QueryOperations, QueryFunction::QueryObjects];
        let request = QueryRequest { query_functions: all.to_vec(), object_groups: Vec::new() };
        let known = desk.ask(*version, request).await.unwrap();
        assert!(known.operations.iter().all(|operation| operation.exists_in(*version)));
        assert!(known.object_types.iter().all(|object_type| object_type.exists_in(*version)));
        let reason = desk.ask(*version, get("none")).await.unwrap_err();
        assert!(reason.exists_in(*version), "{version}: {reason:?}");
    }
    let old = attribute(&desk, &object, "Fresh").await;
    assert_eq!(old, Some(AttributeValue::Fresh(true)));
    let request = GetAttributesRequest {
        unique_identifier: id(&object),
        attributes: vec![AttributeReference::from_name("Fresh")],
    };
    assert!(desk.ask(OLDEST, request).await.unwrap().attributes.0.is_empty());
}

#[tokio::test]
async fn an_extension_is_ignored_unless_it_is_critical() {
    let desk = Desk::new();
    for (criticality_indicator, status) in
        [(false, ResultStatus::Success), (true, ResultStatus::OperationFailed)]
    {
        let mut item = RequestBatchItem::from(aes(vec![]));
        item.message_extension = Some(MessageExtension {
            vendor_identification: "ACME".to_owned(),
            criticality_indicator,
            vendor_extension: Raw::build(|w| {
                w.structure(tags::VendorExtension, |w| w.integer(ttlv::Tag(0x54_0001), 1));
            }),
        });
        let header = RequestHeader::new(Version::V1_2, 1);
        let response = desk.message(&RequestMessage { header, items: vec![item] }).await;
        assert_eq!(response.items[0].result_status, status);
    }
}

#[tokio::test]
async fn the_maximum_response_size_holds_for_every_operation_and_nothing_is_done() {
    let desk = Desk::new();
    let requests: Vec<kmip::payload::RequestPayload> =
        vec![aes(vec![name("big")]).into(), locate(vec![]).into()];
    for payload in requests {
        let mut header = RequestHeader::new(Version::V1_4, 1);
        header.maximum_response_size = Some(64);
        let items = vec![RequestBatchItem::from(payload)];
        let response = desk.message(&RequestMessage { header, items }).await;
        assert_eq!(response.items[0].result_reason, Some(ResultReason::ResponseTooLarge));
    }
    let found = desk.ask(NEWEST, locate(vec![name("big")])).await.unwrap();
    assert!(found.unique_identifiers.is_empty());
}

/// Every prefix of a request and every request with a byte changed is answered, and none panics.
#[tokio::test]
async fn damage_is_answered() {
    let desk = Desk::new();
    let header = RequestHeader::new(Version::V1_4, 1);
    let items = vec![RequestBatchItem::from(aes(vec![name("a")]))];
    let whole = RequestMessage { header, items }.encode();
    for end in 0..whole.len() {
        let answer = ResponseMessage::decode(&desk.bytes(&whole[..end]).await).unwrap();
        assert_eq!(answer.items[0].result_status, ResultStatus::OperationFailed, "{end} bytes");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x81;
        ResponseMessage::decode(&desk.bytes(&damaged).await).unwrap();
    }
}

#[tokio::test]
async fn the_echo_is_whole_on_success_and_on_failure() {
    let desk = Desk::new();
    let items: Vec<RequestBatchItem> = [aes(vec![]).into(), get("none").into()]
        .into_iter()
        .zip([b"QLKC0001".to_vec(), b"QLKC0002".to_vec()])
        .map(|(payload, unique): (kmip::payload::RequestPayload, Vec<u8>)| {
            let mut item = RequestBatchItem::from(payload);
            item.unique_batch_item_id = Some(unique);
            item
        })
        .collect();
    let mut header = RequestHeader::new(Version::V1_4, 2);
    header.client_correlation_value = Some("c-1".to_owned());
    let response = desk.message(&RequestMessage { header, items }).await;
    assert_eq!(response.header.client_correlation_value.as_deref(), Some("c-1"));
    assert_eq!(response.items[0].unique_batch_item_id.as_deref(), Some(&b"QLKC0001"[..]));
    assert_eq!(response.items[1].unique_batch_item_id.as_deref(), Some(&b"QLKC0002"[..]));
    assert_eq!(response.items[1].operation, Some(Operation::Get));
}

// ---- Locate ---------------------------------------------------------------------------------

#[tokio::test]
async fn each_of_several_names_finds_its_own_key() {
    let desk = Desk::new();
    for version in Version::SERVED {
        let (enc, auth) = (format!("ENC-{version}"), format!("AUTH-{version}"));
        let enc_key = desk.create(*version, vec![name(&enc)]).await;
        let auth_key = desk.create(*version, vec![name(&auth)]).await;
        for (wanted, key) in [(&enc, &enc_key), (&auth, &auth_key)] {
            let found = desk.ask(*version, locate(vec![name(wanted)])).await.unwrap();
            assert_eq!(found.unique_identifiers, [key.as_str()], "{version}");
        }
        let both = desk.ask(*version, locate(vec![name(&enc), name(&auth)])).await.unwrap();
        assert!(both.unique_identifiers.is_empty());
        let none = desk.ask(*version, locate(vec![name("ENC")])).await.unwrap();
        assert!(none.unique_identifiers.is_empty());
    }
}

#[tokio::test]
async fn a_filter_is_never_passed_over() {
    let desk = Desk::new();
    desk.create(NEWEST, vec![]).await;
    let unknown = [
        AttributeValue::Vendor(VendorAttribute::text("Rack", "7")),
        AttributeValue::ContactInformation("nobody".to_owned()),
        AttributeValue::Description("nothing".to_owned()),
        AttributeValue::CryptographicLength(128),
        AttributeValue::State(State::Active),
    ];
    for value in unknown {
        let found = desk.ask(NEWEST, locate(vec![value.clone()])).await.unwrap();
        assert!(found.unique_identifiers.is_empty(), "{value:?}");
    }
}

/// Some clients of 1.x put the filter into a Template Attribute.
#[tokio::test]
async fn a_filter_in_a_template_attribute_is_a_filter() {
    let desk = Desk::new();
    desk.create(OLDEST, vec![name("one")]).await;
    let two = desk.create(OLDEST, vec![name("two")]).await;
    let payload = Raw::build(|w| {
        w.structure(tags::RequestPayload, |w| {
            w.integer(tags::MaximumItems, 1);
            w.structure(tags::TemplateAttribute, |w| {
                Attribute::from(name("two")).encode(tags::Attribute, w, OLDEST);
            });
        });
    });
    let unknown = UnknownPayload { operation: Operation::Locate, payload };
    let items = desk.batch(OLDEST, vec![kmip::payload::RequestPayload::Unknown(unknown)]).await;
    match &items[0].payload {
        Some(ResponsePayload::Locate(found)) => assert_eq!(found.unique_identifiers, [two]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pages_have_the_true_total_and_the_newest_first() {
    let desk = Desk::new();
    let group = || AttributeValue::ObjectGroup("g".to_owned());
    let mut made = Vec::new();
    for _ in 0..600 {
        made.push(desk.create(NEWEST, vec![group()]).await);
    }
    made.sort();
    made.reverse();
    for filter in [vec![group()], vec![]] {
        let mut request = locate(filter);
        request.offset_items = Some(100);
        request.maximum_items = Some(300);
        let found = desk.ask(NEWEST, request).await.unwrap();
        assert_eq!(found.located_items, Some(600));
        assert_eq!(found.unique_identifiers, made[100..400]);
    }
}

#[tokio::test]
async fn a_structure_matches_by_the_fields_that_are_given() {
    let desk = Desk::new();
    let information = |namespace: &str, data: &str| {
        AttributeValue::ApplicationSpecificInformation(
            kmip::structures::ApplicationSpecificInformation {
                namespace: namespace.to_owned(),
                data: Some(data.to_owned()),
            },
        )
    };
    let one = desk.create(NEWEST, vec![information("ssl", "a")]).await;
    desk.create(NEWEST, vec![information("tls", "b")]).await;
    let whole = desk.ask(NEWEST, locate(vec![information("ssl", "a")])).await.unwrap();
    assert_eq!(whole.unique_identifiers, [one.as_str()]);
    let value = Raw::build(|w| {
        w.structure(tags::AttributeValue, |w| w.text_string(tags::ApplicationNamespace, "ssl"));
    });
    let attribute = AttributeReference::Standard(tags::ApplicationSpecificInformation);
    let part = Filter(vec![kmip::payload::Condition { attribute, value }]);
    let request = LocateRequest { attributes: part, ..LocateRequest::default() };
    assert_eq!(desk.ask(NEWEST, request).await.unwrap().unique_identifiers, [one]);
}

#[tokio::test]
async fn two_dates_are_a_range() {
    let desk = Desk::new();
    let date = |seconds| AttributeValue::ActivationDate(DateTime(seconds));
    let key = desk.create(NEWEST, vec![date(1_000)]).await;
    for (from, to, hits) in [(900, 1_100, 1), (1_000, 1_000, 1), (1_001, 2_000, 0), (0, 999, 0)] {
        let found = desk.ask(NEWEST, locate(vec![date(from), date(to)])).await.unwrap();
        assert_eq!(found.unique_identifiers.len(), hits, "{from} to {to}");
    }
    let found = desk.ask(NEWEST, locate(vec![date(1_000)])).await.unwrap();
    assert_eq!(found.unique_identifiers, [key]);
}

#[tokio::test]
async fn a_destroyed_object_is_not_located_and_its_name_is_free() {
    let desk = Desk::new();
    let first = desk.create(OLDEST, vec![name("n")]).await;
    desk.ask(OLDEST, DestroyRequest { unique_identifier: id(&first) }).await.unwrap();
    for filter in [vec![name("n")], vec![]] {
        let found = desk.ask(OLDEST, locate(filter)).await.unwrap();
        assert!(found.unique_identifiers.is_empty());
    }
    desk.create(OLDEST, vec![name("n")]).await;
}

// ---- objects --------------------------------------------------------------------------------

#[tokio::test]
async fn two_objects_cannot_have_one_name() {
    let desk = Desk::new();
    desk.create(NEWEST, vec![name("n")]).await;
    let second = desk.ask(NEWEST, aes(vec![name("n")])).await;
    assert_eq!(second, Err(ResultReason::NonUniqueNameAttribute));
    let other = desk.create(NEWEST, vec![]).await;
    let add = AddAttributeRequest { unique_identifier: id(&other), attribute: name("n").into() };
    assert_eq!(desk.ask(NEWEST, add).await, Err(ResultReason::NonUniqueNameAttribute));
    desk.beside("bob").create(NEWEST, vec![name("n")]).await;
}

#[tokio::test]
async fn of_many_that_want_one_name_at_once_one_gets_it() {
    let desk = Desk::new();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let desk = desk.beside("alice");
            tokio::spawn(async move { desk.ask(NEWEST, aes(vec![name("n")])).await.is_ok() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn a_deactivated_key_can_still_be_read() {
    let desk = Desk::new();
    let object = desk.create(OLDEST, vec![]).await;
    desk.ask(OLDEST, ActivateRequest { unique_identifier: id(&object) }).await.unwrap();
    let before = desk.ask(OLDEST, get(&object)).await.unwrap();
    desk.ask(OLDEST, revoke(&object, RevocationReasonCode::Superseded)).await.unwrap();
    assert_eq!(state(&desk, &object).await, State::Deactivated);
    let after = desk.ask(OLDEST, get(&object)).await.unwrap();
    assert_eq!(key_bytes(&before.object), key_bytes(&after.object));
}

#[tokio::test]
async fn key_lengths_and_usage_masks_are_checked() {
    use AttributeValue as A;
    let desk = Desk::new();
    let algorithm = A::CryptographicAlgorithm(CryptographicAlgorithm::AES);
    let mask = A::CryptographicUsageMask(CryptographicUsageMask::Encrypt);
    let rows: [(Vec<A>, Result<(), ResultReason>); 5] = [
        (
            vec![algorithm.clone(), A::CryptographicLength(100), mask.clone()],
            Err(ResultReason::InvalidField),
        ),
        (
            vec![algorithm.clone(), A::CryptographicLength(65_536), mask.clone()],
            Err(ResultReason::InvalidField),
        ),
        (vec![algorithm.clone(), A::CryptographicLength(256)], Err(ResultReason::MissingData)),
        (vec![A::CryptographicLength(256), mask.clone()], Err(ResultReason::MissingData)),
        (vec![algorithm, A::CryptographicLength(128), mask], Ok(())),
    ];
    for (values, expected) in rows {
        let found = desk.ask(Version::V1_4, create_with(values.clone())).await;
        assert_eq!(found.map(|_| ()), expected, "{values:?}");
    }
}

#[tokio::test]
async fn an_operation_policy_name_from_an_old_client_is_accepted() {
    let desk = Desk::new();
    let policy = AttributeValue::OperationPolicyName("default".to_owned());
    let object = desk.create(Version::V1_2, vec![policy.clone()]).await;
    assert_eq!(attribute(&desk, &object, "Operation Policy Name").await, Some(policy));
}

#[tokio::test]
async fn three_ways_lead_to_active() {
    let desk = Desk::new();
    let past = || AttributeValue::ActivationDate(DateTime(1_000));
    let by_date = desk.create(Version::V1_4, vec![past()]).await;
    let by_attribute = desk.create(Version::V1_4, vec![]).await;
    let by_operation = desk.create(Version::V1_4, vec![]).await;
    assert_eq!(state(&desk, &by_attribute).await, State::PreActive);
    let add =
        AddAttributeRequest { unique_identifier: id(&by_attribute), attribute: past().into() };
    desk.ask(Version::V1_4, add).await.unwrap();
    desk.ask(Version::V1_4, ActivateRequest { unique_identifier: id(&by_operation) })
        .await
        .unwrap();
    for object in [&by_date, &by_attribute, &by_operation] {
        assert_eq!(state(&desk, object).await, State::Active);
        let again = desk.ask(NEWEST, ActivateRequest { unique_identifier: id(object) }).await;
        assert_eq!(again, Err(ResultReason::WrongKeyLifecycleState));
    }
    let late = desk
        .create(Version::V1_4, vec![AttributeValue::ActivationDate(DateTime(i64::MAX / 2))])
        .await;
    assert_eq!(state(&desk, &late).await, State::PreActive);
    let modify = ModifyAttributeRequest {
        unique_identifier: id(&late),
        current_attribute: None,
        attribute: past().into(),
    };
    desk.ask(Version::V1_4, modify.clone()).await.unwrap();
    assert_eq!(state(&desk, &late).await, State::Active);
    assert_eq!(desk.ask(Version::V1_4, modify).await, Err(ResultReason::PermissionDenied));
}

#[tokio::test]
async fn an_active_key_is_not_destroyed_and_a_destroyed_one_stays_so() {
    let desk = Desk::new();
    let object = desk.create(OLDEST, vec![]).await;
    let destroy = || DestroyRequest { unique_identifier: id(&object) };
    desk.ask(OLDEST, ActivateRequest { unique_identifier: id(&object) }).await.unwrap();
    assert_eq!(desk.ask(OLDEST, destroy()).await, Err(ResultReason::PermissionDenied));
    assert_eq!(desk.ask(NEWEST, destroy()).await, Err(ResultReason::WrongKeyLifecycleState));
    desk.ask(OLDEST, revoke(&object, RevocationReasonCode::KeyCompromise)).await.unwrap();
    desk.ask(OLDEST, destroy()).await.unwrap();
    assert_eq!(state(&desk, &object).await, State::DestroyedCompromised);
    assert_eq!(desk.ask(OLDEST, destroy()).await, Err(ResultReason::ItemNotFound));
    assert_eq!(desk.ask(OLDEST, get(&object)).await, Err(ResultReason::ItemNotFound));
    assert_eq!(desk.ask(NEWEST, get(&object)).await, Err(ResultReason::ObjectDestroyed));
}

#[tokio::test]
async fn re_key_moves_the_name_links_both_ways_and_leaves_the_old_key_active() {
    let desk = Desk::new();
    let past = AttributeValue::ActivationDate(DateTime(1_000));
    let old = desk.create(Version::V1_4, vec![name("vast"), past]).await;
    let request = ReKeyRequest {
        unique_identifier: id(&old),
        offset: None,
        attributes: None,
        protection_storage_masks: None,
    };
    let new = desk.ask(Version::V1_4, request).await.unwrap().unique_identifier;
    assert_eq!(state(&desk, &old).await, State::Active);
    assert_eq!(state(&desk, &new).await, State::Active);
    let found = desk.ask(Version::V1_4, locate(vec![name("vast")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [new.as_str()]);
    assert_eq!(attribute(&desk, &old, "Name").await, None);
    for (from, to, link_type) in
        [(&old, &new, LinkType::ReplacementObjectLink), (&new, &old, LinkType::ReplacedObjectLink)]
    {
        match attribute(&desk, from, "Link").await {
            Some(AttributeValue::Link(link)) => {
                assert_eq!(link.link_type, link_type);
                assert_eq!(link.linked_object_identifier, kmip::Identifier::from(to.as_str()));
            }
            other => panic!("{other:?}"),
        }
    }
    let (a, b) = (desk.ask(OLDEST, get(&old)).await, desk.ask(OLDEST, get(&new)).await);
    assert_ne!(key_bytes(&a.unwrap().object), key_bytes(&b.unwrap().object));
}

#[tokio::test]
async fn get_gives_what_was_registered_and_no_attributes_inside() {
    let desk = Desk::new();
    let mut block = KeyBlock::plain(KeyFormatType::Raw, &[0x5A; 32]);
    block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    block.cryptographic_length = Some(256);
    let object = Object::SymmetricKey(Key { key_block: block });
    let mask = AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt);
    for version in Version::SERVED {
        let request = RegisterRequest {
            object_type: ObjectType::SymmetricKey,
            attributes: kmip::attributes::Attributes::new([mask.clone()]),
            object: object.clone(),
            protection_storage_masks: None,
        };
        let registered = desk.ask(*version, request).await.unwrap().unique_identifier;
        let got = desk.ask(*version, get(&registered)).await.unwrap();
        assert_eq!(got.object, object, "{version}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_as_long_as_it_says_is_refused() {
    let desk = Desk::new();
    let mut block = KeyBlock::plain(KeyFormatType::Raw, &[1; 16]);
    block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    block.cryptographic_length = Some(256);
    let request = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: kmip::attributes::Attributes::new([AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::Encrypt,
        )]),
        object: Object::SymmetricKey(Key { key_block: block }),
        protection_storage_masks: None,
    };
    assert_eq!(desk.ask(NEWEST, request).await, Err(ResultReason::InvalidField));
}

#[tokio::test]
async fn a_raw_key_is_given_as_opaque_or_transparent_when_asked() {
    let desk = Desk::new();
    let object = desk.create(OLDEST, vec![]).await;
    let raw = key_bytes(&desk.ask(OLDEST, get(&object)).await.unwrap().object);
    let opaque = get_as(Some(&object), Some(KeyFormatType::Opaque));
    assert_eq!(key_bytes(&desk.ask(OLDEST, opaque).await.unwrap().object), raw);
    let request = get_as(Some(&object), Some(KeyFormatType::TransparentSymmetricKey));
    let answer = desk.ask(OLDEST, request).await.unwrap();
    let mut w = Writer::default();
    w.structure(tags::KeyMaterial, |w| w.byte_string(tags::Key, &raw));
    match &answer.object.key_block().unwrap().key_value {
        Some(KeyValue::Plain { material: KeyMaterial::Transparent(material), .. }) => {
            assert_eq!(material.as_bytes(), w.as_bytes());
        }
        other => panic!("{other:?}"),
    }
    let x509 = get_as(Some(&object), Some(KeyFormatType::X_509));
    assert_eq!(desk.ask(OLDEST, x509).await, Err(ResultReason::KeyFormatTypeNotSupported));
}

#[tokio::test]
async fn modify_attribute_answers_the_new_value() {
    let desk = Desk::new();
    let object = desk.create(Version::V1_2, vec![name("old")]).await;
    let request = ModifyAttributeRequest {
        unique_identifier: id(&object),
        current_attribute: None,
        attribute: Attribute { index: Some(0), value: name("new") },
    };
    let answer = desk.ask(Version::V1_2, request).await.unwrap();
    assert_eq!(answer.attribute, Some(Attribute { index: Some(0), value: name("new") }));
    let found = desk.ask(Version::V1_2, locate(vec![name("new")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [object]);
    let gone = desk.ask(Version::V1_2, locate(vec![name("old")])).await.unwrap();
    assert!(gone.unique_identifiers.is_empty());
}

/// One message of three items, as a hypervisor sends it, and then a Get of attributes that are not
/// there.
#[tokio::test]
async fn custom_attributes_in_one_message() {
    let desk = Desk::new();
    let object = desk.create(Version::V1_1, vec![]).await;
    let custom = |name: &str| AttributeValue::Vendor(VendorAttribute::text(name, "v"));
    let items = ["Product_Version", "Vendor", "Product"]
        .map(|name| AddAttributeRequest {
            unique_identifier: id(&object),
            attribute: custom(name).into(),
        })
        .map(Into::into);
    let items = desk.batch(Version::V1_1, items.to_vec()).await;
    assert!(items.iter().all(|item| item.result_status == ResultStatus::Success));
    assert_eq!(attribute(&desk, &object, "x-Vendor").await, Some(custom("Vendor")));
    assert_eq!(attribute(&desk, &object, "x-Absent").await, None);
    let found = desk.ask(NEWEST, locate(vec![custom("Product")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [object]);
}

// ---- other clients --------------------------------------------------------------------------

#[tokio::test]
async fn to_another_client_the_object_does_not_exist() {
    let alice = Desk::new();
    let bob = alice.beside("bob");
    let object = alice.create(NEWEST, vec![name("secret")]).await;
    let absent = bob.ask(NEWEST, get("00000000-0000-7000-8000-000000000000")).await;
    assert_eq!(bob.ask(NEWEST, get(&object)).await, absent);
    let unseen: Vec<kmip::payload::RequestPayload> = vec![
        ActivateRequest { unique_identifier: id(&object) }.into(),
        revoke(&object, RevocationReasonCode::KeyCompromise).into(),
        DestroyRequest { unique_identifier: id(&object) }.into(),
        GetAttributesRequest { unique_identifier: id(&object), attributes: vec![] }.into(),
        kmip::payload::GetAttributeListRequest { unique_identifier: id(&object) }.into(),
        AddAttributeRequest {
            unique_identifier: id(&object),
            attribute: AttributeValue::Comment("mine".to_owned()).into(),
        }
        .into(),
        ModifyAttributeRequest {
            unique_identifier: id(&object),
            current_attribute: None,
            attribute: name("mine").into(),
        }
        .into(),
        kmip::payload::DeleteAttributeRequest {
            unique_identifier: id(&object),
            current_attribute: None,
            attribute: Some(AttributeReference::from_name("Name")),
            attribute_index: None,
        }
        .into(),
        kmip::payload::SetAttributeRequest {
            unique_identifier: id(&object),
            attribute: AttributeValue::Comment("mine".to_owned()).into(),
        }
        .into(),
        kmip::payload::CheckRequest {
            unique_identifier: id(&object),
            usage_limits_count: None,
            cryptographic_usage_mask: None,
            lease_time: None,
        }
        .into(),
        ReKeyRequest {
            unique_identifier: id(&object),
            offset: None,
            attributes: None,
            protection_storage_masks: None,
        }
        .into(),
    ];
    for payload in unseen {
        let items = bob.batch(NEWEST, vec![payload]).await;
        assert_eq!(items[0].result_reason, Some(ResultReason::ObjectNotFound), "{items:?}");
    }
    for filter in [vec![name("secret")], vec![]] {
        let found = bob.ask(NEWEST, locate(filter)).await.unwrap();
        assert_eq!((found.located_items, found.unique_identifiers.len()), (Some(0), 0));
    }
    assert_eq!(state(&alice, &object).await, State::PreActive);
}

// ---- Create of what is no symmetric key ------------------------------------------------------

#[tokio::test]
async fn create_makes_symmetric_keys_alone() {
    let desk = Desk::new();
    let request = CreateRequest { object_type: ObjectType::PrivateKey, ..aes(vec![]) };
    assert_eq!(desk.ask(NEWEST, request.clone()).await, Err(ResultReason::InvalidObjectType));
    assert_eq!(desk.ask(OLDEST, request).await, Err(ResultReason::InvalidField));
    let unknown = SecretBytes::new(&[0; 8]);
    assert_eq!(format!("{unknown:?}"), "SecretBytes(8 bytes)");
}
