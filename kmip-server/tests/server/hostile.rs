//! Peers that mean no good, each followed by the proof that another client is served.

use std::net::SocketAddr;

use kmip_server::config::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{
    Client, PATIENCE, Stream, discover_versions, exchange, hex, is_invalid_message, read_frame,
};
use crate::running::{Lab, Running};

/// How the server must end a hostile connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It closes, and says nothing.
    Closed,
    /// It answers Invalid Message, and closes.
    Refused,
}

/// What a peer does after its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It ends its half of the connection.
    Leaves,
    /// It waits without a word.
    Waits,
}

struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    then: Then,
    ending: Ending,
}

fn rows() -> Vec<Row> {
    let row = |name, bytes, then, ending| Row { name, bytes, then, ending };
    let half = discover_versions()[..40].to_vec();
    let (leaves, waits) = (Then::Leaves, Then::Waits);
    let (closed, refused) = (Ending::Closed, Ending::Refused);
    let frame = |header: &str, len| [hex(header), vec![0; len]].concat();
    vec![
        row("1 MB of random bytes", random(1_000_000), waits, closed),
        row("half a header, then gone", hex("42007801 00"), leaves, closed),
        row("half a header, then silence", hex("42007801 00"), waits, closed),
        row("half a frame, then gone", half.clone(), leaves, closed),
        row("half a frame, then silence", half, waits, closed),
        row("a frame of 4 GiB", hex("42007801 FFFFFFF8"), waits, refused),
        row("a frame of 4 GiB that comes", frame("42007801 FFFFFFF8", 100_000), waits, refused),
        row("the longest length", hex("42007801 FFFFFFFF"), waits, refused),
        row("a byte more than is taken", hex("42007801 00010000"), waits, refused),
        row("a length that is no multiple of 8", hex("42007801 00000061"), waits, refused),
        row("a Text String for a message", hex("42007807 00000060"), waits, refused),
        row("a Response Message", hex("42007B01 00000060"), waits, closed),
        row("a tag of nobody", hex("43007801 00000060"), waits, closed),
        row("HTTP inside TLS", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), waits, closed),
        row("a header for a whole frame", hex("42007801 0000FFF8"), waits, closed),
    ]
}

/// Bytes of xorshift64 from a fixed seed: the same in each run, and never a header.
fn random(len: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// Deadlines so short that a test can wait for them.
fn hasty(lab: &Lab) -> Settings {
    Settings { frame_len_max: 65_536, message_deadline_ms: 500, ..lab.settings() }
}

/// Writes as much as the server takes, and reads to the end of what it says.
async fn visit(mut stream: Stream, row: &Row) -> Vec<u8> {
    // A server that has closed does not take the rest, and must not.
    let _ = stream.write_all(&row.bytes).await;
    let _ = stream.flush().await;
    if row.then == Then::Leaves {
        let _ = stream.shutdown().await;
    }
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    said
}

#[tokio::test]
async fn a_hostile_client_harms_no_other() {
    let lab = Lab::new();
    let server = Running::start(&hasty(&lab));
    let client = lab.client();
    for row in rows() {
        let stream = client.connect(server.address).await.unwrap();
        let said = tokio::time::timeout(PATIENCE, visit(stream, &row)).await;
        let said = said.unwrap_or_else(|_| panic!("{}: the server never closed", row.name));
        match row.ending {
            Ending::Closed => assert!(said.is_empty(), "{}: {said:02x?}", row.name),
            Ending::Refused => assert!(is_invalid_message(&said), "{}: {said:02x?}", row.name),
        }
        client.is_served(server.address).await;
    }
}

#[tokio::test]
async fn a_stranger_without_tls_harms_no_client() {
    let lab = Lab::new();
    let settings = Settings { handshake_deadline_ms: 1000, ..lab.settings() };
    let server = Running::start(&settings);
    let rows: [(&str, Vec<u8>); 5] = [
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("KMIP without TLS", discover_versions()),
        ("1 MB of random bytes", random(1_000_000)),
        ("nothing at all", Vec::new()),
        ("half a handshake", hex("160301 0200 01 0001fc 0303")),
    ];
    for (row, bytes) in rows {
        let mut tcp = TcpStream::connect(server.address).await.unwrap();
        let _ = tcp.write_all(&bytes).await;
        let mut said = Vec::new();
        let closed = tokio::time::timeout(PATIENCE, tcp.read_to_end(&mut said)).await;
        assert!(closed.is_ok(), "{row}: the server never closed");
        // At most an alert: two bytes in a record (RFC 8446, 6).
        assert!(said.is_empty() || said.starts_with(&[21]), "{row}: {said:02x?}");
        lab.client().is_served(server.address).await;
    }
}

/// Connections that came in and are silent.
async fn crowd(client: &Client, address: SocketAddr, count: usize) -> Vec<Stream> {
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        streams.push(client.connect(address).await.unwrap());
    }
    streams
}

/// Has the server closed the connection in good order?
async fn is_closed(stream: &mut Stream) -> bool {
    let end = tokio::time::timeout(PATIENCE, stream.read(&mut [0])).await;
    matches!(end.expect("an end"), Ok(0))
}

#[tokio::test]
async fn where_there_are_too_many_the_one_that_was_idle_longest_gives_way() {
    let lab = Lab::new();
    let rows = [
        ("in all", Settings { connections_max: 3, ..lab.settings() }),
        ("from one address", Settings { connections_per_address_max: 3, ..lab.settings() }),
        ("of one client", Settings { connections_per_client_max: 3, ..lab.settings() }),
    ];
    for (row, settings) in rows {
        let server = Running::start(&settings);
        let client = lab.client();
        let mut held = crowd(&client, server.address, 3).await;
        exchange(&mut held[0]).await.unwrap();
        let mut more = crowd(&client, server.address, 1).await;
        exchange(&mut more[0]).await.expect(row);
        assert!(is_closed(&mut held[1]).await, "{row}: it was idle longest");
        exchange(&mut held[0]).await.expect(row);
        exchange(&mut held[2]).await.expect(row);
    }
}

#[tokio::test]
async fn who_has_shown_no_certificate_gives_way_first() {
    let lab = Lab::new();
    let settings = Settings { connections_per_address_max: 3, ..lab.settings() };
    let server = Running::start(&settings);
    let client = lab.client();
    let mut idle = crowd(&client, server.address, 1).await;
    let mut strangers = Vec::new();
    for _ in 0..10 {
        strangers.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut second = crowd(&client, server.address, 1).await;
    exchange(&mut second[0]).await.expect("a client comes in among strangers");
    exchange(&mut idle[0]).await.expect("and one that was idle stays");
}

#[tokio::test]
async fn another_address_keeps_its_place_while_one_has_used_up_its_own() {
    let lab = Lab::new();
    let settings = Settings {
        connections_per_address_max: 2,
        listen: SocketAddr::from(([0, 0, 0, 0], 0)),
        ..lab.settings()
    };
    let server = Running::start(&settings);
    let client = lab.client();
    let address = SocketAddr::from(([127, 0, 0, 1], server.address.port()));
    // Linux answers a connection to 127.0.0.2 from 127.0.0.1: another source must be bound.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
    let tcp = socket.connect(address).await.unwrap();
    let mut other = client.connect_on("localhost", tcp).await.unwrap();
    let mut held = crowd(&client, address, 4).await;
    assert!(is_closed(&mut held[0]).await && is_closed(&mut held[1]).await);
    exchange(&mut held[3]).await.expect("the last one of the first address is served");
    exchange(&mut other).await.expect("and the one of the second, which was idle longest");
}

#[tokio::test]
async fn who_is_silent_too_long_or_takes_no_answer_is_cut_off() {
    let lab = Lab::new();
    let settings = Settings { idle_deadline_ms: 1000, message_deadline_ms: 500, ..lab.settings() };
    let server = Running::start(&settings);
    let client = lab.client();

    let mut idle = client.connect(server.address).await.unwrap();
    exchange(&mut idle).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, idle.read(&mut [0])).await.expect("idle is closed");
    assert_eq!(end.unwrap(), 0, "an idle connection ends in good order");

    let (mut answers, mut requests) =
        tokio::io::split(client.connect(server.address).await.unwrap());
    let flood = async {
        // It asks on and on and reads nothing, until the server has had enough.
        while requests.write_all(&discover_versions()).await.is_ok() {}
    };
    tokio::time::timeout(PATIENCE, flood).await.expect("who takes no answers is cut off");
    let _ = answers.read(&mut [0]).await;
    client.is_served(server.address).await;
}

#[tokio::test]
async fn bytes_that_trickle_are_one_request() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    for byte in discover_versions() {
        stream.write_all(&[byte]).await.unwrap();
        stream.flush().await.unwrap();
    }
    read_frame(&mut stream).await.expect("an answer");
}
