//! Get (1.4, 4.11; 2.1, 6.1.19): the object itself.

use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::{Object, WrappingKeyInformation};
use crate::version::Version;
use crate::vocabulary::{
    EncodingOption, KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType, WrappingMethod,
};

const V1_1: Version = Version::V1_1;
const V1_4: Version = Version::V1_4;

structure! {
    /// Asks for an object (1.4, 4.11; 2.1, 6.1.19).
    GetRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// The form that the key shall have.
        KeyFormatType => key_format_type: Option<KeyFormatType>,
        /// Wrapped as it was registered, or not at all.
        KeyWrapType [V1_4..] => key_wrap_type: Option<KeyWrapType>,
        /// The form of a point on a curve.
        KeyCompressionType => key_compression_type: Option<KeyCompressionType>,
        /// How it is to be wrapped.
        KeyWrappingSpecification =>
            key_wrapping_specification: Option<Box<KeyWrappingSpecification>>,
    }
}

structure! {
    /// How a key is to be wrapped for its way (1.4, 2.1.6; 2.1, 7.17).
    KeyWrappingSpecification {
        /// Encrypted, signed, or both.
        WrappingMethod => wrapping_method: WrappingMethod,
        /// With which key it is encrypted.
        EncryptionKeyInformation => encryption_key_information: Option<WrappingKeyInformation>,
        /// With which key it is signed.
        MACSignatureKeyInformation
            => mac_signature_key_information: Option<WrappingKeyInformation>,
        /// Attributes that travel inside, by name.
        AttributeName => attribute_names: Vec<String>,
        /// What is wrapped: the bytes alone, or the Key Value with its encoding.
        EncodingOption [V1_1..] => encoding_option: Option<EncodingOption>,
    }
}

structure! {
    /// The object (1.4, 4.11; 2.1, 6.1.19).
    GetResponse {
        /// Its kind.
        ObjectType => object_type: ObjectType,
        /// Its name.
        UniqueIdentifier => unique_identifier: String,
        /// The object, under the tag of its kind.
        SymmetricKey => object: Object,
    }
}
