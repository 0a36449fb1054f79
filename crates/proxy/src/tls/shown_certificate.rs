//! The certificate that clients are shown, which can be changed while the proxy runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use super::pem_files::{WrongFile, unchecked_identity};

/// Name of the certificate that the proxy was started with.
pub(crate) const OWN: &str = "default";

/// Certificates of a folder that are listed.
const LISTED_MAX: usize = 256;

/// The certificate that clients are shown.
#[derive(Debug)]
pub(crate) struct ShownCertificate {
    own: Arc<CertifiedKey>,
    folder: Option<PathBuf>,
    shown: Mutex<Shown>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Shown {
    name: String,
    key: Arc<CertifiedKey>,
    handshakes: u64,
}

/// Why a certificate is not shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotShown {
    /// There is none of this name.
    #[error("no certificate has this name; GET /certificates lists them")]
    Unknown,
    /// Its files cannot be used.
    #[error(transparent)]
    File(#[from] WrongFile),
}

impl ShownCertificate {
    /// Shows this certificate, until another of the folder is chosen.
    pub(super) fn new(own: CertifiedKey, folder: Option<&Path>) -> Self {
        let own = Arc::new(own);
        let shown = Shown { name: OWN.to_owned(), key: Arc::clone(&own), handshakes: 0 };
        let (folder, changes) = (folder.map(Path::to_owned), watch::Sender::new(0));
        Self { own, folder, shown: Mutex::new(shown), changes }
    }

    /// Names of the certificates that can be shown besides the own one, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.folder.as_deref().and_then(|folder| folder.read_dir().ok());
        let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
        let is_pair = |path: &PathBuf| {
            path.extension().is_some_and(|ending| ending == "crt")
                && path.with_extension("key").is_file()
        };
        let stem = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        let mut names: Vec<_> = paths.filter(is_pair).filter_map(stem).take(LISTED_MAX).collect();
        names.sort();
        names
    }

    /// Name of the certificate that is shown, and how many handshakes have begun with it.
    pub(crate) fn shown(&self) -> (String, u64) {
        let shown = self.lock();
        (shown.name.clone(), shown.handshakes)
    }

    /// Shows the certificate of this name from now on, and ends the connections that are open. The
    /// key need not be that of the certificate.
    pub(crate) fn show(&self, name: &str) -> Result<(), NotShown> {
        let key = match &self.folder {
            _ if name == OWN => Arc::clone(&self.own),
            Some(folder) if self.names().iter().any(|known| known == name) => {
                let path = |ending: &str| folder.join(format!("{name}.{ending}"));
                Arc::new(unchecked_identity(&path("crt"), &path("key"))?)
            }
            Some(_) | None => return Err(NotShown::Unknown),
        };
        *self.lock() = Shown { name: name.to_owned(), key, handshakes: 0 };
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    /// Wakes its holder with every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The certificate for a handshake, which counts.
    pub(super) fn resolve(&self, _: &ClientHello<'_>) -> Arc<CertifiedKey> {
        let mut shown = self.lock();
        shown.handshakes = shown.handshakes.saturating_add(1);
        Arc::clone(&shown.key)
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
