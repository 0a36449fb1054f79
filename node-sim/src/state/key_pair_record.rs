//! The ledger's record of the key pair for key servers: the request, and where the private key is.

use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// What the ledger knows of the key pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPairRecord {
    /// Name of the private key's file in the cluster's folder.
    pub(crate) file: String,
    /// The request in PEM.
    pub(crate) certificate_sign_request: String,
}

impl KeyPairRecord {
    /// The request in PEM, a line break after every 64 characters and at the end.
    #[must_use]
    pub(crate) fn certificate_sign_request(&self) -> &str {
        &self.certificate_sign_request
    }

    /// The public key as it stands in the request, to compare with that of a certificate.
    #[must_use]
    pub(crate) fn public_key_der(&self) -> Option<Vec<u8>> {
        use x509_parser::prelude::{FromDer, X509CertificationRequest};
        let (_, pem) =
            x509_parser::pem::parse_x509_pem(self.certificate_sign_request.as_bytes()).ok()?;
        let (_, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
        Some(request.certification_request_info.subject_pki.raw.to_vec())
    }

    /// The private key in PEM.
    pub(crate) fn private_key(&self, folder: &Path) -> io::Result<Zeroizing<String>> {
        std::fs::read_to_string(folder.join(&self.file)).map(Zeroizing::new)
    }
}
