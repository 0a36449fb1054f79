//! Certify (1.4, 4.7; 2.1, 6.1.6): a certificate for a public key.

use crate::attributes::Attributes;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::version::Version;
use crate::vocabulary::CertificateRequestType;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for a certificate (1.4, 4.7; 2.1, 6.1.6).
    #[derive(Default)]
    CertifyRequest {
        /// The public key, or from 2.0 on the kept request; the ID Placeholder when this and the
        /// request below are absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// The form of the request below.
        CertificateRequestType => certificate_request_type: Option<CertificateRequestType>,
        /// A request for the certificate. It goes before the attributes.
        CertificateRequest / CertificateRequestValue
            => certificate_request_value: Option<Vec<u8>>,
        /// Attributes of the certificate.
        TemplateAttribute / Attributes => attributes: Option<Attributes>,
        /// Where it may be kept.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// The new certificate (1.4, 4.7; 2.1, 6.1.6).
    CertifyResponse {
        /// The certificate.
        UniqueIdentifier => unique_identifier: String,
        /// Attributes that the server made up.
        TemplateAttribute [..=V1_4] => template_attribute: Option<Attributes>,
    }
}
