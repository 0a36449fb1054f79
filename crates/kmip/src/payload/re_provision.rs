//! Re-Provision (2.1, 6.1.48): a new credential of the client itself in the place of its old one.

use crate::macros::structure;
use crate::objects::{Certificate, CertificateRequest};

structure! {
    /// Asks for a new credential (2.1, 6.1.48).
    #[derive(Default)]
    ReProvisionRequest {
        /// A request to be signed.
        CertificateRequest => certificate_request: Option<CertificateRequest>,
        /// A certificate to be taken for the client's.
        Certificate => certificate: Option<Certificate>,
    }
}

structure! {
    /// The new credential (2.1, 6.1.48).
    ReProvisionResponse {
        /// The certificate, or the private key that the server made.
        UniqueIdentifier => unique_identifier: Option<String>,
    }
}
