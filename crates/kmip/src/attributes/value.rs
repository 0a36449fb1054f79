//! Methods of an attribute's value that need its row or its reference: names, versions, and the
//! forms of 1.x and 2.x.

use std::mem::discriminant;

use ttlv::{Error, Reader, Tag, Writer};

use crate::version::Version;
use crate::vocabulary::tags;

use super::reference::AttributeReference;
use super::table::AttributeValue;
use super::vendor::{OtherAttribute, VendorAttribute, value};

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "of ninety attributes a match names those that it is about"
)]
impl AttributeValue {
    /// Reference to its attribute.
    pub fn reference(&self) -> AttributeReference {
        match self {
            Self::Vendor(vendor) => AttributeReference::Vendor {
                vendor: vendor.vendor.clone(),
                name: vendor.name.clone(),
            },
            Self::Other(OtherAttribute::Named(name, _)) => {
                AttributeReference::Unknown(name.clone())
            }
            other => AttributeReference::Standard(other.tag().unwrap_or(Tag(0))),
        }
    }

    /// The name in 1.x.
    pub fn name(&self) -> String {
        match self {
            Self::Vendor(vendor) => vendor.custom_name(),
            other => other.reference().name(),
        }
    }

    /// Whether it is an instance of the attribute.
    pub fn is_instance_of(&self, attribute: &AttributeReference) -> bool {
        match (attribute, self.tag()) {
            (AttributeReference::Standard(tag), own) => own == Some(*tag),
            (AttributeReference::Vendor { vendor, name }, None) => {
                matches!(self, Self::Vendor(own) if own.vendor == *vendor && own.name == *name)
            }
            (AttributeReference::Unknown(_), None) => self.reference() == *attribute,
            (AttributeReference::Vendor { .. } | AttributeReference::Unknown(_), Some(_)) => false,
        }
    }

    /// Whether both are instances of one attribute.
    #[inline]
    pub fn is_same_attribute(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Vendor(_) | Self::Other(_), _) | (_, Self::Vendor(_) | Self::Other(_)) => {
                self.reference() == other.reference()
            }
            (own, others) => discriminant(own) == discriminant(others),
        }
    }

    /// Does `version` have a form for it?
    pub fn exists_in(&self, version: Version) -> bool {
        match self {
            Self::Vendor(vendor) => vendor.exists_in(version),
            Self::Other(OtherAttribute::Named(..)) => version < Version::V2_0,
            Self::Other(OtherAttribute::Tagged(..)) => version >= Version::V2_0,
            other => {
                other.tag().and_then(Self::row).is_some_and(|row| row.versions().contains(&version))
            }
        }
    }

    /// Writes it as 2.x has it, under its own tag; nothing when the version does not have it.
    pub(super) fn encode_flat(&self, w: &mut Writer, version: Version) {
        if !self.exists_in(version) {
            return;
        }
        match self {
            Self::Vendor(vendor) => vendor.encode_flat(w),
            other => other.encode_value(other.tag().unwrap_or(tags::Attribute), w, version),
        }
    }

    /// Reads whatever attribute of 2.x stands next.
    pub(super) fn decode_flat(r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let tag = r.peek().unwrap_or(Tag(0));
        if tag == tags::Attribute {
            return VendorAttribute::decode_flat(r).map(Self::Vendor);
        }
        match Self::decode_value(tag, tag, r, version)? {
            Some(value) => Ok(value),
            None => r.raw().map(|raw| Self::Other(OtherAttribute::Tagged(tag, raw))),
        }
    }

    /// Reads the value of an attribute of 1.x, whose name has been read.
    pub(super) fn decode_named(
        name: &str,
        r: &mut Reader<'_>,
        version: Version,
    ) -> Result<Self, Error> {
        match AttributeReference::from_name(name) {
            AttributeReference::Standard(tag) => {
                match Self::decode_value(tag, tags::AttributeValue, r, version)? {
                    Some(value) => Ok(value),
                    None => Ok(Self::Other(OtherAttribute::Named(name.to_owned(), value(r)?))),
                }
            }
            AttributeReference::Vendor { vendor, name } => {
                Ok(Self::Vendor(VendorAttribute { vendor, name, value: value(r)? }))
            }
            AttributeReference::Unknown(name) => {
                Ok(Self::Other(OtherAttribute::Named(name, value(r)?)))
            }
        }
    }
}
