//! The HTTPS door (Additional Message Encodings 1.0, 2): what is answered, what is refused and how,
//! and peers that mean no good.

use kmip_server::config::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{
    Client, PATIENCE, Stream, agreed_protocol, discover_versions, exchange, hex,
    is_invalid_message, is_success,
};
use crate::running::{Lab, Running};

pub(crate) const BINARY: &str = "application/octet-stream";

/// What came back for one request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header; nothing if it is not there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body, if it is text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}

/// A POST of `body` to /kmip as this type.
pub(crate) fn post(content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /kmip HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n\
         Cache-Control: no-cache\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Reads one response, or nothing if the server closed instead.
pub(crate) async fn read_answer(stream: &mut Stream) -> Option<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ if head.is_empty() => return None,
            other => panic!("the head broke off: {other:?}"),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: Vec::new() };
    let len: usize = answer.header("Content-Length").expect("a Content-Length").parse().unwrap();
    answer.body.resize(len, 0);
    stream.read_exact(&mut answer.body).await.unwrap();
    Some(answer)
}

/// Sends bytes and reads one response.
pub(crate) async fn ask(stream: &mut Stream, request: &[u8]) -> Answer {
    stream.write_all(request).await.unwrap();
    stream.flush().await.unwrap();
    read_answer(stream).await.expect("a response")
}

/// Proves that the door serves: a new connection, and an answer on it.
async fn is_served(client: &Client, server: &Running) {
    let served = async {
        let mut stream = client.connect(server.address).await.expect("another client comes in");
        let answer = ask(&mut stream, &post(BINARY, &discover_versions())).await;
        assert!(answer.status == 200 && is_success(&answer.body), "{answer:?}");
    };
    tokio::time::timeout(PATIENCE, served).await.expect("another client is served in time");
}

#[tokio::test]
async fn a_message_is_answered_as_the_profile_has_it() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    for turn in 0..3 {
        let answer = ask(&mut stream, &post(BINARY, &discover_versions())).await;
        assert_eq!(answer.status, 200, "request {turn} on one connection");
        assert!(is_success(&answer.body), "{answer:?}");
        assert_eq!(answer.header("Content-Type"), Some(BINARY));
        assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
    }
}

/// The head of the profile's own wire dumps, with its blanks behind the length.
#[tokio::test]
async fn http_1_0_is_answered_and_kept_alive_if_it_asks() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let request = |connection: &str| {
        let head = format!(
            "POST /kmip HTTP/1.0\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n{connection}\
             Content-Type: application/octet-stream\r\nContent-Length: {:<10}\r\n\r\n",
            discover_versions().len()
        );
        [head.as_bytes(), &discover_versions()].concat()
    };
    let mut stream = lab.client().connect(server.address).await.unwrap();
    for _ in 0..2 {
        let answer = ask(&mut stream, &request("Connection: keep-alive\r\n")).await;
        assert!(answer.status == 200 && is_success(&answer.body), "{answer:?}");
    }
    let answer = ask(&mut stream, &request("")).await;
    assert_eq!(answer.status, 200);
    assert!(read_answer(&mut stream).await.is_none(), "it is closed unless it asked");
}

#[tokio::test]
async fn what_is_no_kmip_yet_is_told_why() {
    let lab = Lab::new();
    let settings = Settings { frame_len_max: 65_536, ..lab.settings() };
    let server = Running::https(&settings);
    let client = lab.client();
    let typed =
        |line: &str| format!("POST /kmip HTTP/1.1\r\nHost: a\r\n{line}Content-Length: 0\r\n\r\n");
    let octets = "Content-Type: application/octet-stream\r\n";
    let at =
        |target: &str| format!("{target} HTTP/1.1\r\nHost: a\r\n{octets}Content-Length: 0\r\n\r\n");
    let long = format!("POST /kmip HTTP/1.1\r\nHost: a\r\n{octets}Content-Length: 65537\r\n\r\n");
    let hosts =
        |lines: &str| format!("POST /kmip HTTP/1.1\r\n{lines}{octets}Content-Length: 0\r\n\r\n");
    let rows: [(String, u16, &str); 18] = [
        (at("POST /"), 404, "KMIP is served at /kmip"),
        (at("POST /kmip/"), 404, "KMIP is served at /kmip"),
        (at("GET /favicon.ico"), 404, "KMIP is served at /kmip"),
        (at("GET /kmip"), 405, "by POST /kmip"),
        (at("PUT /kmip"), 405, "by POST /kmip"),
        (typed(""), 415, "one of application/octet-stream, text/xml, application/json"),
        (typed("Content-Type: text/plain\r\n"), 415, "the Content-Type must be one of"),
        (typed("Content-Type: application/ttlv\r\n"), 415, "the Content-Type must be one of"),
        (typed("Content-Type: text/xml; charset=utf-16\r\n"), 415, "text is taken in UTF-8 alone"),
        (typed(&format!("{octets}Content-Type: text/xml\r\n")), 415, "one Content-Type header"),
        (typed(&format!("{octets}Content-Encoding: gzip\r\n")), 415, "without a Content-Encoding"),
        (long, 413, "at most 65536 bytes"),
        (hosts(""), 400, "one Host header"),
        (hosts("Host: a\r\nHost: b\r\n"), 400, "one Host header"),
        (hosts("Host: a b\r\n"), 400, "one Host header"),
        (hosts("Host: a/b\r\n"), 400, "one Host header"),
        (hosts("Host: u@a\r\n"), 400, "one Host header"),
        ("KMIP\r\n\r\n".to_owned(), 400, ""),
    ];
    for (request, status, why) in rows {
        let mut stream = client.connect(server.address).await.unwrap();
        let answer = ask(&mut stream, request.as_bytes()).await;
        assert_eq!(answer.status, status, "{request}");
        assert!(answer.text().contains(why), "{request}: {}", answer.text());
        assert_eq!(answer.header("Allow").is_some(), status == 405, "{request}");
        let goes_on = !matches!(status, 400 | 413);
        if goes_on {
            let next = ask(&mut stream, &post(BINARY, &discover_versions())).await;
            assert_eq!(next.status, 200, "{request}: the connection lives on");
        } else {
            assert!(read_answer(&mut stream).await.is_none(), "{request}: it is closed");
        }
    }
}

/// Whatever has a type of KMIP's gets an answer of KMIP's, and HTTP has nothing to complain of.
#[tokio::test]
async fn bytes_that_are_no_message_are_answered_by_kmip() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    let whole = discover_versions();
    let rows: [(&str, Vec<u8>); 6] = [
        ("nothing", Vec::new()),
        ("half a message", whole[..40].to_vec()),
        ("two messages", [&whole[..], &whole].concat()),
        ("a Response Message", [&hex("42007B01"), &whole[4..]].concat()),
        ("text", b"hello".to_vec()),
        ("a length of 4 GiB", hex("42007801 FFFFFFF8")),
    ];
    for (row, body) in rows {
        let answer = ask(&mut stream, &post(BINARY, &body)).await;
        assert_eq!(answer.status, 200, "{row}");
        assert!(is_invalid_message(&answer.body), "{row}: {answer:?}");
    }
    let answer = ask(&mut stream, &post(BINARY, &whole)).await;
    assert!(is_success(&answer.body), "the connection lives on");
}

#[tokio::test]
async fn pieces_of_any_size_are_one_request() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    for byte in post(BINARY, &discover_versions()) {
        stream.write_all(&[byte]).await.unwrap();
        stream.flush().await.unwrap();
    }
    assert_eq!(read_answer(&mut stream).await.expect("an answer").status, 200);

    let two = [post(BINARY, &discover_versions()), post(BINARY, &discover_versions())].concat();
    assert_eq!(ask(&mut stream, &two).await.status, 200);
    assert_eq!(read_answer(&mut stream).await.expect("both are answered").status, 200);

    let mut chunked =
        b"POST /kmip HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n\
        Transfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for piece in discover_versions().chunks(40) {
        chunked.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunked.extend_from_slice(piece);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = ask(&mut stream, &chunked).await;
    assert!(answer.status == 200 && is_success(&answer.body), "{answer:?}");
}

#[tokio::test]
async fn the_longest_message_is_answered_and_a_byte_more_is_not() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let max = lab.settings().frame_len_max;
    let mut stream = lab.client().connect(server.address).await.unwrap();
    let answer = ask(&mut stream, &post(BINARY, &vec![0; max])).await;
    assert_eq!(answer.status, 200);
    // Without a length that is told first, it is refused once too much has come.
    let mut chunked =
        b"POST /kmip HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n\
        Transfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    chunked.extend_from_slice(format!("{:x}\r\n", max + 1).as_bytes());
    chunked.resize(chunked.len() + max + 1, 0);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    assert_eq!(ask(&mut stream, &chunked).await.status, 413);
}

#[tokio::test]
async fn http_1_1_is_what_is_spoken_inside_tls() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    for (offered, agreed) in [
        (&["http/1.1"][..], Some(&b"http/1.1"[..])),
        (&["h2", "http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let client = lab.client().offering(offered);
        let mut stream = client.connect(server.address).await.unwrap();
        assert_eq!(ask(&mut stream, &post(BINARY, &discover_versions())).await.status, 200);
        assert_eq!(agreed_protocol(&stream), agreed, "{offered:?}");
    }
    assert!(lab.client().offering(&["h2"]).connect(server.address).await.is_err());
    // The binary door agrees on none: it is not HTTP's.
    let binary = Running::start(&lab.settings());
    let mut stream = lab.client().offering(&["http/1.1"]).connect(binary.address).await.unwrap();
    exchange(&mut stream).await.unwrap();
    assert_eq!(agreed_protocol(&stream), None);
}

#[tokio::test]
async fn a_client_without_a_certificate_does_not_come_in() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let stranger = Client::new(lab.authority.cert_pem(), None);
    // In TLS 1.3 the client hears of it only when it reads.
    if let Ok(mut stream) = stranger.connect(server.address).await {
        let _ = stream.write_all(&post(BINARY, &discover_versions())).await;
        assert!(read_answer(&mut stream).await.is_none());
    }
    is_served(&lab.client(), &server).await;
}

#[tokio::test]
async fn who_is_silent_or_slow_or_takes_no_answer_is_cut_off() {
    let lab = Lab::new();
    let settings = Settings { idle_deadline_ms: 1000, message_deadline_ms: 500, ..lab.settings() };
    let server = Running::https(&settings);
    let client = lab.client();
    let whole = post(BINARY, &discover_versions());
    let head_len = whole.len() - discover_versions().len();

    // What was sent before the silence, and the status that is told.
    for (row, sent, status) in [
        ("nothing", 0, None),
        ("half a head", 20, None),
        ("a head", head_len, Some(408)),
        ("half a body", head_len + 20, Some(408)),
    ] {
        let mut stream = client.connect(server.address).await.unwrap();
        // On a fresh connection, and on one that has had an answer.
        for turn in 0..2 {
            if turn == 1 {
                stream = client.connect(server.address).await.unwrap();
                assert_eq!(ask(&mut stream, &whole).await.status, 200);
            }
            stream.write_all(&whole[..sent]).await.unwrap();
            stream.flush().await.unwrap();
            let told = tokio::time::timeout(PATIENCE, read_answer(&mut stream)).await;
            let told = told.unwrap_or_else(|_| panic!("{row}: the server never closed"));
            assert_eq!(told.map(|answer| answer.status), status, "{row}, turn {turn}");
        }
    }

    let (mut answers, mut requests) =
        tokio::io::split(client.connect(server.address).await.unwrap());
    let flood = async { while requests.write_all(&whole).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, flood).await.expect("who takes no answers is cut off");
    let _ = answers.read(&mut [0]).await;
    is_served(&client, &server).await;
}

#[tokio::test]
async fn a_client_that_has_said_all_still_gets_its_answer() {
    let lab = Lab::new();
    let server = Running::https(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    stream.write_all(&post(BINARY, &discover_versions())).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_answer(&mut stream).await.expect("over the half that is open");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_is_under_way() {
    let lab = Lab::new();
    let mut server = Running::https(&lab.settings());
    let client = lab.client();
    let whole = post(BINARY, &discover_versions());
    let mut idle = client.connect(server.address).await.unwrap();
    assert_eq!(ask(&mut idle, &whole).await.status, 200);
    let mut fresh = client.connect(server.address).await.unwrap();
    // A head that is coming, and a body, each on a connection that is fresh or has had an answer.
    let mut busy = Vec::new();
    for (cut, had_answer) in [(20, false), (20, true), (170, false), (170, true)] {
        let mut stream = client.connect(server.address).await.unwrap();
        if had_answer {
            assert_eq!(ask(&mut stream, &whole).await.status, 200);
        }
        stream.write_all(&whole[..cut]).await.unwrap();
        stream.flush().await.unwrap();
        busy.push((cut, had_answer, stream));
    }
    // Whether the server has seen the parts is known when it has answered on a later connection.
    is_served(&client, &server).await;

    server.stop();
    assert!(read_answer(&mut idle).await.is_none(), "an idle connection is closed");
    assert!(read_answer(&mut fresh).await.is_none(), "and one that never asked");
    for (cut, had_answer, stream) in &mut busy {
        stream.write_all(&whole[*cut..]).await.unwrap();
        stream.flush().await.unwrap();
        let answer = read_answer(stream).await;
        let answer = answer.unwrap_or_else(|| panic!("cut at {cut}, asked before: {had_answer}"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("Connection"), Some("close"), "cut at {cut}");
        assert!(read_answer(stream).await.is_none(), "it was the last");
    }
    server.ended().await;
}

#[tokio::test]
async fn places_are_counted_as_at_the_binary_door() {
    let lab = Lab::new();
    let server = Running::https(&Settings { connections_per_address_max: 1, ..lab.settings() });
    let client = lab.client();
    let mut held = client.connect(server.address).await.unwrap();
    let mut second = client.connect(server.address).await.unwrap();
    assert_eq!(ask(&mut second, &post(BINARY, &discover_versions())).await.status, 200);
    assert!(read_answer(&mut held).await.is_none(), "the first, which was idle, gave way");
}
