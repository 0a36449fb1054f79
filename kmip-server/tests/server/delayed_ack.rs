//! Clients with Nagle's algorithm: they hold back a part of a message until the part before it is
//! acknowledged, and Linux delays an acknowledgement by at least 40 ms unless it is told not to.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::client::{Client, Stream, VERSIONS, discover_versions, exchange, read_frame};
use crate::https::{BINARY, post, read_answer};
use crate::running::{Lab, Running};

/// Half of the shortest delay of an acknowledgement.
const DELAY_MAX: Duration = Duration::from_millis(20);

/// So many are tried that one of them meets no other work of the machine.
const ROUNDS: usize = 10;

/// Sends one message in two writes, the first of which ends inside of it.
async fn send_in_two(stream: &mut Stream, message: &[u8], first: usize) {
    let (first, second) = message.split_at(first);
    for part in [first, second] {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
    }
}

#[tokio::test]
async fn handshake_is_acknowledged_before_the_first_request() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    for version in VERSIONS {
        let client = Client::speaking(lab.authority.cert_pem(), Some(&lab.client), &[version]);
        let mut fastest = Duration::MAX;
        for _ in 0..ROUNDS {
            let mut stream = client.connect(server.address).await.unwrap();
            let start = Instant::now();
            exchange(&mut stream).await.unwrap();
            fastest = fastest.min(start.elapsed());
        }
        assert!(fastest < DELAY_MAX, "{version:?}: {fastest:?}");
    }
}

#[tokio::test]
async fn part_of_a_request_is_acknowledged_before_the_rest() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    for _ in 0..ROUNDS {
        exchange(&mut stream).await.unwrap();
    }
    for (place, first) in [("header", 3), ("end of the header", 8), ("body", 20)] {
        let mut fastest = Duration::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            send_in_two(&mut stream, &discover_versions(), first).await;
            read_frame(&mut stream).await.unwrap();
            fastest = fastest.min(start.elapsed());
        }
        assert!(fastest < DELAY_MAX, "{place}: {fastest:?}");
    }
}

#[tokio::test]
async fn head_of_an_http_request_is_acknowledged_before_its_body() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    let body = discover_versions();
    let request = post(BINARY, &body);
    let mut fastest = Duration::MAX;
    for round in 0..2 * ROUNDS {
        let start = Instant::now();
        send_in_two(&mut stream, &request, request.len() - body.len()).await;
        assert_eq!(read_answer(&mut stream).await.unwrap().status, 200);
        // A new connection acknowledges at once until it has answered some requests.
        if round >= ROUNDS {
            fastest = fastest.min(start.elapsed());
        }
    }
    assert!(fastest < DELAY_MAX, "{fastest:?}");
}
