//! Attributes that are in no row of the table: those of vendors, and unknown ones.

use ttlv::{Error, Raw, Reader, Tag, Writer};

use crate::version::Version;
use crate::vocabulary::tags;

/// Whose custom attributes 1.x has: the client's (`x`) and the server's (`y`) (2.1, 4.60).
pub(super) const VENDOR_1_X: [&str; 2] = ["x", "y"];

/// An attribute of a vendor, or of a client itself (1.4, 3.39; 2.1, 4.60).
#[derive(Clone, Debug, PartialEq)]
pub struct VendorAttribute {
    /// Whose it is; `x` and `y` are the custom attributes of 1.x.
    pub vendor: String,
    /// Its name.
    pub name: String,
    /// What it says: one item of any type, under the tag Attribute Value.
    pub value: Raw,
}

impl VendorAttribute {
    /// A client's own attribute that holds text: `x-<name>` in 1.x.
    pub fn text(name: &str, value: &str) -> Self {
        Self {
            vendor: "x".to_owned(),
            name: name.to_owned(),
            value: Raw::build(|w| w.text_string(tags::AttributeValue, value)),
        }
    }

    /// Its value, if that is a text.
    pub fn as_text(&self) -> Option<&str> {
        self.value.reader().text_string(tags::AttributeValue).ok()
    }

    /// Vendor and name of a custom attribute of 1.x.
    pub(super) fn split(name: &str) -> Option<(&str, &str)> {
        name.split_once('-').filter(|(vendor, _)| VENDOR_1_X.contains(vendor))
    }

    /// Its name in 1.x.
    pub(super) fn custom_name(&self) -> String {
        format!("{}-{}", self.vendor, self.name)
    }

    pub(super) fn exists_in(&self, version: Version) -> bool {
        version >= Version::V2_0 || VENDOR_1_X.contains(&self.vendor.as_str())
    }

    pub(super) fn encode_flat(&self, w: &mut Writer) {
        w.structure(tags::Attribute, |w| {
            w.text_string(tags::VendorIdentification, &self.vendor);
            w.text_string(tags::AttributeName, &self.name);
            w.raw(self.value.as_bytes());
        });
    }

    pub(super) fn decode_flat(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.structure(tags::Attribute, |r| {
            Ok(Self {
                vendor: r.text_string(tags::VendorIdentification)?.to_owned(),
                name: r.text_string(tags::AttributeName)?.to_owned(),
                value: value(r)?,
            })
        })
    }
}

/// An attribute that no version of the standard here has. It is carried as it came.
#[derive(Clone, Debug, PartialEq)]
pub enum OtherAttribute {
    /// By its name, in 1.x; the value is one item under the tag Attribute Value.
    Named(String, Raw),
    /// By its tag, in 2.x; the whole item.
    Tagged(Tag, Raw),
}

/// One item of any type, under the tag Attribute Value.
pub(super) fn value(r: &mut Reader<'_>) -> Result<Raw, Error> {
    crate::codec::Decode::decode(tags::AttributeValue, r, Version::V1_0)
}
