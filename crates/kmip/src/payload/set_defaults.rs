//! Set Defaults (2.1, 6.1.53): the attributes of new objects that a client leaves out.

use crate::attributes::Attributes;
use crate::macros::structure;
use crate::structures::{ObjectGroups, ObjectTypes};
use crate::version::Version;
use crate::vocabulary::ObjectType;

const V2_1: Version = Version::V2_1;

structure! {
    /// The defaults from now on; none when absent (2.1, 6.1.53).
    #[derive(Default)]
    SetDefaultsRequest {
        /// The defaults.
        DefaultsInformation => defaults_information: Option<DefaultsInformation>,
    }
}

structure! {
    /// A set of defaults (2.1, 7.11).
    #[derive(Default)]
    DefaultsInformation {
        /// The defaults of some kinds of objects each.
        ObjectDefaults => object_defaults: Vec<ObjectDefaults>,
    }
}

structure! {
    /// The defaults of some kinds of objects (2.1, 7.22).
    ObjectDefaults {
        /// The kind, when there is one.
        ObjectType => object_type: Option<ObjectType>,
        /// The kinds, when there are several (2.1).
        ObjectTypes [V2_1..] => object_types: Option<ObjectTypes>,
        /// What their attributes are.
        Attributes => attributes: Attributes,
        /// The groups in which that holds; all when absent (2.1).
        ObjectGroups [V2_1..] => object_groups: Option<ObjectGroups>,
    }
}

structure! {
    /// They hold. There is nothing to say (2.1, 6.1.53).
    SetDefaultsResponse {}
}
