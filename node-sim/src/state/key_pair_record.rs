//! The ledger's record of the key pair for key servers: the request, and where the private key is.

use serde::{Deserialize, Serialize};

/// Record of the key pair in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPairRecord {
    /// Name of the private key's file in the cluster's folder.
    pub(crate) file: String,
    /// The request in PEM.
    pub(crate) certificate_sign_request: String,
}

impl KeyPairRecord {
    /// Returns the request in PEM, a line break after every 64 characters and at the end.
    #[must_use]
    pub(crate) fn certificate_sign_request(&self) -> &str {
        &self.certificate_sign_request
    }

    /// Returns the public key of the request, in the form in which certificates have it.
    #[must_use]
    pub(crate) fn public_key_der(&self) -> Option<Vec<u8>> {
        use x509_parser::prelude::{FromDer, X509CertificationRequest};
        let (_, pem) =
            x509_parser::pem::parse_x509_pem(self.certificate_sign_request.as_bytes()).ok()?;
        let (_, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
        Some(request.certification_request_info.subject_pki.raw.to_vec())
    }
}
