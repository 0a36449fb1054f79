//! Mutual TLS: who may come in, and why somebody did not.
//!
//! The only room of this program that names rustls. What a certificate says of its holder is
//! [`crate::auth::client`]'s business; what is read from files is checked here, once, at start.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, ServerConfig};
use support::quick_ack::QuickAckStream;
use support::tls_failure::{day, failure_at_server, transport_failure};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::auth::client::{CertificateChain, ClientAuthorities};
use crate::config::{Identity, Settings};
use crate::crypto::x509::certificate::Certificate;
use crate::net::connection::QuickAck;
use crate::net::end::linger;

mod client_verifier;
mod pem_files;

use client_verifier::SHOWN;
pub use pem_files::WrongFile;
use pem_files::{ClientFiles, Files, Verifier};

/// What is spoken inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// KMIP, frame by frame.
    Kmip,
    /// HTTP/1.1: a client that names protocols must name it (RFC 7301, 3.2).
    Http,
}

/// A connection after its handshake.
pub struct Session {
    /// What is said on it.
    pub stream: server::TlsStream<QuickAckStream>,
    /// The client's certificate, which was verified.
    pub certificate: Certificate,
    /// The protocol version and the cipher suite that were agreed on.
    pub agreed: String,
    /// What the client showed, to be looked at again.
    pub shown: Arc<CertificateChain>,
}

impl QuickAck for server::TlsStream<QuickAckStream> {
    fn acknowledge_with_answer(&mut self) {
        self.get_mut().0.acknowledge_with_answer();
    }
}

/// Why a handshake failed, in one sentence that names the failed check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The peer closed the connection before it sent a byte, as health checks of balancers do.
    #[error("the peer closed the connection before it sent anything")]
    Nothing,
    /// A check failed.
    #[error("{0}")]
    Because(String),
}

/// The server's end of mutual TLS, which can be renewed while it is in use.
pub struct Tls {
    files: Files,
    current: Arc<ArcSwap<Configs>>,
    reloads: AtomicU64,
}

/// The authorities that are in use.
struct CurrentAuthorities(Arc<ArcSwap<Configs>>);

impl CurrentAuthorities {
    fn verify(&self, chain: &CertificateChain) -> Result<(), Error> {
        let der: Vec<_> = chain.0.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let Some((leaf, between)) = der.split_first() else {
            return Err(Error::NoCertificatesPresented);
        };
        self.0.load().verifier.verify_client_cert(leaf, between, UnixTime::now()).map(drop)
    }
}

impl ClientAuthorities for CurrentAuthorities {
    fn check(&self, chain: &CertificateChain) -> Result<(), String> {
        self.verify(chain).map_err(|why| why.to_string())
    }
}

/// One configuration for each protocol, of the same files.
struct Configs {
    kmip: Arc<ServerConfig>,
    http: Arc<ServerConfig>,
    verifier: Verifier,
    /// The last second of our certificate.
    not_after: i64,
}

impl Configs {
    fn of(kmip: ServerConfig, verifier: Verifier, not_after: i64) -> Self {
        let mut http = kmip.clone();
        http.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { kmip: Arc::new(kmip), http: Arc::new(http), verifier, not_after }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("cert", &self.files.cert).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads and checks the files that the settings name; returns warnings beside.
    pub fn open(settings: &Settings) -> Result<(Self, Vec<String>), WrongFile> {
        let files = Files {
            cert: settings.cert.clone(),
            key: settings.key.clone(),
            client_ca: settings.client_ca.clone(),
            client_crl: settings.client_crl.clone(),
            share_subjects: settings.authorities_share_subjects
                || settings.identity == Identity::Fingerprint,
        };
        let (config, verifier, not_after, warnings) = files.load()?;
        let configs = Configs::of(config, verifier, not_after);
        let current = Arc::new(ArcSwap::from_pointee(configs));
        Ok((Self { files, current, reloads: AtomicU64::new(0) }, warnings))
    }

    /// Reads the files again; connections from here on use them, or the old ones if they are wrong.
    pub fn reload(&self) -> Result<Vec<String>, WrongFile> {
        let (config, verifier, not_after, warnings) = self.files.load()?;
        self.current.store(Arc::new(Configs::of(config, verifier, not_after)));
        self.reloads.fetch_add(1, Ordering::AcqRel);
        Ok(warnings)
    }

    /// What is to be said at this second of how long our certificate is still good: 30, 7 and 3
    /// days before its end, and each day from then on.
    pub(crate) fn expiry_notice(&self, now: i64) -> Option<String> {
        let shown = self.files.cert.display();
        let not_after = self.current.load().not_after;
        let left = not_after.saturating_sub(now).div_euclid(24 * 60 * 60);
        let end = day(not_after);
        match is_notice_due(left) {
            false => None,
            true if left < 0 => Some(format!("certificate {shown} expired on {end}")),
            true => Some(format!("certificate {shown} expires in {left} days, on {end}")),
        }
    }

    /// How often the files were read again. Who shook hands before must be looked at again.
    pub fn reloads(&self) -> u64 {
        self.reloads.load(Ordering::Acquire)
    }

    /// Is what the client showed revoked, as far as is known now?
    pub fn is_revoked(&self, shown: &CertificateChain) -> bool {
        // Without a list nothing is.
        let verify = || CurrentAuthorities(Arc::clone(&self.current)).verify(shown);
        let revoked = Error::InvalidCertificate(CertificateError::Revoked);
        self.files.client_crl.is_some() && verify().is_err_and(|why| why == revoked)
    }

    /// The authorities whose clients may connect, as they are at any time.
    pub(crate) fn client_authorities(&self) -> Arc<dyn ClientAuthorities> {
        Arc::new(CurrentAuthorities(Arc::clone(&self.current)))
    }

    /// Shakes hands with whoever connected, within `deadline`.
    pub async fn accept(
        &self,
        tcp: TcpStream,
        protocol: Protocol,
        deadline: Duration,
    ) -> Result<Session, Refused> {
        let end = Instant::now().checked_add(deadline).unwrap_or_else(Instant::now);
        let late = |did: &str| {
            Refused::Because(format!(
                "the deadline of {} ms passed: the peer {did}",
                deadline.as_millis()
            ))
        };
        match timeout_at(end, foreign(&tcp)).await {
            Err(_) => return Err(late("sent nothing")),
            Ok(Ok(None)) => {}
            Ok(Ok(Some(refused))) => {
                let mut tcp = tcp;
                linger(&mut tcp).await;
                return Err(refused);
            }
            Ok(Err(why)) => return Err(Refused::Because(transport_failure(&why))),
        }
        let shaken = SHOWN.scope(RefCell::default(), self.handshake(tcp.into(), protocol));
        match timeout_at(end, shaken).await {
            Err(_) => Err(late("did not finish the handshake")),
            Ok(Ok(stream)) => session(stream),
            Ok(Err((mut tcp, refused))) => {
                // The alert that says why must reach the client before the connection ends.
                linger(&mut tcp).await;
                Err(refused)
            }
        }
    }

    /// The handshake proper; gives the socket back if it fails.
    async fn handshake(
        &self,
        tcp: QuickAckStream,
        protocol: Protocol,
    ) -> Result<server::TlsStream<QuickAckStream>, (QuickAckStream, Refused)> {
        let configs = self.current.load_full();
        let config = match protocol {
            Protocol::Kmip => &configs.kmip,
            Protocol::Http => &configs.http,
        };
        let acceptor = TlsAcceptor::from(Arc::clone(config));
        acceptor.accept(tcp).into_fallible().await.map_err(|(error, tcp)| {
            let why = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
                Some(inner) => SHOWN.with(|shown| {
                    let presented = shown.borrow().presented();
                    failure_at_server(inner, &presented, &self.files.client_ca)
                }),
                None => transport_failure(&error),
            };
            (tcp, Refused::Because(why))
        })
    }
}

/// The session on `stream`, named after the certificate that was verified.
fn session(stream: server::TlsStream<QuickAckStream>) -> Result<Session, Refused> {
    let (_, tls) = stream.get_ref();
    let leaf = tls.peer_certificates().and_then(<[_]>::first);
    let certificate = leaf
        .ok_or_else(|| Refused::Because("the client sent no certificate".to_owned()))
        .and_then(|der| Certificate::parse(der).map_err(|no| Refused::Because(no.to_string())))?;
    let version = tls.protocol_version().map(|version| format!("{version:?}"));
    let suite = tls.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    let agreed = [version, suite].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let chain = tls.peer_certificates().unwrap_or_default();
    let shown = CertificateChain(chain.iter().map(|der| der.to_vec()).collect());
    Ok(Session { stream, certificate, agreed, shown: Arc::new(shown) })
}

/// Is it time to say that a certificate ends in so many days?
const fn is_notice_due(days: i64) -> bool {
    matches!(days, 30 | 7 | ..=3)
}

/// What is known to begin with bytes that are no TLS record.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"\x42\x00\x78", "a KMIP request without TLS: this port speaks KMIP over TLS alone"),
    (b"GET ", "a plain HTTP request: this port speaks KMIP over TLS"),
    (b"POST ", "a plain HTTP request: this port speaks KMIP over TLS"),
    (b"PUT ", "a plain HTTP request: this port speaks KMIP over TLS"),
    (b"HEAD ", "a plain HTTP request: this port speaks KMIP over TLS"),
    (b"OPTIONS ", "a plain HTTP request: this port speaks KMIP over TLS"),
    (b"PRI * HTTP/2", "a plain HTTP/2 request: this port speaks KMIP over TLS"),
    (b"SSH-", "an SSH greeting: this port speaks KMIP over TLS"),
    (b"PROXY ", "a PROXY protocol header: switch it off at the balancer"),
    (b"\r\n\r\n\0\r\nQUIT\n", "a PROXY protocol header: switch it off at the balancer"),
];

/// The first byte of every TLS handshake: a record of content type 22 (RFC 8446, 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// Looks at the first bytes without taking them: what they are if they are no TLS.
async fn foreign(tcp: &TcpStream) -> io::Result<Option<Refused>> {
    let mut first = [0; 16];
    let seen = tcp.peek(&mut first).await?;
    let seen = first.get(..seen).unwrap_or_default();
    Ok(match seen.first() {
        None => Some(Refused::Nothing),
        Some(&HANDSHAKE_RECORD) => None,
        Some(_) => {
            let known = FOREIGN.iter().find(|(prefix, _)| seen.starts_with(prefix));
            let what = known.map_or("bytes that are no TLS", |(_, what)| what);
            Some(Refused::Because(format!("the peer sent {what}")))
        }
    })
}

/// The client's end, for the check of a running server's health.
pub(crate) struct Caller {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Caller {
    /// A client with these files, of a server whose certificate is for `name`.
    pub(crate) fn open(
        ca: &std::path::Path,
        cert: &std::path::Path,
        key: &std::path::Path,
        name: &str,
    ) -> Result<Self, String> {
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| format!("{name} is neither a DNS name nor an IP address"))?;
        let config = ClientFiles { ca, cert, key }.load().map_err(|why| why.to_string())?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Shakes hands with the server on the other end of `tcp`.
    pub(crate) async fn call(&self, tcp: TcpStream) -> io::Result<client::TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), tcp).await
    }
}

#[cfg(test)]
mod tests {
    use super::is_notice_due;

    #[test]
    fn end_of_a_certificate_is_told_at_thirty_and_seven_days_and_then_daily() {
        let due: Vec<i64> = (-2..40).filter(|days| is_notice_due(*days)).collect();
        assert_eq!(due, [-2, -1, 0, 1, 2, 3, 7, 30]);
    }
}
