//! Re-certify (1.4, 4.8; 2.1, 6.1.45): a new certificate for the key of an old one.

use crate::attributes::Attributes;
use crate::codec::Interval;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::version::Version;
use crate::vocabulary::CertificateRequestType;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for a certificate to be renewed (1.4, 4.8; 2.1, 6.1.45).
    #[derive(Default)]
    ReCertifyRequest {
        /// The old certificate; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// A request that the server keeps (2.0 on).
        CertificateRequestUniqueIdentifier [V2_0..]
            => certificate_request_unique_identifier: Option<Identifier>,
        /// The form of the request below.
        CertificateRequestType => certificate_request_type: Option<CertificateRequestType>,
        /// A request for the certificate. It goes before the attributes.
        CertificateRequest / CertificateRequestValue
            => certificate_request_value: Option<Vec<u8>>,
        /// From the Initial Date to the Activation Date of the new certificate.
        Offset => offset: Option<Interval>,
        /// Attributes of the new certificate that differ.
        TemplateAttribute / Attributes => attributes: Option<Attributes>,
        /// Where it may be kept.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// The certificate that replaces the old one (1.4, 4.8; 2.1, 6.1.45).
    ReCertifyResponse {
        /// The new certificate.
        UniqueIdentifier => unique_identifier: String,
        /// Attributes that the server made up.
        TemplateAttribute [..=V1_4] => template_attribute: Option<Attributes>,
    }
}
