//! Just enough HTTP to speak to the proxy's interface.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const JSON: &str = "Content-Type: application/json";

/// Sends one request; gives the status and the body.
#[track_caller]
pub fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the proxy listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket with a deadline");
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("Host:")) {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for header in headers {
        head.push_str(&format!("{header}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(head.as_bytes()).expect("the proxy reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer of HTTP");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// Asks for this path.
#[track_caller]
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    send(address, "GET", path, &[], "")
}

/// Sends JSON to this path.
#[track_caller]
pub fn post(address: SocketAddr, path: &str, body: &str) -> (u16, String) {
    send(address, "POST", path, &[JSON], body)
}

/// Deletes what is at this path.
#[track_caller]
pub fn delete(address: SocketAddr, path: &str) -> (u16, String) {
    send(address, "DELETE", path, &[JSON], "")
}

/// Adds a rule named `a`, in JSON without its name.
#[track_caller]
pub fn add_rule(address: SocketAddr, fields: &str) {
    let (status, body) = post(address, "/rules", &format!("{{\"name\": \"a\", {fields}}}"));
    assert_eq!(status, 201, "{body}");
}

/// Removes the rule named `a`; gives how often it fired.
#[track_caller]
pub fn take_rule(address: SocketAddr) -> u64 {
    let (status, body) = get(address, "/rules/a");
    assert_eq!(status, 200, "{body}");
    assert_eq!(delete(address, "/rules/a").0, 200);
    let counts: Value = serde_json::from_str(&body).expect("counts in JSON");
    counts.get("fired").and_then(Value::as_u64).expect("a count")
}

/// The recent messages.
#[track_caller]
pub fn conversation(address: SocketAddr) -> Vec<Value> {
    let (status, body) = get(address, "/conversation?last=10000");
    assert_eq!(status, 200, "{body}");
    body.lines().map(|line| serde_json::from_str(line).expect("a message in JSON")).collect()
}
