//! The client of the crate kmip and the program kmip-server, over mutual TLS on real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, also in what tests share"
)]

use std::sync::{Arc, Mutex};

use harness::{KmipServer, Lab};
use kmip::attributes::{AttributeReference, AttributeValue, Attributes};
use kmip::client::{BatchOptions, Builder, Client, Direction, Error, TlsCheck};
use kmip::message::RequestBatchItem;
use kmip::payload::{
    ActivateRequest, CreateRequest, DestroyRequest, Filter, GetAttributesRequest, GetRequest,
    LocateRequest, QueryRequest, ResponsePayload, RevokeRequest,
};
use kmip::structures::{Name, RevocationReason};
use kmip::vocabulary::{
    BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask, ObjectType,
    Operation, QueryFunction, ResultReason, ResultStatus, RevocationReasonCode, State,
};
use kmip::{Version, tags};

const DONE: ResultStatus = ResultStatus::Success;
const FAILED: ResultStatus = ResultStatus::OperationFailed;

/// The settings of the client whose certificate is `pair` of the lab.
fn builder(lab: &Lab, server: &KmipServer, pair: &str) -> Builder {
    let (cert, key) = (lab.pem(&format!("{pair}.crt")), lab.pem(&format!("{pair}.key")));
    let builder = Client::builder().ca_pem(lab.pem("ca.crt")).identity_pem(cert, key);
    builder.server(server.address().to_string())
}

fn create(name: &str) -> CreateRequest {
    let mask = CryptographicUsageMask::Encrypt.union(CryptographicUsageMask::Decrypt);
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(mask),
            AttributeValue::Name(Name::text(name)),
        ]),
        protection_storage_masks: None,
    }
}

/// Asks for the object, or for that of the ID Placeholder.
fn get(id: Option<&str>) -> GetRequest {
    GetRequest {
        unique_identifier: id.map(Into::into),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

fn locate(name: &str) -> LocateRequest {
    let attributes: Filter = [AttributeValue::Name(Name::text(name))].into_iter().collect();
    LocateRequest { attributes, ..LocateRequest::default() }
}

async fn state(client: &Client, id: &str) -> State {
    let request = GetAttributesRequest {
        unique_identifier: Some(id.into()),
        attributes: vec![AttributeReference::Standard(tags::State)],
    };
    let attributes = client.request(request).await.unwrap().attributes.0;
    let AttributeValue::State(state) = attributes[0].value else { panic!("{attributes:?}") };
    state
}

#[tokio::test]
async fn a_key_lives_and_dies_in_every_version() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    for version in Version::SERVED {
        let client = builder(&lab, &server, "alice").with_version(*version).build().unwrap();
        let name = format!("key of {version}");
        let id = client.request(create(&name)).await.unwrap().unique_identifier;
        let found = client.request(locate(&name)).await.unwrap().unique_identifiers;
        assert_eq!(found, std::slice::from_ref(&id), "{version}");
        assert_eq!(state(&client, &id).await, State::PreActive, "{version}");
        let named = Some(id.as_str().into());
        client.request(ActivateRequest { unique_identifier: named.clone() }).await.unwrap();
        assert_eq!(state(&client, &id).await, State::Active, "{version}");
        let got = client.request(get(Some(&id))).await.unwrap();
        assert_eq!(got.object.key_block().unwrap().bytes().unwrap().len(), 32, "{version}");
        let code = RevocationReasonCode::CessationOfOperation;
        let revoke = RevokeRequest {
            unique_identifier: named.clone(),
            revocation_reason: RevocationReason { code, message: None },
            compromise_occurrence_date: None,
        };
        client.request(revoke).await.unwrap();
        client.request(DestroyRequest { unique_identifier: named }).await.unwrap();
        let error = client.request(get(Some(&id))).await.unwrap_err();
        assert!(matches!(error, Error::Refused { operation: Operation::Get, .. }), "{error}");
        assert!(error.is_server(), "{version}: {error}");
    }
}

#[tokio::test]
async fn the_newest_version_is_agreed_on() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let client = builder(&lab, &server, "alice").build().unwrap();
    assert_eq!(client.version().await.unwrap(), Version::SERVED[0]);
    let query =
        QueryRequest { query_functions: vec![QueryFunction::QueryOperations], object_groups: None };
    let operations = client.request(query).await.unwrap().operations;
    assert!(operations.contains(&Operation::DiscoverVersions));
}

#[tokio::test]
async fn a_batch_passes_the_new_key_on_and_stops_where_it_fails() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let client = builder(&lab, &server, "alice").build().unwrap();
    let items: Vec<RequestBatchItem> = vec![
        create("one").into(),
        get(None).into(),
        get(Some("nobody")).into(),
        create("two").into(),
    ];
    let answers = client.batch(items.clone(), BatchOptions::default()).await.unwrap();
    let statuses: Vec<ResultStatus> = answers.iter().map(|item| item.result_status).collect();
    assert_eq!(statuses, [DONE, DONE, FAILED]);
    let created = answers[0].payload.clone().unwrap();
    let ResponsePayload::Create(created) = created else { panic!("{created:?}") };
    let got = answers[1].payload.clone().unwrap();
    let ResponsePayload::Get(got) = got else { panic!("{got:?}") };
    assert_eq!(got.unique_identifier, created.unique_identifier);

    let continuation = Some(BatchErrorContinuationOption::Continue);
    let options = BatchOptions { continuation, ..BatchOptions::default() };
    let items = vec![get(Some("nobody")).into(), create("three").into()];
    let answers = client.batch(items, options).await.unwrap();
    let statuses: Vec<ResultStatus> = answers.iter().map(|item| item.result_status).collect();
    assert_eq!(statuses, [FAILED, DONE]);
    for (name, count) in [("one", 1), ("two", 0), ("three", 1)] {
        let found = client.request(locate(name)).await.unwrap().unique_identifiers;
        assert_eq!(found.len(), count, "{name}");
    }
}

#[tokio::test]
async fn a_server_that_was_killed_is_found_again_with_its_keys() {
    let lab = Lab::new();
    let mut server = KmipServer::start(&lab);
    let client = builder(&lab, &server, "alice").build().unwrap();
    let id = client.request(create("kept")).await.unwrap().unique_identifier;
    let bytes = |got: &kmip::payload::GetResponse| {
        got.object.key_block().unwrap().bytes().unwrap().to_vec()
    };
    let before = bytes(&client.request(get(Some(&id))).await.unwrap());

    server.restart();
    // The kept connection is dead, and nobody notices.
    assert_eq!(bytes(&client.request(get(Some(&id))).await.unwrap()), before);

    server.kill();
    let error = client.request(get(Some(&id))).await.unwrap_err();
    assert!(error.is_connection(), "{error}");
    assert!(error.to_string().contains(&server.address().to_string()), "{error}");
    server.restart();
    assert_eq!(bytes(&client.request(get(Some(&id))).await.unwrap()), before);
    client.request(create("after")).await.unwrap();
}

#[tokio::test]
async fn one_of_two_servers_is_enough() {
    let lab = Lab::new();
    let mut first = KmipServer::start(&lab);
    let second = KmipServer::start_with(&lab, "second", |program| program);
    let client =
        builder(&lab, &first, "alice").server(second.address().to_string()).build().unwrap();
    client.request(create("first")).await.unwrap();
    first.kill();
    client.request(create("second")).await.unwrap();
    let alone = builder(&lab, &second, "alice").build().unwrap();
    for (name, count) in [("first", 0), ("second", 1)] {
        let found = alone.request(locate(name)).await.unwrap().unique_identifiers;
        assert_eq!(found.len(), count, "{name}");
    }
}

#[tokio::test]
async fn another_client_sees_nothing_and_a_short_limit_is_kept() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let alice = builder(&lab, &server, "alice").response_len_max(1024).build().unwrap();
    let id = alice.request(create("mine")).await.unwrap().unique_identifier;
    let bob = builder(&lab, &server, "bob").build().unwrap();
    let error = bob.request(get(Some(&id))).await.unwrap_err();
    assert!(error.is_server(), "{error}");
    assert!(bob.request(locate("mine")).await.unwrap().unique_identifiers.is_empty());

    for number in 0..24 {
        alice.request(create(&format!("key {number}"))).await.unwrap();
    }
    let error = alice.request(LocateRequest::default()).await.unwrap_err();
    assert_eq!(error.reason(), Some(ResultReason::ResponseTooLarge), "{error}");
}

#[tokio::test]
async fn a_client_with_a_fault_is_told_which() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let table = [
        ("client-expired", TlsCheck::OurExpired),
        ("client-not-yet-valid", TlsCheck::OurExpired),
        ("client-other-ca", TlsCheck::OurUnknownAuthority),
        ("client-self-signed", TlsCheck::OurUnknownAuthority),
        ("client-other-eku", TlsCheck::OurCertificate),
        ("client-no-eku", TlsCheck::OurCertificate),
    ];
    for (name, expected) in table {
        let client = builder(&lab, &server, &format!("bad/{name}")).build().unwrap();
        let error = client.request(create("never")).await.unwrap_err();
        let Error::Tls { fault, .. } = &error else { panic!("{name}: {error:?}") };
        assert_eq!(fault.check, expected, "{name}: {error}");
        assert!(error.is_authentication(), "{name}: {error}");
    }
    let error = builder(&lab, &server, "bad/client-other-key").build().unwrap_err();
    let says = "the client's private key: it does not match the client certificate";
    assert_eq!(error.to_string(), says);
}

#[tokio::test]
async fn a_trace_can_be_shown_as_text_without_the_key() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let shown = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&shown);
    let trace = move |_: &str, way: Direction, frame: &[u8]| {
        kept.lock().unwrap().push_str(&format!("{way:?}\n{}", kmip::redacted_text(frame)));
    };
    let client = builder(&lab, &server, "alice").trace(Arc::new(trace)).build().unwrap();
    let id = client.request(create("shown")).await.unwrap().unique_identifier;
    let got = client.request(get(Some(&id))).await.unwrap();
    let key = got.object.key_block().unwrap().bytes().unwrap();
    let hex = |case: fn(&u8) -> String| key.iter().map(case).collect::<String>();
    let shown = shown.lock().unwrap();
    assert!(shown.contains("KeyMaterial") && shown.contains(&id), "{shown}");
    assert!(!shown.contains(&hex(|b| format!("{b:02X}"))), "{shown}");
    assert!(!shown.contains(&hex(|b| format!("{b:02x}"))), "{shown}");
}
