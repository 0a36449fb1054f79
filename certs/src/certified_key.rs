//! A certificate and its private key.

use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use zeroize::{Zeroize, Zeroizing};

use crate::Error;
use crate::files::{self, FileAccess};

/// A certificate with its private key.
///
/// It has no `Debug`, so that no test and no log can print the key by accident.
pub struct CertifiedKey {
    /// The certificate in PEM.
    pub cert_pem: String,
    /// The private key in PEM, PKCS#8; wiped when dropped.
    pub key_pem: Zeroizing<String>,
}

impl CertifiedKey {
    /// Writes `NAME.crt` and `NAME.key` (mode 0600) into `dir`; refuses to replace either.
    pub fn write(&self, dir: &Path, name: &str) -> Result<Vec<PathBuf>, Error> {
        files::write_all(dir, &self.files(name), false)
    }

    /// The two files of certificate and key under `name`.
    pub(crate) fn files(&self, name: &str) -> [files::File; 2] {
        [
            files::File::new(format!("{name}.crt"), self.cert_pem.as_str(), FileAccess::Public),
            files::File::new(format!("{name}.key"), self.key_pem.as_str(), FileAccess::Secret),
        ]
    }
}

/// A private key that is wiped when dropped.
pub(crate) struct PrivateKey(pub(crate) KeyPair);

impl PrivateKey {
    /// The private key in PEM, PKCS#8.
    pub(crate) fn pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
