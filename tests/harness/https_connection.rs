//! Client that posts bodies to a key server over mutual TLS, all on one connection.

use std::io::{Read, Write};
use std::net::SocketAddr;

use crate::mutual_tls::{TlsStream, connect};

/// End of the head of a response.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A connection to a key server's HTTPS address.
pub struct HttpsConnection {
    stream: TlsStream,
}

/// A response to a POST.
#[derive(Clone, Debug)]
pub struct HttpsResponse {
    /// The status code.
    pub status: u16,
    /// The header lines, the status line first.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpsConnection {
    /// Connects with this certificate and key; compares the server's name with `localhost`.
    pub fn connect(address: SocketAddr, ca_pem: &str, cert_pem: &str, key_pem: &str) -> Self {
        Self { stream: connect(address, ca_pem, cert_pem, key_pem) }
    }

    /// Posts a body of this type and reads the response; none if the server closes instead.
    pub fn post(&mut self, path: &str, content_type: &str, body: &[u8]) -> Option<HttpsResponse> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let sent = self.stream.write_all(&[head.as_bytes(), body].concat());
        // A server that refuses a body by its length does not read all of it, and has answered.
        if sent.is_ok() {
            self.stream.flush().ok();
        }
        self.response()
    }

    fn response(&mut self) -> Option<HttpsResponse> {
        let mut head = Vec::new();
        while !head.ends_with(HEAD_END) {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).ok()?;
            head.extend(byte);
        }
        let head = String::from_utf8(head).expect("a head is text");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut response =
            HttpsResponse { status: status.expect("a status"), head, body: Vec::new() };
        let len = response.header("Content-Length").and_then(|len| len.parse().ok());
        response.body.resize(len.expect("a length"), 0);
        self.stream.read_exact(&mut response.body).ok()?;
        Some(response)
    }
}

impl HttpsResponse {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }
}
