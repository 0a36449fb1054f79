//! Certificates and keys from files, checked once when they are read.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use support::small_files;
use support::tls_failure::CertificateSummary;
use x509_parser::parse_x509_certificate;

/// A file that the proxy cannot work with.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}: {why}", .path.display())]
pub(crate) struct WrongFile {
    what: &'static str,
    path: PathBuf,
    why: String,
}

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";
const AUTHORITIES: &str = "list of authorities";

impl WrongFile {
    pub(super) fn new(what: &'static str, path: &Path, why: impl ToString) -> Self {
        Self { what, path: path.to_owned(), why: why.to_string() }
    }
}

fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, WrongFile> {
    let wrong = |why: String| WrongFile::new(what, path, why);
    let text = small_files::read(path).map_err(|why| wrong(why.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    // The reader's own words quote the line, and the line may be of a key.
    let found = found.map_err(|_| wrong("it is not PEM".to_owned()))?;
    match found.is_empty() {
        true => Err(wrong("no BEGIN CERTIFICATE is in it".to_owned())),
        false => Ok(found),
    }
}

/// A certificate with the key that it was made for, and its fields for sentences.
pub(super) fn identity(
    cert: &Path,
    key: &Path,
) -> Result<(CertifiedKey, CertificateSummary), WrongFile> {
    let chain = certificates(CERTIFICATE, cert)?;
    let summary = chain.first().and_then(|leaf| summary(leaf));
    let summary = summary
        .ok_or_else(|| WrongFile::new(CERTIFICATE, cert, "it is not a valid X.509 certificate"))?;
    // The text of the fault may say something of the key.
    let own = CertifiedKey::from_der(chain, private_key(key)?, &aws_lc_rs::default_provider())
        .map_err(|_| {
            WrongFile::new(KEY, key, "it cannot be read, or does not match the certificate")
        })?;
    Ok((own, summary))
}

/// A certificate and a key, which may be that of another.
pub(super) fn unchecked_identity(cert: &Path, key: &Path) -> Result<CertifiedKey, WrongFile> {
    let chain = certificates(CERTIFICATE, cert)?;
    let provider = aws_lc_rs::default_provider();
    let signing_key = provider.key_provider.load_private_key(private_key(key)?);
    let signing_key = signing_key.map_err(|_| WrongFile::new(KEY, key, "it cannot be read"))?;
    Ok(CertifiedKey::new(chain, signing_key))
}

fn private_key(key: &Path) -> Result<PrivateKeyDer<'static>, WrongFile> {
    let text = small_files::read_secret(key).map_err(|why| WrongFile::new(KEY, key, why))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let why = "no PRIVATE KEY in PEM is in it; one with a passphrase must be decrypted";
        WrongFile::new(KEY, key, why)
    })
}

/// Fields of a certificate for sentences; `None` if it cannot be read.
pub(super) fn summary(der: &[u8]) -> Option<CertificateSummary> {
    let (_, leaf) = parse_x509_certificate(der).ok()?;
    Some(CertificateSummary {
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        not_before: leaf.validity().not_before.timestamp(),
        not_after: leaf.validity().not_after.timestamp(),
    })
}

/// The authorities in a file.
pub(super) fn authorities(path: &Path) -> Result<RootCertStore, WrongFile> {
    let mut roots = RootCertStore::empty();
    for der in certificates(AUTHORITIES, path)? {
        roots.add(der).map_err(|why| WrongFile::new(AUTHORITIES, path, why))?;
    }
    Ok(roots)
}
