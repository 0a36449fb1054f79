//! Export (1.4, 4.40; 2.1, 6.1.18): an object with all its attributes.

use crate::attributes::AllAttributes;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::Object;
use crate::payload::KeyWrappingSpecification;
use crate::vocabulary::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType};

structure! {
    /// Asks for an object and all that is known of it (1.4, 4.40; 2.1, 6.1.18).
    #[derive(Default)]
    ExportRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// The form that the key shall have.
        KeyFormatType => key_format_type: Option<KeyFormatType>,
        /// Wrapped as it was registered, or not at all.
        KeyWrapType => key_wrap_type: Option<KeyWrapType>,
        /// The form of a point on a curve.
        KeyCompressionType => key_compression_type: Option<KeyCompressionType>,
        /// How it is to be wrapped.
        KeyWrappingSpecification =>
            key_wrapping_specification: Option<Box<KeyWrappingSpecification>>,
    }
}

structure! {
    /// The object (1.4, 4.40; 2.1, 6.1.18).
    ExportResponse {
        /// Its kind.
        ObjectType => object_type: ObjectType,
        /// Its name.
        UniqueIdentifier => unique_identifier: String,
        /// All its attributes.
        Attribute / Attributes => attributes: AllAttributes,
        /// The object, under the tag of its kind; absent when its material is destroyed.
        SymmetricKey => object: Option<Object>,
    }
}
