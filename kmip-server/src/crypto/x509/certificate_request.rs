//! A request for a certificate, read as what it is: the word of a stranger (PKCS#10, RFC 2986).
//!
//! Taken are the subject, the public key with the proof that the asker has its private key, and of
//! the extensions those that give no power over others: alternative names of hosts and people, the
//! usages of a key that is no authority's, and what servers, clients and mail are known by.
//! **Whatever else it asks for is never looked at**, an authority's flag above all.

use kmip::vocabulary::CertificateRequestType;
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

use super::certifiable;
use super::signature::{self, Found};
use super::subject::{self, Names};
use crate::crypto::keys::{Key, pkcs};

/// The usages that a key may be certified for, as bits of Key Usage, the first of which is 1
/// (RFC 5280, 4.2.1.3): those up to Key Agreement. What follows makes an authority.
pub(crate) const USAGES: u8 = 0b1_1111;

/// The purposes that are taken from a request (RFC 5280, 4.2.1.12): servers, clients and mail.
/// Others let their holder sign programs, times or the state of others' certificates.
const PURPOSES: [&str; 3] = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"];

/// Whom a certificate is to be for, and what for.
#[derive(Clone)]
pub(crate) struct Wanted {
    /// The public key.
    pub key: Key,
    /// The names.
    pub names: Names,
    /// Bits of Key Usage; 0 leaves it to the authority.
    pub usage: u8,
    /// Object identifiers of Extended Key Usage.
    pub purposes: Vec<String>,
}

/// Reads a request in the form that it says it has.
pub(crate) fn read(form: CertificateRequestType, bytes: &[u8]) -> Result<Wanted, String> {
    match form {
        CertificateRequestType::PKCS_10 => parse(bytes),
        CertificateRequestType::PEM => {
            let pem = Pem::iter_from_buffer(bytes).next().and_then(Result::ok);
            let pem = pem.ok_or("the request is not in PEM")?;
            match pem.label.as_str() {
                "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => parse(&pem.contents),
                label => Err(format!("the PEM holds a {label:?} and no CERTIFICATE REQUEST")),
            }
        }
        CertificateRequestType::CRMF | CertificateRequestType::PGP => {
            Err(format!("{form:?} is not read here: send the request as PKCS_10 or PEM"))
        }
        _ => Err("the Certificate Request Type is not known: send PKCS_10 or PEM".to_owned()),
    }
}

/// What is said of a signature that proves nothing.
const UNPROVEN: &str =
    "its signature is not its key's, or has a broken hash: the key is not proven";

fn parse(der: &[u8]) -> Result<Wanted, String> {
    let Ok((rest, request)) = X509CertificationRequest::from_der(der) else {
        return Err("it is no PKCS#10 request (RFC 2986)".to_owned());
    };
    if !rest.is_empty() {
        return Err("bytes follow the request".to_owned());
    }
    let info = &request.certification_request_info;
    let key = pkcs::read_spki(info.subject_pki.raw).ok_or("its public key cannot be read")?;
    let key = certifiable(&key)?;
    let algorithm = &request.signature_algorithm;
    match signature::check(&key, algorithm, info.raw, &request.signature_value.data, false) {
        Found::Good => {}
        Found::Bad => return Err(UNPROVEN.to_owned()),
        Found::Unknown => return Err("its signature is of a kind that is not known".to_owned()),
    }
    let mut wanted = Wanted::new(key, info.subject.as_raw())?;
    for attribute in info.iter_attributes() {
        if let ParsedCriAttribute::ExtensionRequest(asked) = attribute.parsed_attribute() {
            asked.extensions.iter().for_each(|extension| wanted.take(extension));
        }
    }
    Ok(wanted)
}

/// What a certificate that is to be renewed says, by the rules of a request.
pub(crate) fn of_certificate(der: &[u8]) -> Result<Wanted, String> {
    let Ok((_, old)) = X509Certificate::from_der(der) else {
        return Err("the certificate is no X.509 certificate that can be read".to_owned());
    };
    let key = pkcs::read_spki(old.public_key().raw).ok_or("its public key cannot be read")?;
    let mut wanted = Wanted::new(certifiable(&key)?, old.subject().as_raw())?;
    old.extensions().iter().for_each(|extension| wanted.take(extension));
    Ok(wanted)
}

impl Wanted {
    /// A certificate for a key, of which nothing else is said yet.
    pub(crate) fn of(key: Key) -> Self {
        Self { key, names: Names::default(), usage: 0, purposes: Vec::new() }
    }

    fn new(key: Key, name: &[u8]) -> Result<Self, String> {
        subject::check_name(name)?;
        let names = Names { subject: name.to_vec(), alternative: Vec::new() };
        Ok(Self { names, ..Self::of(key) })
    }

    /// Takes what is harmless of an extension.
    fn take(&mut self, extension: &X509Extension<'_>) {
        let parsed = extension.parsed_extension();
        if let ParsedExtension::KeyUsage(usage) = parsed {
            self.usage = u8::try_from(usage.flags & u16::from(USAGES)).unwrap_or(0);
        }
        if let ParsedExtension::ExtendedKeyUsage(usage) = parsed {
            let known = [usage.server_auth, usage.client_auth, usage.email_protection];
            let asked = PURPOSES.iter().zip(known).filter(|(_, is_asked)| *is_asked);
            self.purposes = asked.map(|(purpose, _)| (*purpose).to_owned()).collect();
        }
        if let ParsedExtension::SubjectAlternativeName(names) = parsed {
            let names = names.general_names.iter();
            self.names.alternative = names.filter_map(subject::alternative).collect();
        }
    }
}
