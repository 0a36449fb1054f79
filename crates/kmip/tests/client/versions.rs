//! Negotiation of the protocol version.

use kmip::Version;
use kmip::client::Error;
use kmip::message::RequestMessage;
use kmip::payload::{DiscoverVersionsResponse, SetAttributeRequest};
use kmip::vocabulary::{Operation, ResultReason};

use crate::fixture::{Fixture, answer_all, create, get, is_discover, version};
use crate::scripted_server::{Reaction, done, message, refusal};

/// A server that speaks these versions, and answers others with `reason` in `own`.
fn speaks(
    versions: &'static [Version],
    own: Version,
    reason: ResultReason,
) -> impl Fn(usize, &RequestMessage) -> Reaction + Send + Sync + 'static {
    move |number, request| {
        if !versions.contains(&request.header.protocol_version) {
            let mut no = message(request, vec![refusal(None, reason, "not this version")]);
            no.header.protocol_version = own;
            return Reaction::AnswerAndClose(no);
        }
        if is_discover(request) && own == Version::V1_0 {
            let operation = Some(Operation::DiscoverVersions);
            let no = refusal(operation, ResultReason::OperationNotSupported, "1.0 has none");
            return Reaction::Answer(message(request, vec![no]));
        }
        if is_discover(request) {
            let protocol_versions = versions.to_vec();
            let yes = done(DiscoverVersionsResponse { protocol_versions });
            return Reaction::Answer(message(request, vec![yes]));
        }
        answer_all(number, request)
    }
}

const V: fn(i32, i32) -> Version = version;

#[tokio::test]
async fn the_ladder_ends_at_the_newest_version_of_both() {
    const ALL: &[Version] = Version::SERVED;
    const OLD: &[Version] = &[Version::V1_2, Version::V1_1];
    const MIXED: &[Version] = &[Version::V1_0, Version::V1_4, Version::V2_0, Version::V3_0];
    const FIRST: &[Version] = &[Version::V1_0];
    let invalid = ResultReason::InvalidMessage;
    // What it speaks, in which version it answers others, the attempts, and the agreed version.
    let table = [
        (ALL, V(2, 1), vec![V(2, 1)], V(2, 1)),
        // It says which version is its own: no rung between is asked.
        (OLD, V(1, 2), vec![V(2, 1), V(1, 2)], V(1, 2)),
        (MIXED, V(1, 4), vec![V(2, 1), V(1, 4)], V(2, 0)),
        // It echoes the version that it does not speak, or one that we do not.
        (OLD, V(9, 9), vec![V(2, 1), V(2, 0), V(1, 4), V(1, 3), V(1, 2)], V(1, 2)),
        (FIRST, V(1, 0), vec![V(2, 1), V(1, 0)], V(1, 0)),
    ];
    let fixture = Fixture::new();
    for (versions, own, attempts, agreed) in table {
        let server = fixture.listen(speaks(versions, own, invalid)).await;
        let client = fixture.client(&[&server]);
        assert_eq!(client.version().await.unwrap(), agreed);
        client.request(get("a")).await.unwrap();
        client.request(create()).await.unwrap();
        // The result is kept: nobody asks again.
        assert_eq!(server.discover_versions(), attempts);
        let last = server.received().pop().unwrap();
        assert_eq!((last.1, last.2), (agreed, vec![Operation::Create]));
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_on_versions_it_does_not_know_is_found_out() {
    let fixture = Fixture::new();
    let server = fixture
        .listen(|number, request| match request.header.protocol_version > Version::V1_3 {
            true => Reaction::Close,
            false => answer_all(number, request),
        })
        .await;
    // It claims to speak all of them when asked, and hangs up on 2.1 nonetheless: what it says
    // is believed.
    let error = fixture.client(&[&server]).request(get("a")).await.unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error}");
    assert_eq!(server.discover_versions(), [V(2, 1), V(2, 0), V(1, 4), V(1, 3)]);
}

#[tokio::test]
async fn a_pinned_version_is_spoken_at_once() {
    let fixture = Fixture::new();
    let server = fixture.listen(answer_all).await;
    let client = fixture.builder().server(server.address()).with_version(V(1, 2)).build().unwrap();
    client.request(get("a")).await.unwrap();
    assert_eq!(server.received(), [(0, V(1, 2), vec![Operation::Get])]);
}

#[tokio::test]
async fn what_a_version_does_not_have_is_never_sent() {
    let fixture = Fixture::new();
    let server = fixture.listen(answer_all).await;
    let client = fixture.builder().server(server.address()).with_version(V(1, 4)).build().unwrap();
    let set = SetAttributeRequest {
        unique_identifier: Some("a".into()),
        attribute: kmip::attributes::AttributeValue::Comment("x".to_owned()).into(),
    };
    let error = client.request(set).await.unwrap_err();
    let says = format!("{} speaks KMIP 1.4, which has no SetAttribute", server.address());
    assert_eq!(error.to_string(), says);
    assert!(error.is_server() && server.received().is_empty());
}

#[tokio::test]
async fn a_server_without_a_version_that_we_speak_is_said_to_be_one() {
    let fixture = Fixture::new();
    let server = fixture
        .listen(|_, request| {
            let protocol_versions = vec![Version::V3_0, version(4, 0)];
            Reaction::Answer(message(
                request,
                vec![done(DiscoverVersionsResponse { protocol_versions })],
            ))
        })
        .await;
    let error = fixture.client(&[&server]).version().await.unwrap_err();
    let says = format!("{} speaks KMIP 3.0, 4.0 and none of our versions", server.address());
    assert_eq!(error.to_string(), says);
}

#[tokio::test]
async fn whoever_is_not_let_in_asks_in_no_other_version() {
    let fixture = Fixture::new();
    let server = fixture
        .listen(|_, request| {
            let reason = ResultReason::AuthenticationNotSuccessful;
            Reaction::Answer(message(request, vec![refusal(None, reason, "who are you?")]))
        })
        .await;
    let error = fixture.client(&[&server]).request(get("a")).await.unwrap_err();
    assert!(error.is_authentication(), "{error}");
    assert_eq!(server.discover_versions(), [V(2, 1)]);
}

#[tokio::test]
async fn a_server_that_was_replaced_by_an_older_one_is_asked_anew() {
    // It speaks 2.1 until its first Create, and 1.2 from then on.
    let old = std::sync::atomic::AtomicBool::new(false);
    let fixture = Fixture::new();
    let server = fixture
        .listen(move |number, request| {
            use std::sync::atomic::Ordering::SeqCst;
            if !is_discover(request) && !old.swap(true, SeqCst) {
                return answer_all(number, request);
            }
            match old.load(SeqCst) {
                true => {
                    speaks(&[Version::V1_2], V(1, 2), ResultReason::InvalidMessage)(number, request)
                }
                false => answer_all(number, request),
            }
        })
        .await;
    let client = fixture.client(&[&server]);
    client.request(create()).await.unwrap();
    let error = client.request(create()).await.unwrap_err();
    assert_eq!(error.reason(), Some(ResultReason::InvalidMessage), "{error}");
    client.request(create()).await.unwrap();
    assert_eq!(client.version().await.unwrap(), V(1, 2));
}
