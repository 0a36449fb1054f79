//! What decides whether an object may be given away, and what its key block says, read out of its
//! row without the rest: a Get asks for no more, and most of its own work would be to read what
//! nobody looks at.
//!
//! Nothing is written from it: whoever changes an object has all of its [`Metadata`].
//!
//! [`Metadata`]: super::Metadata

use kmip::vocabulary::{CryptographicAlgorithm, ObjectType, State, tags};
use kmip::{DateTime, Decode};
use ttlv::{Error, ErrorKind, Reader, Tag};

use super::known::Known;
use super::packed;
use super::tags::{KEPT_VERSION, kept};
use crate::objects::lifecycle::{Dates, state};

/// What decides whether an object may be given away. What the row does not say is as the standard
/// has it for an object that does not have the attribute.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Summary {
    owner: String,
    object_type: Option<ObjectType>,
    dates: Dates,
    archive: Option<DateTime>,
    groups: Vec<String>,
    /// May it leave at all (1.4, 3.50)?
    pub extractable: Option<bool>,
    /// May it leave wrapped alone (1.4, 3.48)?
    pub sensitive: Option<bool>,
    /// Was it never served (1.4, 3.34)?
    pub fresh: Option<bool>,
    /// The algorithm of its key (1.4, 3.4).
    pub algorithm: Option<CryptographicAlgorithm>,
    /// The length of its key in bits (1.4, 3.5).
    pub length: Option<i32>,
}

impl Summary {
    /// Reads one item of a row, which has this tag.
    fn read(&mut self, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        match tag {
            kept::OWNER => {
                r.text_string(tag)?.clone_into(&mut self.owner);
                Ok(())
            }
            kept::ATTRIBUTE => {
                let mut inner = r.enter(tag)?;
                Option::<i32>::decode(tags::AttributeIndex, &mut inner, KEPT_VERSION)?;
                // Of those that have a name instead, none counts.
                if inner.peek() == Some(tags::AttributeReference) {
                    let attribute = Tag(inner.enumeration(tags::AttributeReference)?);
                    self.take(attribute, tags::AttributeValue, &mut inner)?;
                }
                Ok(())
            }
            _ => self.take(tag, tag, r),
        }
    }

    /// Reads the items of a packed row that say anything here.
    fn read_packed(&mut self, row: &[u8]) -> Result<(), Error> {
        let mut items = packed::Items::of(row, kept::METADATA).ok_or_else(damaged)?;
        let mut item = Vec::with_capacity(ITEM_LEN);
        while let Some(tag) = items.peek() {
            if is_told(tag) {
                items.unpack(&mut item).ok_or_else(damaged)?;
                self.read(tag, &mut Reader::new(&item))?;
            } else {
                items.skip().ok_or_else(damaged)?;
            }
        }
        if items.is_over() { Ok(()) } else { Err(damaged()) }
    }

    /// Reads the value of an attribute, which stands `under` a tag, if it is one that counts here.
    fn take(&mut self, attribute: Tag, under: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
        match attribute {
            tags::ObjectType => read(&mut self.object_type, under, r),
            tags::ActivationDate => read(&mut self.dates.activation, under, r),
            tags::DeactivationDate => read(&mut self.dates.deactivation, under, r),
            tags::CompromiseDate => read(&mut self.dates.compromise, under, r),
            tags::DestroyDate => read(&mut self.dates.destroy, under, r),
            tags::ArchiveDate => read(&mut self.archive, under, r),
            tags::Extractable => read(&mut self.extractable, under, r),
            tags::Sensitive => read(&mut self.sensitive, under, r),
            tags::Fresh => read(&mut self.fresh, under, r),
            tags::CryptographicAlgorithm => read(&mut self.algorithm, under, r),
            tags::CryptographicLength => read(&mut self.length, under, r),
            tags::ObjectGroup => {
                self.groups.push(Decode::decode(under, r, KEPT_VERSION)?);
                Ok(())
            }
            _ => r.item().map(|_| ()),
        }
    }
}

fn damaged() -> Error {
    Reader::new(&[]).error(kept::METADATA, ErrorKind::Unexpected(kept::METADATA))
}

/// Does an item with this tag say anything here? One that does not need not be unpacked.
fn is_told(tag: Tag) -> bool {
    matches!(
        tag,
        kept::OWNER
            | kept::ATTRIBUTE
            | tags::ObjectType
            | tags::ActivationDate
            | tags::DeactivationDate
            | tags::CompromiseDate
            | tags::DestroyDate
            | tags::ArchiveDate
            | tags::Extractable
            | tags::Sensitive
            | tags::Fresh
            | tags::CryptographicAlgorithm
            | tags::CryptographicLength
            | tags::ObjectGroup
    )
}

/// Room for one item of those that are told; an owner is longest.
const ITEM_LEN: usize = 128;

fn read<T: Decode>(into: &mut Option<T>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
    *into = Some(Decode::decode(tag, r, KEPT_VERSION)?);
    Ok(())
}

impl Known for Summary {
    fn decode(row: &[u8]) -> Result<Self, Error> {
        let mut summary = Self::default();
        match packed::is_packed(row) {
            true => summary.read_packed(row)?,
            false => Reader::new(row).structure(kept::METADATA, |r| {
                while let Some(tag) = r.peek() {
                    summary.read(tag, r)?;
                }
                Ok(())
            })?,
        }
        // Nobody is called so.
        if summary.owner.is_empty() { Err(damaged()) } else { Ok(summary) }
    }

    fn owner(&self) -> &str {
        &self.owner
    }

    fn object_type(&self) -> Option<ObjectType> {
        self.object_type
    }

    fn state(&self, now: DateTime) -> State {
        state(self.object_type, self.dates, now)
    }

    fn is_archived(&self) -> bool {
        self.archive.is_some()
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}

#[cfg(test)]
mod tests {
    use kmip::attributes::{Attribute, AttributeValue as A, OtherAttribute, VendorAttribute};
    use kmip::structures::Name;
    use ttlv::Raw;

    use super::super::Metadata;
    use super::*;
    use crate::objects::attribute::attribute;

    /// Each attribute that counts, alone and among others, under its own tag and, as those stand
    /// that a client gave an index, under its reference: the same as all that is known says.
    #[test]
    fn it_says_what_all_that_is_known_says() {
        for kind in [ObjectType::Template, ObjectType::SymmetricKey] {
            for values in samples(kind) {
                for index in [Some(0), Some(1), None] {
                    let attribute = |value: &A| Attribute { index, value: value.clone() };
                    let attributes = values.iter().map(attribute).collect();
                    check(&Metadata { owner: "subject:CN=a".to_owned(), attributes });
                }
            }
        }
    }

    /// Each alone, and all in turns with another one last.
    fn samples(kind: ObjectType) -> Vec<Vec<A>> {
        let date = DateTime(100);
        let raw = Raw::build(|w| w.boolean(tags::AttributeValue, true));
        let mut values = vec![
            A::ObjectType(kind),
            A::ActivationDate(date),
            A::DeactivationDate(date),
            A::CompromiseDate(date),
            A::DestroyDate(date),
            A::ArchiveDate(date),
            A::Extractable(false),
            A::Sensitive(true),
            A::Fresh(true),
            A::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            A::CryptographicLength(256),
            A::ObjectGroup("g".to_owned()),
            A::Name(Name::text("g")),
            A::Vendor(VendorAttribute::text("Sensitive", "g")),
            A::Other(OtherAttribute::Named("Sensitive".to_owned(), raw)),
        ];
        let mut samples: Vec<_> = values.iter().map(|value| vec![value.clone()]).collect();
        for _ in 0..values.len() {
            values.rotate_left(1);
            samples.push(values.clone());
        }
        samples
    }

    fn check(metadata: &Metadata) {
        let summary = Summary::decode(&metadata.encode(b"beside")).unwrap();
        // As rows of before have it.
        let plain = packed::unpack(&metadata.encode(b"")).unwrap();
        assert_eq!(Summary::decode(&plain).unwrap(), summary);
        for now in [99, 100].map(DateTime) {
            assert_eq!(summary.state(now), metadata.state(now), "{metadata:?}");
        }
        assert_eq!(summary.owner(), metadata.owner());
        assert_eq!(summary.object_type(), metadata.object_type(), "{metadata:?}");
        assert_eq!(summary.is_archived(), metadata.is_archived(), "{metadata:?}");
        assert_eq!(summary.is_in("g"), metadata.is_in("g"), "{metadata:?}");
        assert!(!summary.is_in("h"));
        let found = (summary.extractable, summary.sensitive, summary.fresh);
        let values = metadata.values();
        let expected = (
            attribute!(values.clone(), Extractable),
            attribute!(values.clone(), Sensitive),
            attribute!(values.clone(), Fresh),
        );
        assert_eq!(found, expected, "{metadata:?}");
        let found = (summary.algorithm, summary.length);
        let expected = (
            attribute!(values.clone(), CryptographicAlgorithm),
            attribute!(values, CryptographicLength),
        );
        assert_eq!(found, expected, "{metadata:?}");
    }
}
