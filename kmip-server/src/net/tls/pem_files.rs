//! Certificates, keys and revocation lists from files, checked once when they are read.
//!
//! What can be told of a file here is told here, in words that name the file: in a handshake the
//! same fault is a riddle at the other end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, Error, InconsistentKeys, RootCertStore, ServerConfig};
use support::small_files;
use support::tls_failure::day;
use zeroize::Zeroizing;

use super::client_verifier::{RecordingResolver, RecordingVerifier};
use crate::config::limits::EXPIRY_NOTICE;
use crate::crypto::x509::certificate::{Certificate, Unreadable};

/// A certificate, key or list that the server cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {}: {why}", .path.display())]
pub struct WrongFile {
    /// What the file should hold.
    pub what: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// What says whether a client's certificate is good.
pub(super) type Verifier = Arc<dyn ClientCertVerifier>;

/// Where certificates and keys come from.
pub(super) struct Files {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
    pub(super) client_ca: PathBuf,
    pub(super) client_crl: Option<PathBuf>,
    /// May several authorities name one owner?
    pub(super) share_subjects: bool,
}

impl Files {
    /// Reads all files and makes of them what a handshake needs; returns the last second of our
    /// certificate and warnings beside.
    pub(super) fn load(&self) -> Result<(ServerConfig, Verifier, i64, Vec<String>), WrongFile> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates(CERTIFICATE, &self.cert)?;
        let mut warnings = check_own(&chain, &self.cert, Role::Server)?;
        let not_after = not_after(&chain);
        let own = own_key(chain, &self.key, &self.cert, &provider)?;
        let roots = roots(&self.client_ca, &mut warnings)?;
        self.check_subjects(&roots)?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .with_crls(self.revocation_lists()?)
                .enforce_revocation_expiration()
                .build()
                .map_err(|why| self.wrong_verifier(&why))?;
        let resolver = RecordingResolver {
            resolver: SingleCertAndKey::from(own),
            provider: Arc::clone(&provider),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| wrong(CERTIFICATE, &self.cert, why))?
            .with_client_cert_verifier(Arc::new(RecordingVerifier(Arc::clone(&verifier))))
            .with_cert_resolver(Arc::new(resolver));
        // No session is resumed: a resumed one is not checked again, so a client that was revoked
        // or removed would still come in (seen with TLS 1.2 and 1.3). A client that asks for
        // resumption, as Veeam does, gets a full handshake and does not notice but for its time.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok((config, verifier, not_after, warnings))
    }

    /// An owner is a subject, and each authority can give any subject to whom it likes.
    fn check_subjects(&self, roots: &RootCertStore) -> Result<(), WrongFile> {
        let keys: BTreeSet<&[u8]> =
            roots.roots.iter().map(|root| root.subject_public_key_info.as_ref()).collect();
        match keys.len() > 1 && !self.share_subjects {
            false => Ok(()),
            true => Err(wrong(
                AUTHORITIES,
                &self.client_ca,
                format!(
                    "it holds {} authorities, and each could make clients that own the objects of \
                     another's (identity is subject): set authorities-share-subjects to true if \
                     one administration has them all, or identity to fingerprint",
                    keys.len()
                ),
            )),
        }
    }

    fn revocation_lists(&self) -> Result<Vec<CertificateRevocationListDer<'static>>, WrongFile> {
        let Some(path) = &self.client_crl else { return Ok(Vec::new()) };
        let text = read(REVOCATION, path)?;
        let lists = sections(REVOCATION, path, &text)?;
        if lists.is_empty() {
            return Err(wrong(REVOCATION, path, instead(&text, "X509 CRL")));
        }
        Ok(lists)
    }

    /// A verifier is not made without authorities, which were checked, or with a broken list.
    fn wrong_verifier(&self, why: &VerifierBuilderError) -> WrongFile {
        wrong(REVOCATION, self.client_crl.as_ref().unwrap_or(&self.client_ca), why)
    }
}

/// Where a client of this server, the check of its health, has its files.
pub(super) struct ClientFiles<'a> {
    pub(super) ca: &'a Path,
    pub(super) cert: &'a Path,
    pub(super) key: &'a Path,
}

impl ClientFiles<'_> {
    /// Reads all files and makes of them what a handshake needs.
    pub(super) fn load(&self) -> Result<ClientConfig, WrongFile> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates(CERTIFICATE, self.cert)?;
        check_own(&chain, self.cert, Role::Client)?;
        let own = own_key(chain, self.key, self.cert, &provider)?;
        let roots = roots(self.ca, &mut Vec::new())?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| wrong(CERTIFICATE, self.cert, why))?
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
        Ok(config)
    }
}

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";
const AUTHORITIES: &str = "list of authorities";
const REVOCATION: &str = "revocation list";

/// Which end a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Server,
    Client,
}

fn wrong(what: &'static str, path: &Path, why: impl ToString) -> WrongFile {
    WrongFile { what, path: path.to_owned(), why: why.to_string() }
}

/// A file's text, which is wiped when dropped: it may hold a key.
fn read(what: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, WrongFile> {
    let text = match what {
        KEY => small_files::read_secret(path),
        _ => small_files::read(path).map(Zeroizing::new),
    };
    let text = text.map_err(|why| wrong(what, path, why))?;
    // Some editors put a byte order mark before a text.
    Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => Zeroizing::new(rest.to_vec()),
        None => text,
    })
}

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// All PEM sections of one kind.
fn sections<T: PemObject>(
    what: &'static str,
    path: &Path,
    text: &[u8],
) -> Result<Vec<T>, WrongFile> {
    // The reader's own words quote the line, and the line may be of a key.
    let told = |fault| match fault {
        pem::Error::MissingSectionEnd { .. } => "a PEM section has no END line",
        pem::Error::IllegalSectionStart { .. } => "a PEM section's BEGIN line is malformed",
        pem::Error::Base64Decode(_) => "a PEM section is not base64",
        pem::Error::SectionTooLarge | pem::Error::Io(_) | pem::Error::NoItemsFound | _ => {
            "it is not PEM"
        }
    };
    T::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|why| wrong(what, path, told(why)))
}

/// What a file holds that should hold sections called `wanted`.
fn instead(text: &[u8], wanted: &str) -> String {
    const DER_SEQUENCE: u8 = 0x30;
    let seen = |label: &str| text.windows(label.len()).any(|at| at == label.as_bytes());
    if text.first() == Some(&DER_SEQUENCE) {
        return "it is DER, not PEM: convert it with openssl".to_owned();
    }
    if is_encrypted(text) {
        return ENCRYPTED.to_owned();
    }
    if seen("TRUSTED CERTIFICATE-----") {
        return "it holds a TRUSTED CERTIFICATE, a form of OpenSSL's own: convert it with openssl \
                x509"
            .to_owned();
    }
    for held in ["PRIVATE KEY", "CERTIFICATE REQUEST", "CERTIFICATE", "X509 CRL", "PUBLIC KEY"] {
        if seen(&format!("{held}-----")) {
            return format!("it holds a {held}, but no {wanted}");
        }
    }
    format!("it is not PEM: no BEGIN {wanted} is in it")
}

const ENCRYPTED: &str = "the key is encrypted with a passphrase: decrypt it with openssl pkey, \
                         and guard the file by its mode";

/// Is a key in it encrypted, in today's form or in OpenSSL's old one?
fn is_encrypted(text: &[u8]) -> bool {
    let seen = |label: &[u8]| text.windows(label.len()).any(|at| at == label);
    seen(b"ENCRYPTED PRIVATE KEY") || seen(b"Proc-Type: 4,ENCRYPTED")
}

/// The certificates of a file, at least one.
fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, WrongFile> {
    let text = read(what, path)?;
    let found = sections(what, path, &text)?;
    if found.is_empty() {
        return Err(wrong(what, path, instead(&text, "CERTIFICATE")));
    }
    Ok(found)
}

/// Checks our own certificate as a peer will; returns what a peer may dislike.
fn check_own(
    chain: &[CertificateDer<'_>],
    path: &Path,
    role: Role,
) -> Result<Vec<String>, WrongFile> {
    let parsed = chain.first().map_or(Err(Unreadable), |leaf| Certificate::parse(leaf));
    let leaf = parsed.map_err(|why| wrong(CERTIFICATE, path, why))?;
    if leaf.version < 3 {
        let why = "it is X.509 version 1; make it version 3 (openssl x509 -req ... -extfile)";
        return Err(wrong(CERTIFICATE, path, why));
    }
    let (now, (from, to)) = (now(), leaf.validity);
    if now > to {
        return Err(wrong(CERTIFICATE, path, format!("it expired on {}", day(to))));
    }
    if now < from {
        return Err(wrong(CERTIFICATE, path, format!("it is not valid before {}", day(from))));
    }
    let notice = i64::try_from(EXPIRY_NOTICE.as_secs()).unwrap_or(i64::MAX);
    let server = role == Role::Server;
    let warnings = [
        (to.saturating_sub(now) < notice, format!("it expires on {}", day(to))),
        (
            server && !leaf.usage.server,
            "its extended key usage does not name server authentication (serverAuth)".to_owned(),
        ),
        (
            server && leaf.names.is_empty(),
            "it has no subject alternative name, so clients that check names refuse it".to_owned(),
        ),
        (
            leaf.is_authority,
            "it is an authority's own certificate, which clients refuse".to_owned(),
        ),
    ];
    let shown = path.display();
    let due = warnings.into_iter().filter(|(applies, _)| *applies);
    Ok(due.map(|(_, why)| format!("{CERTIFICATE} {shown}: {why}")).collect())
}

/// The last second of a certificate, and of those between it and its authority.
fn not_after(chain: &[CertificateDer<'_>]) -> i64 {
    let ends = chain.iter().filter_map(|der| Certificate::parse(der).ok());
    ends.map(|certificate| certificate.validity.1).min().unwrap_or(i64::MAX)
}

/// The private key of our certificate.
fn own_key(
    chain: Vec<CertificateDer<'static>>,
    path: &Path,
    cert: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, WrongFile> {
    let text = read(KEY, path)?;
    if is_encrypted(&text) {
        return Err(wrong(KEY, path, ENCRYPTED));
    }
    let mut keys: Vec<PrivateKeyDer<'static>> = sections(KEY, path, &text)?;
    let key = match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => key,
        (Some(_), false) => return Err(wrong(KEY, path, "it holds several private keys")),
        (None, _) => return Err(wrong(KEY, path, instead(&text, "PRIVATE KEY"))),
    };
    CertifiedKey::from_der(chain, key, provider).map_err(|why| {
        if why == Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
            wrong(KEY, path, format!("it does not match the certificate {}", cert.display()))
        } else {
            // The text of another fault may say something of the key.
            wrong(KEY, path, "it is no RSA, ECDSA or Ed25519 key that can be read")
        }
    })
}

/// The authorities in a file.
fn roots(path: &Path, warnings: &mut Vec<String>) -> Result<RootCertStore, WrongFile> {
    let mut roots = RootCertStore::empty();
    for der in certificates(AUTHORITIES, path)? {
        let parsed = Certificate::parse(&der).map_err(|why| wrong(AUTHORITIES, path, why))?;
        let title = parsed.title();
        if parsed.validity.1 < now() {
            let end = day(parsed.validity.1);
            warnings.push(format!("{AUTHORITIES} {}: {title} expired on {end}", path.display()));
        }
        if !parsed.is_authority {
            let shown = path.display();
            warnings.push(format!("{AUTHORITIES} {shown}: {title} is not marked as an authority"));
        }
        roots.add(der).map_err(|why| wrong(AUTHORITIES, path, format!("{title}: {why}")))?;
    }
    Ok(roots)
}

/// The clock, in seconds of Unix time.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
