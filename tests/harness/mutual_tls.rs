//! TLS sessions with a client certificate.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// No answer that the tests ask for takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A TLS session on a socket.
pub(crate) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// Connects with this certificate and key; compares the server's name with `localhost`.
pub(crate) fn connect(
    address: SocketAddr,
    ca_pem: &str,
    cert_pem: &str,
    key_pem: &str,
) -> TlsStream {
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
    socket.set_nodelay(true).expect("a socket sends at once");
    StreamOwned::new(session, socket)
}
