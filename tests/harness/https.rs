//! A client that sends one body over HTTPS; just enough to speak to a cluster without a framework.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// No call that the tests make takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// No answer that the tests ask for is longer.
const ANSWER_MAX: u64 = 16 << 20;

/// A client of one server.
#[derive(Clone)]
pub struct Https {
    tls: Arc<ClientConfig>,
    address: SocketAddr,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header lines as sent.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Https {
    /// A client that trusts the authority in `ca_pem` and compares the name `localhost`.
    pub fn new(address: SocketAddr, ca_pem: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for cert in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
            roots.add(cert.expect("an authority in PEM")).expect("an authority's certificate");
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { tls: Arc::new(tls), address }
    }

    /// Where the server is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Posts `body` to `path` with more header lines, on a connection of its own.
    pub fn post(&self, path: &str, headers: &[&str], body: &str) -> Result<Answer, String> {
        self.send("POST", path, headers, body)
    }

    /// As [`Self::post`], with any verb.
    pub fn send(
        &self,
        verb: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Result<Answer, String> {
        let socket =
            TcpStream::connect_timeout(&self.address, TIMEOUT).map_err(|e| e.to_string())?;
        socket.set_read_timeout(Some(TIMEOUT)).map_err(|error| error.to_string())?;
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        let session = ClientConnection::new(Arc::clone(&self.tls), name);
        let mut stream = StreamOwned::new(session.map_err(|error| error.to_string())?, socket);
        let mut request =
            format!("{verb} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        // A server that closes without a TLS farewell has still answered.
        if let Err(error) = (&mut stream).take(ANSWER_MAX).read_to_end(&mut bytes)
            && bytes.is_empty()
        {
            return Err(error.to_string());
        }
        parse(&String::from_utf8_lossy(&bytes))
    }
}

/// Takes a whole answer apart.
fn parse(text: &str) -> Result<Answer, String> {
    let incomplete = || format!("no complete answer: {text:?}");
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(incomplete)?;
    let status =
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(incomplete)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    if length != Some(body.len()) {
        return Err(incomplete());
    }
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
