//! The authority in whose name the server certifies public keys, and what it puts into a
//! certificate (RFC 5280, 4).
//!
//! ```text
//! version 3 . serial number of 128 random bits . validity . subject . key
//! basic constraints: no authority      key usage . extended key usage . alternative names
//! identifiers of the key and of the authority's
//! ```
//!
//! **It makes no authority below itself, and it is none whose certificates let clients in**: who
//! may certify a key chooses the subject, and the subject is who a client is.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::small_files;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use super::certificate_request::Wanted;
use super::signature::{self, Found};
use super::{certifiable, subject};
use crate::crypto::asymmetric::{self, Input, Scheme};
use crate::crypto::keys::der::{self, Der, tag};
use crate::crypto::keys::{Key, Number, pkcs};

/// The bytes of a serial number: 128 random bits, so that nobody can foresee what is signed
/// (RFC 5280 allows 20 bytes).
const SERIAL_LEN: usize = 16;
/// The bytes of a key's identifier (RFC 7093, 2, method 1).
const IDENTIFIER_LEN: usize = 20;
const DAY_S: i64 = 24 * 60 * 60;

/// An authority with its key.
pub(crate) struct Authority {
    certificate: Vec<u8>,
    subject: Vec<u8>,
    key: Key,
    scheme: Scheme,
    algorithm: Der,
    identifier: Option<Vec<u8>>,
    validity: (i64, i64),
    longest: i64,
}

/// From the first to the last second in which a certificate is valid, in seconds of Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    /// The first second.
    pub from: i64,
    /// The last second.
    pub to: i64,
}

impl Authority {
    /// Reads an authority from the files of its certificate and its private key in PEM. Its
    /// certificates last `days` at the most. `client_ca` are those whose clients may connect.
    pub(crate) fn read(
        cert: &Path,
        key: &Path,
        days: u32,
        client_ca: &Path,
    ) -> Result<Self, String> {
        let chain = certificates(cert)?;
        let text = small_files::read_secret(key).map_err(|why| unread(key, &why))?;
        let private = private_key(&text)
            .ok_or_else(|| format!("{}: there is no private key in PEM", key.display()))?;
        let named = |why: String| format!("certify-ca-cert {}: {why}", cert.display());
        let first = chain.first().ok_or_else(|| named("there is no certificate".to_owned()))?;
        let authority = Self::new(first.clone(), private, days).map_err(named)?;
        for admitted in certificates(client_ca)? {
            if chain.iter().any(|own| is_under(own, &admitted)) {
                return Err(named(format!(
                    "its certificates would let their holders in as clients, since client-ca {} \
                     stands above it: take an authority of its own",
                    client_ca.display()
                )));
            }
        }
        let now = OffsetDateTime::now_utc().unix_timestamp();
        match (authority.validity.0..=authority.validity.1).contains(&now) {
            true => Ok(authority),
            false => Err(named("it has expired or is not valid yet".to_owned())),
        }
    }

    /// An authority of a certificate in DER and its private key.
    pub(crate) fn new(certificate: Vec<u8>, key: Key, days: u32) -> Result<Self, String> {
        let parsed = parse(&certificate).ok_or("it is no X.509 certificate")?;
        if !parsed.is_ca() {
            return Err("it is not one of an authority".to_owned());
        }
        let usage = parsed.key_usage().map_err(|_| "it has two key usages")?;
        if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
            return Err("its key usage lets it sign no certificates".to_owned());
        }
        let own = pkcs::read_spki(parsed.public_key().raw).and_then(|key| certifiable(&key).ok());
        let public = asymmetric::public_of(&key).ok().and_then(|key| certifiable(&key).ok());
        let (Some(own), Some(public)) = (own, public) else {
            return Err("its key is none of RSA from 2048 bits on, P-256, P-384, P-521 or Ed25519"
                .to_owned());
        };
        if own != public {
            return Err("the private key is another one's".to_owned());
        }
        let (scheme, algorithm) =
            signature::of_issuer(&key).ok_or("its key is none that signs certificates")?;
        let identifier = parsed.extensions().iter().find_map(|extension| {
            let ParsedExtension::SubjectKeyIdentifier(id) = extension.parsed_extension() else {
                return None;
            };
            Some(id.0.to_vec())
        });
        let validity =
            (parsed.validity().not_before.timestamp(), parsed.validity().not_after.timestamp());
        let subject = parsed.subject().as_raw().to_vec();
        let longest = i64::from(days).saturating_mul(DAY_S);
        Ok(Self { certificate, subject, key, scheme, algorithm, identifier, validity, longest })
    }

    /// Its own certificate in DER.
    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// When a certificate is valid, whose client asks for these seconds: without the first it is
    /// from now on, without the last as long as it may be. None outlives its authority.
    pub(crate) fn validity(
        &self,
        from: Option<i64>,
        to: Option<i64>,
        now: i64,
    ) -> Result<Validity, String> {
        let from = from.unwrap_or(now).max(self.validity.0);
        let limit = from.saturating_add(self.longest).min(self.validity.1);
        let to = to.unwrap_or(limit);
        if to > limit {
            return Err(format!(
                "the Deactivation Date is too late: a certificate may last {} days here, and no \
                 longer than its authority's",
                self.longest.checked_div(DAY_S).unwrap_or_default()
            ));
        }
        if to <= from {
            return Err("the certificate would end before it begins to be valid".to_owned());
        }
        Ok(Validity { from, to })
    }

    /// The last second in which a certificate that begins then may be valid.
    pub(crate) fn latest(&self, from: i64) -> i64 {
        from.saturating_add(self.longest).min(self.validity.1)
    }

    /// Makes a certificate in DER.
    pub(crate) fn issue(&self, wanted: &Wanted, validity: Validity) -> Result<Vec<u8>, String> {
        let names = &wanted.names;
        if names.subject == self.subject {
            return Err("the subject is the authority's own".to_owned());
        }
        if subject::is_empty(&names.subject) && names.alternative.is_empty() {
            return Err("nothing says whom the certificate is for".to_owned());
        }
        let mut serial = [0; SERIAL_LEN];
        rand::fill(&mut serial).map_err(|_| "the system gives no random numbers")?;
        let spki = pkcs::write_spki(&wanted.key).ok_or("the public key cannot be written")?;
        let signed = der::sequence(&[
            &der::element(tag::CONSTRUCTED_0, &[&der::small(2)]),
            &der::integer(&Number::unsigned(&serial)),
            &self.algorithm,
            &self.subject,
            &der::sequence(&[&time_of(validity.from)?, &time_of(validity.to)?]),
            &names.subject,
            &spki,
            &der::element(CONSTRUCTED_3, &[&self.extensions(wanted)]),
        ]);
        let signature = asymmetric::sign(&self.key, &self.scheme, Input::Data(&signed))
            .map_err(|_| "the authority's key could not sign")?;
        Ok(der::sequence(&[&signed, &self.algorithm, &der::bits(&signature)]).to_vec())
    }

    fn extensions(&self, wanted: &Wanted) -> Der {
        let mut all = vec![
            extension(oid::BASIC_CONSTRAINTS, true, &der::sequence(&[])),
            extension(oid::KEY_USAGE, true, &usage(usages(wanted))),
            extension(oid::SUBJECT_KEY_IDENTIFIER, false, &der::octets(&identifier(&wanted.key))),
        ];
        if let Some(own) = &self.identifier {
            let id = der::element(tag::PRIMITIVE_0, &[own]);
            all.push(extension(oid::AUTHORITY_KEY_IDENTIFIER, false, &der::sequence(&[&id])));
        }
        if !wanted.purposes.is_empty() {
            let purposes: Vec<Der> = wanted.purposes.iter().map(|oid| der::oid(oid)).collect();
            let purposes: Vec<&[u8]> = purposes.iter().map(|oid| oid.as_slice()).collect();
            all.push(extension(oid::EXTENDED_KEY_USAGE, false, &der::sequence(&purposes)));
        }
        if !wanted.names.alternative.is_empty() {
            let names: Vec<&[u8]> = wanted.names.alternative.iter().map(Vec::as_slice).collect();
            // Where they stand in the place of a subject, nobody may pass over them.
            let critical = subject::is_empty(&wanted.names.subject);
            all.push(extension(oid::SUBJECT_ALTERNATIVE_NAME, critical, &der::sequence(&names)));
        }
        let all: Vec<&[u8]> = all.iter().map(|extension| extension.as_slice()).collect();
        der::sequence(&all)
    }
}

/// `[3]`, constructed.
const CONSTRUCTED_3: u8 = 0xA3;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

mod oid {
    pub(crate) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    pub(crate) const KEY_USAGE: &str = "2.5.29.15";
    pub(crate) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
    pub(crate) const SUBJECT_ALTERNATIVE_NAME: &str = "2.5.29.17";
    pub(crate) const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
    pub(crate) const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Der {
    let critical = match critical {
        true => der::element(tag::BOOLEAN, &[&[0xFF]]),
        false => Der::default(),
    };
    der::sequence(&[&der::oid(oid), &critical, &der::octets(value)])
}

/// Bits of Key Usage, as `Wanted` counts them.
pub(crate) const DIGITAL_SIGNATURE: u8 = 1;
/// Another key may be wrapped with it.
pub(crate) const KEY_ENCIPHERMENT: u8 = 1 << 2;

/// What a key may be used for: what is asked for, or what its kind is used for.
pub(crate) fn usages(wanted: &Wanted) -> u8 {
    match (wanted.usage, &wanted.key) {
        (0, Key::RsaPublic(_)) => DIGITAL_SIGNATURE | KEY_ENCIPHERMENT,
        (0, _) => DIGITAL_SIGNATURE,
        (asked, _) => asked,
    }
}

/// A BIT STRING whose first bit is the lowest here, without zeros at its end (X.690, 11.2.2).
fn usage(bits: u8) -> Der {
    let unused = u8::try_from(bits.reverse_bits().trailing_zeros()).unwrap_or(0);
    der::element(tag::BIT_STRING, &[&[unused, bits.reverse_bits()]])
}

fn identifier(key: &Key) -> Vec<u8> {
    let spki = pkcs::write_spki(key).unwrap_or_default();
    let bits = x509_parser::x509::SubjectPublicKeyInfo::from_der(&spki)
        .map(|(_, info)| info.subject_public_key.data.to_vec());
    let hash = digest(&SHA256, &bits.unwrap_or_default());
    hash.as_ref().get(..IDENTIFIER_LEN).unwrap_or_default().to_vec()
}

/// A second as certificates write it: with two digits of the year up to 2049 (RFC 5280, 4.1.2.5).
fn time_of(second: i64) -> Result<Der, String> {
    let moment = OffsetDateTime::from_unix_timestamp(second)
        .ok()
        .filter(|moment| (1950..=9999).contains(&moment.year()))
        .ok_or("a date lies before 1950 or after 9999")?;
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second) = moment.to_hms();
    let rest = format!("{:02}{day:02}{hour:02}{minute:02}{second:02}Z", u8::from(month));
    Ok(match year {
        ..2050 => der::element(UTC_TIME, &[format!("{:02}{rest}", year % 100).as_bytes()]),
        2050.. => der::element(GENERALIZED_TIME, &[format!("{year:04}{rest}").as_bytes()]),
    })
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, cert)| cert)
}

fn unread(path: &Path, why: &std::io::Error) -> String {
    format!("{} cannot be read: {why}", path.display())
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let text = small_files::read(path).map_err(|why| unread(path, &why))?;
    let mut found = Vec::new();
    for pem in Pem::iter_from_buffer(&text) {
        let pem = pem.map_err(|_| format!("{}: it is not in PEM", path.display()))?;
        if pem.label == "CERTIFICATE" {
            found.push(pem.contents);
        }
    }
    Ok(found)
}

/// Is a certificate this one, for the same key, or signed by it?
fn is_under(own: &[u8], other: &[u8]) -> bool {
    let (Some(own), Some(other)) = (parse(own), parse(other)) else { return false };
    let is_signed = || {
        subject::is_same(own.issuer(), other.subject())
            && pkcs::read_spki(other.public_key().raw).is_some_and(|key| {
                let (signed, signature) = (own.tbs_certificate.as_ref(), &own.signature_value.data);
                let found =
                    signature::check(&key, &own.signature_algorithm, signed, signature, true);
                found == Found::Good
            })
    };
    own.public_key().raw == other.public_key().raw || is_signed()
}

/// The private key in a text in PEM: PKCS#8, or RSA's or SEC 1's own form.
fn private_key(text: &[u8]) -> Option<Key> {
    const BEGIN: &str = "-----BEGIN ";
    let text = std::str::from_utf8(text).ok()?;
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once("-----END")?;
        rest = after;
        let mut packed = Zeroizing::new(String::with_capacity(body.len()));
        packed.extend(body.chars().filter(|letter| !letter.is_whitespace()));
        let Ok(bytes) = STANDARD.decode(packed.as_bytes()).map(Zeroizing::new) else { continue };
        let key = match label {
            "PRIVATE KEY" => pkcs::read_pkcs8(&bytes),
            "RSA PRIVATE KEY" => pkcs::read_rsa_private(&bytes).map(Key::RsaPrivate),
            "EC PRIVATE KEY" => pkcs::read_ec_private(&bytes, None).map(Key::EcPrivate),
            _ => None,
        };
        if key.is_some() {
            return key;
        }
    }
    None
}
