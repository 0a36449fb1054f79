//! Metadata of a managed object: owner and attributes.

use kmip::attributes::{
    Attribute, AttributeReference, AttributeSet, AttributeValue, OtherAttribute,
};
use kmip::vocabulary::{CryptographicUsageMask, ObjectType, ResultReason, State, tags};
use kmip::{DateTime, Decode, Encode};
use ttlv::{Error, ErrorKind, Reader, Tag, Writer};

use super::known::{Known, is_in};
use super::packed;
use super::row::take_apart;
use super::tags::{KEPT_VERSION, kept};
use crate::objects::attribute::attribute;
use crate::objects::error::OperationError;
use crate::objects::lifecycle::{self, Dates};
use crate::secret::SecretBuffer;
use crate::store::root_key::HASH_LEN;

/// How many attributes are made room for: what a key has and a name or two.
pub(crate) const ATTRIBUTES: usize = 24;

/// What is known of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metadata {
    /// The client that made it, and that alone may see it.
    pub owner: String,
    /// The attributes, each with its index, in the order in which they came.
    pub attributes: Vec<Attribute>,
}

impl Metadata {
    /// The key of the row.
    pub(crate) fn key(id: &str) -> Vec<u8> {
        [b"o/", id.as_bytes()].concat()
    }

    /// What is known of a new object: these values, in their order. Of an attribute that an object
    /// has once, the last value counts.
    pub(crate) fn of_new(owner: String, values: impl IntoIterator<Item = AttributeValue>) -> Self {
        let mut metadata = Self { owner, attributes: Vec::with_capacity(ATTRIBUTES) };
        let mut seen = AttributeSet::default();
        for value in values {
            let is_multiple = value.tag().and_then(AttributeValue::row).is_none_or(|r| r.multiple);
            match seen.insert(&value) {
                true => metadata.attributes.push(Attribute { index: Some(0), value }),
                false if is_multiple => drop(metadata.add(value)),
                false => metadata.set(value),
            }
        }
        metadata
    }

    /// The key of the row, where the client chose the identifier; `chosen` says whose it is.
    pub(crate) fn chosen_key(chosen: [u8; HASH_LEN], id: &str) -> Vec<u8> {
        [b"O/", chosen.as_slice(), id.as_bytes()].concat()
    }

    /// The values of the attributes.
    pub(crate) fn values(&self) -> impl Iterator<Item = &AttributeValue> + Clone {
        self.attributes.iter().map(|attribute| &attribute.value)
    }

    /// The instances of one attribute.
    pub(crate) fn instances<'a>(
        &'a self,
        reference: &'a AttributeReference,
    ) -> impl Iterator<Item = &'a Attribute> {
        self.attributes.iter().filter(move |a| a.value.is_instance_of(reference))
    }

    /// The State at `now`.
    pub(crate) fn state(&self, now: DateTime) -> State {
        lifecycle::state(self.object_type(), Dates::of(self.values()), now)
    }

    /// Its kind.
    pub(crate) fn object_type(&self) -> Option<ObjectType> {
        attribute!(self.values(), ObjectType)
    }

    /// The name of its kind, for messages.
    pub(crate) fn type_name(&self) -> String {
        self.object_type().map_or_else(|| "object".to_owned(), |kind| format!("{kind:?}"))
    }

    /// Refuses a template, which has no life cycle: it is neither activated nor revoked (1.4, 4.19,
    /// 4.20 and 11.20).
    pub(crate) fn require_lifecycle(&self, doing: &str) -> Result<(), OperationError> {
        match self.object_type() {
            Some(ObjectType::Template) => Err(OperationError::new(
                ResultReason::IllegalOperation,
                format!("a template cannot be used, so there is nothing to {doing}"),
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// What it may be used for; nothing, when it does not say.
    pub(crate) fn usage_mask(&self) -> CryptographicUsageMask {
        attribute!(self.values(), CryptographicUsageMask).unwrap_or_default()
    }

    /// Gives a single-instance attribute this value, in the place that it has or at the end.
    pub(crate) fn set(&mut self, value: AttributeValue) {
        match self.attributes.iter_mut().find(|a| a.value.is_same_attribute(&value)) {
            Some(attribute) => attribute.value = value,
            None => self.attributes.push(Attribute { index: Some(0), value }),
        }
    }

    /// Adds an instance, under the index after the greatest one: an index once given does not
    /// change and is not given again while a greater one stands (1.4, 2.1.1).
    pub(crate) fn add(&mut self, value: AttributeValue) -> &Attribute {
        let instances = self.attributes.iter().filter(|a| a.value.is_same_attribute(&value));
        let greatest = instances.filter_map(|attribute| attribute.index).max();
        let next = greatest.map_or(0, |greatest| greatest.saturating_add(1));
        self.attributes.push_mut(Attribute { index: Some(next), value })
    }

    /// The bytes to be kept, with the object's own behind them where it is so small that it is kept
    /// in the same row: whoever writes what is known anew must write these again.
    pub(crate) fn encode(&self, beside: &[u8]) -> SecretBuffer {
        let mut w = Writer::default();
        w.structure(kept::METADATA, |w| {
            w.text_string(kept::OWNER, &self.owner);
            for attribute in &self.attributes {
                match (attribute.value.tag(), attribute.index) {
                    // Nearly all: the first instance of an attribute that the standard knows.
                    (Some(tag), Some(0)) if AttributeValue::row(tag).is_some() => {
                        attribute.value.encode_value(tag, w, KEPT_VERSION);
                    }
                    _ => w.structure(kept::ATTRIBUTE, |w| encode_attribute(attribute, w)),
                }
            }
        });
        let ttlv = SecretBuffer::new(w.into_bytes());
        let mut row = packed::pack(&ttlv, beside.len()).unwrap_or(ttlv);
        // Before the secret comes: what is outgrown is not wiped.
        row.reserve_exact(beside.len());
        row.extend_from_slice(beside);
        row
    }

    /// Reads what was kept.
    pub(crate) fn decode(row: &[u8]) -> Result<Self, Error> {
        let (known, _) = take_apart(row);
        // Of bytes that nobody packed there is no TTLV, and the reader says so.
        let unpacked = packed::is_packed(known).then(|| packed::unpack(known).unwrap_or_default());
        let ttlv = unpacked.as_ref().map_or(known, |ttlv| ttlv.as_slice());
        Reader::new(ttlv).structure(kept::METADATA, |r| {
            let owner = r.text_string(kept::OWNER)?.to_owned();
            let mut attributes = Vec::with_capacity(ATTRIBUTES);
            while !r.is_empty() {
                attributes.push(match r.peek() {
                    Some(tag) if tag != kept::ATTRIBUTE => decode_first(tag, r)?,
                    _ => r.structure(kept::ATTRIBUTE, decode_attribute)?,
                });
            }
            Ok(Self { owner, attributes })
        })
    }
}

impl Known for Metadata {
    fn decode(row: &[u8]) -> Result<Self, Error> {
        Self::decode(row)
    }

    fn owner(&self) -> &str {
        &self.owner
    }

    fn object_type(&self) -> Option<ObjectType> {
        self.object_type()
    }

    fn state(&self, now: DateTime) -> State {
        self.state(now)
    }

    fn is_archived(&self) -> bool {
        lifecycle::is_archived(self.values())
    }

    fn is_in(&self, group: &str) -> bool {
        is_in(self.values(), group)
    }
}

/// The first instance of an attribute, which stands under its own tag.
fn decode_first(tag: Tag, r: &mut Reader<'_>) -> Result<Attribute, Error> {
    match AttributeValue::decode_value(tag, tag, r, KEPT_VERSION)? {
        Some(value) => Ok(Attribute { index: Some(0), value }),
        None => Err(r.error(tag, ErrorKind::Unexpected(tag))),
    }
}

fn encode_attribute(attribute: &Attribute, w: &mut Writer) {
    attribute.index.encode(tags::AttributeIndex, w, KEPT_VERSION);
    match attribute.value.reference() {
        AttributeReference::Standard(tag) => w.enumeration(tags::AttributeReference, tag.0),
        AttributeReference::Vendor { vendor, name } => {
            w.text_string(tags::VendorIdentification, &vendor);
            w.text_string(tags::AttributeName, &name);
        }
        AttributeReference::Unknown(name) => w.text_string(kept::NAMED, &name),
    }
    attribute.value.encode_value(tags::AttributeValue, w, KEPT_VERSION);
}

fn decode_attribute(r: &mut Reader<'_>) -> Result<Attribute, Error> {
    let index = Decode::decode(tags::AttributeIndex, r, KEPT_VERSION)?;
    let value = match r.peek() {
        Some(tags::AttributeReference) => {
            let tag = Tag(r.enumeration(tags::AttributeReference)?);
            let value = AttributeValue::decode_value(tag, tags::AttributeValue, r, KEPT_VERSION)?;
            match value {
                Some(value) => value,
                None => AttributeValue::Other(OtherAttribute::Tagged(tag, r.raw()?)),
            }
        }
        Some(kept::NAMED) => {
            let name = r.text_string(kept::NAMED)?.to_owned();
            AttributeValue::Other(OtherAttribute::Named(name, r.raw()?))
        }
        _ => AttributeValue::Vendor(kmip::attributes::VendorAttribute {
            vendor: r.text_string(tags::VendorIdentification)?.to_owned(),
            name: r.text_string(tags::AttributeName)?.to_owned(),
            value: r.raw()?,
        }),
    };
    Ok(Attribute { index, value })
}

#[cfg(test)]
mod tests {
    use super::{Metadata, packed, take_apart};
    use kmip::DateTime;
    use kmip::attributes::{AttributeValue, OtherAttribute, VendorAttribute};
    use kmip::structures::Name;
    use kmip::vocabulary::tags;
    use ttlv::{Raw, Tag};

    #[test]
    fn what_is_known_comes_back_as_it_was() {
        let raw = Raw::build(|w| w.integer(tags::AttributeValue, 7));
        let mut metadata = Metadata { owner: "subject:CN=a".to_owned(), attributes: Vec::new() };
        metadata.set(AttributeValue::ActivationDate(DateTime(1)));
        for value in [
            AttributeValue::Name(Name::text("first")),
            AttributeValue::Name(Name::text("second")),
            AttributeValue::Vendor(VendorAttribute::text("Rack", "7")),
            AttributeValue::Other(OtherAttribute::Named("Color".to_owned(), raw.clone())),
            AttributeValue::Other(OtherAttribute::Tagged(Tag(0x54_0001), raw)),
            AttributeValue::OperationPolicyName("default".to_owned()),
        ] {
            metadata.add(value);
        }
        let packed = metadata.encode(b"");
        // As what cannot be packed is kept.
        let plain = packed::unpack(&packed).unwrap();
        for beside in [&b""[..], &[0x54, 0x4B, 4, 1, 0, 0, 0, 0]] {
            assert_eq!(*metadata.encode(beside), [packed.as_slice(), beside].concat());
            for known in [&packed, &plain] {
                let row = [known.as_slice(), beside].concat();
                assert_eq!(Metadata::decode(&row), Ok(metadata.clone()));
                assert_eq!(take_apart(&row), (known.as_slice(), beside));
            }
        }
    }
}
