//! Set Constraints (2.1, 6.1.52): what new objects must be.

use crate::attributes::Attributes;
use crate::macros::structure;
use crate::structures::{ObjectGroups, ObjectTypes};

structure! {
    /// The constraints from now on (2.1, 6.1.52).
    SetConstraintsRequest {
        /// The constraints.
        Constraints => constraints: Constraints,
    }
}

structure! {
    /// A set of constraints (2.1, 7.7).
    #[derive(Default)]
    Constraints {
        /// The constraints.
        Constraint => constraints: Vec<Constraint>,
    }
}

structure! {
    /// One constraint (2.1, 7.6).
    #[derive(Default)]
    Constraint {
        /// The kinds of objects that it is about; all when absent.
        ObjectTypes => object_types: Option<ObjectTypes>,
        /// The groups that it is about; all when absent.
        ObjectGroups => object_groups: Option<ObjectGroups>,
        /// What their attributes must be.
        Attributes => attributes: Option<Attributes>,
    }
}

structure! {
    /// They hold. There is nothing to say (2.1, 6.1.52).
    SetConstraintsResponse {}
}
