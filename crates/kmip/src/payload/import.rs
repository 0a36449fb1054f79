//! Import (1.4, 4.41; 2.1, 6.1.25): an object with all its attributes, as another server had it.

use crate::attributes::AllAttributes;
use crate::macros::structure;
use crate::objects::Object;
use crate::version::Version;
use crate::vocabulary::{KeyWrapType, ObjectType};

const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for an object to be kept under the name that it has (1.4, 4.41; 2.1, 6.1.25).
    ImportRequest {
        /// Its name.
        UniqueIdentifier => unique_identifier: String,
        /// Its kind (2.0 on).
        ObjectType [V2_0..] => object_type: Option<ObjectType>,
        /// May it replace an object of that name?
        ReplaceExisting => replace_existing: Option<bool>,
        /// Is a wrapped key to be unwrapped before it is kept?
        KeyWrapType => key_wrap_type: Option<KeyWrapType>,
        /// All its attributes, the server's too.
        Attribute / Attributes => attributes: AllAttributes,
        /// The object, under the tag of its kind.
        SymmetricKey => object: Object,
    }
}

structure! {
    /// The object that is kept (1.4, 4.41; 2.1, 6.1.25).
    ImportResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
    }
}
