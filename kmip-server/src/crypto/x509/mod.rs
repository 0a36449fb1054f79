//! Certificates of X.509 as an authority makes them and as whoever relies on them checks them
//! (RFC 5280): what Certify, Re-certify and Validate share.
//!
//! ```text
//! request . subject --> Wanted --> authority --> a certificate
//!                  signature <--'     |
//!              chain --> signature ---' trusts what the client brought, and the server's own
//! ```
//!
//! Objects, attributes and clients are not known here, but for the attributes that say whom a
//! certificate is to be for. TLS has its own room, and no handshake comes here.

pub(crate) mod authority;
pub(crate) mod certificate;
pub(crate) mod certificate_request;
pub(crate) mod path_validation;
pub(crate) mod signature;
pub(crate) mod subject;

use kmip::vocabulary::{KeyCompressionType, RecommendedCurve};
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer as _;

use crate::crypto::asymmetric::ecc;
use crate::crypto::keys::{EcPublic, Edwards, Key, pkcs};

/// A shorter RSA key can be factored by those who want it enough (NIST SP 800-57).
pub(crate) const RSA_BITS_MIN: i32 = 2048;

/// The curves whose keys are certified: those that whoever reads certificates knows.
const CURVES: [RecommendedCurve; 3] =
    [RecommendedCurve::P_256, RecommendedCurve::P_384, RecommendedCurve::P_521];

/// The public key in a certificate, where it can be read.
pub(crate) fn public_key_of_certificate(der: &[u8]) -> Option<Key> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    pkcs::read_spki(certificate.public_key().raw)
}

/// The public key in a PKCS#10 request, where it can be read.
pub(crate) fn public_key_of_request(der: &[u8]) -> Option<Key> {
    let (_, request) = X509CertificationRequest::from_der(der).ok()?;
    pkcs::read_spki(request.certification_request_info.subject_pki.raw)
}

/// A public key that can stand in a certificate, in the one form that it has there; or why not.
pub(crate) fn certifiable(key: &Key) -> Result<Key, String> {
    match key {
        Key::RsaPublic(rsa) if rsa.n.bits() < RSA_BITS_MIN => {
            Err(format!("the RSA key has {} bits, and {RSA_BITS_MIN} are the least", rsa.n.bits()))
        }
        Key::RsaPublic(_) | Key::EdwardsPublic(Edwards::Ed25519, _) => Ok(key.clone()),
        Key::EcPublic(ec) if CURVES.contains(&ec.curve) => {
            let point = ecc::point_in(ec, KeyCompressionType::ECPublicKeyTypeUncompressed)
                .map_err(|_| "the point of the key is not on its curve".to_owned())?;
            Ok(Key::EcPublic(EcPublic { curve: ec.curve, point }))
        }
        Key::Symmetric(_)
        | Key::RsaPrivate(_)
        | Key::DsaPublic(..)
        | Key::DsaPrivate(..)
        | Key::DhPublic(..)
        | Key::DhPrivate(..)
        | Key::EcPublic(_)
        | Key::EcPrivate(_)
        | Key::EdwardsPublic(..)
        | Key::EdwardsPrivate(..) => {
            Err("certified are public keys of RSA, of P-256, P-384 and P-521, and of Ed25519 alone"
                .to_owned())
        }
    }
}
