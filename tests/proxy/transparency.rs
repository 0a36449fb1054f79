//! Without a rule that acts, a message is passed on as the bytes that came.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use harness::foreign::skip;
use harness::proxy_http::{add_rule, conversation};
use harness::{FrameConnection, KmipProxy, KmipServer, Lab, repository};
use kmip::encoding::xml;
use kmip::payload::OPERATIONS;
use kmip::{Version, tags};
use ttlv::Writer;

use crate::byte_server::ByteServer;
use crate::client::{TestClient, create, get, locate, request};

/// A client and a server of bytes, with a proxy between them that has a rule for another client.
struct Line {
    client: TestClient,
    server: ByteServer,
    _proxy: KmipProxy,
    _lab: Lab,
}

impl Line {
    fn new() -> Self {
        let lab = Lab::new();
        let server = ByteServer::start(&lab);
        let proxy = KmipProxy::start(&lab, server.address, |program| program);
        add_rule(proxy.http(), "\"client\": \"bob\", \"action\": {\"drop\": {}}");
        let client = TestClient::connect(proxy.address(), &lab, "alice");
        Self { client, server, _proxy: proxy, _lab: lab }
    }

    /// Sends and answers; both ends must get what the other has sent.
    fn exchange(&mut self, request: &[u8], response: &[u8]) {
        self.server.expect(request.len(), response);
        self.client.send(request).unwrap();
        assert!(self.server.heard() == request, "the request is not as it was sent");
        let received = self.client.receive(response.len()).unwrap();
        assert!(received == response, "the response is not as it was sent");
    }
}

#[test]
fn message_of_every_operation_and_version_arrives_as_it_was_sent() {
    let mut line = Line::new();
    for version in Version::SERVED.iter().chain([&Version::V3_0, &Version { major: 9, minor: 9 }]) {
        for operation in OPERATIONS {
            let message = |of: ttlv::Tag, header, payload, status| {
                let mut w = Writer::default();
                w.structure(of, |w| {
                    w.structure(header, |w| {
                        w.structure(tags::ProtocolVersion, |w| {
                            w.integer(tags::ProtocolVersionMajor, version.major);
                            w.integer(tags::ProtocolVersionMinor, version.minor);
                        });
                        w.integer(tags::BatchCount, 1);
                    });
                    w.structure(tags::BatchItem, |w| {
                        w.enumeration(tags::Operation, operation.0);
                        if status {
                            w.enumeration(tags::ResultStatus, 0);
                        }
                        w.structure(payload, |w| {
                            w.text_string(tags::UniqueIdentifier, "a key");
                            w.byte_string(ttlv::Tag(0x54_0001), &[7; 33]);
                        });
                    });
                });
                w.into_bytes()
            };
            let (request, response) = (tags::RequestPayload, tags::ResponsePayload);
            line.exchange(
                &message(tags::RequestMessage, tags::RequestHeader, request, false),
                &message(tags::ResponseMessage, tags::ResponseHeader, response, true),
            );
        }
    }
}

#[test]
fn message_that_cannot_be_read_arrives_as_it_was_sent() {
    let mut line = Line::new();
    let framed = |tag: [u8; 3], body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&tag[..], &[1], &length, body].concat()
    };
    let (request, response) = ([0x42, 0x00, 0x78], [0x42, 0x00, 0x7B]);
    for body in [&[][..], &[0; 8], &[0xFF; 40], b"\x42\x00\x77\x01\0\0\0\x63", b"odd"] {
        line.exchange(&framed(request, body), &framed(response, body));
    }
    // After these the beginning of the next message is not known.
    line.exchange(b"\x42\x00\x78\x02\0\0\0\x04\0\0\0\x01\0\0\0\0", b"HTTP/1.1 400 ?\r\n\r\n");
    line.exchange(&framed(request, b"more"), &[0; 5000]);
}

#[test]
fn messages_of_the_oasis_cases_arrive_as_they_were_sent() {
    let Some(folder) = test_cases() else { return };
    let mut line = Line::new();
    let mut exchanged = 0;
    let mut files = Vec::new();
    xml_files(&folder, &mut files);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let requests = messages(&text, "RequestMessage");
        let responses = messages(&text, "ResponseMessage");
        for (request, response) in requests.iter().zip(&responses) {
            if let (Some(request), Some(response)) = (request, response) {
                line.exchange(request, response);
                exchanged += 1;
            }
        }
    }
    assert!(exchanged > 500, "only {exchanged} exchanges were found");
}

/// The messages of one kind in a case; none where one has a place for a date or a number.
fn messages(text: &str, element: &str) -> Vec<Option<Vec<u8>>> {
    let (begin, end) = (format!("<{element}>"), format!("</{element}>"));
    let found = text.split(&begin).skip(1).map(|rest| {
        let body = rest.split(&end).next()?;
        Some(xml::decode(&format!("{begin}{body}{end}")).ok()?.to_vec())
    });
    found.collect()
}

fn xml_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            xml_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            files.push(path);
        }
    }
}

/// The folder of OASIS's test cases; `None` where it is missing, and then the test is skipped.
fn test_cases() -> Option<PathBuf> {
    let named = std::env::var_os("KMIP_TESTCASES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| {
        repository().parent().unwrap().join("shared").join("kmip").join("testcases")
    });
    if !folder.is_dir() {
        skip("the OASIS cases are missing: set KMIP_TESTCASES");
        return None;
    }
    Some(folder)
}

#[test]
fn conversation_with_the_key_server_is_whole_and_has_no_key() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let file = lab.path("conversation.jsonl");
    let mut proxy = KmipProxy::start(&lab, server.address(), |program| {
        program.arg("--conversation").arg(&file).arg("--hex")
    });
    let mut client = TestClient::connect(proxy.address(), &lab, "alice");
    let id = client.create("transparent");
    let key = client.ask(get(&id)).unwrap().key();
    assert_eq!(key.len(), 64);
    assert_eq!(client.ask(locate()).unwrap().located(), std::slice::from_ref(&id));
    // Another client has an identity of its own at the server.
    let mut bob = TestClient::connect(proxy.address(), &lab, "bob");
    assert_eq!(bob.ask(get(&id)).unwrap().reason(), Some("ItemNotFound"));
    assert!(bob.ask(locate()).unwrap().located().is_empty());
    let entries = conversation(proxy.http());
    let ways: Vec<_> = entries.iter().map(|entry| entry["way"].as_str().unwrap()).collect();
    assert_eq!(ways, ["request", "response"].repeat(5));
    assert!(entries.iter().all(|entry| entry.get("sent").is_none()));
    assert!(entries[0]["client"].as_str().unwrap().contains("alice"));
    assert_eq!(entries[3]["came"]["items"][0]["operation"], "Get");
    proxy.process().terminate();
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written.lines().count(), entries.len());
    for text in [written, proxy.log()] {
        assert!(!text.to_lowercase().contains(&key.to_lowercase()[..16]), "a key is written");
    }
}

#[test]
fn client_that_waits_holds_up_nobody() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| program);
    // One has a delay of an hour, five have said nothing, and one has said half a header.
    add_rule(proxy.http(), "\"client\": \"bob\", \"action\": {\"delay\": {\"ms\": 3600000}}");
    let mut waiting = TestClient::connect(proxy.address(), &lab, "bob");
    waiting.send(&request(Version::V1_4, locate())).unwrap();
    let silent: Vec<TcpStream> =
        (0..5).map(|_| TcpStream::connect(proxy.address()).unwrap()).collect();
    let mut half = TestClient::connect(proxy.address(), &lab, "alice");
    half.send(b"\x42\x00\x78\x01\0\0").unwrap();
    let mut client = TestClient::connect(proxy.address(), &lab, "alice");
    assert_eq!(client.ask(create("served")).unwrap().reason(), None);
    drop((silent, waiting, half));
}

#[test]
fn client_without_an_identity_is_closed() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| program);
    let carol = lab.authority().client("carol").unwrap();
    let (cert, key) = (&carol.cert_pem, &carol.key_pem);
    let mut client = FrameConnection::connect(proxy.address(), &lab.pem("ca.crt"), cert, key);
    assert_eq!(client.exchange(&request(Version::V1_4, locate())), None);
    proxy.wait_for_log("no upstream identity for the client \"CN=carol\"", 1);
}

#[test]
fn answers_are_in_the_order_of_requests_that_come_at_once() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| program);
    add_rule(
        proxy.http(),
        "\"operation\": \"Get\", \"action\": {\"fail\": {\"reason\": \"Permission Denied\"}}",
    );
    let mut client = TestClient::connect(proxy.address(), &lab, "alice");
    // Every second one is answered by the proxy, which has its answer first.
    let pair = [request(Version::V1_4, locate()), request(Version::V1_4, get("none"))].concat();
    client.send(&pair.repeat(20)).unwrap();
    for _ in 0..20 {
        assert_eq!(client.answer().unwrap().reason(), None);
        assert_eq!(client.answer().unwrap().reason(), Some("PermissionDenied"));
    }
}

#[test]
fn idle_connection_is_closed_when_the_proxy_stops() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let mut proxy = KmipProxy::start(&lab, server.address(), |program| program);
    let mut client = TestClient::connect(proxy.address(), &lab, "alice");
    client.ask(locate()).unwrap();
    assert!(proxy.process().terminate().success());
    assert!(client.receive_all().unwrap().is_empty());
    proxy.wait_for_log("left: the proxy stops", 1);
}

#[test]
fn connection_is_closed_after_the_idle_deadline() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| {
        program.arg("--idle-deadline-ms").arg("300")
    });
    let mut client = TestClient::connect(proxy.address(), &lab, "alice");
    // A request that is held back for longer is under way.
    add_rule(proxy.http(), "\"operation\": \"Locate\", \"action\": {\"delay\": {\"ms\": 900}}");
    client.ask(locate()).unwrap();
    assert!(client.receive_all().unwrap().is_empty());
    proxy.wait_for_log("left: it was idle for longer than the idle deadline", 1);
}

#[test]
fn request_that_is_too_long_ends_its_connection() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| {
        program.arg("--request-len-max").arg("1000")
    });
    let mut client = TestClient::connect(proxy.address(), &lab, "alice");
    client.send(b"\x42\x00\x78\x01\0\0\x10\0").unwrap();
    assert!(client.receive_all().unwrap().is_empty());
    proxy.wait_for_log("a request of 4104 bytes is too long", 1);
}
