//! Client that sends any bytes to a key server over mutual TLS, and reads one frame.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// No answer that the tests ask for takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Tag, type and length.
const HEAD_LEN: usize = 8;

/// A connection to a key server.
pub struct FrameConnection {
    stream: StreamOwned<ClientConnection, TcpStream>,
}

impl FrameConnection {
    /// Connects with this certificate and key; compares the server's name with `localhost`.
    pub fn connect(address: SocketAddr, ca_pem: &str, cert_pem: &str, key_pem: &str) -> Self {
        let certificates = |pem: &str| {
            CertificateDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .expect("certificates in PEM")
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(ca_pem) {
            roots.add(certificate).expect("an authority's certificate");
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).expect("a key in PEM");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the default versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(certificates(cert_pem), key)
            .expect("a certificate with its key");
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(tls), name).expect("a session");
        let socket = TcpStream::connect_timeout(&address, TIMEOUT).expect("a key server listens");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a socket takes a timeout");
        Self { stream: StreamOwned::new(session, socket) }
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
