//! TLS: the one file of this program that names rustls.
//!
//! The listener has a certificate and requests none; versions 1.2 (PowerShell needs it) and 1.3.
//! The KMIP client has its own TLS.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use support::quick_ack::QuickAckStream;
use time::{Duration, OffsetDateTime};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use zeroize::Zeroizing;

/// How long a certificate that the program makes for itself is valid: longer than a lab lives.
const SELF_SIGNED_DAYS: i64 = 3650;

/// A handshake has fewer flights of each side.
const FLIGHTS_MAX: usize = 8;

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
pub(crate) struct Acceptor {
    acceptor: TlsAcceptor,
    config: Arc<ServerConfig>,
}

/// Why a certificate and its private key cannot be used.
#[derive(Debug)]
pub(crate) enum PairError {
    /// What is wrong with the certificate.
    Certificate(String),
    /// What is wrong with the private key.
    PrivateKey(String),
    /// Why the two do not do together.
    Pair(String),
}

impl PairError {
    /// The error with the path of the file that it is about.
    pub(crate) fn of(&self, certificate: &Path, private_key: &Path) -> String {
        let (certificate, private_key) = (certificate.display(), private_key.display());
        match self {
            Self::Certificate(cause) => format!("{certificate}: {cause}"),
            Self::PrivateKey(cause) => format!("{private_key}: {cause}"),
            Self::Pair(cause) => format!("{certificate} and {private_key}: {cause}"),
        }
    }
}

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
    pub(crate) fn new(pair: &CertifiedKey) -> Result<Self, PairError> {
        let chain = certificates(&pair.certificate).map_err(PairError::Certificate)?;
        let key = PrivateKeyDer::from_pem_slice(pair.private_key.as_bytes()).map_err(|_| {
            PairError::PrivateKey("the key file holds no private key in PEM".to_owned())
        })?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| {
                PairError::Pair(format!("certificate and key cannot be used: {error}"))
            })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        Ok(Self { acceptor: TlsAcceptor::from(Arc::clone(&config)), config })
    }

    /// Makes a handshake in memory with a client that trusts this certificate, which must be for
    /// the name `localhost`. That it is not valid now is no error.
    pub(crate) fn prove(&self, trusted: &str) -> Result<(), String> {
        use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
        let config = client_config(&[&TLS13], trusted).map_err(|error| error.to_string())?;
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        let made = ClientConnection::new(Arc::new(config), name)
            .and_then(|client| handshake(client, ServerConnection::new(Arc::clone(&self.config))?));
        match made {
            Err(rustls::Error::InvalidCertificate(
                Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
            ))
            | Ok(true) => Ok(()),
            Ok(false) => Err("the handshake does not end".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Makes the handshake. The caller sets the deadline.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<ServerStream> {
        self.acceptor.accept(stream.into()).await
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
    let config = client_config(versions, trusted)?;
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn client_config(
    versions: &[&'static SupportedProtocolVersion],
    trusted: &str,
) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(trusted).map_err(io::Error::other)? {
        roots.add(certificate).map_err(io::Error::other)?;
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whether the two come to the end of a handshake.
fn handshake(
    mut client: ClientConnection,
    mut server: ServerConnection,
) -> Result<bool, rustls::Error> {
    let failed = |error: io::Error| rustls::Error::General(error.to_string());
    for _ in 0..FLIGHTS_MAX {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).map_err(failed)?;
        }
        let mut rest = flight.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).map_err(failed)?;
            server.process_new_packets()?;
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).map_err(failed)?;
        }
        let mut rest = flight.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).map_err(failed)?;
            client.process_new_packets()?;
        }
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(true);
        }
    }
    Ok(false)
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
            (
                one.certificate.as_str(),
                two.private_key.as_str(),
                "a.crt and a.key: certificate and key cannot",
            ),
            ("", one.private_key.as_str(), "a.crt: the certificate file holds no certificate"),
            (one.certificate.as_str(), "", "a.key: the key file holds no private key"),
        ];
        for (certificate, key, expected) in table {
            let private_key = Zeroizing::new(key.to_owned());
            let pair = CertifiedKey { certificate: certificate.to_owned(), private_key };
            let error = Acceptor::new(&pair).err().unwrap();
            let sentence = error.of("a.crt".as_ref(), "a.key".as_ref());
            assert!(sentence.starts_with(expected), "{sentence}");
        }
    }
}
