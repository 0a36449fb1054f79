//! Clients for the tests: over TLS with any certificate, and the one request that proves service.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kmip_server::Certificate;
pub(crate) use rustls::SupportedProtocolVersion as Version;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The versions that the server speaks.
pub(crate) static VERSIONS: [&Version; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

/// No answer of a live server takes longer, on however slow a machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that was shaken hands on.
pub(crate) type Stream = TlsStream<TcpStream>;

/// A client that trusts `ca_pem` and shows `pair`, or nothing.
#[derive(Clone)]
pub(crate) struct Client {
    config: Arc<ClientConfig>,
}

impl Client {
    pub(crate) fn new(ca_pem: &str, pair: Option<&certs::CertifiedKey>) -> Self {
        Self::speaking(ca_pem, pair, &VERSIONS)
    }

    /// The same, of these versions of TLS alone.
    pub(crate) fn speaking(
        ca_pem: &str,
        pair: Option<&certs::CertifiedKey>,
        versions: &[&'static Version],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        for cert in certificates(ca_pem) {
            roots.add(cert).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match pair {
            // The key is not compared with the certificate: one that does not match is a test.
            Some(pair) => builder.with_client_cert_resolver(Arc::new(resolver(pair))),
            None => builder.with_no_client_auth(),
        };
        Self { config: Arc::new(config) }
    }

    /// The same, that asks for one of these protocols inside TLS.
    pub(crate) fn offering(&self, protocols: &[&str]) -> Self {
        let mut config = (*self.config).clone();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { config: Arc::new(config) }
    }

    /// Shakes hands; in TLS 1.3 a server that refuses the client says so only after this.
    pub(crate) async fn connect(&self, address: SocketAddr) -> io::Result<Stream> {
        self.connect_to("localhost", address).await
    }

    /// The same, to a server that is called `name`.
    pub(crate) async fn connect_to(&self, name: &str, address: SocketAddr) -> io::Result<Stream> {
        self.connect_on(name, TcpStream::connect(address).await?).await
    }

    /// The same, on a connection that is there.
    pub(crate) async fn connect_on(&self, name: &str, tcp: TcpStream) -> io::Result<Stream> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::clone(&self.config)).connect(name, tcp).await
    }

    /// Proves that the server serves: a new connection, and an answer on it.
    pub(crate) async fn is_served(&self, address: SocketAddr) {
        let served = async {
            let mut stream = self.connect(address).await.expect("another client comes in");
            exchange(&mut stream).await.expect("another client is answered");
        };
        tokio::time::timeout(PATIENCE, served).await.expect("another client is served in time");
    }
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap()
}

fn resolver(pair: &certs::CertifiedKey) -> SingleCertAndKey {
    let key = PrivateKeyDer::from_pem_slice(pair.key_pem.as_bytes()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    SingleCertAndKey::from(CertifiedKey::new(certificates(&pair.cert_pem), key))
}

/// Whether the handshake of a connection was a full one.
pub(crate) fn is_full_handshake(stream: &Stream) -> bool {
    let kind = stream.get_ref().1.handshake_kind();
    matches!(kind, Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest))
}

/// The protocol inside TLS that was agreed on.
pub(crate) fn agreed_protocol(stream: &Stream) -> Option<&[u8]> {
    stream.get_ref().1.alpn_protocol()
}

/// What a certificate in PEM says.
pub(crate) fn certificate(pem: &str) -> Certificate {
    Certificate::parse(certificates(pem).first().unwrap()).unwrap()
}

/// Discover Versions in KMIP 1.1: the shortest request that every version since has.
pub(crate) fn discover_versions() -> Vec<u8> {
    hex("42007801 00000060
           42007701 00000038
             42006901 00000020
               42006A02 00000004 00000001 00000000
               42006B02 00000004 00000001 00000000
             42000D02 00000004 00000001 00000000
           42000F01 00000018
             42005C05 00000004 0000001E 00000000
             42007901 00000000")
}

/// The bytes of hex digits with any space between them.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Sends a Discover Versions and checks that the answer is a success.
pub(crate) async fn exchange(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(&discover_versions()).await?;
    stream.flush().await?;
    let response = read_frame(stream).await?;
    assert!(is_success(&response), "Discover Versions is answered: {response:02x?}");
    Ok(())
}

/// One whole response.
pub(crate) async fn read_frame(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 8];
    stream.read_exact(&mut frame).await?;
    assert_eq!(frame[..4], hex("42007B01"), "a Response Message");
    let len = u32::from_be_bytes(frame[4..].try_into().unwrap());
    assert!(len < 64 * 1024, "no answer of these tests is so long: {len}");
    stream.take(len.into()).read_to_end(&mut frame).await?;
    assert_eq!(frame.len(), usize::try_from(len).unwrap() + 8, "a whole message");
    Ok(frame)
}

/// Whether a response's item has the Result Status Success.
pub(crate) fn is_success(response: &[u8]) -> bool {
    let success = hex("42007F05 00000004 00000000 00000000");
    response.windows(success.len()).any(|bytes| bytes == success)
}

/// Whether a response's item has the Result Reason Invalid Message.
pub(crate) fn is_invalid_message(response: &[u8]) -> bool {
    let reason = hex("42007E05 00000004 00000004 00000000");
    response.windows(reason.len()).any(|bytes| bytes == reason)
}
