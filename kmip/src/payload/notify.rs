//! Notify (1.4, 5.1; 2.1, 6.2.2): the server tells a client that attributes have changed.

use crate::attributes::{AttributeList, AttributeReference};
use crate::macros::structure;
use crate::version::Version;

const V2_0: Version = Version::V2_0;

structure! {
    /// What has changed (1.4, 5.1; 2.1, 6.2.2).
    NotifyRequest {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// What its attributes are now; Last Change Date at least.
        Attribute / Attributes => attributes: AttributeList,
        /// The attributes that it has no more (2.0 on).
        AttributeReference [V2_0..] => deleted: Vec<AttributeReference>,
    }
}

structure! {
    /// It was heard. There is nothing to say (1.4, 5.1; 2.1, 6.2.2).
    NotifyResponse {}
}
