//! DER, as far as keys need it: what the forms of the PKCS standards are written with and read by
//! (X.690, 8 and 10).
//!
//! Reading is the crate `der`'s, which refuses what is no DER; writing is ours, because what is
//! written may be a secret: every buffer is allocated once and zeroized.

use der::asn1::ObjectIdentifier;
use der::{Reader, SliceReader};
use zeroize::Zeroizing;

use super::Number;

/// Bytes of DER, which may hold a secret.
pub(crate) type Der = Zeroizing<Vec<u8>>;

/// Tags (X.690, 8.1.2 and X.680, 8.4).
pub(crate) mod tag {
    /// BOOLEAN.
    pub(crate) const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub(crate) const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub(crate) const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub(crate) const OCTET_STRING: u8 = 0x04;
    /// NULL.
    pub(crate) const NULL: u8 = 0x05;
    /// OBJECT IDENTIFIER.
    pub(crate) const OID: u8 = 0x06;
    /// BMPString.
    pub(crate) const BMP_STRING: u8 = 0x1E;
    /// SEQUENCE.
    pub(crate) const SEQUENCE: u8 = 0x30;
    /// SET.
    pub(crate) const SET: u8 = 0x31;
    /// `[0]`, primitive.
    pub(crate) const PRIMITIVE_0: u8 = 0x80;
    /// `[0]`, constructed.
    pub(crate) const CONSTRUCTED_0: u8 = 0xA0;
    /// `[1]`, constructed.
    pub(crate) const CONSTRUCTED_1: u8 = 0xA1;
}

/// One element: its tag, its length, and the parts of its value one after another.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Der {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let big_endian = len.to_be_bytes();
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    let significant = big_endian.get(zeros..).unwrap_or_default();
    // Lengths below 128 are one byte; others say first how many bytes they have.
    let short = len < 0x80;
    let count = u8::try_from(significant.len()).unwrap_or(u8::MAX) | 0x80;
    let room = len.saturating_add(significant.len()).saturating_add(2);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    bytes.push(tag);
    match short {
        true => bytes.push(significant.first().copied().unwrap_or(0)),
        false => {
            bytes.push(count);
            bytes.extend_from_slice(significant);
        }
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A SEQUENCE.
pub(crate) fn sequence(parts: &[&[u8]]) -> Der {
    element(tag::SEQUENCE, parts)
}

/// An INTEGER that is not negative.
pub(crate) fn integer(number: &Number) -> Der {
    element(tag::INTEGER, &[&number.to_signed()])
}

/// A small INTEGER.
pub(crate) fn small(number: u8) -> Der {
    integer(&Number::unsigned(&[number]))
}

/// An OCTET STRING.
pub(crate) fn octets(bytes: &[u8]) -> Der {
    element(tag::OCTET_STRING, &[bytes])
}

/// A BIT STRING of whole bytes.
pub(crate) fn bits(bytes: &[u8]) -> Der {
    element(tag::BIT_STRING, &[&[0], bytes])
}

/// An OBJECT IDENTIFIER; an empty one when `dotted` is none.
pub(crate) fn oid(dotted: &str) -> Der {
    let parsed = ObjectIdentifier::new(dotted);
    element(tag::OID, &[parsed.as_ref().map_or(&[], |oid| oid.as_bytes())])
}

/// NULL.
pub(crate) fn null() -> Der {
    element(tag::NULL, &[])
}

/// Reads one SEQUENCE that `bytes` hold, and nothing after it.
pub(crate) fn read<'a, T>(
    bytes: &'a [u8],
    body: impl FnOnce(&mut SliceReader<'a>) -> der::Result<T>,
) -> der::Result<T> {
    let mut reader = SliceReader::new(bytes)?;
    let value = reader.sequence(body)?;
    reader.finish()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row a length of the value: the bytes before it.
    #[test]
    fn lengths() {
        let rows: [(usize, &[u8]); 6] = [
            (0, &[4, 0]),
            (1, &[4, 1]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (256, &[4, 0x82, 1, 0]),
            (70_000, &[4, 0x83, 1, 0x11, 0x70]),
        ];
        for (len, header) in rows {
            let found = octets(&vec![7; len]);
            assert_eq!(found.get(..header.len()), Some(header), "{len}");
            assert_eq!(found.len(), header.len() + len);
        }
        assert_eq!(integer(&Number::unsigned(&[0, 0x80])).as_slice(), [2, 2, 0, 0x80]);
        assert_eq!(oid("1.3.101.112").as_slice(), [6, 3, 0x2B, 0x65, 0x70]);
    }
}
