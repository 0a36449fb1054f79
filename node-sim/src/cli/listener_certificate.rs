//! Certificate of the listeners, and its private key: given by the settings, or made at the first
//! start and kept in the data folder.
//!
//! What is kept is checked at each start, so that damage is named there and not met by clients: the
//! two must make a handshake with a client that trusts the certificate. One without the other is
//! refused. Clients know the certificate, so it is not replaced without a word.

use crate::api::http::tls::{self, Acceptor, CertifiedKey};
use crate::cli::settings::CertificateSource;
use crate::state::durable_file::{self, Steps};
use crate::state::ledger;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use support::small_files;
use zeroize::Zeroizing;

/// File of the self-signed certificate, in the data folder.
pub(crate) const CERTIFICATE_FILE_NAME: &str = "door.crt";

/// File of its private key.
pub(crate) const KEY_FILE_NAME: &str = "door.key";

/// Reads the certificate, or makes it, for a listener at this address. An error names the file.
pub(super) fn acceptor(
    from: &CertificateSource,
    folder: &Path,
    address: IpAddr,
) -> Result<Acceptor, String> {
    match from {
        CertificateSource::Files { cert, key } => accept_with(cert, key, false),
        CertificateSource::SelfSigned => {
            let (cert, key) = (folder.join(CERTIFICATE_FILE_NAME), folder.join(KEY_FILE_NAME));
            if must_make(folder, &cert, &key)? {
                make_certificate(&cert, &key, address)?;
            }
            accept_with(&cert, &key, true)
        }
    }
}

/// Whether there is no certificate yet. The first ledger is written after both files.
fn must_make(folder: &Path, cert: &Path, key: &Path) -> Result<bool, String> {
    let (missing, other) = match (cert.exists(), key.exists()) {
        (true, true) => return Ok(false),
        (false, false) => return Ok(true),
        (false, true) => (cert, key),
        (true, false) => (key, cert),
    };
    if !folder.join(ledger::FILE_NAME).exists() {
        return Ok(true);
    }
    Err(format!(
        "{} is missing beside {}: put it back, or remove both to have others made",
        missing.display(),
        other.display()
    ))
}

fn accept_with(cert: &Path, key: &Path, is_self_signed: bool) -> Result<Acceptor, String> {
    let pair = read_certificate(cert, key)?;
    let acceptor = Acceptor::new(&pair).map_err(|error| error.of(cert, key))?;
    if is_self_signed {
        acceptor.prove(&pair.certificate).map_err(|error| {
            format!(
                "{} and {} do not fit each other, or are damaged: {error}. Put them back as they \
                 were, or remove both to have others made",
                cert.display(),
                key.display()
            )
        })?;
    }
    Ok(acceptor)
}

fn read_certificate(cert: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    let private_key = small_files::read_secret(key)
        .and_then(|text| String::from_utf8(text.to_vec()).map_err(io::Error::other))
        .map_err(|error| format!("cannot read {}: {error}", key.display()))?;
    Ok(CertifiedKey { certificate: read(cert)?, private_key: Zeroizing::new(private_key) })
}

/// The key is written first: a certificate is there only when its key is.
fn make_certificate(cert: &Path, key: &Path, address: IpAddr) -> Result<(), String> {
    let mut addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    if !addresses.contains(&address) && !address.is_unspecified() {
        addresses.push(address);
    }
    let mut names = vec!["localhost".to_owned(), "node-sim".to_owned()];
    names.extend(std::env::var("HOSTNAME").ok().filter(|name| !names.contains(name)));
    let pair = tls::self_signed(&names, &addresses)
        .map_err(|error| format!("cannot make a certificate for the door: {error}"))?;
    let steps = Steps::new();
    for (path, text) in [(key, pair.private_key.as_str()), (cert, pair.certificate.as_str())] {
        durable_file::replace(&steps, path, text.as_bytes())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
