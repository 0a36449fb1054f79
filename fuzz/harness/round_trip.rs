//! What is read must be written, and read again as the same.

use std::collections::BTreeMap;
use std::fmt::Debug;

use kmip::Version;
use kmip::attributes::AttributeReference;
use kmip::encoding::{Element, json, xml};
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::RequestPayload;
use kmip::vocabulary::tags;
use ttlv::{Reader, Tag, Type};

use crate::tree::{self, Body, Node};
use crate::version_fields::FIELDS;

/// Checks a message in TTLV: as items, as a request and as a response.
pub fn ttlv(bytes: &[u8]) {
    let nodes = tree::read(bytes);
    if let Some(nodes) = &nodes {
        assert_eq!(tree::write(nodes), bytes, "items that are read are written as they were");
    }
    // The tree is as deep as a reader takes, or two deeper.
    let is_checked = Reader::new(bytes).check().is_ok();
    assert!(!is_checked || nodes.is_some(), "what is well formed can be read item by item");
    drop(kmip::redacted_text(bytes).to_string());
    let nodes = nodes.unwrap_or_default();
    if let Ok(message) = RequestMessage::decode(bytes) {
        let is_whole = is_of(message.header.protocol_version, &nodes)
            && !message.items.iter().any(|item| is_malformed(&item.payload));
        typed(&message, &nodes, is_whole, RequestMessage::decode, RequestMessage::encode);
    }
    if let Ok(message) = ResponseMessage::decode(bytes) {
        let is_whole = is_of(message.header.protocol_version, &nodes);
        typed(&message, &nodes, is_whole, ResponseMessage::decode, ResponseMessage::encode);
    }
}

/// Checks a message that was read: a whole one is written, and read again as the same.
fn typed<T: Debug + PartialEq>(
    message: &T,
    nodes: &[Node],
    is_whole: bool,
    read: fn(&[u8]) -> Result<T, ttlv::Error>,
    write: fn(&T) -> Vec<u8>,
) {
    let written = write(message);
    let again = read(&written);
    if is_whole && again.as_ref() != Ok(message) && !has_lost_field(nodes, &written) {
        panic!("what is written is read otherwise: {message:?}, then {again:?}");
    }
}

/// Returns whether an item was read and not written that is a field in some versions alone.
fn has_lost_field(nodes: &[Node], written: &[u8]) -> bool {
    let (read, written) = (counts(nodes), counts(&tree::read(written).unwrap_or_default()));
    let is_lost =
        |(tag, count): (&Tag, &usize)| written.get(tag).is_none_or(|written| written < count);
    read.iter().filter(|item| is_lost(*item)).any(|(tag, _)| FIELDS.contains(tag))
}

fn counts(nodes: &[Node]) -> BTreeMap<Tag, usize> {
    let mut counts = BTreeMap::new();
    for node in nodes {
        node.visit(&mut |node| *counts.entry(node.tag).or_default() += 1);
    }
    counts
}

/// A payload that cannot be read is kept as an error, and written as an empty one.
fn is_malformed(payload: &RequestPayload) -> bool {
    matches!(payload, RequestPayload::Malformed(_))
}

/// Returns whether the version is served and has all that is in a message: what it lacks is read,
/// and not written.
fn is_of(version: Version, nodes: &[Node]) -> bool {
    let mut is_of = Version::SERVED.contains(&version);
    for node in nodes {
        node.visit(&mut |node| is_of &= has(version, node));
    }
    is_of
}

fn has(version: Version, node: &Node) -> bool {
    let is_old = version < Version::V2_0;
    let has_value = match (node.tag, &node.body) {
        (tags::AttributeName, _) if is_old => {
            let name = AttributeReference::from_name(node.text().unwrap_or_default());
            name.exists_in(version)
        }
        // In 1.0 the first instance is written without its number.
        (tags::AttributeIndex, Body::Value(_, number)) => {
            version != Version::V1_0 || number.iter().any(|byte| *byte != 0)
        }
        // Of the three values only two have a form.
        (tags::AsynchronousIndicator, Body::Value(Type::Enumeration, _)) => !is_old,
        _ => true,
    };
    has_value && tags::row(node.tag).is_none_or(|row| row.exists_in(version))
}

/// Text encoding.
#[derive(Debug)]
pub struct TextEncoding {
    read: fn(&str) -> Result<Element, kmip::encoding::Error>,
    write: fn(&Element) -> Result<zeroize::Zeroizing<String>, kmip::encoding::Error>,
}

/// XML.
pub const XML: TextEncoding = TextEncoding { read: xml::read, write: xml::write };

/// JSON.
pub const JSON: TextEncoding = TextEncoding { read: json::read, write: json::write };

/// Checks a message in letters, and bytes as a message that is to be put in letters.
pub fn text(encoding: &TextEncoding, data: &[u8]) {
    let from_text = std::str::from_utf8(data).ok().and_then(|text| {
        let element = (encoding.read)(text).ok()?;
        element.to_ttlv().ok()
    });
    if let Some(bytes) = from_text {
        let element = Element::from_ttlv(&bytes).expect("what was text is items");
        let written = (encoding.write)(&element).expect("what was text is text again");
        same_bytes(encoding, &written, &bytes);
        ttlv(&bytes);
    }
    if let Ok(element) = Element::from_ttlv(data)
        && let Ok(written) = (encoding.write)(&element)
    {
        same_bytes(encoding, &written, data);
    }
}

fn same_bytes(encoding: &TextEncoding, text: &str, bytes: &[u8]) {
    let element = (encoding.read)(text).expect("what is written is read");
    let again = element.to_ttlv().expect("what is written is items");
    assert_eq!(*again, bytes, "a text says what its items say");
}
