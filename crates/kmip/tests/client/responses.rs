//! Responses: correct ones, batches, refusals, and malformed ones.

use std::sync::{Arc, Mutex};

use kmip::Version;
use kmip::client::{BatchOptions, Client, Direction, Error};
use kmip::message::{RequestBatchItem, RequestMessage, ResponseBatchItem, ResponseMessage};
use kmip::payload::{DestroyResponse, ResponsePayload};
use kmip::vocabulary::{BatchErrorContinuationOption, Operation, ResultReason, ResultStatus};

use crate::fixture::{Fixture, KEY, answer_all, create, except_discover, get, get_response};
use crate::scripted_server::{Reaction, ScriptedServer, done, message, refusal};

#[tokio::test]
async fn a_typed_request_has_a_typed_answer() {
    let fixture = Fixture::new();
    let server = fixture.listen(answer_all).await;
    let client = fixture.client(&[&server]);
    assert_eq!(client.request(create()).await.unwrap().unique_identifier, "new");
    let response = client.request(get("a")).await.unwrap();
    assert_eq!(response.unique_identifier, "a");
    assert_eq!(response.object.key_block().unwrap().bytes(), Some(&KEY[..]));
    // One connection served all three.
    assert_eq!(server.received().iter().map(|(connection, ..)| *connection).max(), Some(0));
}

#[tokio::test]
async fn a_refusal_says_what_was_refused_and_why() {
    let fixture = Fixture::new();
    let long = "no\u{7}\n".to_owned() + &"x".repeat(1000);
    let server = fixture
        .listen(except_discover(move |_, request| {
            let operation = Some(Operation::Get);
            let no = refusal(operation, ResultReason::ItemNotFound, &long);
            Reaction::Answer(message(request, vec![no]))
        }))
        .await;
    let client = fixture.client(&[&server]);
    let error = client.request(get("a")).await.unwrap_err();
    let says = format!("{} refused Get: ItemNotFound: no{}", server.address(), "x".repeat(298));
    assert_eq!(error.to_string(), says);
    assert!(error.is_server() && error.reason() == Some(ResultReason::ItemNotFound));
    // The server answered: it is not tried again, and the connection is still good.
    client.request(get("a")).await.unwrap_err();
    assert_eq!(server.operations(), [Operation::Get, Operation::Get]);
    assert_eq!(server.received().last().unwrap().0, 0);
}

/// Two Gets in one batch.
fn two() -> Vec<RequestBatchItem> {
    vec![get("a").into(), get("b").into()]
}

fn id_of(item: &ResponseBatchItem) -> &str {
    match &item.payload {
        Some(ResponsePayload::Get(get_response)) => &get_response.unique_identifier,
        other => panic!("{other:?}"),
    }
}

/// The items of a whole answer, each under the name that the request gave it.
fn named(request: &RequestMessage) -> Vec<ResponseBatchItem> {
    match answer_all(0, request) {
        Reaction::Answer(message) => message.items,
        _ => panic!("an obedient server answers"),
    }
}

#[tokio::test]
async fn the_answers_of_a_batch_stand_in_the_order_of_its_items() {
    let fixture = Fixture::new();
    let server = fixture
        .listen(except_discover(|_, request| {
            assert_eq!(request.header.batch_order_option, Some(false));
            let undo = Some(BatchErrorContinuationOption::Continue);
            assert_eq!(request.header.batch_error_continuation_option, undo);
            let mut items = named(request);
            items.reverse();
            Reaction::Answer(message(request, items))
        }))
        .await;
    let continuation = Some(BatchErrorContinuationOption::Continue);
    let options = BatchOptions { continuation, in_order: false };
    let items = fixture.client(&[&server]).batch(two(), options).await.unwrap();
    assert_eq!(items.iter().map(id_of).collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test]
async fn a_batch_that_stopped_has_the_answers_up_to_there() {
    let fixture = Fixture::new();
    let server = fixture
        .listen(except_discover(|_, request| {
            let mut no = refusal(Some(Operation::Get), ResultReason::ItemNotFound, "");
            no.unique_batch_item_id.clone_from(&request.items[0].unique_batch_item_id);
            Reaction::Answer(message(request, vec![no]))
        }))
        .await;
    let items = fixture.client(&[&server]).batch(two(), BatchOptions::default()).await.unwrap();
    let statuses: Vec<ResultStatus> = items.iter().map(|item| item.result_status).collect();
    assert_eq!(statuses, [ResultStatus::OperationFailed]);
}

#[tokio::test]
async fn an_empty_batch_asks_nobody() {
    let fixture = Fixture::new();
    let server = fixture.listen(answer_all).await;
    let client = fixture.client(&[&server]);
    assert!(client.batch(Vec::new(), BatchOptions::default()).await.unwrap().is_empty());
    assert!(server.received().is_empty());
}

/// What becomes of a good answer, and what the client says of it.
type Spoiler = (&'static str, fn(&RequestMessage) -> Reaction, &'static str);

fn answer(request: &RequestMessage, spoil: impl FnOnce(&mut ResponseMessage)) -> Reaction {
    let mut answer = message(request, named(request));
    spoil(&mut answer);
    answer.header.batch_count = i32::try_from(answer.items.len()).unwrap();
    Reaction::Answer(answer)
}

const SPOILERS: &[Spoiler] = &[
    (
        "plain text",
        |_| Reaction::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        "it begins with 48 54 54 50, which is no Response Message",
    ),
    (
        "a request",
        |request| Reaction::Bytes(request.encode()),
        "it begins with 42 00 78 01, which is no Response Message",
    ),
    (
        "longer than the limit",
        |_| Reaction::Bytes(b"\x42\x00\x7b\x01\x00\x10\x00\x00".to_vec()),
        "it is 1048584 bytes long and may be 1048576 at most",
    ),
    (
        "4 GiB",
        |_| Reaction::Bytes(b"\x42\x00\x7b\x01\xff\xff\xff\xff".to_vec()),
        "it is 4294967303 bytes long and may be 1048576 at most",
    ),
    ("an empty message", |_| Reaction::Bytes(b"\x42\x00\x7b\x01\x00\x00\x00\x00".to_vec()), "item"),
    (
        "zeros within",
        |_| Reaction::Bytes([b"\x42\x00\x7b\x01\x00\x00\x00\x10", [0; 16].as_slice()].concat()),
        "item",
    ),
    (
        "another batch count",
        |request| {
            let Reaction::Answer(mut answer) = answer_all(0, request) else { unreachable!() };
            answer.header.batch_count = 2;
            Reaction::Answer(answer)
        },
        "Batch Count is not the number of batch items",
    ),
    (
        "another version",
        |request| answer(request, |answer| answer.header.protocol_version = Version::V1_1),
        "it is in KMIP 1.1, asked was 2.1",
    ),
    (
        "no item",
        |request| answer(request, |answer| answer.items.clear()),
        "it has 0 batch items, asked was for 1",
    ),
    (
        "an item too many",
        |request| answer(request, |answer| answer.items.push(done(get_response("b")))),
        "it has 2 batch items, asked was for 1",
    ),
    (
        "another operation",
        |request| {
            answer(request, |answer| {
                answer.items = vec![done(DestroyResponse { unique_identifier: "a".to_owned() })];
            })
        },
        "it answers Destroy, asked was Get",
    ),
    (
        "a refusal of another operation",
        |request| {
            let no = refusal(Some(Operation::Create), ResultReason::MissingData, "");
            answer(request, |answer| answer.items = vec![no])
        },
        "it answers Create, asked was Get",
    ),
    (
        "no operation",
        |request| answer(request, |answer| answer.items[0].operation = None),
        "an item does not say that it is Get",
    ),
    (
        "no payload",
        |request| answer(request, |answer| answer.items[0].payload = None),
        "Get has no Response Payload",
    ),
    (
        "pending",
        |request| {
            answer(request, |answer| {
                answer.items[0].result_status = ResultStatus::OperationPending;
            })
        },
        "Get is pending, though nothing asynchronous was asked for",
    ),
    (
        "an unknown status",
        |request| answer(request, |answer| answer.items[0].result_status = ResultStatus(9)),
        "there is no Result Status 0x00000009",
    ),
];

#[tokio::test]
async fn malformed_answers_are_named() {
    let fixture = Fixture::new();
    for (what, spoil, says) in SPOILERS {
        let server = fixture.listen(except_discover(|_, request| spoil(request))).await;
        let error = fixture.client(&[&server]).request(get("a")).await.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{what}: {error:?}");
        assert!(error.to_string().contains(says), "{what}: {error}");
        assert!(error.is_server(), "{what}");
        // Nobody is asked again: the next answer would be no better.
        assert_eq!(server.operations(), [Operation::Get], "{what}");
    }
}

#[tokio::test]
async fn the_names_of_a_batch_are_checked() {
    let fixture = Fixture::new();
    let none = "a Unique Batch Item ID is none of the request's, or is there twice";
    let table: [Spoiler; 4] = [
        (
            "twice the same",
            |request| {
                answer(request, |answer| {
                    let first = answer.items[0].unique_batch_item_id.clone();
                    answer.items[1].unique_batch_item_id = first;
                })
            },
            none,
        ),
        (
            "one of its own",
            |request| {
                answer(request, |answer| {
                    answer.items[1].unique_batch_item_id = Some(b"other".to_vec());
                })
            },
            none,
        ),
        (
            "none",
            |request| answer(request, |answer| answer.items[0].unique_batch_item_id = None),
            none,
        ),
        (
            "one item too few, though none failed",
            |request| answer(request, |answer| drop(answer.items.pop())),
            "it has 1 batch items, asked was for 2",
        ),
    ];
    for (what, spoil, says) in table {
        let server = fixture.listen(except_discover(move |_, request| spoil(request))).await;
        let client = fixture.client(&[&server]);
        let error = client.batch(two(), BatchOptions::default()).await.unwrap_err();
        assert!(error.to_string().ends_with(says), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_server_is_told_the_longest_answer_and_held_to_it() {
    let fixture = Fixture::new();
    let server = fixture
        .listen(except_discover(|number, request| {
            assert_eq!(request.header.maximum_response_size, Some(1024));
            match number {
                0 => Reaction::Bytes(b"\x42\x00\x7b\x01\x00\x00\x03\xf9".to_vec()),
                _ => answer_all(number, request),
            }
        }))
        .await;
    let builder = fixture.builder().server(server.address()).response_len_max(1024);
    let client = builder.build().unwrap();
    let error = client.request(get("a")).await.unwrap_err();
    assert!(error.to_string().ends_with("it is 1025 bytes long and may be 1024 at most"));
    // What is left of such an answer must not be taken for the next: the connection was given up.
    client.request(get("a")).await.unwrap();
    assert_eq!(server.received().last().unwrap().0, 1);
}

#[tokio::test]
async fn a_trace_sees_every_message_and_no_error_shows_a_key() {
    let fixture = Fixture::new();
    let server: ScriptedServer = fixture.listen(answer_all).await;
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&received);
    let client: Client = fixture
        .builder()
        .server(server.address())
        .trace(Arc::new(move |server: &str, direction: Direction, frame: &[u8]| {
            kept.lock().unwrap().push((server.to_owned(), direction, frame.to_vec()));
        }))
        .build()
        .unwrap();
    client.request(get("a")).await.unwrap();
    let received = received.lock().unwrap();
    let directions: Vec<Direction> = received.iter().map(|(_, direction, _)| *direction).collect();
    use Direction::{Received, Sent};
    assert_eq!(directions, [Sent, Received, Sent, Received]);
    assert!(received.iter().all(|(name, ..)| *name == server.address()));
    RequestMessage::decode(&received[2].2).unwrap();
    let answer = ResponseMessage::decode(&received[3].2).unwrap();
    assert!(received[3].2.windows(KEY.len()).any(|at| at == KEY));
    let shown = format!("{answer:?} {client:?}");
    assert!(!shown.contains("all secret") && !shown.contains("116, 104, 105"), "{shown}");
}
