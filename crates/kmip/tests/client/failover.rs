//! Failover: unreachable servers, dead connections, expired deadlines.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use kmip::client::{BatchOptions, Error, Phase};
use kmip::message::RequestMessage;
use kmip::vocabulary::Operation;

use crate::fixture::{Fixture, answer_all, create, except_discover, get};
use crate::scripted_server::{Reaction, message};

/// A deadline that is allowed to pass.
const SOON: Duration = Duration::from_secs(1);

/// An address at which nobody listens.
async fn nobody() -> String {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    socket.local_addr().unwrap().to_string()
}

/// Obeys, but does `react` with the request of this number (from 0, without Discover Versions).
fn at(
    which: usize,
    react: fn(usize, &RequestMessage) -> Reaction,
) -> impl Fn(usize, &RequestMessage) -> Reaction + Send + Sync + 'static {
    let count = AtomicUsize::new(0);
    except_discover(move |number, request| match count.fetch_add(1, SeqCst) == which {
        true => react(number, request),
        false => answer_all(number, request),
    })
}

const CLOSE: fn(usize, &RequestMessage) -> Reaction = |_, _| Reaction::Close;
const SILENCE: fn(usize, &RequestMessage) -> Reaction = |_, _| Reaction::Silence;

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_away() {
    let fixture = Fixture::new();
    let server = fixture.listen(answer_all).await;
    let builder = fixture.builder().server(nobody().await).server(server.address());
    let client = builder.build().unwrap();
    client.request(create()).await.unwrap();
    client.request(get("a")).await.unwrap();
    assert_eq!(server.operations(), [Operation::Create, Operation::Get]);
}

#[tokio::test]
async fn a_server_that_failed_is_asked_last() {
    let fixture = Fixture::new();
    let bad = fixture.listen(at(0, CLOSE)).await;
    let good = fixture.listen(answer_all).await;
    let client = fixture.client(&[&bad, &good]);
    // The first to be asked hangs up; then the other is asked, and from then on it alone.
    client.request(get("a")).await.unwrap();
    client.request(get("b")).await.unwrap();
    assert_eq!((bad.operations().len(), good.operations().len()), (1, 2));
}

#[tokio::test]
async fn a_server_that_failed_is_asked_again_when_there_is_no_other() {
    let fixture = Fixture::new();
    let server = fixture.listen(at(0, CLOSE)).await;
    let client = fixture.client(&[&server]);
    client.request(get("a")).await.unwrap_err();
    client.request(get("a")).await.unwrap();
}

#[tokio::test]
async fn when_all_are_away_each_is_named_with_its_reason() {
    let fixture = Fixture::new();
    let (first, second) = (nobody().await, fixture.listen(except_discover(CLOSE)).await);
    let builder = fixture.builder().server(&first).server(second.address());
    let error = builder.build().unwrap().request(get("a")).await.unwrap_err();
    let says = error.to_string();
    let Error::NoServer { tried } = &error else { panic!("{error:?}") };
    assert!(matches!(tried.as_slice(), [Error::Connect { .. }, Error::Closed { .. }]));
    assert!(says.starts_with("none of 2 key servers could be used: cannot connect to "), "{says}");
    assert!(says.contains(&first) && says.contains(&second.address()), "{says}");
    assert!(error.is_connection());
}

#[tokio::test]
async fn one_server_that_is_away_is_one_sentence() {
    let fixture = Fixture::new();
    let address = nobody().await;
    let client = fixture.builder().server(&address).build().unwrap();
    let error = client.request(create()).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot connect to {address}: ")), "{error}");
    assert!(error.is_connection() && !error.is_authentication() && !error.is_server());
}

#[tokio::test]
async fn a_dead_kept_connection_heals_for_what_may_be_sent_twice() {
    let fixture = Fixture::new();
    let server = fixture.listen(at(1, CLOSE)).await;
    let client = fixture.client(&[&server]);
    client.request(get("a")).await.unwrap();
    // The server reads the second request on the kept connection, and hangs up.
    client.request(get("b")).await.unwrap();
    let connections: Vec<usize> = server.received().iter().map(|(number, ..)| *number).collect();
    assert_eq!(connections, [0, 0, 0, 1], "Discover Versions, Get, Get, Get again");
}

#[tokio::test]
async fn what_may_not_be_done_twice_is_not_sent_twice() {
    // What becomes of the Create, and whether it is the first thing on its connection.
    let table = [("hung up on", CLOSE, 1), ("kept waiting", SILENCE, 1), ("first", CLOSE, 0)];
    for (what, react, which) in table {
        let fixture = Fixture::new();
        let server = fixture.listen(at(which, react)).await;
        let other = fixture.listen(answer_all).await;
        let builder = fixture.builder().server(server.address()).server(other.address());
        let client = builder.request_deadline(SOON).build().unwrap();
        for _ in 0..which {
            client.request(get("a")).await.unwrap();
        }
        let error = client.request(create()).await.unwrap_err();
        let Error::OutcomeUnknown { operation, .. } = &error else { panic!("{what}: {error}") };
        assert_eq!(*operation, Operation::Create, "{what}");
        assert!(error.to_string().starts_with("Create may have been done or not: "), "{error}");
        assert!(error.is_connection());
        let creates = |all: Vec<Operation>| all.iter().filter(|o| **o == Operation::Create).count();
        assert_eq!((creates(server.operations()), creates(other.operations())), (1, 0), "{what}");
    }
}

#[tokio::test]
async fn a_batch_may_be_sent_twice_only_if_all_of_it_may() {
    let fixture = Fixture::new();
    let table = [
        (vec![get("a").into(), get("b").into()], true),
        (vec![get("a").into(), create().into()], false),
    ];
    for (items, heals) in table {
        let server = fixture.listen(at(1, CLOSE)).await;
        let client = fixture.client(&[&server]);
        client.request(get("a")).await.unwrap();
        match client.batch(items, BatchOptions::default()).await {
            Ok(items) => assert!(heals && items.len() == 2),
            Err(Error::OutcomeUnknown { operation: Operation::Create, .. }) => assert!(!heals),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn an_unreadable_answer_to_a_create_leaves_its_outcome_unknown() {
    let fixture = Fixture::new();
    let server = fixture
        .listen(except_discover(|_, request| {
            let mut answer = message(request, Vec::new());
            answer.header.batch_count = 7;
            Reaction::Answer(answer)
        }))
        .await;
    let error = fixture.client(&[&server]).request(create()).await.unwrap_err();
    let Error::OutcomeUnknown { cause, .. } = &error else { panic!("{error}") };
    assert!(matches!(**cause, Error::Malformed { .. }) && error.is_server());
}

#[tokio::test]
async fn a_create_heals_too_when_the_connection_was_closed_before_it() {
    let fixture = Fixture::new();
    // The first answer comes with a goodbye, after which nothing is sent there.
    let server = fixture
        .listen(except_discover(|number, request| match (number, answer_all(number, request)) {
            (0, Reaction::Answer(answer)) => Reaction::AnswerAndClose(answer),
            (_, reaction) => reaction,
        }))
        .await;
    let client = fixture.client(&[&server]);
    client.request(get("a")).await.unwrap();
    assert_eq!(client.request(create()).await.unwrap().unique_identifier, "new");
}

#[tokio::test]
async fn connections_are_kept_as_many_and_as_long_as_the_settings_say() {
    let fixture = Fixture::new();
    let table = [(0, Duration::MAX, [0, 1, 2]), (4, Duration::ZERO, [0, 1, 2])];
    for (idle_connections_max, idle_limit, connections) in table {
        let server = fixture.listen(answer_all).await;
        let builder = fixture.builder().server(server.address()).with_version(kmip::Version::V1_4);
        let client = builder
            .idle_connections_max(idle_connections_max)
            .idle_limit(idle_limit)
            .build()
            .unwrap();
        for _ in 0..3 {
            client.request(get("a")).await.unwrap();
        }
        let used: Vec<usize> = server.received().iter().map(|(number, ..)| *number).collect();
        assert_eq!(used, connections, "{idle_connections_max} {idle_limit:?}");
    }
}

#[tokio::test]
async fn requests_at_once_have_connections_of_their_own() {
    let fixture = Fixture::new();
    let server = fixture.listen(answer_all).await;
    let client = fixture.client(&[&server]);
    let mut all = tokio::task::JoinSet::new();
    for number in 0..16 {
        let client = client.clone();
        all.spawn(async move {
            let id = format!("key-{number}");
            (client.request(get(&id)).await.unwrap().unique_identifier, id)
        });
    }
    while let Some(pair) = all.join_next().await {
        let (answered, asked) = pair.unwrap();
        assert_eq!(answered, asked, "an answer went to another request");
    }
}

#[tokio::test]
async fn deadlines_are_named() {
    let fixture = Fixture::new();
    let silent = fixture.listen(except_discover(SILENCE)).await;
    // A socket that is connected to by the kernel, and nobody accepts.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let table = [
        (silent.address(), Phase::Request, "a request took longer than 1000 ms"),
        (
            mute.local_addr().unwrap().to_string(),
            Phase::Handshake,
            "the TLS handshake took longer than 1000 ms",
        ),
    ];
    for (address, expected, says) in table {
        let builder = fixture.builder().server(&address).request_deadline(SOON);
        let builder =
            if expected == Phase::Handshake { builder.handshake_deadline(SOON) } else { builder };
        let error = builder.build().unwrap().request(get("a")).await.unwrap_err();
        let Error::Timeout { phase, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*phase, expected);
        assert_eq!(error.to_string(), format!("{address}: {says}"));
        assert!(error.is_connection());
    }
}
