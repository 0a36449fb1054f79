//! What an X.509 certificate says of its holder (RFC 5280), with names as text (RFC 4514).

use std::fmt::{self, Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::crypto::keys::der;

/// What a certificate says of its holder.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The version: 1, 2 or 3.
    pub version: u32,
    /// The subject as RFC 4514 writes it; empty if the certificate has none.
    pub subject: String,
    /// The issuer, likewise.
    pub issuer: String,
    /// The alternative names, each after its kind: `dns:`, `ip:`, `email:`, `uri:`.
    pub names: Vec<String>,
    /// The serial number in hex.
    pub serial: String,
    /// The SHA-256 digest of the whole certificate in hex.
    pub fingerprint: String,
    /// The first and the last second of its validity, in seconds of Unix time.
    pub validity: (i64, i64),
    /// Whether its extended key usages allow server and client (RFC 5280, 4.2.1.12).
    pub usage: Usage,
    /// Whether it may sign certificates (RFC 5280, 4.2.1.9).
    pub is_authority: bool,
}

/// What an end of a connection may be with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// It may be connected to.
    pub server: bool,
    /// It may connect.
    pub client: bool,
}

/// Bytes that are no X.509 certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no X.509 certificate that can be read")]
pub struct Unreadable;

impl Certificate {
    /// Reads a certificate in DER.
    pub fn parse(der: &[u8]) -> Result<Self, Unreadable> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| Unreadable)?;
        if !rest.is_empty() {
            return Err(Unreadable);
        }
        let usage = parsed.extended_key_usage().map_err(|_| Unreadable)?;
        let usage = usage.map(|found| Usage {
            server: found.value.server_auth || found.value.any,
            client: found.value.client_auth || found.value.any,
        });
        let alternatives = parsed.subject_alternative_name().map_err(|_| Unreadable)?;
        Ok(Self {
            version: parsed.version().0.saturating_add(1),
            subject: distinguished_name(parsed.subject()),
            issuer: distinguished_name(parsed.issuer()),
            names: alternatives
                .map(|found| found.value.general_names.iter().filter_map(general_name).collect())
                .unwrap_or_default(),
            serial: hex(parsed.raw_serial()),
            fingerprint: hex(digest(&SHA256, der).as_ref()),
            validity: (
                parsed.validity().not_before.timestamp(),
                parsed.validity().not_after.timestamp(),
            ),
            usage: usage.unwrap_or(Usage { server: false, client: false }),
            is_authority: parsed.is_ca(),
        })
    }

    /// How people call the holder: its subject, or what stands for it.
    pub fn title(&self) -> &str {
        match (self.subject.as_str(), self.names.first()) {
            ("", Some(name)) => name,
            ("", None) => &self.fingerprint,
            (subject, _) => subject,
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, sha256:{})", self.title(), self.fingerprint)
    }
}

/// A distinguished name as text (RFC 4514, section 2): the last part first.
///
/// The kind of string does not count, so that a renewal by another tool keeps the name; what is
/// no ASCII and no UTF-8 is written as the hex of its whole encoding (RFC 4514, 2.4), and can be
/// confused with none.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for relative in parts.into_iter().rev() {
        if !text.is_empty() {
            text.push(',');
        }
        for (at, part) in relative.iter().enumerate() {
            if at > 0 {
                text.push('+');
            }
            push_part(&mut text, part);
        }
    }
    text
}

fn push_part(text: &mut String, part: &AttributeTypeAndValue<'_>) {
    match oid2abbrev(part.attr_type(), oid_registry()) {
        Ok(short) => text.push_str(short),
        Err(_) => text.push_str(&part.attr_type().to_id_string()),
    }
    text.push('=');
    let value = part.attr_value();
    let is_text = TEXTS.contains(&value.tag().0);
    match part.as_str() {
        Ok(value) if is_text => push_escaped(text, value),
        Ok(_) | Err(_) => {
            text.push('#');
            let tag = u8::try_from(value.tag().0).unwrap_or(0);
            text.push_str(&hex(&der::element(tag, &[value.data])));
        }
    }
}

/// Strings whose bytes are ASCII or UTF-8: UTF8String, NumericString, PrintableString and
/// IA5String. Of the others the same bytes can mean different texts.
const TEXTS: [u32; 4] = [12, 18, 19, 22];

/// Escapes what would read as more than a value (RFC 4514, 2.4), and what a terminal would obey.
fn push_escaped(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        if c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                push_hex(text, "\\", byte);
            }
        } else {
            if edge || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=') {
                text.push('\\');
            }
            text.push(c);
        }
    }
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    let escaped = |kind: &str, value: &str| {
        let mut text = kind.to_owned();
        push_escaped(&mut text, value);
        text
    };
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other kinds name no machine and no person in a form that is in use"
    )]
    match name {
        GeneralName::DNSName(name) => Some(escaped("dns:", name)),
        GeneralName::RFC822Name(name) => Some(escaped("email:", name)),
        GeneralName::URI(name) => Some(escaped("uri:", name)),
        GeneralName::IPAddress(bytes) => Some(match <[u8; 4]>::try_from(*bytes) {
            Ok(v4) => format!("ip:{}", std::net::Ipv4Addr::from(v4)),
            Err(_) => match <[u8; 16]>::try_from(*bytes) {
                Ok(v6) => format!("ip:{}", std::net::Ipv6Addr::from(v6)),
                Err(_) => return None,
            },
        }),
        _ => None,
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        push_hex(&mut text, "", *byte);
    }
    text
}

fn push_hex(text: &mut String, before: &str, byte: u8) {
    // A String takes every write.
    let _ = write!(text, "{before}{byte:02x}");
}

#[cfg(test)]
mod tests {
    use super::{distinguished_name, push_escaped};
    use crate::crypto::keys::der;
    use x509_parser::prelude::FromDer as _;
    use x509_parser::x509::X509Name;

    /// A name of one part, the common name, as a string of this kind.
    fn named(tag: u8, bytes: &[u8]) -> String {
        let kind = der::element(0x06, &[&[0x55, 0x04, 0x03]]);
        let part = der::element(0x30, &[&kind, &der::element(tag, &[bytes])]);
        let name = der::element(0x30, &[&der::element(0x31, &[&part])]);
        distinguished_name(&X509Name::from_der(&name).unwrap().1)
    }

    /// RFC 4514, 2.4: kinds of strings whose bytes mean other texts have other names.
    #[test]
    fn strings_of_two_kinds_are_one_name_only_if_they_are_one_text() {
        let text = named(0x0C, b"abcd");
        for tag in [0x12, 0x13, 0x16] {
            assert_eq!(named(tag, b"abcd"), text);
        }
        assert_eq!(text, "CN=abcd");
        // TeletexString, BMPString, UniversalString; and a text that looks like one of them.
        let mut names: Vec<String> = [0x14, 0x1E, 0x1C].map(|tag| named(tag, b"abcd")).into();
        names.extend([text, named(0x0C, b"#1e0461626364")]);
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        assert!(names.contains(&"CN=#1e0461626364".to_owned()), "{names:?}");
    }

    #[test]
    fn no_value_reads_as_more_than_a_value() {
        for (value, text) in [
            ("node-1", "node-1"),
            ("a,O=b", "a\\,O\\=b"),
            ("a+CN=b", "a\\+CN\\=b"),
            (" a ", "\\ a\\ "),
            ("#616263", "\\#616263"),
            ("a\\", "a\\\\"),
            ("a\u{1b}[31m", "a\\1b[31m"),
            ("a\u{85}b", "a\\c2\\85b"),
            ("Ähre", "Ähre"),
        ] {
            let mut escaped = String::new();
            push_escaped(&mut escaped, value);
            assert_eq!(escaped, text, "{value:?}");
        }
    }
}
