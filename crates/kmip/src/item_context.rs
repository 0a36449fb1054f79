//! What items of a message say about how later ones are read: the protocol version, and the
//! attribute whose value follows.

use ttlv::Tag;

use crate::attributes::AttributeReference;
use crate::version::Version;
use crate::vocabulary::tags;

/// Notes the version that a header names, item by item.
pub(crate) fn note_version(version: &mut Version, tag: Tag, number: i32) {
    match tag {
        tags::ProtocolVersionMajor => *version = Version { major: number, minor: 0 },
        tags::ProtocolVersionMinor => version.minor = number,
        _ => {}
    }
}

/// Attribute that the items of one structure name so far: the value of an attribute of 1.x is in
/// the vocabulary of the attribute's own tag, unless the attribute is a vendor's.
#[derive(Clone, Copy, Default)]
pub(crate) struct AttributeContext {
    tag: Option<Tag>,
    is_vendors: bool,
}

impl AttributeContext {
    /// Notes an item of the structure: its tag, and its text if it has one.
    pub(crate) fn note(&mut self, tag: Tag, text: Option<&str>) {
        match (tag, text) {
            (tags::VendorIdentification, _) => *self = Self { tag: None, is_vendors: true },
            (tags::AttributeName, Some(name)) if !self.is_vendors => {
                self.tag = match AttributeReference::from_name(name) {
                    AttributeReference::Standard(tag) => Some(tag),
                    AttributeReference::Vendor { .. } | AttributeReference::Unknown(_) => None,
                };
            }
            _ => {}
        }
    }

    /// Returns whether an attribute of the standard was named.
    pub(crate) fn is_standard(self) -> bool {
        self.tag.is_some()
    }

    /// The tag whose vocabulary the value under `tag` is written in.
    pub(crate) fn vocabulary_tag(self, tag: Tag) -> Tag {
        match tag {
            tags::AttributeValue => self.tag.unwrap_or(tag),
            other => other,
        }
    }
}
