//! The client's end of mutual TLS: whom we trust, who we are, and why a handshake failed.
//!
//! The only room of this crate that names rustls. No session is resumed: a resumed one does not
//! look at the server's certificate again, and connections are kept anyway.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, Error as TlsError, InconsistentKeys, RootCertStore};
use support::tls_failure::{self, CertificateSummary, TlsFault};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client};
use x509_parser::parse_x509_certificate;
use zeroize::Zeroize;

use super::error::{Error, Setting};

/// A stream after its handshake.
pub(super) type Session<S> = client::TlsStream<S>;

/// What the server's certificate must be for: a DNS name or an IP address.
#[derive(Clone)]
pub(super) struct Name(ServerName<'static>);

impl Name {
    /// Reads a host name or an IP address, which stands without brackets.
    pub(super) fn parse(host: &str) -> Option<Self> {
        ServerName::try_from(host.to_owned()).ok().map(Self)
    }
}

/// Whom we trust, and who we are.
pub(super) struct Tls {
    connector: TlsConnector,
    local_identity: Option<CertificateSummary>,
}

impl Tls {
    /// Reads certificates and the key, and checks that they fit. The caller wipes its texts.
    pub(super) fn new(ca_pem: &[u8], identity: Option<(&[u8], &[u8])>) -> Result<Self, Error> {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|why| Error::settings(Setting::Authorities, why.to_string()))?
            .with_root_certificates(roots(ca_pem)?);
        let (mut config, local_identity) = match identity {
            None => (builder.with_no_client_auth(), None),
            Some((certificate_pem, key_pem)) => {
                let chain = certificates(Setting::Certificate, certificate_pem)?;
                let local_identity = summary(&chain)?;
                let own = SingleCertAndKey::from(certified(chain, key_pem)?);
                (builder.with_client_cert_resolver(Arc::new(own)), Some(local_identity))
            }
        };
        config.resumption = Resumption::disabled();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), local_identity })
    }

    /// Shakes hands with the server that `name` must be true of.
    pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: &Name,
        stream: S,
    ) -> io::Result<Session<S>> {
        self.connector.connect(name.0.clone(), stream).await
    }

    /// The check that failed, if it was TLS that broke the connection.
    pub(super) fn fault(&self, error: &io::Error) -> Option<TlsFault> {
        let inner = error.get_ref()?.downcast_ref::<TlsError>()?;
        Some(tls_failure::failure_at_client(inner, self.local_identity.as_ref()))
    }
}

/// Does the server say by this that it refuses us? Then it has done nothing that we asked.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    inner.is_some_and(tls_failure::is_refusal)
}

/// All PEM sections of one kind.
fn sections<T: PemObject>(setting: Setting, text: &[u8]) -> Result<Vec<T>, Error> {
    // The reader's own words quote the line, and the line may be of a key.
    let told = |fault| match fault {
        pem::Error::MissingSectionEnd { .. } => "a PEM section has no END line",
        pem::Error::IllegalSectionStart { .. } => "a PEM section's BEGIN line is malformed",
        pem::Error::Base64Decode(_) => "a PEM section is not base64",
        pem::Error::SectionTooLarge | pem::Error::Io(_) | pem::Error::NoItemsFound | _ => {
            "it is not PEM"
        }
    };
    T::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|fault| Error::settings(setting, told(fault)))
}

/// The certificates of a text, at least one.
fn certificates(setting: Setting, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Vec<CertificateDer<'static>> = sections(setting, text)?;
    if found.is_empty() {
        return Err(Error::settings(setting, instead(text, "CERTIFICATE")));
    }
    for der in &found {
        if parse_x509_certificate(der).is_err() {
            return Err(Error::settings(setting, "it is no X.509 certificate that can be read"));
        }
    }
    Ok(found)
}

/// What a text holds that should hold a section called `wanted`.
fn instead(text: &[u8], wanted: &str) -> String {
    const DER_SEQUENCE: u8 = 0x30;
    let seen = |label: &str| text.windows(label.len()).any(|at| at == label.as_bytes());
    if text.is_empty() {
        return "it is missing".to_owned();
    }
    if text.first() == Some(&DER_SEQUENCE) {
        return "it is DER, not PEM: convert it with openssl".to_owned();
    }
    if seen("ENCRYPTED PRIVATE KEY") || seen("Proc-Type: 4,ENCRYPTED") {
        return "it is encrypted with a passphrase: decrypt it with openssl pkey".to_owned();
    }
    for held in ["PRIVATE KEY", "CERTIFICATE REQUEST", "CERTIFICATE", "X509 CRL", "PUBLIC KEY"] {
        if seen(&format!("{held}-----")) {
            return format!("it holds a {held}, but no {wanted}");
        }
    }
    format!("it is not PEM: no BEGIN {wanted} is in it")
}

/// The authorities of a text.
fn roots(text: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for der in certificates(Setting::Authorities, text)? {
        roots.add(der).map_err(|why| Error::settings(Setting::Authorities, why.to_string()))?;
    }
    Ok(roots)
}

/// Fields of our certificate, the first of its chain.
fn summary(chain: &[CertificateDer<'_>]) -> Result<CertificateSummary, Error> {
    let leaf = chain.first().map(|leaf| parse_x509_certificate(leaf));
    let Some(Ok((_, leaf))) = leaf else {
        return Err(Error::settings(Setting::Certificate, "it cannot be read"));
    };
    Ok(CertificateSummary {
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        not_before: leaf.validity().not_before.timestamp(),
        not_after: leaf.validity().not_after.timestamp(),
    })
}

/// Our certificate with its key, which must be the one that it was made for.
fn certified(chain: Vec<CertificateDer<'static>>, key_pem: &[u8]) -> Result<CertifiedKey, Error> {
    let wrong = |why: &str| Error::settings(Setting::Key, why);
    let mut keys: Vec<PrivateKeyDer<'static>> = sections(Setting::Key, key_pem)?;
    let mut key = match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => key,
        (Some(mut last), false) => {
            last.zeroize();
            keys.iter_mut().for_each(Zeroize::zeroize);
            return Err(wrong("it holds several private keys"));
        }
        (None, _) => return Err(Error::settings(Setting::Key, instead(key_pem, "PRIVATE KEY"))),
    };
    // From here on the key is in the hands of aws-lc, which wipes what it frees.
    let signing = aws_lc_rs::sign::any_supported_type(&key);
    key.zeroize();
    // The text of the fault may say something of the key.
    let signing =
        signing.map_err(|_| wrong("it is no RSA, ECDSA or Ed25519 key that can be read"))?;
    let own = CertifiedKey::new(chain, signing);
    match own.keys_match() {
        Ok(()) => Ok(own),
        Err(TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(wrong("it does not match the client certificate"))
        }
        Err(_) => Err(wrong("it cannot be compared with the client certificate")),
    }
}
