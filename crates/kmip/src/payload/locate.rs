//! Locate (1.4, 4.9; 2.1, 6.1.28): the objects whose attributes match.

use ttlv::{Error, Raw, Reader, Tag, Writer};

use crate::attributes::{AttributeReference, AttributeValue};
use crate::codec::{Decode, Encode};
use crate::macros::structure;
use crate::version::Version;
use crate::vocabulary::{ObjectGroupMember, StorageStatusMask, tags};

const V1_1: Version = Version::V1_1;
const V1_3: Version = Version::V1_3;

structure! {
    /// What to look for (1.4, 4.9; 2.1, 6.1.28).
    #[derive(Default)]
    LocateRequest {
        /// The most identifiers to answer.
        MaximumItems => maximum_items: Option<i32>,
        /// How many to pass over first.
        OffsetItems [V1_3..] => offset_items: Option<i32>,
        /// On-line, archived or destroyed.
        StorageStatusMask => storage_status_mask: Option<StorageStatusMask>,
        /// Fresh objects of a group, or its default ones.
        ObjectGroupMember [V1_1..] => object_group_member: Option<ObjectGroupMember>,
        /// What the objects must have.
        Attribute / Attributes => attributes: Filter,
    }
}

structure! {
    /// What was found, the newest first (1.4, 4.9; 2.1, 6.1.28).
    LocateResponse {
        /// How many objects match in all.
        LocatedItems [V1_3..] => located_items: Option<i32>,
        /// The objects of this page.
        UniqueIdentifier => unique_identifiers: Vec<String>,
    }
}

/// The attributes to look for: bare in 1.x, in a structure that is always there in 2.x
/// (1.4, 4.9; 2.1, 6.1.28).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter(pub Vec<Condition>);

/// One attribute to look for. Of an attribute that is a structure, a request may give some fields
/// and leave out others (1.4, 4.9; 2.1, 6.1.28), so the value is kept as the items that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Which attribute.
    pub attribute: AttributeReference,
    /// One item under the tag Attribute Value.
    pub value: Raw,
}

impl From<AttributeValue> for Condition {
    /// Objects that have this very value.
    fn from(value: AttributeValue) -> Self {
        let attribute = value.reference();
        let version = Version::V3_0;
        let raw = Raw::build(|w| value.encode_value(tags::AttributeValue, w, version));
        Self { attribute, value: raw }
    }
}

impl FromIterator<AttributeValue> for Filter {
    fn from_iter<I: IntoIterator<Item = AttributeValue>>(values: I) -> Self {
        Self(values.into_iter().map(Condition::from).collect())
    }
}

impl Condition {
    fn encode_named(&self, w: &mut Writer) {
        w.structure(tags::Attribute, |w| {
            w.text_string(tags::AttributeName, &self.attribute.name());
            w.raw(self.value.as_bytes());
        });
    }

    fn encode_flat(&self, w: &mut Writer) {
        match &self.attribute {
            AttributeReference::Standard(tag) => w.raw(&with_tag(*tag, &self.value)),
            AttributeReference::Vendor { vendor, name } => w.structure(tags::Attribute, |w| {
                w.text_string(tags::VendorIdentification, vendor);
                w.text_string(tags::AttributeName, name);
                w.raw(self.value.as_bytes());
            }),
            // A name that 2.x has no tag for cannot be asked for there.
            AttributeReference::Unknown(_) => {}
        }
    }

    fn decode_named(r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        r.structure(tags::Attribute, |r| {
            let attribute = AttributeReference::from_name(r.text_string(tags::AttributeName)?);
            let _: Option<i32> = Decode::decode(tags::AttributeIndex, r, version)?;
            let value = Decode::decode(tags::AttributeValue, r, version)?;
            Ok(Self { attribute, value })
        })
    }

    fn decode_flat(r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let tag = r.peek().unwrap_or(Tag(0));
        if tag != tags::Attribute {
            let value = Raw::new(&with_tag(tags::AttributeValue, &r.raw()?));
            return Ok(Self { attribute: AttributeReference::Standard(tag), value });
        }
        r.structure(tag, |r| {
            let vendor = r.text_string(tags::VendorIdentification)?.to_owned();
            let name = r.text_string(tags::AttributeName)?.to_owned();
            let value = Decode::decode(tags::AttributeValue, r, version)?;
            Ok(Self { attribute: AttributeReference::Vendor { vendor, name }, value })
        })
    }
}

/// The same item under another tag.
fn with_tag(tag: Tag, item: &Raw) -> Vec<u8> {
    let [_, a, b, c] = tag.0.to_be_bytes();
    let mut bytes = vec![a, b, c];
    bytes.extend_from_slice(item.as_bytes().get(3..).unwrap_or_default());
    bytes
}

impl Encode for Filter {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        let known = self.0.iter().filter(|condition| condition.attribute.exists_in(version));
        if version >= Version::V2_0 {
            w.structure(tag, |w| known.for_each(|condition| condition.encode_flat(w)));
        } else {
            known.for_each(|condition| condition.encode_named(w));
        }
    }
}

impl Decode for Filter {
    /// Some clients of 1.x put the attributes into a Template Attribute; a filter that was not
    /// understood would find every object, so it is read and not passed over.
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let mut all = Vec::new();
        if version >= Version::V2_0 {
            if r.peek() == Some(tag) {
                r.structure::<_, Error>(tag, |r| {
                    while !r.is_empty() {
                        all.push(Condition::decode_flat(r, version)?);
                    }
                    Ok(())
                })?;
            }
            return Ok(Self(all));
        }
        while r.peek() == Some(tags::Attribute) {
            all.push(Condition::decode_named(r, version)?);
        }
        if r.peek() == Some(tags::TemplateAttribute) {
            r.structure::<_, Error>(tags::TemplateAttribute, |r| {
                while r.peek() == Some(tags::Attribute) {
                    all.push(Condition::decode_named(r, version)?);
                }
                Ok(())
            })?;
        }
        Ok(Self(all))
    }
}
