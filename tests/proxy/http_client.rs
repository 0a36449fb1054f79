//! Just enough HTTP to speak to the proxy's interface.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const JSON: &str = "Content-Type: application/json";

/// Sends one request; gives the status and the body.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("Host:")) {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for header in headers {
        head.push_str(&format!("{header}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

pub(crate) fn get(address: SocketAddr, path: &str) -> (u16, String) {
    send(address, "GET", path, &[], "")
}

pub(crate) fn post(address: SocketAddr, path: &str, body: &str) -> (u16, String) {
    send(address, "POST", path, &[JSON], body)
}

pub(crate) fn delete(address: SocketAddr, path: &str) -> (u16, String) {
    send(address, "DELETE", path, &[JSON], "")
}

/// Adds a rule named `a`, in JSON without its name.
#[track_caller]
pub(crate) fn add_rule(address: SocketAddr, fields: &str) {
    let (status, body) = post(address, "/rules", &format!("{{\"name\": \"a\", {fields}}}"));
    assert_eq!(status, 201, "{body}");
}

/// Removes the rule named `a`; gives how often it fired.
#[track_caller]
pub(crate) fn take_rule(address: SocketAddr) -> u64 {
    let (status, body) = get(address, "/rules/a");
    assert_eq!(status, 200, "{body}");
    assert_eq!(delete(address, "/rules/a").0, 200);
    let counts: Value = serde_json::from_str(&body).unwrap();
    counts["fired"].as_u64().unwrap()
}

/// The recent messages.
pub(crate) fn conversation(address: SocketAddr) -> Vec<Value> {
    let (status, body) = get(address, "/conversation?last=10000");
    assert_eq!(status, 200, "{body}");
    body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
