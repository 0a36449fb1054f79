//! Notify (1.4, 5.1; 2.1, 6.2.2): the server tells a client that attributes have changed.

use ttlv::{Error, Reader, Tag, Writer};

use crate::attributes::{Attribute, AttributeList, AttributeReference};
use crate::codec::{Decode, Encode};
use crate::macros::structure;
use crate::version::Version;
use crate::vocabulary::tags;

const V2_0: Version = Version::V2_0;

/// What has changed (1.4, 5.1; 2.1, 6.2.2).
///
/// ```text
/// 1.x   UniqueIdentifier  Attribute { name index value } *  Attribute { name } *
/// 2.x   UniqueIdentifier  Attributes { ... }                AttributeReference *
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyRequest {
    /// The object.
    pub unique_identifier: String,
    /// What its attributes are now; Last Change Date at least.
    pub attributes: AttributeList,
    /// The attributes that it has no more.
    pub deleted: Vec<AttributeReference>,
}

impl Encode for NotifyRequest {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        w.structure(tag, |w| {
            self.unique_identifier.encode(tags::UniqueIdentifier, w, version);
            self.attributes.encode(AttributeList::tag(version), w, version);
            match version >= V2_0 {
                true => self.deleted.encode(tags::AttributeReference, w, version),
                false => self.deleted.iter().for_each(|reference| {
                    w.structure(tags::Attribute, |w| {
                        w.text_string(tags::AttributeName, &reference.name());
                    });
                }),
            }
        });
    }
}

impl Decode for NotifyRequest {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let mut inside = r.enter(tag)?;
        let r = &mut inside;
        let unique_identifier = Decode::decode(tags::UniqueIdentifier, r, version)?;
        let (mut attributes, mut deleted) = (AttributeList::default(), Vec::new());
        if version >= V2_0 {
            attributes = Decode::decode(tags::Attributes, r, version)?;
            deleted = Decode::decode(tags::AttributeReference, r, version)?;
        }
        while version < V2_0 && r.peek() == Some(tags::Attribute) {
            match name_alone(&mut r.clone())? {
                Some(name) => {
                    deleted.push(AttributeReference::from_name(&name));
                    r.raw()?;
                }
                None => attributes.0.push(Attribute::decode(tags::Attribute, r, version)?),
            }
        }
        r.finish(tag)?;
        Ok(Self { unique_identifier, attributes, deleted })
    }
}

/// The name of an attribute that has no value any more (1.4, 2.1.1).
fn name_alone(r: &mut Reader<'_>) -> Result<Option<String>, Error> {
    let mut inside = r.enter(tags::Attribute)?;
    let name = inside.text_string(tags::AttributeName)?.to_owned();
    let _: Option<i32> = Decode::decode(tags::AttributeIndex, &mut inside, Version::V1_0)?;
    Ok(inside.is_empty().then_some(name))
}

structure! {
    /// It was heard. There is nothing to say (1.4, 5.1; 2.1, 6.2.2).
    NotifyResponse {}
}
