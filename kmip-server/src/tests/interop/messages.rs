//! Messages, versions, and what may be sent to whom.

use crate::tests::harness::*;

#[tokio::test]
async fn an_unknown_operation_fails_alone_and_by_its_name() {
    let harness = Harness::new();
    for operation in [Operation::Certify, Operation(0x8000_0001), Operation(0x0000_7777)] {
        let payload = Raw::build(|w| w.structure(tags::RequestPayload, |_| {}));
        let unknown = UnknownPayload { operation, payload };
        let items = harness.batch(NEWEST, vec![RequestPayload::Unknown(unknown)]).await;
        assert_eq!(items[0].operation, Some(operation));
        assert_eq!(items[0].result_reason, Some(ResultReason::OperationNotSupported));
    }
}

#[tokio::test]
async fn an_operation_that_is_newer_than_the_version_is_not_supported() {
    let harness = Harness::new();
    let object = harness.create(Version::V1_4, vec![]).await;
    let request = kmip::payload::SetAttributeRequest {
        unique_identifier: id(&object),
        attribute: AttributeValue::Comment("x".to_owned()).into(),
    };
    let refused = harness.ask(Version::V1_4, request.clone()).await;
    assert_eq!(refused, Err(ResultReason::OperationNotSupported));
    harness.ask(Version::V2_0, request).await.unwrap();
}

#[tokio::test]
async fn a_version_that_is_not_served_is_told_which_are() {
    let harness = Harness::new();
    for (major, minor, answered) in
        [(1, 7, Version::V1_4), (4, 0, NEWEST), (2, 9, NEWEST), (0, 1, OLDEST), (-1, 0, OLDEST)]
    {
        let header = RequestHeader::new(Version { major, minor }, 1);
        let items = vec![RequestBatchItem::from(DiscoverVersionsRequest::default())];
        let response = harness.message(&RequestMessage { header, items }).await;
        assert_eq!(response.header.protocol_version, answered);
        let message = response.items[0].result_message.as_deref().unwrap();
        assert!(message.contains("2.1, 2.0, 1.4, 1.3, 1.2, 1.1, 1.0"), "{message}");
    }
}

#[tokio::test]
async fn discover_versions_answers_in_the_servers_order() {
    let harness = Harness::new();
    let unknown = Version { major: 9, minor: 9 };
    let mut all: Vec<Version> = Version::SERVED.to_vec();
    all.reverse();
    let rows: [(Vec<Version>, &[Version]); 4] = [
        (vec![Version::V1_1, unknown, Version::V2_0], &[Version::V2_0, Version::V1_1]),
        (vec![OLDEST, Version::V1_4, Version::V1_4, NEWEST], &[NEWEST, Version::V1_4, OLDEST]),
        (vec![unknown], &[]),
        ([all.clone(), all].concat(), Version::SERVED),
    ];
    for (asked, expected) in rows {
        let request = DiscoverVersionsRequest { protocol_versions: asked.clone() };
        let answer = harness.ask(Version::V1_2, request).await.unwrap();
        assert_eq!(answer.protocol_versions, expected, "{asked:?}");
    }
    let all = harness.ask(Version::V1_2, DiscoverVersionsRequest::default()).await.unwrap();
    assert_eq!(all.protocol_versions, Version::SERVED);
}

/// Some clients cannot parse an attribute, an operation or a reason that is newer than they are.
#[tokio::test]
async fn nothing_newer_than_the_client_is_sent_to_it() {
    let harness = Harness::new();
    let object = harness.create(NEWEST, vec![name("n")]).await;
    for version in Version::SERVED {
        let request = GetAttributesRequest { unique_identifier: id(&object), attributes: vec![] };
        let found = harness.ask(*version, request).await.unwrap();
        for attribute in &found.attributes.0 {
            assert!(attribute.value.exists_in(*version), "{version}: {attribute:?}");
        }
        let all = [QueryFunction::QueryOperations, QueryFunction::QueryObjects];
        let request = QueryRequest { query_functions: all.to_vec(), object_groups: None };
        let known = harness.ask(*version, request).await.unwrap();
        assert!(known.operations.iter().all(|operation| operation.exists_in(*version)));
        assert!(known.object_types.iter().all(|object_type| object_type.exists_in(*version)));
        let reason = harness.ask(*version, get("none")).await.unwrap_err();
        assert!(reason.exists_in(*version), "{version}: {reason:?}");
    }
    let old = attribute(&harness, &object, "Fresh").await;
    assert_eq!(old, Some(AttributeValue::Fresh(true)));
    let request = GetAttributesRequest {
        unique_identifier: id(&object),
        attributes: vec![AttributeReference::from_name("Fresh")],
    };
    assert!(harness.ask(OLDEST, request).await.unwrap().attributes.0.is_empty());
}

#[tokio::test]
async fn an_extension_is_ignored_unless_it_is_critical() {
    let harness = Harness::new();
    for (criticality_indicator, status) in
        [(false, ResultStatus::Success), (true, ResultStatus::OperationFailed)]
    {
        let mut item = RequestBatchItem::from(aes(vec![]));
        let extension = MessageExtension {
            vendor_identification: "ACME".to_owned(),
            criticality_indicator,
            vendor_extension: Raw::build(|w| {
                w.structure(tags::VendorExtension, |w| w.integer(ttlv::Tag(0x54_0001), 1));
            }),
        };
        item.message_extension = Some(Box::new(extension));
        let header = RequestHeader::new(Version::V1_2, 1);
        let response = harness.message(&RequestMessage { header, items: vec![item] }).await;
        assert_eq!(response.items[0].result_status, status);
    }
}

#[tokio::test]
async fn the_maximum_response_size_holds_for_every_operation_and_nothing_is_done() {
    let harness = Harness::new();
    let requests: Vec<RequestPayload> = vec![aes(vec![name("big")]).into(), locate(vec![]).into()];
    for payload in requests {
        let mut header = RequestHeader::new(Version::V1_4, 1);
        header.maximum_response_size = Some(64);
        let items = vec![RequestBatchItem::from(payload)];
        let response = harness.message(&RequestMessage { header, items }).await;
        assert_eq!(response.items[0].result_reason, Some(ResultReason::ResponseTooLarge));
    }
    let found = harness.ask(NEWEST, locate(vec![name("big")])).await.unwrap();
    assert!(found.unique_identifiers.is_empty());
}

/// Every prefix of a request and every request with a byte changed is answered, and none panics.
#[tokio::test]
async fn damage_is_answered() {
    let harness = Harness::new();
    let header = RequestHeader::new(Version::V1_4, 1);
    let items = vec![RequestBatchItem::from(aes(vec![name("a")]))];
    let whole = RequestMessage { header, items }.encode();
    for end in 0..whole.len() {
        let answer = ResponseMessage::decode(&harness.bytes(&whole[..end]).await).unwrap();
        assert_eq!(answer.items[0].result_status, ResultStatus::OperationFailed, "{end} bytes");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x81;
        ResponseMessage::decode(&harness.bytes(&damaged).await).unwrap();
    }
}

/// Each side names its own messages (2.1, 9.7 and 9.17): what the client calls its request is not
/// sent back, and what the server calls its answer is another name each time.
#[tokio::test]
async fn each_side_names_its_own_messages() {
    let harness = Harness::new();
    let mut seen = Vec::new();
    for version in [Version::V1_4, Version::V2_1, Version::V2_1] {
        let mut header = RequestHeader::new(version, 1);
        header.client_correlation_value = Some("c-1".to_owned());
        let items = vec![RequestBatchItem::from(get("none"))];
        let response = harness.message(&RequestMessage { header, items }).await;
        assert_eq!(response.header.client_correlation_value, None);
        seen.push(response.header.server_correlation_value);
    }
    assert_eq!(seen[0], None);
    assert!(seen[1].is_some() && seen[2].is_some() && seen[1] != seen[2], "{seen:?}");
}

#[tokio::test]
async fn the_echo_is_whole_on_success_and_on_failure() {
    let harness = Harness::new();
    let items: Vec<RequestBatchItem> = [aes(vec![]).into(), get("none").into()]
        .into_iter()
        .zip([b"QLKC0001".to_vec(), b"QLKC0002".to_vec()])
        .map(|(payload, unique): (RequestPayload, Vec<u8>)| {
            let mut item = RequestBatchItem::from(payload);
            item.unique_batch_item_id = Some(unique);
            item
        })
        .collect();
    let header = RequestHeader::new(Version::V1_4, 2);
    let response = harness.message(&RequestMessage { header, items }).await;
    assert_eq!(response.items[0].unique_batch_item_id.as_deref(), Some(&b"QLKC0001"[..]));
    assert_eq!(response.items[1].unique_batch_item_id.as_deref(), Some(&b"QLKC0002"[..]));
    assert_eq!(response.items[1].operation, Some(Operation::Get));
}

/// A batch whose items each have a name of their own.
fn named(payloads: Vec<RequestPayload>) -> Vec<RequestBatchItem> {
    let items = payloads.into_iter().zip(1_u8..).map(|(payload, number)| {
        let mut item = RequestBatchItem::from(payload);
        item.unique_batch_item_id = Some(vec![number]);
        item
    });
    items.collect()
}

/// 1.4, 7.2; 2.1, 8.3. One row a way to refuse a whole message: each of its items is answered, with
/// its operation and its name.
#[tokio::test]
async fn refusal_of_a_whole_message_repeats_each_item() {
    use kmip::message::{Authentication, Credential};
    use kmip::payload::CancelRequest;
    use kmip::vocabulary::CredentialType;

    type Spoil = fn(&mut RequestMessage);
    let critical: Spoil = |request| {
        let extension = MessageExtension {
            vendor_identification: "ACME".to_owned(),
            criticality_indicator: true,
            vendor_extension: Raw::build(|w| w.structure(tags::VendorExtension, |_| {})),
        };
        request.items[1].message_extension = Some(Box::new(extension));
    };
    let credential: Spoil = |request| {
        let credential = Credential {
            credential_type: CredentialType::Ticket,
            credential_value: Raw::build(|w| w.structure(tags::CredentialValue, |_| {})),
        };
        let credentials = vec![credential];
        request.header.authentication = Some(Authentication { credentials });
    };
    let reaching: Spoil = |request| {
        let cancel = CancelRequest { asynchronous_correlation_value: vec![1] };
        request.items[1].payload = cancel.into();
    };
    let small: Spoil = |request| request.header.maximum_response_size = Some(8);
    let rows: [(&str, Spoil, ResultReason); 4] = [
        ("a critical extension", critical, ResultReason::FeatureNotSupported),
        ("a ticket that is none", credential, ResultReason::InvalidMessage),
        ("Cancel beside another", reaching, ResultReason::InvalidField),
        ("a small response", small, ResultReason::ResponseTooLarge),
    ];
    let harness = Harness::new();
    for version in Version::SERVED {
        for (what, spoil, reason) in &rows {
            let header = RequestHeader::new(*version, 2);
            let items = named(vec![aes(vec![]).into(), get("none").into()]);
            let mut request = RequestMessage { header, items };
            spoil(&mut request);
            let operations: Vec<_> =
                request.items.iter().map(|item| Some(item.payload.operation())).collect();
            let response = harness.message(&request).await;
            let found: Vec<_> = response.items.iter().map(|item| item.operation).collect();
            assert_eq!(found, operations, "{what} in {version}");
            for (item, number) in response.items.iter().zip(1_u8..) {
                assert_eq!(item.unique_batch_item_id, Some(vec![number]), "{what} in {version}");
                assert_eq!(item.result_status, ResultStatus::OperationFailed);
                assert_eq!(item.result_reason, Some(*reason), "{what} in {version}");
            }
        }
    }
    // More than a message may have are not all repeated.
    let header = RequestHeader::new(NEWEST, 101);
    let items = named(vec![get("none").into(); 101]);
    let response = harness.message(&RequestMessage { header, items }).await;
    assert_eq!(response.items.len(), 1);
    assert_eq!(response.items[0].result_reason, Some(ResultReason::ServerLimitExceeded));
}

/// 1.4, table 236; 2.1, table 283: Query Function is required.
#[tokio::test]
async fn query_without_a_function_is_refused() {
    let harness = Harness::new();
    for version in Version::SERVED {
        let request = QueryRequest { query_functions: vec![], object_groups: None };
        let refused = harness.ask(*version, request).await.map(drop);
        assert_eq!(refused, Err(ResultReason::MissingData), "{version}");
    }
}

/// A text that cannot be read is refused in the version that it names, or for that version.
#[tokio::test]
async fn text_that_cannot_be_read_is_refused_in_its_version() {
    let server = Harness::new().server;
    for (asked, answered, reason) in [
        (None, OLDEST, ResultReason::InvalidMessage),
        (Some(Version::V1_4), Version::V1_4, ResultReason::InvalidMessage),
        (Some(NEWEST), NEWEST, ResultReason::InvalidMessage),
        (Some(Version::V3_0), NEWEST, ResultReason::UnsupportedProtocolVersion),
    ] {
        let response = server.refuse_as(&client("alice"), asked, "unreadable", None);
        let response = ResponseMessage::decode(&response).unwrap();
        assert_eq!(response.header.protocol_version, answered, "{asked:?}");
        assert_eq!(response.items[0].result_reason, Some(reason), "{asked:?}");
    }
}

/// What a message has in a place.
type Written = fn(&mut Writer);

/// 1.4, 7.2 and 11.1: what is wrong in an item is its own fault. One row a way in which the payload
/// is not there or is none.
#[tokio::test]
async fn item_without_a_payload_is_answered_by_its_operation_and_name() {
    let rows: [(&str, Written); 4] = [
        ("absent", |_| {}),
        ("absent, and an extension behind it", |w| {
            w.structure(tags::MessageExtension, |w| {
                w.text_string(tags::VendorIdentification, "v");
                w.boolean(tags::CriticalityIndicator, false);
                w.structure(tags::VendorExtension, |_| {});
            });
        }),
        ("empty", |w| w.structure(tags::RequestPayload, |_| {})),
        ("of unknown items", |w| {
            w.structure(tags::RequestPayload, |w| w.text_string(tags::Comment, "c"));
        }),
    ];
    let harness = Harness::new();
    for version in Version::SERVED {
        for (what, write) in rows {
            let mut header = RequestHeader::new(*version, 2);
            header.batch_error_continuation_option = Some(BatchErrorContinuationOption::Continue);
            let mut w = Writer::default();
            w.structure(tags::RequestMessage, |w| {
                header.encode(tags::RequestHeader, w, *version);
                w.structure(tags::BatchItem, |w| {
                    w.enumeration(tags::Operation, Operation::Create.0);
                    w.byte_string(tags::UniqueBatchItemID, &[1]);
                    write(w);
                });
                w.structure(tags::BatchItem, |w| {
                    w.enumeration(tags::Operation, Operation::Query.0);
                    w.byte_string(tags::UniqueBatchItemID, &[2]);
                    w.structure(tags::RequestPayload, |w| {
                        w.enumeration(tags::QueryFunction, QueryFunction::QueryObjects.0);
                    });
                });
            });
            let answer = ResponseMessage::decode(&harness.bytes(w.as_bytes()).await).unwrap();
            let [first, second] = answer.items.as_slice() else { panic!("{what}: {answer:?}") };
            assert_eq!(first.operation, Some(Operation::Create), "{what} in {version}");
            assert_eq!(first.unique_batch_item_id, Some(vec![1]), "{what} in {version}");
            assert_eq!(first.result_reason, Some(ResultReason::InvalidMessage), "{what}");
            assert_eq!(second.result_status, ResultStatus::Success, "{what} in {version}");
        }
    }
}
