//! Client that sends any bytes to a key server over mutual TLS, and reads one frame.

use std::io::{self, Read, Write};
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
        self.send(frame).ok()?;
        self.receive_frame().ok()
    }

    /// Waits for a frame.
    pub fn receive_frame(&mut self) -> io::Result<Vec<u8>> {
        let mut frame = self.receive(HEAD_LEN)?;
        let length = frame.last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        frame.extend(self.receive(usize::try_from(length).expect("a length"))?);
        Ok(frame)
    }

    /// Sends any bytes.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Waits for so many bytes.
    pub fn receive(&mut self, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads to the end of the stream.
    pub fn receive_all(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
