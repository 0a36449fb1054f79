//! What an object claims of its form beside its key block (1.4, 2.2.1 and 2.2.5; 2.1, 2.1, 2.2 and
//! 2.8): a certificate and a certificate request must have the outline of what they are said to be,
//! and a part must be one of as many as there are. What a key block claims is checked with the
//! attributes, in [`super::key_block`].

use kmip::objects::{Object, SplitKey};
use kmip::vocabulary::{CertificateRequestType, CertificateType, SplitKeyMethod};

use crate::crypto::asymmetric;
use crate::crypto::keys::shape;
use crate::crypto::secret_sharing;
use crate::crypto::x509;
use crate::objects::error::{OperationError, Result};

/// Refuses an object that cannot be what it says.
pub(crate) fn check(object: &Object) -> Result<()> {
    let (fits, form) = match object {
        Object::SplitKey(part) => return check_part(part),
        Object::Certificate(certificate) => (
            is_certificate(certificate.certificate_type, &certificate.certificate_value),
            format!("certificate of the type {}", certificate.certificate_type),
        ),
        Object::CertificateRequest(request) => (
            is_request(request.certificate_request_type, &request.certificate_request_value),
            format!("certificate request of the type {}", request.certificate_request_type),
        ),
        Object::OpaqueObject(_)
        | Object::PGPKey(_)
        | Object::PrivateKey(_)
        | Object::PublicKey(_)
        | Object::SecretData(_)
        | Object::SymmetricKey(_)
        | Object::Template(_) => return Ok(()),
    };
    match fits {
        true => check_public_key(object),
        false => Err(OperationError::invalid_field(format!("the value is not a {form}"))),
    }
}

/// The public key in a certificate or in a request must be one, where the server can read it.
fn check_public_key(object: &Object) -> Result<()> {
    let key = match object {
        Object::Certificate(certificate)
            if certificate.certificate_type == CertificateType::X_509 =>
        {
            x509::public_key_of_certificate(&certificate.certificate_value)
        }
        Object::CertificateRequest(request)
            if request.certificate_request_type == CertificateRequestType::PKCS_10 =>
        {
            x509::public_key_of_request(&request.certificate_request_value)
        }
        Object::Certificate(_)
        | Object::CertificateRequest(_)
        | Object::OpaqueObject(_)
        | Object::PGPKey(_)
        | Object::PrivateKey(_)
        | Object::PublicKey(_)
        | Object::SecretData(_)
        | Object::SplitKey(_)
        | Object::SymmetricKey(_)
        | Object::Template(_) => None,
    };
    match key.map(|key| asymmetric::check(&key)) {
        Some(Err(why)) => Err(OperationError::invalid_field(format!(
            "the public key in it cannot be used: {why}"
        ))),
        Some(Ok(())) | None => Ok(()),
    }
}

/// Whether the value can be a certificate of this type; of one that the standard lacks, anything.
fn is_certificate(form: CertificateType, value: &[u8]) -> bool {
    match form {
        CertificateType::X_509 => shape::is_certificate(value),
        CertificateType::PGP => shape::is_open_pgp(value),
        _ => true,
    }
}

/// Whether the value can be a request of this type; of one that the standard lacks, anything.
fn is_request(form: CertificateRequestType, value: &[u8]) -> bool {
    match form {
        CertificateRequestType::PKCS_10 => shape::is_certification_request(value),
        CertificateRequestType::CRMF => shape::is_sequence(value),
        CertificateRequestType::PEM => value.windows(BEGIN.len()).any(|window| window == BEGIN),
        CertificateRequestType::PGP => shape::is_open_pgp(value),
        _ => true,
    }
}

/// What PEM begins with, behind what text there may be before it (RFC 7468, 2).
const BEGIN: &[u8] = b"-----BEGIN ";

/// A part is numbered from 1 to Split Key Parts, of which the threshold makes the key, and a prime
/// field has a prime (1.4, 2.2.5; 2.1, 2.8 and 13.1).
fn check_part(part: &SplitKey) -> Result<()> {
    let counts = 1..=part.parts;
    if !counts.contains(&part.part_identifier) || !counts.contains(&part.threshold) {
        return Err(OperationError::invalid_field(format!(
            "Key Part Identifier {} and Split Key Threshold {} must be 1 to Split Key Parts, {}",
            part.part_identifier, part.threshold, part.parts
        )));
    }
    match (part.method, &part.prime_field_size) {
        (SplitKeyMethod::PolynomialSharingPrimeField, None) => Err(OperationError::invalid_field(
            "a part by Polynomial Sharing Prime Field needs the Prime Field Size",
        )),
        (SplitKeyMethod::PolynomialSharingPrimeField, Some(prime)) => {
            secret_sharing::check_field(&prime.0)
                .map_err(|error| OperationError::invalid_field(error.to_string()))
        }
        _ => Ok(()),
    }
}
