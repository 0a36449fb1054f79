//! The listener: bad requests, idle connections, and the listener of a node.

use super::harness::{PATIENCE, Request, Running, parse, start};
use crate::key_server::in_memory::InMemoryKeyServers;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CALL: &str = r#"{"method":"ListPendingNodes","id":1}"#;
const ANSWER: &str = r#"{"id":1,"result":{"pendingNodes":[]}}"#;

async fn cluster(more: &str) -> (tempfile::TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), Arc::new(InMemoryKeyServers::new()), more).await;
    (folder, running)
}

/// What is left of a connection: everything until its end.
async fn rest(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the listener ends the connection");
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_end_in_a_page_and_leave_the_listener_open() {
    let (_folder, running) = cluster("").await;
    let long_head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    let auth = "Authorization: Basic YWRtaW46c2VjcmV0\r\n";
    let announced =
        format!("POST /json-rpc/12.3 HTTP/1.1\r\nHost: h\r\n{auth}Content-Length: 1048577\r\n\r\n");
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    let chunked = format!(
        "POST /json-rpc/12.3 HTTP/1.1\r\nHost: h\r\n{auth}Transfer-Encoding: chunked\r\n\r\n\
         {chunk}{chunk}0\r\n\r\n"
    );
    let table: [(&str, &[u8], u16); 5] = [
        ("no HTTP at all", b"\x16\x03\x01\x00\x00\r\n\r\n", 400),
        ("a head that is too long", long_head.as_bytes(), 431),
        ("a body that says it is too long", announced.as_bytes(), 413),
        ("a body that turns out too long", chunked.as_bytes(), 400),
        ("no path", b"GET  HTTP/1.1\r\n\r\n", 400),
    ];
    for (what, bytes, status) in table {
        let mut stream = running.connect().await;
        // The listener may answer and close before everything was sent.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        assert_eq!(parse(&rest(&mut stream).await).status, status, "{what}");
    }
    assert_eq!(running.call(CALL).await, ANSWER);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_idle_connections_keep_nobody_out() {
    let (_folder, running) = cluster("").await;
    let mut idle = Vec::new();
    for number in 0..900_u32 {
        let mut stream = TcpStream::connect(running.addresses.cluster).await.unwrap();
        if number % 3 == 0 {
            // Half of a TLS record.
            stream.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
        }
        idle.push(stream);
    }
    assert_eq!(running.call(CALL).await, ANSWER);
    drop(idle);
    assert_eq!(running.call(CALL).await, ANSWER);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_are_no_handshake() {
    let (_folder, running) = cluster("").await;
    let mut stream = TcpStream::connect(running.addresses.cluster).await.unwrap();
    // A linear congruence is random enough to be no TLS, and the same each time.
    let noise: Vec<u8> =
        (0..1_u32 << 20).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0] | 0x80).collect();
    let _ = stream.write_all(&noise).await;
    rest(&mut stream).await;
    assert_eq!(running.call(CALL).await, ANSWER);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_carries_many_calls() {
    let (_folder, running) = cluster("").await;
    let mut stream = running.connect().await;
    let auth = "Authorization: Basic YWRtaW46c2VjcmV0";
    let request = format!(
        "POST /json-rpc/12.3 HTTP/1.1\r\nHost: h\r\n{auth}\r\nContent-Length: {}\r\n\r\n{CALL}",
        CALL.len()
    );
    let mut head = Vec::new();
    for _ in 0..3 {
        stream.write_all(request.as_bytes()).await.unwrap();
        head.clear();
        while !head.ends_with(ANSWER.as_bytes()) {
            assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0, "the listener hung up");
        }
    }
    assert_eq!(parse(&head).status, 200);
    // An open connection does not hold up the end.
    running.stop().await;
    rest(&mut stream).await;
}

/// A client with Nagle's algorithm holds back the body until the head is acknowledged, and Linux
/// delays an acknowledgement by at least 40 ms unless it is told not to.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn head_of_a_call_is_acknowledged_before_its_body() {
    use tokio::time::{Duration, Instant};

    let (_folder, running) = cluster("").await;
    let mut stream = running.connect().await;
    let head = format!(
        "POST /json-rpc/12.3 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n\
         Content-Length: {}\r\n\r\n",
        CALL.len()
    );
    let mut fastest = Duration::MAX;
    for round in 0..20 {
        let start = Instant::now();
        for part in [head.as_str(), CALL] {
            stream.write_all(part.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        }
        let mut answer = Vec::new();
        while !answer.ends_with(ANSWER.as_bytes()) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the listener hung up");
        }
        // A new connection acknowledges at once until it has answered some requests.
        if round >= 10 {
            fastest = fastest.min(start.elapsed());
        }
    }
    assert!(fastest < Duration::from_millis(20), "{fastest:?}");
    running.stop().await;
}

/// .NET sends credentials only when it was asked to, on the connection that it has.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_may_follow_on_the_same_connection() {
    let (_folder, running) = cluster("").await;
    let mut stream = running.connect().await;
    let request = |auth: &str| {
        let head = format!("POST /json-rpc/7.0 HTTP/1.1\r\nHost: h\r\n{auth}Content-Length:");
        format!("{head} {}\r\n\r\n{CALL}", CALL.len())
    };
    let auth = "Authorization: Basic YWRtaW46c2VjcmV0\r\n";
    for (auth, status, end) in [("", 401, "</html>\n"), (auth, 200, ANSWER)] {
        stream.write_all(request(auth).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(end.as_bytes()) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the listener hung up");
        }
        assert_eq!(parse(&answer).status, status);
    }
    running.stop().await;
}

/// Fact 10: some clients expect the methods of a node at another port than those of the cluster.
#[tokio::test(flavor = "multi_thread")]
async fn a_listener_of_its_own_for_the_methods_of_a_node() {
    let (_folder, running) = cluster("node-listen = '127.0.0.1:0'").await;
    let node = running.addresses.node.expect("it has one");
    let table = [
        ("GetConfig", None, false),
        ("GetConfig", Some(node), true),
        ("ListPendingNodes", None, true),
        ("ListPendingNodes", Some(node), false),
        ("GetAPI", None, true),
        ("GetAPI", Some(node), true),
    ];
    for (method, address, known) in table {
        let body = format!("{{\"method\":\"{method}\"}}");
        let request = Request { address, ..Request::post("/json-rpc/12.3", body.as_bytes()) };
        let text = running.send(&request).await.text();
        let unknown = format!(
            "{{\"error\":{{\"code\":500,\"message\":\"Unknown API method=<{method}>\",\
             \"name\":\"xUnknownAPIMethod\"}},\"id\":null}}"
        );
        assert_eq!(text != unknown, known, "{method} {text}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_read_as_they_were_written_and_only_while_the_node_has_power() {
    let (folder, running) = cluster("").await;
    let put = |path| Request { verb: "PUT", ..Request::post(path, &[0xA5; 8192]) };
    let get = |path| Request { verb: "GET", ..Request::post(path, b"") };
    let path = "/sim/v1/drives/3/blocks/7";
    until_unlocked(&running).await;
    assert_eq!(running.send(&put(path)).await.status, 200);
    let both = "/sim/v1/drives/3/blocks/7?count=2";
    assert_eq!(running.send(&get(both)).await.body, vec![0xA5; 8192]);
    let capacity = running.call(r#"{"method":"GetClusterCapacity"}"#).await;
    let capacity: serde_json::Value = serde_json::from_str(&capacity).unwrap();
    let used = capacity["result"]["clusterCapacity"]["usedSpace"].as_u64().unwrap();
    assert!(used >= 8192, "two blocks are used at least: {used}");
    let odd = Request { body: b"odd", ..put(path) };
    assert_eq!(running.send(&odd).await.status, 400);
    let end = running.send(&put("/sim/v1/drives/3/blocks/255")).await;
    assert_eq!((end.status, end.text().contains("beyond the drive's end")), (400, true));

    assert_eq!(running.send(&Request::post("/sim/v1/nodes/2/stop", b"")).await.status, 200);
    assert_eq!(running.send(&get(path)).await.status, 503);
    assert_eq!(running.send(&Request::post("/sim/v1/nodes/2/start", b"")).await.status, 200);
    until_unlocked(&running).await;
    assert_eq!(running.send(&get(both)).await.body, vec![0xA5; 8192]);
    running.stop().await;

    // The same cluster, started again, and the same certificate.
    let again = start(folder.path(), Arc::new(InMemoryKeyServers::new()), "").await;
    until_unlocked(&again).await;
    assert_eq!(again.send(&get(both)).await.body, vec![0xA5; 8192]);
    let state: serde_json::Value =
        serde_json::from_str(&again.send(&get("/sim/v1/state")).await.text()).unwrap();
    let keys = state["masterKeys"].as_array().unwrap();
    assert_eq!((keys.len(), &keys[0]["wraps"]), (1, &serde_json::json!(4)));
    assert_eq!(state["nodes"][1]["drives"][0]["wrappedBy"], keys[0]["keyID"]);
    again.stop().await;
}

/// Asks until every drive serves.
async fn until_unlocked(running: &Running) {
    let request = Request { verb: "GET", ..Request::post("/sim/v1/state", b"") };
    let unlocked = async {
        while !running.send(&request).await.text().contains("\"unlocked\":true") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, unlocked).await.expect("the drives unlock");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_second_wrong_password_in_a_row_is_held_back() {
    let (_folder, running) = cluster("").await;
    let wrong = Request {
        credentials: Some("admin:wrong"),
        ..Request::post("/json-rpc/12.3", CALL.as_bytes())
    };
    assert_eq!(running.send(&wrong).await.status, 401);
    let begun = std::time::Instant::now();
    assert_eq!(running.send(&wrong).await.status, 401);
    assert!(begun.elapsed() >= std::time::Duration::from_millis(250));
    assert_eq!(running.call(CALL).await, ANSWER);
    running.stop().await;
}
