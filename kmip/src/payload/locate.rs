//! Locate (1.4, 4.9; 2.1, 6.1.28): the objects whose attributes match.

use ttlv::{Error, Reader, Tag, Writer};

use crate::attributes::{AllAttributes, Attribute, AttributeList, Attributes};
use crate::codec::{Decode, Encode};
use crate::macros::structure;
use crate::version::Version;
use crate::vocabulary::{ObjectGroupMember, StorageStatusMask, tags};

const V1_1: Version = Version::V1_1;
const V1_3: Version = Version::V1_3;

structure! {
    /// What to look for.
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
    /// What was found, the newest first.
    LocateResponse {
        /// How many objects match in all.
        LocatedItems [V1_3..] => located_items: Option<i32>,
        /// The objects of this page.
        UniqueIdentifier => unique_identifiers: Vec<String>,
    }
}

/// The attributes to look for: bare in 1.x, in a structure that is always there in 2.x.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter(pub Vec<Attribute>);

impl Encode for Filter {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        AllAttributes(self.0.clone()).encode(tag, w, version);
    }
}

impl Decode for Filter {
    /// Some clients of 1.x put the attributes into a Template Attribute; a filter that was not
    /// understood would find every object, so it is read and not passed over.
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let mut all = AttributeList::decode(tag, r, version)?.0;
        if version < Version::V2_0 && r.peek() == Some(tags::TemplateAttribute) {
            let wrapped = Attributes::decode(tags::TemplateAttribute, r, version)?;
            all.extend(wrapped.attributes);
        }
        Ok(Self(all))
    }
}
