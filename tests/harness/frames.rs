//! Client that sends any bytes to a key server over mutual TLS, and reads one frame.

use std::io::{Read, Write};
use std::net::SocketAddr;

use crate::mutual_tls::{TlsStream, connect};

/// Tag, type and length.
const HEAD_LEN: usize = 8;

/// A connection to a key server.
pub struct FrameConnection {
    stream: TlsStream,
}

impl FrameConnection {
    /// Connects with this certificate and key; compares the server's name with `localhost`.
    pub fn connect(address: SocketAddr, ca_pem: &str, cert_pem: &str, key_pem: &str) -> Self {
        Self { stream: connect(address, ca_pem, cert_pem, key_pem) }
    }

    /// Sends a frame and reads the answer; nothing, when the server closes instead.
    pub fn exchange(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        self.stream.write_all(frame).ok()?;
        self.stream.flush().ok()?;
        let mut answer = vec![0; HEAD_LEN];
        self.stream.read_exact(&mut answer).ok()?;
        let length = answer.last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let mut body = vec![0; usize::try_from(length).expect("a length")];
        self.stream.read_exact(&mut body).ok()?;
        answer.extend_from_slice(&body);
        Some(answer)
    }
}
