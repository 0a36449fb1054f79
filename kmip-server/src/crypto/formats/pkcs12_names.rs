//! Friendly names of the private keys in a PKCS#12 container (RFC 7292, 4 and 5; RFC 2985, 5.5.1).
//!
//! They stand beside the encrypted key, so that no password is needed. Programs encrypt the bags of
//! certificates as a whole; of a container whose bag of keys is, too, nothing is read here.

use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Reader, SliceReader};

use super::pkcs12::oid;
use crate::crypto::keys::der as write;

/// The name of each private key, in their order; none for a key without a name.
pub(crate) fn key_names(container: &[u8]) -> Vec<Option<String>> {
    // A container in another form than this one has no names that are read.
    read(container).unwrap_or_default()
}

fn read(container: &[u8]) -> der::Result<Vec<Option<String>>> {
    let mut names = Vec::new();
    let safe = write::read(container, |r| {
        u8::decode(r)?;
        let safe = content_info(r)?;
        while !r.is_finished() {
            AnyRef::decode(r)?;
        }
        Ok(safe)
    })?;
    let contents = write::read(safe.unwrap_or_default(), all(content_info))?;
    for contents in contents.into_iter().flatten() {
        for bag in write::read(contents, all(bag))? {
            names.extend(bag);
        }
    }
    Ok(names)
}

/// All elements of a SEQUENCE OF.
fn all<'a, T>(
    one: impl Fn(&mut SliceReader<'a>) -> der::Result<T>,
) -> impl FnOnce(&mut SliceReader<'a>) -> der::Result<Vec<T>> {
    move |r| {
        let mut found = Vec::new();
        while !r.is_finished() {
            found.push(one(r)?);
        }
        Ok(found)
    }
}

/// The content of a ContentInfo of data; none of one that is encrypted.
fn content_info<'a>(r: &mut SliceReader<'a>) -> der::Result<Option<&'a [u8]>> {
    r.sequence(|r| {
        let name: ObjectIdentifier = r.decode()?;
        // The tag [0] around the content.
        let content = AnyRef::decode(r)?;
        match name.to_string() == oid::DATA {
            true => {
                let content = <&OctetStringRef>::decode(&mut SliceReader::new(content.value())?)?;
                Ok(Some(content.as_bytes()))
            }
            false => Ok(None),
        }
    })
}

/// The name of the key in a SafeBag; nothing of a bag that holds something else.
fn bag(r: &mut SliceReader<'_>) -> der::Result<Option<Option<String>>> {
    r.sequence(|r| {
        let name: ObjectIdentifier = r.decode()?;
        AnyRef::decode(r)?;
        let attributes = match r.is_finished() {
            true => None,
            false => Some(AnyRef::decode(r)?),
        };
        let name = name.to_string();
        let is_key = name == oid::KEY_BAG || name == oid::SHROUDED_KEY_BAG;
        let attributes = attributes.map_or(&[][..], |found| found.value());
        Ok(is_key.then(|| friendly_name(attributes)))
    })
}

fn friendly_name(attributes: &[u8]) -> Option<String> {
    let mut reader = SliceReader::new(attributes).ok()?;
    while !reader.is_finished() {
        let (name, values) = reader
            .sequence(|r| {
                Ok::<_, der::Error>((r.decode::<ObjectIdentifier>()?, AnyRef::decode(r)?))
            })
            .ok()?;
        if name.to_string() == oid::FRIENDLY_NAME {
            let text = AnyRef::decode(&mut SliceReader::new(values.value()).ok()?).ok()?;
            return utf16(text.value());
        }
    }
    None
}

/// A BMPString, which is big-endian UTF-16.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
    rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
}
