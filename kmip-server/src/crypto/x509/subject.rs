//! Whom a certificate is for: a distinguished name and alternative names (RFC 5280, 4.1.2.6 and
//! 4.2.1.6), made of the attributes in which a client says so (1.4, 3.11 and 3.14; 2.1, 4.6 and
//! 4.63).
//!
//! The standard lets the server alone set these attributes of a certificate. In a request to
//! certify they say whom the new certificate is to be for, and nothing else could.

use kmip::attributes::AttributeValue as V;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::crypto::keys::der::{self, Der, tag};

/// A name, each as DER.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The distinguished name (`Name`).
    pub subject: Vec<u8>,
    /// The alternative names (`GeneralName`).
    pub alternative: Vec<Vec<u8>>,
}

/// The kind of string that a part of a name is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Utf8,
    Printable,
    Ia5,
}

/// One part of a name: its object identifier, its short name (RFC 4514, 3; RFC 4519), its string,
/// its greatest length (RFC 5280, appendix A.1).
struct Part {
    oid: &'static str,
    short: &'static str,
    text: Text,
    len_max: usize,
}

/// One row a part, with the attribute of 2.x that holds it.
macro_rules! parts {
    ($($name:ident => $oid:literal, $short:literal, $text:ident, $len_max:literal;)*) => {
        const PARTS: &[Part] =
            &[$(Part { oid: $oid, short: $short, text: Text::$text, len_max: $len_max },)*];

        /// The part of a subject that an attribute is, if it is one.
        fn part_of(value: &V) -> Option<(&'static str, &str)> {
            $(if let V::$name(text) = value {
                return Some(($short, text));
            })*
            None
        }
    };
}

parts! {
    CertificateSubjectC => "2.5.4.6", "C", Printable, 2;
    CertificateSubjectST => "2.5.4.8", "ST", Utf8, 128;
    CertificateSubjectL => "2.5.4.7", "L", Utf8, 128;
    CertificateSubjectO => "2.5.4.10", "O", Utf8, 64;
    CertificateSubjectOU => "2.5.4.11", "OU", Utf8, 64;
    CertificateSubjectCN => "2.5.4.3", "CN", Utf8, 64;
    CertificateSubjectEmail => "1.2.840.113549.1.9.1", "emailAddress", Ia5, 255;
    CertificateSubjectUID => "0.9.2342.19200300.100.1.1", "UID", Utf8, 256;
    CertificateSubjectSerialNumber => "2.5.4.5", "serialNumber", Printable, 64;
    CertificateSubjectTitle => "2.5.4.12", "title", Utf8, 64;
    CertificateSubjectDC => "0.9.2342.19200300.100.1.25", "DC", Ia5, 63;
    CertificateSubjectDNQualifier => "2.5.4.46", "dnQualifier", Printable, 64;
}

/// Is it an attribute that says whom a certificate is for?
pub(crate) fn is_subject(value: &V) -> bool {
    part_of(value).is_some()
        || matches!(value, V::X_509CertificateSubject(_) | V::CertificateSubject(_))
}

/// The names that the attributes of a request give; none when they give none.
pub(crate) fn asked(values: &[V]) -> Result<Option<Names>, String> {
    let mut given = Vec::new();
    let flat: Vec<(&str, &str)> = values.iter().filter_map(part_of).collect();
    if !flat.is_empty() {
        given.push(Names { subject: name(&flat)?, alternative: Vec::new() });
    }
    for value in values {
        if let V::X_509CertificateSubject(subject) = value {
            check_name(&subject.distinguished_name)?;
            let names = subject.alternative_names.iter().map(|der| harmless(der));
            let alternative = names.collect::<Result<_, _>>()?;
            given.push(Names { subject: subject.distinguished_name.clone(), alternative });
        }
        if let V::CertificateSubject(subject) = value {
            if !subject.alternative_names.is_empty() {
                return Err("alternative names stand in X.509 Certificate Subject".to_owned());
            }
            let parts = of_text(&subject.distinguished_name)?;
            let parts: Vec<(&str, &str)> = parts.iter().map(|(k, v)| (*k, v.as_str())).collect();
            given.push(Names { subject: name(&parts)?, alternative: Vec::new() });
        }
    }
    match given.len() {
        0 | 1 => Ok(given.pop()),
        _ => Err("the attributes say in two ways whom the certificate is for".to_owned()),
    }
}

/// A name of these parts, in this order.
fn name(parts: &[(&str, &str)]) -> Result<Vec<u8>, String> {
    let mut sets = Vec::new();
    for (short, text) in parts {
        let row = PARTS.iter().find(|row| row.short.eq_ignore_ascii_case(short));
        let row = row.ok_or_else(|| format!("{short:?} is no part of a name that is known"))?;
        let value = der::element(string(row, text)?, &[text.as_bytes()]);
        let pair = der::sequence(&[&der::oid(row.oid), &value]);
        sets.push(der::element(tag::SET, &[&pair]));
    }
    let sets: Vec<&[u8]> = sets.iter().map(|set| set.as_slice()).collect();
    Ok(der::sequence(&sets).to_vec())
}

const UTF8_STRING: u8 = 0x0C;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// The tag of the string, if the text can stand in it.
fn string(row: &Part, text: &str) -> Result<u8, String> {
    let refused = |why: String| Err(format!("the {} of the subject {why}", row.short));
    if text.trim().is_empty() {
        return refused("is empty".to_owned());
    }
    if text.chars().count() > row.len_max {
        return refused(format!("is longer than {} characters", row.len_max));
    }
    if text.chars().any(char::is_control) {
        return refused("has a control character".to_owned());
    }
    let is_printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
    match row.text {
        Text::Utf8 => Ok(UTF8_STRING),
        Text::Printable if text.chars().all(is_printable) => Ok(PRINTABLE_STRING),
        Text::Printable => refused("has a character that no PrintableString has".to_owned()),
        Text::Ia5 if text.is_ascii() => Ok(IA5_STRING),
        Text::Ia5 => refused("has a character that is not of ASCII".to_owned()),
    }
}

/// A distinguished name as text, as RFC 4514 writes it: the last part comes first.
fn of_text(text: &str) -> Result<Vec<(&'static str, String)>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.trim().is_empty() {
        let (key, after) = rest
            .split_once('=')
            .ok_or("the Certificate Subject is no distinguished name as RFC 4514 writes it")?;
        let row = PARTS.iter().find(|row| row.short.eq_ignore_ascii_case(key.trim()));
        let row =
            row.ok_or_else(|| format!("{:?} is no part of a name that is known", key.trim()))?;
        let (value, after) = value(after)?;
        parts.push((row.short, value));
        rest = after;
    }
    parts.reverse();
    Ok(parts)
}

/// One value of such a text, and what follows its comma.
fn value(text: &str) -> Result<(String, &str), String> {
    let mut bytes = Vec::new();
    let mut letters = text.char_indices();
    let mut end = text.len();
    let mut after = "";
    while let Some((at, letter)) = letters.next() {
        match letter {
            ',' => {
                end = at;
                after = text.get(at.saturating_add(1)..).unwrap_or_default();
                break;
            }
            '+' | '"' | ';' | '<' | '>' => {
                return Err(format!("{letter:?} must be escaped in the Certificate Subject"));
            }
            '\\' => {
                let rest = letters.as_str();
                let byte = rest.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
                match (byte, letters.next()) {
                    (Some(byte), _) => {
                        letters.next();
                        bytes.push(byte);
                    }
                    (None, Some((_, escaped))) => bytes.extend(escaped.to_string().bytes()),
                    (None, None) => return Err("the Certificate Subject ends in a \\".to_owned()),
                }
            }
            letter => bytes.extend(letter.to_string().bytes()),
        }
    }
    let value = String::from_utf8(bytes);
    let value = value.map_err(|_| "the Certificate Subject is not UTF-8".to_owned())?;
    // Spaces around a part are how people write it; escaped ones are part of it.
    let raw = text.get(..end).unwrap_or_default();
    let value = match raw.contains('\\') {
        true => value,
        false => value.trim().to_owned(),
    };
    Ok((value, after))
}

/// Checks that bytes are a distinguished name, and nothing but one.
pub(crate) fn check_name(der: &[u8]) -> Result<(), String> {
    let Ok(([], name)) = X509Name::from_der(der) else {
        return Err("the subject is no distinguished name in DER".to_owned());
    };
    let has_control = name
        .iter_attributes()
        .any(|part| part.as_str().is_ok_and(|text| text.chars().any(char::is_control)));
    match has_control {
        true => Err("the subject has a control character".to_owned()),
        false => Ok(()),
    }
}

/// Is the name without a part?
pub(crate) fn is_empty(der: &[u8]) -> bool {
    X509Name::from_der(der).map_or(true, |(_, name)| name.iter_attributes().next().is_none())
}

/// An alternative name that an attribute gives.
fn harmless(der: &[u8]) -> Result<Vec<u8>, String> {
    let read = GeneralName::from_der(der);
    let name = read.ok().filter(|(rest, _)| rest.is_empty());
    name.and_then(|(_, name)| alternative(&name)).ok_or_else(|| {
        "an alternative name is a host, an address of IP or mail, or a URI, in DER".to_owned()
    })
}

/// Tags of alternative names (RFC 5280, 4.2.1.6).
const MAIL: u8 = 0x81;
const HOST: u8 = 0x82;
const URI: u8 = 0x86;
const ADDRESS: u8 = 0x87;

/// An alternative name in DER, of the kinds that are taken: mail, hosts, URIs and addresses.
/// Others are how systems know their own accounts.
pub(crate) fn alternative(name: &GeneralName<'_>) -> Option<Vec<u8>> {
    let is_plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    let (tag, bytes) = match name {
        GeneralName::RFC822Name(text) if is_plain(text) => (MAIL, text.as_bytes()),
        GeneralName::DNSName(text) if is_plain(text) => (HOST, text.as_bytes()),
        GeneralName::URI(text) if is_plain(text) => (URI, text.as_bytes()),
        GeneralName::IPAddress(bytes) if matches!(bytes.len(), 4 | 16) => (ADDRESS, *bytes),
        GeneralName::RFC822Name(_)
        | GeneralName::DNSName(_)
        | GeneralName::URI(_)
        | GeneralName::IPAddress(_)
        | GeneralName::OtherName(..)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => return None,
    };
    let der: Der = der::element(tag, &[bytes]);
    Some(der.to_vec())
}

/// Are two distinguished names the same? Letters may differ in their size and spaces in their
/// number (RFC 5280, 7.1).
pub(crate) fn is_same(one: &X509Name<'_>, other: &X509Name<'_>) -> bool {
    if one.as_raw() == other.as_raw() {
        return true;
    }
    let parts = |name: &X509Name<'_>| -> Vec<Vec<(String, Vec<u8>)>> {
        let sets = name.iter_rdn().map(|set| {
            let parts = set.iter().map(|part| {
                let value = match part.as_str() {
                    Ok(text) => folded(text).into_bytes(),
                    Err(_) => part.as_slice().to_vec(),
                };
                (part.attr_type().to_id_string(), value)
            });
            parts.collect()
        });
        sets.collect()
    };
    parts(one) == parts(other)
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::of_text;

    /// RFC 4514, 4: one row an example, and one a text that is none.
    #[test]
    fn names_as_text() {
        let rows: [(&str, &[(&str, &str)]); 5] = [
            (
                "UID=jsmith,DC=example,DC=net",
                &[("DC", "net"), ("DC", "example"), ("UID", "jsmith")],
            ),
            (
                "CN=James \\\"Jim\\\" Smith\\, III,DC=example",
                &[("DC", "example"), ("CN", "James \"Jim\" Smith, III")],
            ),
            ("CN=Lu\\C4\\8Di\\C4\\87", &[("CN", "Lu\u{10d}i\u{107}")]),
            ("CN = alice , O = Example", &[("O", "Example"), ("CN", "alice")]),
            ("", &[]),
        ];
        for (text, parts) in rows {
            let found = of_text(text).unwrap();
            let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (*k, v.as_str())).collect();
            assert_eq!(found, parts, "{text}");
        }
        for text in ["alice", "OU=Sales+CN=J.  Smith", "XX=1", "CN=a\\", "CN=\\FF"] {
            assert!(of_text(text).is_err(), "{text}");
        }
    }
}
