//! What a certificate says of itself, as the attributes that the server gives it (1.4, 3.8 to 3.16;
//! 2.1, 4.6 to 4.8, 4.22 and 4.61 to 4.63). A certificate that cannot be read is kept all the same,
//! and has none of them but its type and length.
//!
//! Whether it may be trusted is not asked here.

use aws_lc_rs::digest::{SHA256, digest};
use kmip::attributes::AttributeValue as V;
use kmip::objects::Certificate;
use kmip::structures::{
    CertificateIdentifier, CertificateIssuer, CertificateSubject, Digest,
    X509CertificateIdentifier, X509CertificateIssuer, X509CertificateSubject,
};
use kmip::vocabulary::{
    CertificateType, CryptographicAlgorithm, DigitalSignatureAlgorithm as S, HashingAlgorithm,
    KeyFormatType,
};
use x509_parser::asn1_rs::{Any, FromDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Name;

use crate::crypto::x509::certificate;

/// An attribute that holds one part of a name.
type Part = fn(String) -> V;

/// One row a part of a distinguished name: its object identifier, and the attribute that holds it
/// for the subject and for the issuer (2.1, table 39; RFC 4519).
const PARTS: &[(&str, Part, Part)] = &[
    ("2.5.4.3", V::CertificateSubjectCN, V::CertificateIssuerCN),
    ("2.5.4.10", V::CertificateSubjectO, V::CertificateIssuerO),
    ("2.5.4.11", V::CertificateSubjectOU, V::CertificateIssuerOU),
    ("1.2.840.113549.1.9.1", V::CertificateSubjectEmail, V::CertificateIssuerEmail),
    ("2.5.4.6", V::CertificateSubjectC, V::CertificateIssuerC),
    ("2.5.4.8", V::CertificateSubjectST, V::CertificateIssuerST),
    ("2.5.4.7", V::CertificateSubjectL, V::CertificateIssuerL),
    ("0.9.2342.19200300.100.1.1", V::CertificateSubjectUID, V::CertificateIssuerUID),
    ("2.5.4.5", V::CertificateSubjectSerialNumber, V::CertificateIssuerSerialNumber),
    ("2.5.4.12", V::CertificateSubjectTitle, V::CertificateIssuerTitle),
    ("0.9.2342.19200300.100.1.25", V::CertificateSubjectDC, V::CertificateIssuerDC),
    ("2.5.4.46", V::CertificateSubjectDNQualifier, V::CertificateIssuerDNQualifier),
];

/// One row a signature: its object identifier, and its name (RFC 8017, 5758 and 3279).
const SIGNATURES: &[(&str, S)] = &[
    ("1.2.840.113549.1.1.2", S::MD2WithRSAEncryption),
    ("1.2.840.113549.1.1.4", S::MD5WithRSAEncryption),
    ("1.2.840.113549.1.1.5", S::SHA_1WithRSAEncryption),
    ("1.2.840.113549.1.1.14", S::SHA_224WithRSAEncryption),
    ("1.2.840.113549.1.1.11", S::SHA_256WithRSAEncryption),
    ("1.2.840.113549.1.1.12", S::SHA_384WithRSAEncryption),
    ("1.2.840.113549.1.1.13", S::SHA_512WithRSAEncryption),
    ("1.2.840.113549.1.1.10", S::RSASSA_PSS),
    ("1.2.840.10040.4.3", S::DSAWithSHA_1),
    ("2.16.840.1.101.3.4.3.1", S::DSAWithSHA224),
    ("2.16.840.1.101.3.4.3.2", S::DSAWithSHA256),
    ("1.2.840.10045.4.1", S::ECDSAWithSHA_1),
    ("1.2.840.10045.4.3.1", S::ECDSAWithSHA224),
    ("1.2.840.10045.4.3.2", S::ECDSAWithSHA256),
    ("1.2.840.10045.4.3.3", S::ECDSAWithSHA384),
    ("1.2.840.10045.4.3.4", S::ECDSAWithSHA512),
    ("2.16.840.1.101.3.4.3.14", S::SHA3_256WithRSAEncryption),
    ("2.16.840.1.101.3.4.3.15", S::SHA3_384WithRSAEncryption),
    ("2.16.840.1.101.3.4.3.16", S::SHA3_512WithRSAEncryption),
];

/// Where alternative names of the subject and of the issuer stand.
const SUBJECT_ALTERNATIVE_NAME: &str = "2.5.29.17";
const ISSUER_ALTERNATIVE_NAME: &str = "2.5.29.18";

/// The attributes of a certificate.
pub(crate) fn attributes(certificate: &Certificate) -> Vec<V> {
    let der = &certificate.certificate_value;
    let mut values = vec![
        V::CertificateType(certificate.certificate_type),
        V::CertificateLength(i32::try_from(der.len()).unwrap_or(i32::MAX)),
        V::Digest(Digest {
            hashing_algorithm: HashingAlgorithm::SHA_256,
            digest_value: Some(digest(&SHA256, der).as_ref().to_vec()),
            key_format_type: Some(KeyFormatType::X_509),
        }),
    ];
    if certificate.certificate_type != CertificateType::X_509 {
        return values;
    }
    if let Ok((_, parsed)) = X509Certificate::from_der(der) {
        values.extend(of_x509(&parsed));
        values.extend(of_its_key(&parsed));
    }
    if let Ok(named) = certificate::Certificate::parse(der) {
        values.extend(of_1_x(named));
    }
    values
}

fn of_x509(parsed: &X509Certificate<'_>) -> Vec<V> {
    let subject = parsed.subject().as_raw().to_vec();
    let issuer = parsed.issuer().as_raw().to_vec();
    let mut values = vec![
        V::X_509CertificateIdentifier(X509CertificateIdentifier {
            issuer: issuer.clone(),
            serial_number: parsed.raw_serial().to_vec(),
        }),
        V::X_509CertificateIssuer(X509CertificateIssuer {
            distinguished_name: issuer,
            alternative_names: alternative_names(parsed, ISSUER_ALTERNATIVE_NAME),
        }),
        V::X_509CertificateSubject(X509CertificateSubject {
            distinguished_name: subject,
            alternative_names: alternative_names(parsed, SUBJECT_ALTERNATIVE_NAME),
        }),
    ];
    values.extend(parts(parsed.subject(), |(_, subject, _)| *subject));
    values.extend(parts(parsed.issuer(), |(_, _, issuer)| *issuer));
    let signature = parsed.signature_algorithm.algorithm.to_id_string();
    let known = SIGNATURES.iter().find(|(oid, _)| *oid == signature);
    values.extend(known.map(|(_, name)| V::DigitalSignatureAlgorithm(*name)));
    values
}

fn parts(name: &X509Name<'_>, pick: fn(&(&str, Part, Part)) -> Part) -> Vec<V> {
    let mut values = Vec::new();
    for attribute in name.iter_attributes() {
        let oid = attribute.attr_type().to_id_string();
        let row = PARTS.iter().find(|(known, _, _)| *known == oid);
        if let (Some(row), Ok(text)) = (row, attribute.as_str()) {
            values.push(pick(row)(text.to_owned()));
        }
    }
    values
}

/// The alternative names one by one, each as DER.
fn alternative_names(parsed: &X509Certificate<'_>, oid: &str) -> Vec<Vec<u8>> {
    let found = parsed.extensions().iter().find(|e| e.oid.to_id_string() == oid);
    let Some(Ok((_, sequence))) = found.map(|extension| Any::from_der(extension.value)) else {
        return Vec::new();
    };
    let mut rest = sequence.data;
    let mut names = Vec::new();
    while let Ok((after, _)) = Any::from_der(rest) {
        let len = rest.len().saturating_sub(after.len());
        names.push(rest.get(..len).unwrap_or_default().to_vec());
        rest = after;
    }
    names
}

/// The algorithm and the length of the key that it is for.
fn of_its_key(parsed: &X509Certificate<'_>) -> Vec<V> {
    let Ok(key) = parsed.public_key().parsed() else { return Vec::new() };
    let algorithm = match key {
        PublicKey::RSA(_) => CryptographicAlgorithm::RSA,
        PublicKey::EC(_) => CryptographicAlgorithm::ECDSA,
        PublicKey::DSA(_) => CryptographicAlgorithm::DSA,
        PublicKey::GostR3410(_) | PublicKey::GostR3410_2012(_) | PublicKey::Unknown(_) => {
            return Vec::new();
        }
    };
    let length = i32::try_from(key.key_size()).unwrap_or(i32::MAX);
    vec![V::CryptographicAlgorithm(algorithm), V::CryptographicLength(length)]
}

/// What 1.0 has, in words; deprecated since 1.1 and gone in 2.0.
fn of_1_x(named: certificate::Certificate) -> [V; 3] {
    [
        V::CertificateIdentifier(CertificateIdentifier {
            issuer: named.issuer.clone(),
            serial_number: Some(named.serial),
        }),
        V::CertificateSubject(CertificateSubject {
            distinguished_name: named.subject,
            alternative_names: named.names,
        }),
        V::CertificateIssuer(CertificateIssuer {
            distinguished_name: named.issuer,
            alternative_names: Vec::new(),
        }),
    ]
}
