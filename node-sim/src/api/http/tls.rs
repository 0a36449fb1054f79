//! TLS: the one file of this program that names rustls.
//!
//! The listener has a certificate and requests none; versions 1.2 (PowerShell needs it) and 1.3.
//! The KMIP client has its own TLS.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use support::quick_ack::QuickAckStream;
use time::{Duration, OffsetDateTime};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use zeroize::Zeroizing;

/// How long a certificate that the program makes for itself is valid: longer than a lab lives.
const SELF_SIGNED_DAYS: i64 = 3650;

/// Server side of a connection after its handshake.
pub(crate) type ServerStream = tokio_rustls::server::TlsStream<QuickAckStream>;

/// Client side of a connection after its handshake.
pub(crate) type ClientStream = tokio_rustls::client::TlsStream<TcpStream>;

/// A certificate with its private key, both in PEM.
pub(crate) struct CertifiedKey {
    /// The certificate, and the chain after it.
    pub(crate) certificate: String,
    /// Its private key.
    pub(crate) private_key: Zeroizing<String>,
}

/// Server side of handshakes.
#[derive(Clone)]
pub(crate) struct Acceptor(TlsAcceptor);

/// Makes a self-signed certificate for these names and addresses.
pub(crate) fn self_signed(
    names: &[String],
    addresses: &[IpAddr],
) -> Result<CertifiedKey, rcgen::Error> {
    let mut all: Vec<String> = names.to_vec();
    all.extend(addresses.iter().map(ToString::to_string));
    let mut params = CertificateParams::new(all)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "node-sim");
    let now = OffsetDateTime::now_utc();
    // Clocks of clients may be a little behind.
    params.not_before = now.saturating_sub(Duration::days(1));
    params.not_after = now.saturating_add(Duration::days(SELF_SIGNED_DAYS));
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.pem();
    Ok(CertifiedKey { certificate, private_key: Zeroizing::new(key.serialize_pem()) })
}

impl Acceptor {
    /// Uses this certificate; fails if certificate and key do not match.
    pub(crate) fn new(pair: &CertifiedKey) -> Result<Self, String> {
        let chain = certificates(&pair.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(pair.private_key.as_bytes())
            .map_err(|_| "the key file holds no private key in PEM".to_owned())?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| format!("certificate and key cannot be used: {error}"))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Makes the handshake. The caller sets the deadline.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<ServerStream> {
        self.0.accept(stream.into()).await
    }
}

/// Connects to a server whose certificate is for this name and is, or was signed by, one of these.
pub(crate) async fn connect(
    stream: TcpStream,
    name: &str,
    trusted: &str,
) -> io::Result<ClientStream> {
    connect_with(&[&TLS13, &TLS12], stream, name, trusted).await
}

async fn connect_with(
    versions: &[&'static SupportedProtocolVersion],
    stream: TcpStream,
    name: &str,
    trusted: &str,
) -> io::Result<ClientStream> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(trusted).map_err(io::Error::other)? {
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| "the certificate file is not PEM".to_owned())?;
    if chain.is_empty() {
        return Err("the certificate file holds no certificate in PEM".to_owned());
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::{Acceptor, CertifiedKey, connect_with, self_signed};
    use rustls::version::{TLS12, TLS13};
    use tokio::net::{TcpListener, TcpStream};
    use zeroize::Zeroizing;

    fn pair() -> CertifiedKey {
        self_signed(&["localhost".into()], &[[127, 0, 0, 1].into()]).unwrap()
    }

    /// PowerShell speaks 1.2 at most, and no client shows a certificate.
    #[tokio::test]
    async fn both_versions_are_spoken_and_another_certificate_is_not_taken_for_this_one() {
        let (own, other) = (pair(), pair());
        let acceptor = Acceptor::new(&own).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let table = [
            (&[&TLS12], &own.certificate, Some(rustls::ProtocolVersion::TLSv1_2)),
            (&[&TLS13], &own.certificate, Some(rustls::ProtocolVersion::TLSv1_3)),
            (&[&TLS13], &other.certificate, None),
        ];
        for (versions, trusted, expected) in table {
            let accept = async { acceptor.accept(listener.accept().await.unwrap().0).await };
            let connect = async {
                let stream = TcpStream::connect(address).await.unwrap();
                connect_with(versions, stream, "localhost", trusted).await
            };
            let (accepted, connected) = tokio::join!(accept, connect);
            let version = connected.ok().and_then(|stream| stream.get_ref().1.protocol_version());
            assert_eq!(version, expected);
            assert_eq!(accepted.is_ok(), expected.is_some());
        }
    }

    #[test]
    fn what_is_no_pair_is_named() {
        let (one, two) = (pair(), pair());
        let table = [
            (one.certificate.as_str(), two.private_key.as_str(), "certificate and key cannot"),
            ("", one.private_key.as_str(), "the certificate file holds no certificate"),
            (one.certificate.as_str(), "", "the key file holds no private key"),
        ];
        for (certificate, key, expected) in table {
            let private_key = Zeroizing::new(key.to_owned());
            let pair = CertifiedKey { certificate: certificate.to_owned(), private_key };
            let sentence = Acceptor::new(&pair).err().unwrap();
            assert!(sentence.starts_with(expected), "{sentence}");
        }
    }
}
