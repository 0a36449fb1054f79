//! How a request or an answer names an attribute without its value.

use ttlv::{Error, Reader, Tag, Type, Writer};

use crate::codec::{Decode, Encode};
use crate::version::Version;
use crate::vocabulary::tags;

use super::table::{ATTRIBUTES, AttributeValue};
use super::vendor::{VENDOR_1_X, VendorAttribute};

/// The name of an attribute: a text in 1.x; its tag, or a vendor's name, in 2.x (2.1, 5.5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeReference {
    /// An attribute of the standard.
    Standard(Tag),
    /// A vendor's or a client's own.
    Vendor {
        /// Whose it is; `x` and `y` are the custom attributes of 1.x.
        vendor: String,
        /// Its name.
        name: String,
    },
    /// A name of 1.x that the standard does not have.
    Unknown(String),
}

impl AttributeReference {
    /// The reference that a name of 1.x stands for.
    pub fn from_name(name: &str) -> Self {
        if let Some(row) = ATTRIBUTES.iter().find(|row| row.name == name) {
            return Self::Standard(row.tag);
        }
        match VendorAttribute::split(name) {
            Some((vendor, name)) => {
                Self::Vendor { vendor: vendor.to_owned(), name: name.to_owned() }
            }
            None => Self::Unknown(name.to_owned()),
        }
    }

    /// The name in 1.x. What is in no row is called by its tag's name or number.
    pub fn name(&self) -> String {
        match self {
            Self::Standard(tag) => match AttributeValue::row(*tag) {
                Some(row) => row.name.to_owned(),
                None => tags::name(*tag).map_or_else(|| tag.to_string(), str::to_owned),
            },
            Self::Vendor { vendor, name } => format!("{vendor}-{name}"),
            Self::Unknown(name) => name.clone(),
        }
    }

    /// Does `version` have a way to name it?
    pub fn exists_in(&self, version: Version) -> bool {
        match self {
            // 2.x names by its tag even what is in no row.
            Self::Standard(tag) => AttributeValue::row(*tag)
                .map_or(version >= Version::V2_0, |row| row.versions().contains(&version)),
            Self::Vendor { vendor, .. } => {
                version >= Version::V2_0 || VENDOR_1_X.contains(&vendor.as_str())
            }
            Self::Unknown(_) => version < Version::V2_0,
        }
    }
}

impl Encode for AttributeReference {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        if version < Version::V2_0 {
            return w.text_string(tag, &self.name());
        }
        match self {
            Self::Standard(attribute) => w.enumeration(tag, attribute.0),
            Self::Vendor { vendor, name } => w.structure(tag, |w| {
                w.text_string(tags::VendorIdentification, vendor);
                w.text_string(tags::AttributeName, name);
            }),
            Self::Unknown(name) => w.structure(tag, |w| {
                w.text_string(tags::VendorIdentification, "");
                w.text_string(tags::AttributeName, name);
            }),
        }
    }
}

impl Decode for AttributeReference {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        if version < Version::V2_0 {
            return r.text_string(tag).map(Self::from_name);
        }
        if r.peek_type() == Some(Type::Enumeration) {
            return r.enumeration(tag).map(|number| Self::Standard(Tag(number)));
        }
        r.structure(tag, |r| {
            Ok(Self::Vendor {
                vendor: r.text_string(tags::VendorIdentification)?.to_owned(),
                name: r.text_string(tags::AttributeName)?.to_owned(),
            })
        })
    }
}
