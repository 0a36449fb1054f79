//! Row of the table of attributes: what the standard says of one attribute.

use ttlv::Tag;

use crate::version::Version;

use super::applicable_types::ApplicableTypes;

/// What the standard says of one attribute.
#[derive(Debug)]
pub struct AttributeRow {
    /// Its tag, which is its name in 2.x.
    pub tag: Tag,
    /// Its name in 1.x.
    pub name: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it.
    pub until: Version,
    /// May an object have several?
    pub multiple: bool,
    /// May a client give it, when the object is made or later?
    pub settable: Settable,
    /// May a client change it?
    pub modifiable: Modifiable,
    /// May a client delete it?
    pub deletable: bool,
    /// The object types that may have it.
    pub object_types: ApplicableTypes,
}

impl AttributeRow {
    /// The versions that have it.
    pub const fn versions(&self) -> core::ops::RangeInclusive<Version> {
        self.since..=self.until
    }
}

/// Who may give an attribute its first value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settable {
    /// The server alone.
    Server,
    /// The client, in the request that makes the object and never after.
    AtCreation,
    /// The client, at any time.
    Client,
}

/// When a client may change an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modifiable {
    /// Never.
    Never,
    /// While the object is Pre-Active.
    PreActive,
    /// While the object is Pre-Active or Active.
    UntilDeactivated,
    /// Likewise, and as long as the date that it says has not come.
    UntilReached,
    /// Always.
    Always,
}
