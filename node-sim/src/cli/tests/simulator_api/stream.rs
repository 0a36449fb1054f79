//! Sessions, events, messages, notes, errors of methods, and objects of key servers.

use super::super::harness::{Answer, PATIENCE, Request, parse};
use super::client::{Client, ask};
use super::{EXTERNAL, STATE, rekey_is_over};
use crate::config::limits::BODY_LEN_MAX;
use crate::key_server::in_memory::InMemoryKeyServers;
use crate::key_server::message_trace::{MessageSink, Passage};
use crate::state::key_ring::NodeId;
use crate::stream::READERS_MAX;
use kmip::client::Direction;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(super) const BEGIN: &str = "POST /sim/v1/sessions";
pub(super) const NOTE: &str = "POST /sim/v1/notes";
pub(super) const SET_ERROR: &str = "PUT /sim/v1/method-errors";
pub(super) const DESTROY: &str =
    "POST /sim/v1/key-servers/{keyServerID}/objects/{uniqueIdentifier}/destroy";
const SESSION: &str = "GET /sim/v1/session";
const END: &str = "DELETE /sim/v1/session";
const EVENTS: &str = "GET /sim/v1/events";
const MESSAGES: &str = "GET /sim/v1/messages";
const MESSAGE: &str = "GET /sim/v1/messages/{number}";
const ERRORS: &str = "GET /sim/v1/method-errors";
const CLEAR_ERRORS: &str = "DELETE /sim/v1/method-errors";
const REMOVE_ERROR: &str = "DELETE /sim/v1/method-errors/{method}";
const OBJECTS: &str = "GET /sim/v1/key-servers/{keyServerID}/objects";

/// Request Message with a Batch Count in its Request Header, and a Batch Item with the Operation
/// Get.
const REQUEST: [u8; 56] = [
    0x42, 0x00, 0x78, 0x01, 0, 0, 0, 48, 0x42, 0x00, 0x77, 0x01, 0, 0, 0, 16, 0x42, 0x00, 0x0D,
    0x02, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0x42, 0x00, 0x0F, 0x01, 0, 0, 0, 16, 0x42, 0x00,
    0x5C, 0x05, 0, 0, 0, 4, 0, 0, 0, 10, 0, 0, 0, 0,
];

const OWN_PAGE: &str = "Sec-Fetch-Site: same-origin";

/// A request with headers in place of a name and a password.
async fn send(client: &Client<'_>, verb: &str, path: &str, headers: Vec<&str>) -> Answer {
    let request = Request { address: None, verb, path, credentials: None, headers, body: b"" };
    client.running.send(&request).await
}

/// A session is begun with the password, used with its cookie by the own page only, and ended.
pub(super) async fn sessions(client: &mut Client<'_>) {
    client.expect(400, ask(BEGIN, &[]).body(b"[]")).await;
    client.expect(400, ask(BEGIN, &[]).body(br#"{"user":"admin"}"#)).await;
    let wrong = ask(BEGIN, &[]).body(br#"{"user":"admin","password":"wrong"}"#);
    client.expect(401, wrong).await;
    client.expect_without_body(413, ask(BEGIN, &[]), BODY_LEN_MAX + 1).await;
    let right = ask(BEGIN, &[]).body(br#"{"user":"admin","password":"secret"}"#);
    let answer = client.send(right, None).await;
    let session = client.check(right, &answer);
    assert_eq!(
        (session["user"].as_str(), session["idleSeconds"].as_u64()),
        (Some("admin"), Some(1800))
    );
    let cookie = answer.header("Set-Cookie").unwrap().split(';').next().unwrap();
    let cookie = format!("Cookie: {cookie}");

    let shown = send(client, "GET", "/sim/v1/session", vec![&cookie]).await;
    client.check(ask(SESSION, &[]), &shown);
    client.expect(404, ask(SESSION, &[])).await;
    let retry = "/sim/v1/retry";
    for (headers, status) in [
        (vec![cookie.as_str(), OWN_PAGE], 200),
        (vec![&cookie, "Origin: https://cluster"], 200),
        (vec![&cookie], 403),
        (vec![&cookie, "Origin: https://evil.example"], 403),
        (vec![&cookie, OWN_PAGE, "Origin: https://evil.example"], 403),
        (vec![&cookie, "Sec-Fetch-Site: same-site"], 403),
        (vec!["Cookie: __Host-node-sim=AAAA", OWN_PAGE], 401),
    ] {
        let answer = send(client, "POST", retry, headers.clone()).await;
        assert_eq!(answer.status, status, "{headers:?}");
        assert_eq!(answer.header("WWW-Authenticate").is_some(), status == 401);
    }
    // A script's request does not make the browser ask its user.
    let scripted = send(client, "GET", "/sim/v1/state", vec!["Sec-Fetch-Dest: empty"]).await;
    assert_eq!((scripted.status, scripted.header("WWW-Authenticate")), (401, None));

    let mut reader = follow(client, &cookie).await;
    let ended = send(client, "DELETE", "/sim/v1/session", vec![&cookie, OWN_PAGE]).await;
    assert!(ended.header("Set-Cookie").unwrap().contains("Max-Age=0"));
    client.check(ask(END, &[]), &ended);
    client.expect(200, ask(END, &[])).await;
    assert_eq!(send(client, "GET", "/sim/v1/state", vec![&cookie]).await.status, 401);
    // Its readers end with the next event.
    client.expect(200, ask(NOTE, &[]).body(br#"{"source":"test","title":"last"}"#)).await;
    read_until(&mut reader, "event: session-ended").await;
}

/// Begins to read the events.
async fn follow(client: &mut Client<'_>, header: &str) -> crate::api::http::tls::ClientStream {
    let mut stream = client.running.connect().await;
    let head = format!("GET /sim/v1/events HTTP/1.1\r\nHost: cluster\r\n{header}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let text = read_until(&mut stream, "event: state").await;
    client.check(ask(EVENTS, &[]), &parse(text.as_bytes()));
    stream
}

/// Reads until this text has come.
async fn read_until(stream: &mut crate::api::http::tls::ClientStream, text: &str) -> String {
    let mut read = Vec::new();
    let reading = async {
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&read).contains(text) {
            let len = stream.read(&mut part).await.unwrap();
            assert!(len > 0, "{}", String::from_utf8_lossy(&read));
            read.extend_from_slice(&part[..len]);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("it comes in time");
    String::from_utf8(read).unwrap()
}

/// Notes come as events, which continue after the last id; and messages.
pub(super) async fn notes_and_messages(client: &mut Client<'_>) {
    let authorization = "Authorization: Basic YWRtaW46c2VjcmV0";
    let mut reader = follow(client, authorization).await;
    let note =
        |title: &str| json!({ "source": "test", "title": title, "data": { "n": 1 } }).to_string();
    client.expect(200, ask(NOTE, &[]).body(note("first").as_bytes())).await;
    let text = read_until(&mut reader, "\"title\":\"first\"").await;
    let id = text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap();
    drop(reader);
    client.expect(200, ask(NOTE, &[]).body(note("second").as_bytes())).await;
    // A reader that connects again has each event once, and not the state.
    for more in
        [format!("?after={id} HTTP/1.1\r\n"), format!(" HTTP/1.1\r\nLast-Event-ID: {id}\r\n")]
    {
        let mut stream = client.running.connect().await;
        let head = format!("GET /sim/v1/events{more}Host: cluster\r\n{authorization}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let text = read_until(&mut stream, "\"title\":\"second\"").await;
        assert!(!text.contains("event: state") && !text.contains("\"first\""), "{text}");
    }
    client.expect(400, ask(NOTE, &[]).body(b"{}")).await;
    client.expect(400, ask(NOTE, &[]).body(br#"{"source":"test","title":"x","more":1}"#)).await;
    client.expect(413, ask(NOTE, &[]).body(note(&"x".repeat(5000)).as_bytes())).await;
    let mut readers = Vec::new();
    for _ in 0..READERS_MAX {
        readers.push(follow(client, authorization).await);
    }
    client.expect(503, ask(EVENTS, &[])).await;
    drop(readers);
    assert_eq!(client.expect(200, ask(MESSAGES, &[])).await, json!({ "messages": [] }));
    client.expect(200, ask(MESSAGES, &[]).query("?last=1")).await;
    client.expect(400, ask(MESSAGES, &[]).query("?last=x")).await;
    client.expect(400, ask(MESSAGES, &[]).query("?first=1")).await;
    client.expect(400, ask(MESSAGE, &["x"])).await;
    client.expect(404, ask(MESSAGE, &["1"])).await;
    client.running.stream.messages.message(&Passage {
        node_id: NodeId(1),
        key_server_id: 1,
        server: "kms:5696",
        direction: Direction::Sent,
        frame: &REQUEST,
    });
    let message = client.expect(200, ask(MESSAGE, &["1"])).await;
    assert_eq!(message["tree"][0]["children"][0]["children"][0]["value"], "1");
    let listed = client.expect(200, ask(MESSAGES, &[])).await;
    assert_eq!(listed["messages"][0]["items"][0]["operation"], "Get");
}

/// The calls of a method are answered with the error that is set, as often as it was set for.
pub(super) async fn method_errors(client: &mut Client<'_>) {
    let error = |method: &str, name: &str| {
        json!({ "method": method, "name": name, "message": "as set", "times": 2 }).to_string()
    };
    client.expect(400, ask(SET_ERROR, &[]).body(b"{}")).await;
    client.expect_without_body(413, ask(SET_ERROR, &[]), BODY_LEN_MAX + 1).await;
    let set = error("getapi", "xDBVersionMismatch");
    let set = client.expect(200, ask(SET_ERROR, &[]).body(set.as_bytes())).await;
    assert_eq!((set["method"].as_str(), set["fired"].as_u64()), (Some("GetAPI"), Some(0)));
    let call = async || {
        let text = client.running.call(r#"{"method":"GetAPI","id":3}"#).await;
        serde_json::from_str::<Value>(&text).unwrap()
    };
    for _ in 0..2 {
        let expected = json!({ "code": 500, "message": "as set", "name": "xDBVersionMismatch" });
        assert_eq!(call().await, json!({ "error": expected, "id": 3 }));
    }
    assert!(call().await["result"].is_object());
    let all = client.expect(200, ask(ERRORS, &[])).await;
    assert_eq!(
        (all["methodErrors"][0]["fired"].as_u64(), &all["methodErrors"][0]["times"]),
        (Some(2), &json!(0))
    );
    client.expect(200, ask(REMOVE_ERROR, &["GetAPI"])).await;
    client.expect(404, ask(REMOVE_ERROR, &["GetAPI"])).await;
    client.expect(200, ask(CLEAR_ERRORS, &[])).await;
}

/// Objects of a key server are listed, and destroyed only if the request repeats the identifier.
pub(super) async fn objects(client: &mut Client<'_>, key_servers: &InMemoryKeyServers) {
    let method = "RekeySoftwareEncryptionAtRestMasterKey";
    client.running.call(&format!(r#"{{"method":"{method}","params":{EXTERNAL}}}"#)).await;
    let state = client.until(ask(STATE, &[]), rekey_is_over).await;
    let keys = state["masterKeys"].as_array().unwrap().iter();
    let mut key =
        keys.filter(|key| key["current"] == true).map(|key| key["keyID"].as_str().unwrap());
    let key = key.next_back().unwrap();
    client.expect(400, ask(OBJECTS, &["x"])).await;
    client.expect(404, ask(OBJECTS, &["9"])).await;
    let objects = client.expect(200, ask(OBJECTS, &["1"])).await;
    let object = &objects["objects"][0];
    assert_eq!((object["keyID"].as_str(), object["state"].as_str()), (Some(key), Some("Active")));
    let owner = object["owner"].as_str().unwrap();
    assert!(owner.contains("CN=lab"), "{owner}");

    let identifier = object["uniqueIdentifier"].as_str().unwrap().to_owned();
    let confirm = |identifier: &str| json!({ "confirm": identifier }).to_string();
    let right = confirm(&identifier);
    client.expect(400, ask(DESTROY, &["1", &identifier]).body(b"{}")).await;
    let other = confirm("other");
    client.expect(409, ask(DESTROY, &["1", &identifier]).body(other.as_bytes())).await;
    client.expect(400, ask(DESTROY, &["x", &identifier]).body(b"{}")).await;
    client.expect(404, ask(DESTROY, &["9", &identifier]).body(right.as_bytes())).await;
    client.expect(502, ask(DESTROY, &["1", "other"]).body(other.as_bytes())).await;
    client.expect_without_body(413, ask(DESTROY, &["1", "x"]), BODY_LEN_MAX + 1).await;
    assert_eq!(key_servers.keys(1).len(), 1);

    // What follows needs the key that is current: another is made to be destroyed.
    client
        .running
        .call(&format!(r#"{{"method":"{method}","params":{{"keyManagementType":"internal"}}}}"#))
        .await;
    client.until(ask(STATE, &[]), rekey_is_over).await;
    let spare = crate::state::key_ring::KeyId::random();
    key_servers.put(1, spare, [7; 32]);
    let objects = client.expect(200, ask(OBJECTS, &["1"])).await;
    let identifier = objects["objects"][0]["uniqueIdentifier"].as_str().unwrap().to_owned();
    let right = confirm(&identifier);
    client.expect(200, ask(DESTROY, &["1", &identifier]).body(right.as_bytes())).await;
    assert_eq!(key_servers.keys(1).len(), 0);
    let away = crate::key_server::KeyServerError::connection("away");
    key_servers.switch_off(1, away);
    client.expect(502, ask(OBJECTS, &["1"])).await;
    key_servers.switch_on(1);
}
