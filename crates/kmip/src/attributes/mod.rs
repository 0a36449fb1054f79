//! The attributes of managed objects, and the forms in which messages carry them.
//!
//! ```text
//! 1.x   Attribute { AttributeName "Activation Date", AttributeIndex 0, AttributeValue <date> }
//! 2.x   Attributes { ActivationDate <date> }
//!
//! 1.x   Attribute { AttributeName "x-Rack", AttributeValue <any> }
//! 2.x   Attributes { Attribute { VendorIdentification "x", AttributeName "Rack",
//!                                AttributeValue <any> } }
//! ```
//!
//! The table in `table.rs` has a row for each attribute: its name, its versions, and who may set
//! it. An attribute that is in no row is carried as it came.

mod applicable_types;
mod attribute_set;
mod reference;
mod row;
mod table;
mod value;
mod vendor;

use ttlv::{Error, Reader, Tag, Writer};

use crate::codec::{Decode, Encode, Field};
use crate::structures::Name;
use crate::version::Version;
use crate::vocabulary::tags;

pub use applicable_types::ApplicableTypes;
pub use attribute_set::AttributeSet;
pub use reference::AttributeReference;
pub use row::{AttributeRow, Modifiable, Settable};
pub use table::{ATTRIBUTES, AttributeValue};
pub use vendor::{OtherAttribute, VendorAttribute};

/// One attribute of an object (1.4, 2.1.1; 2.1, 4).
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Which of several instances (1.4, 2.1.1); 2.x has no such number.
    pub index: Option<i32>,
    /// What it says.
    pub value: AttributeValue,
}

impl From<AttributeValue> for Attribute {
    fn from(value: AttributeValue) -> Self {
        Self { index: None, value }
    }
}

/// The attributes that a request asks for, in the structure that every version has: a Template
/// Attribute in 1.x (1.4, 2.1.8), an Attributes structure in 2.x (2.1, 5.1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// Templates by name (1.x).
    pub names: Vec<Name>,
    /// The attributes.
    pub attributes: Vec<Attribute>,
}

impl Attributes {
    /// Attributes without instance numbers.
    pub fn new(values: impl IntoIterator<Item = AttributeValue>) -> Self {
        Self { names: Vec::new(), attributes: values.into_iter().map(Attribute::from).collect() }
    }

    /// The values, in order.
    pub fn values(&self) -> impl Iterator<Item = &AttributeValue> {
        self.attributes.iter().map(|attribute| &attribute.value)
    }
}

/// Attributes one after another: bare in 1.x, in one structure in 2.x, which is left out when
/// there are none (1.4, 2.1.1; 2.1, 5.1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeList(pub Vec<Attribute>);

impl AttributeList {
    /// The tag that a list stands under.
    pub fn tag(version: Version) -> Tag {
        match version >= Version::V2_0 {
            true => tags::Attributes,
            false => tags::Attribute,
        }
    }
}

/// As [`AttributeList`], but the structure of 2.x is there even when it is empty (2.1, 5.1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllAttributes(pub Vec<Attribute>);

impl Encode for Attribute {
    const FIELDS: &'static [Field] = AttributeValue::FIELDS;

    /// In 2.x a lone attribute stands in a structure of its own: New or Current Attribute.
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match version >= Version::V2_0 {
            true => w.structure(tag, |w| self.value.encode_flat(w, version)),
            false => self.encode_named(tag, w, version),
        }
    }
}

impl Decode for Attribute {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match version >= Version::V2_0 {
            true => r.structure(tag, |r| AttributeValue::decode_flat(r, version).map(Self::from)),
            false => Self::decode_named(tag, r, version),
        }
    }
}

impl Attribute {
    /// The structure of 1.x; nothing for an attribute that the version does not have.
    fn encode_named(&self, tag: Tag, w: &mut Writer, version: Version) {
        if !self.value.exists_in(version) {
            return;
        }
        w.structure(tag, |w| {
            match self.value.tag().and_then(AttributeValue::row) {
                Some(row) => w.text_string(tags::AttributeName, row.name),
                None => w.text_string(tags::AttributeName, &self.value.name()),
            }
            //= 1.0 profiles, 4.7.1: the first instance says its index from 1.1 on.
            if version > Version::V1_0 || self.index != Some(0) {
                self.index.encode(tags::AttributeIndex, w, version);
            }
            self.value.encode_value(tags::AttributeValue, w, version);
        });
    }

    fn decode_named(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        r.structure(tag, |r| {
            let name = r.text_string(tags::AttributeName)?;
            let index = Decode::decode(tags::AttributeIndex, r, version)?;
            let value = AttributeValue::decode_named(name, r, version)?;
            Ok(Self { index, value })
        })
    }
}

/// Attributes inside a structure of 2.x.
fn encode_flat(tag: Tag, all: &[Attribute], w: &mut Writer, version: Version) {
    w.structure(tag, |w| {
        for attribute in all {
            attribute.value.encode_flat(w, version);
        }
    });
}

fn decode_flat(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Vec<Attribute>, Error> {
    r.structure(tag, |r| {
        let mut all = Vec::new();
        while !r.is_empty() {
            all.push(AttributeValue::decode_flat(r, version)?.into());
        }
        Ok(all)
    })
}

impl Encode for Attributes {
    const FIELDS: &'static [Field] = AttributeValue::FIELDS;

    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        if version >= Version::V2_0 {
            return encode_flat(tag, &self.attributes, w, version);
        }
        w.structure(tag, |w| {
            self.names.encode(tags::Name, w, version);
            self.attributes.encode(tags::Attribute, w, version);
        });
    }
}

impl Decode for Attributes {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        if version >= Version::V2_0 {
            let attributes = decode_flat(tag, r, version)?;
            return Ok(Self { names: Vec::new(), attributes });
        }
        r.structure(tag, |r| {
            Ok(Self {
                names: Decode::decode(tags::Name, r, version)?,
                attributes: Decode::decode(tags::Attribute, r, version)?,
            })
        })
    }
}

impl Encode for AttributeList {
    const FIELDS: &'static [Field] = AttributeValue::FIELDS;

    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match version >= Version::V2_0 {
            true if self.0.is_empty() => {}
            true => encode_flat(tag, &self.0, w, version),
            false => self.0.encode(tag, w, version),
        }
    }
}

impl Decode for AttributeList {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match version >= Version::V2_0 {
            true if r.peek() != Some(tag) => Ok(Self::default()),
            true => decode_flat(tag, r, version).map(Self),
            false => Decode::decode(tag, r, version).map(Self),
        }
    }
}

impl Encode for AllAttributes {
    const FIELDS: &'static [Field] = AttributeValue::FIELDS;

    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match version >= Version::V2_0 {
            true => encode_flat(tag, &self.0, w, version),
            false => self.0.encode(tag, w, version),
        }
    }
}

impl Decode for AllAttributes {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        AttributeList::decode(tag, r, version).map(|list| Self(list.0))
    }
}
