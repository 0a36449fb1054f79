//! Put (1.4, 5.2; 2.1, 6.2.3): the server sends a client an object unasked.

use crate::attributes::AttributeList;
use crate::macros::structure;
use crate::objects::Object;
use crate::vocabulary::PutFunction;

structure! {
    /// The object (1.4, 5.2; 2.1, 6.2.3).
    PutRequest {
        /// Its name.
        UniqueIdentifier => unique_identifier: String,
        /// Is it new, or does it replace another?
        PutFunction => put_function: PutFunction,
        /// The object that it replaces.
        ReplacedUniqueIdentifier => replaced_unique_identifier: Option<String>,
        /// The object, under the tag of its kind.
        SymmetricKey => object: Object,
        /// Attributes that the server sends with it.
        Attribute / Attributes => attributes: AttributeList,
    }
}

structure! {
    /// It was taken. There is nothing to say (1.4, 5.2; 2.1, 6.2.3).
    PutResponse {}
}
