//! Certificate signing request, which is untrusted input.
//!
//! Subject and public key are taken, and the proof that the asker has the private key. Alternative
//! names, key usages and the authority flag that it asks for are never looked at, so that no later
//! change can let one through.

use rcgen::{DistinguishedName, DnType, DnValue, SubjectPublicKeyInfo};
use x509_parser::asn1_rs::Tag;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Name};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::AttributeTypeAndValue;

use crate::Error;

/// A shorter RSA key can be factored by those who want it enough (NIST SP 800-57).
const RSA_BITS_MIN: usize = 2048;

/// Bits of the curves whose signatures are verified: P-256 and P-384.
const EC_BITS: [usize; 2] = [256, 384];

/// What is taken from a request.
pub(crate) struct Request {
    pub(crate) subject: DistinguishedName,
    pub(crate) public_key: SubjectPublicKeyInfo,
}

/// Reads a request in PEM and checks that its sender has the key. If `name` is given, it is the
/// subject, and that of the request is not looked at.
pub(crate) fn parse(request_pem: &str, name: Option<DistinguishedName>) -> Result<Request, Error> {
    let pem = Pem::iter_from_buffer(request_pem.as_bytes())
        .next()
        .and_then(Result::ok)
        .ok_or_else(|| refused("it is not in PEM"))?;
    if !matches!(pem.label.as_str(), "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") {
        return Err(refused(&format!("it is a {:?}, not a CERTIFICATE REQUEST", pem.label)));
    }
    let (rest, request) = X509CertificationRequest::from_der(&pem.contents)
        .map_err(|_| refused("it is not a PKCS#10 request (RFC 2986)"))?;
    if !rest.is_empty() {
        return Err(refused("bytes follow it"));
    }
    let info = &request.certification_request_info;
    // Before the signature, which is not verified with keys of other kinds.
    match info.subject_pki.parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() < RSA_BITS_MIN => {
            let bits = key.key_size();
            let why = format!("its RSA key has {bits} bits; {RSA_BITS_MIN} is the least");
            return Err(refused(&why));
        }
        Ok(PublicKey::EC(point)) if !EC_BITS.contains(&point.key_size()) => {
            let why =
                "its key is on another curve than those of this authority: use P-256 or P-384";
            return Err(refused(why));
        }
        _ => {}
    }
    request.verify_signature().map_err(|_| refused("its signature does not match its key"))?;
    let public_key = SubjectPublicKeyInfo::from_der(info.subject_pki.raw)
        .map_err(|_| refused("its key is of a kind that this authority does not sign"))?;
    let subject = name.map_or_else(|| subject(&info.subject), Ok)?;
    Ok(Request { subject, public_key })
}

/// The subject, value by value.
fn subject(name: &X509Name<'_>) -> Result<DistinguishedName, Error> {
    let mut subject = DistinguishedName::new();
    for attribute in name.iter_attributes() {
        let (kind, value) = subject_value(attribute)?;
        if subject.get(&kind).is_some() {
            return Err(refused("its subject has one attribute twice: give --name NAME"));
        }
        subject.push(kind, value);
    }
    if subject.iter().next().is_none() {
        return Err(refused(
            "the request has no subject: give --name NAME, or commonName to \
             CreatePublicPrivateKeyPair",
        ));
    }
    Ok(subject)
}

fn subject_value(attribute: &AttributeTypeAndValue<'_>) -> Result<(DnType, DnValue), Error> {
    let oid: Vec<u64> = attribute
        .attr_type()
        .iter()
        .ok_or_else(|| refused("its subject has an attribute type that cannot be read"))?
        .collect();
    let text =
        attribute.as_str().map_err(|_| refused("its subject has a value that is no plain text"))?;
    if text.chars().any(char::is_control) {
        return Err(refused("its subject has a control character"));
    }
    // The kind of string stays: a country is a PrintableString, a mail address an IA5String.
    let value = match attribute.attr_value().tag() {
        Tag::PrintableString => text.try_into().map(DnValue::PrintableString)?,
        Tag::Ia5String => text.try_into().map(DnValue::Ia5String)?,
        _ => DnValue::Utf8String(text.to_owned()),
    };
    Ok((DnType::from_oid(&oid), value))
}

fn refused(why: &str) -> Error {
    Error::Request(why.to_owned())
}
