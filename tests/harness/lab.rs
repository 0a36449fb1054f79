//! A folder of its own, with certificates for everyone.

use std::path::{Path, PathBuf};

use certs::{Algorithm, Plan};
use tempfile::TempDir;

/// A temporary folder with `pki/` in it; gone when dropped.
pub struct Lab {
    folder: TempDir,
}

impl Lab {
    /// Makes the folder and the certificates.
    pub fn new() -> Self {
        Self::with(Algorithm::default(), true)
    }

    /// As [`Self::new`], with keys of another kind, and with the bad set or without.
    pub fn with(algorithm: Algorithm, bad: bool) -> Self {
        Self::planned(Plan { algorithm, bad, ..Plan::default() })
    }

    /// As [`Self::new`], for servers that are reached under other names, and without the bad set.
    pub fn with_hosts(hosts: &[&str]) -> Self {
        let hosts = hosts.iter().copied().map(str::to_owned).collect();
        Self::planned(Plan { hosts, bad: false, ..Plan::default() })
    }

    fn planned(plan: Plan) -> Self {
        let lab = Self { folder: TempDir::with_prefix("lab-").expect("a temporary folder") };
        let clients = vec!["alice".to_owned(), "bob".to_owned()];
        let plan = Plan { clients, ..plan };
        certs::init(&lab.path("pki"), &plan).expect("certificates");
        lab
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of `certs init`: `ca.crt`, `server.key`, `bad/client-expired.crt` ...
    pub fn pki(&self, name: &str) -> PathBuf {
        self.path("pki").join(name)
    }

    /// The text of a file of `certs init`.
    pub fn pem(&self, name: &str) -> String {
        std::fs::read_to_string(self.pki(name)).expect("a file of the certificates")
    }

    /// The authority, to sign what the test needs.
    pub fn authority(&self) -> certs::Authority {
        certs::Authority::read(&self.path("pki")).expect("the authority just made")
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}
