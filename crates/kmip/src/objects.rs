//! The managed objects (1.4, 2.2; 2.1, 2) and the key block inside them (1.4, 2.1.3; 2.1, 3.1).

use ttlv::{Error, ErrorKind, Raw, Reader, Tag, Type, Writer};

use crate::attributes::{AttributeList, Attributes};
use crate::codec::{Decode, Encode, Field, SecretBytes};
use crate::macros::structure;
use crate::structures::CryptographicParameters;
use crate::version::Version;
use crate::vocabulary::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm, EncodingOption,
    KeyCompressionType, KeyFormatType, ObjectType, OpaqueDataType, ProtectionStorageMask,
    SecretDataType, SplitKeyMethod, SplitKeyPolynomial, WrappingMethod, tags,
};

const V1_1: Version = Version::V1_1;
const V3_0: Version = Version::V3_0;

structure! {
    /// A key, as a key block (1.4, 2.2.2 to 2.2.4; 2.1, 2.5, 2.6 and 2.9).
    Key {
        /// The key.
        KeyBlock => key_block: KeyBlock,
    }
}

structure! {
    /// A certificate (1.4, 2.2.1; 2.1, 2.1).
    Certificate {
        /// Its form.
        CertificateType => certificate_type: CertificateType,
        /// Its DER, for X.509.
        CertificateValue => certificate_value: Vec<u8>,
    }
}

structure! {
    /// A request for a certificate (2.1, 2.2).
    CertificateRequest {
        /// Its form.
        CertificateRequestType => certificate_request_type: CertificateRequestType,
        /// The request.
        CertificateRequestValue => certificate_request_value: Vec<u8>,
    }
}

structure! {
    /// A part of a key that was split (1.4, 2.2.5; 2.1, 2.8).
    SplitKey {
        /// Into how many.
        SplitKeyParts => parts: i32,
        /// Which of them this is.
        KeyPartIdentifier => part_identifier: i32,
        /// How many make the key again.
        SplitKeyThreshold => threshold: i32,
        /// How.
        SplitKeyMethod => method: SplitKeyMethod,
        /// The polynomial of the field.
        SplitKeyPolynomial [V3_0..] => polynomial: Option<SplitKeyPolynomial>,
        /// The prime of the field.
        PrimeFieldSize => prime_field_size: Option<crate::codec::BigInteger>,
        /// The part.
        KeyBlock => key_block: KeyBlock,
    }
}

structure! {
    /// A named set of attributes (1.4, 2.2.6; gone in 2.0).
    Template {
        /// The attributes.
        Attribute / Attributes => attributes: AttributeList,
    }
}

structure! {
    /// A secret that is no key (1.4, 2.2.7; 2.1, 2.7).
    SecretData {
        /// Its kind.
        SecretDataType => secret_data_type: SecretDataType,
        /// The secret.
        KeyBlock => key_block: KeyBlock,
    }
}

structure! {
    /// Bytes that mean something to the client alone (1.4, 2.2.8; 2.1, 2.3).
    OpaqueObject {
        /// Their kind.
        OpaqueDataType => opaque_data_type: OpaqueDataType,
        /// The bytes.
        OpaqueDataValue => opaque_data_value: SecretBytes,
    }
}

structure! {
    /// A key of OpenPGP (1.4, 2.2.9; 2.1, 2.4).
    PGPKey {
        /// The version of OpenPGP.
        PGPKeyVersion => version: i32,
        /// The key.
        KeyBlock => key_block: KeyBlock,
    }
}

structure! {
    /// A key with what is needed to read it (1.4, 2.1.3; 2.1, 3.1).
    KeyBlock {
        /// Its form.
        KeyFormatType => key_format_type: KeyFormatType,
        /// The form of a point on a curve.
        KeyCompressionType => key_compression_type: Option<KeyCompressionType>,
        /// The key; absent when it is kept elsewhere.
        KeyValue => key_value: Option<KeyValue>,
        /// The algorithm.
        CryptographicAlgorithm => cryptographic_algorithm: Option<CryptographicAlgorithm>,
        /// The length in bits.
        CryptographicLength => cryptographic_length: Option<i32>,
        /// How it is wrapped, when it is.
        KeyWrappingData => key_wrapping_data: Option<Box<KeyWrappingData>>,
    }
}

structure! {
    /// How a key is wrapped (1.4, 2.1.5; 2.1, 3.3).
    KeyWrappingData {
        /// Encrypted, signed, or both.
        WrappingMethod => wrapping_method: WrappingMethod,
        /// What it is encrypted with.
        EncryptionKeyInformation => encryption_key_information: Option<WrappingKeyInformation>,
        /// What it is signed with.
        MACSignatureKeyInformation => mac_signature_key_information: Option<WrappingKeyInformation>,
        /// The signature.
        MACSignature => mac_signature: Option<Vec<u8>>,
        /// The initialization vector.
        IVCounterNonce => iv_counter_nonce: Option<Vec<u8>>,
        /// What was wrapped: the bytes alone, or the Key Value with its encoding.
        EncodingOption [V1_1..] => encoding_option: Option<EncodingOption>,
    }
}

structure! {
    /// Which key wraps, and how (1.4, 2.1.5; 2.1, 3.3).
    WrappingKeyInformation {
        /// The key.
        UniqueIdentifier => unique_identifier: String,
        /// How it is used.
        CryptographicParameters => cryptographic_parameters: Option<CryptographicParameters>,
    }
}

structure! {
    /// Where an object may be kept, each mask one choice (2.1, 7.28).
    ProtectionStorageMasks {
        /// The choices.
        ProtectionStorageMask => masks: Vec<ProtectionStorageMask>,
    }
}

/// What a key block holds (1.4, 2.1.4; 2.1, 3.2).
#[derive(Clone, Debug, PartialEq)]
pub enum KeyValue {
    /// A key that is wrapped together with its encoding.
    Wrapped(SecretBytes),
    /// The material, and the attributes that came with it.
    Plain {
        /// The key itself.
        material: KeyMaterial,
        /// Attributes that travel inside.
        attributes: AttributeList,
    },
}

/// The key itself: bytes, or for a transparent form the numbers that make it (1.4, 2.1.4 and
/// 2.1.7; 2.1, 3.2).
#[derive(Clone, Debug, PartialEq)]
pub enum KeyMaterial {
    /// Bytes in the key block's format.
    Bytes(SecretBytes),
    /// A structure of numbers, as the item that came. Its reading is by the Key Format Type.
    Transparent(Raw),
}

impl KeyBlock {
    /// A key of plain bytes.
    pub fn plain(key_format_type: KeyFormatType, bytes: &[u8]) -> Self {
        Self {
            key_format_type,
            key_compression_type: None,
            key_value: Some(KeyValue::Plain {
                material: KeyMaterial::Bytes(SecretBytes::new(bytes)),
                attributes: AttributeList::default(),
            }),
            cryptographic_algorithm: None,
            cryptographic_length: None,
            key_wrapping_data: None,
        }
    }

    /// The key's bytes, when it is neither wrapped nor transparent nor elsewhere.
    pub fn bytes(&self) -> Option<&[u8]> {
        match (&self.key_value, &self.key_wrapping_data) {
            (Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }), None) => {
                Some(bytes.as_bytes())
            }
            _ => None,
        }
    }
}

impl Encode for KeyValue {
    const FIELDS: &'static [Field] = AttributeList::FIELDS;

    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match self {
            Self::Wrapped(bytes) => w.byte_string(tag, bytes.as_bytes()),
            Self::Plain { material, attributes } => w.structure(tag, |w| {
                material.encode(tags::KeyMaterial, w, version);
                attributes.encode(AttributeList::tag(version), w, version);
            }),
        }
    }
}

impl Decode for KeyValue {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        if r.peek_type() == Some(Type::ByteString) {
            return r.byte_string(tag).map(|bytes| Self::Wrapped(SecretBytes::new(bytes)));
        }
        r.structure(tag, |r| {
            Ok(Self::Plain {
                material: Decode::decode(tags::KeyMaterial, r, version)?,
                attributes: Decode::decode(AttributeList::tag(version), r, version)?,
            })
        })
    }
}

impl Encode for KeyMaterial {
    fn encode(&self, tag: Tag, w: &mut Writer, _: Version) {
        match self {
            Self::Bytes(bytes) => w.byte_string(tag, bytes.as_bytes()),
            Self::Transparent(raw) => w.raw(raw.as_bytes()),
        }
    }
}

impl Decode for KeyMaterial {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match r.peek_type() {
            Some(Type::Structure) => Raw::decode(tag, r, version).map(Self::Transparent),
            _ => r.byte_string(tag).map(|bytes| Self::Bytes(SecretBytes::new(bytes))),
        }
    }
}

/// One row a kind of object: its Object Type, its tag, which is the variant's name, and its type.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident($ty:ty),)*) => {
        /// A managed object (1.4, 2.2; 2.1, 2).
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object {
            $($(#[$doc])* $name($ty),)*
        }

        impl Object {
            /// The kinds of objects, each under its tag. An object that a version does not have is
            /// not shown to its clients.
            const KINDS: &'static [Field] = &[$(Field {
                name: stringify!($name),
                tag: tags::$name,
                is_in: |_| true,
                fields: <$ty as Encode>::FIELDS,
            },)*];

            /// What kind of object it is.
            pub const fn object_type(&self) -> ObjectType {
                match self {
                    $(Self::$name(_) => ObjectType::$name,)*
                }
            }

            /// Returns whether this is the tag of a kind of object.
            const fn has_tag(tag: Tag) -> bool {
                matches!(tag, $(tags::$name)|*)
            }

            /// Reads the object that stands next; its tag says its kind.
            pub fn decode_any(r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
                match r.peek() {
                    $(Some(tags::$name) => {
                        Decode::decode(tags::$name, r, version).map(Self::$name)
                    })*
                    found => Err(r.error(
                        found.unwrap_or(Tag(0)),
                        ErrorKind::Value("an object must stand here"),
                    )),
                }
            }

            /// Writes the object under the tag of its kind.
            pub fn encode_any(&self, w: &mut Writer, version: Version) {
                match self {
                    $(Self::$name(object) => object.encode(tags::$name, w, version),)*
                }
            }
        }
    };
}

objects! {
    /// A certificate.
    Certificate(Certificate),
    /// A request for a certificate.
    CertificateRequest(CertificateRequest),
    /// Bytes of the client's own.
    OpaqueObject(OpaqueObject),
    /// A key of OpenPGP.
    PGPKey(PGPKey),
    /// The private half of a pair.
    PrivateKey(Key),
    /// The public half of a pair.
    PublicKey(Key),
    /// A secret that is no key.
    SecretData(SecretData),
    /// A part of a key.
    SplitKey(SplitKey),
    /// A symmetric key.
    SymmetricKey(Key),
    /// A named set of attributes (1.x).
    Template(Template),
}

/// The key block of an object, borrowed as the object is: of the kinds that have one.
macro_rules! key_block {
    ($object:expr) => {
        match $object {
            Self::PrivateKey(Key { key_block })
            | Self::PublicKey(Key { key_block })
            | Self::SymmetricKey(Key { key_block })
            | Self::SecretData(SecretData { key_block, .. })
            | Self::SplitKey(SplitKey { key_block, .. })
            | Self::PGPKey(PGPKey { key_block, .. }) => Some(key_block),
            Self::Certificate(_)
            | Self::CertificateRequest(_)
            | Self::OpaqueObject(_)
            | Self::Template(_) => None,
        }
    };
}

impl Object {
    /// The key block, of the kinds that have one.
    pub const fn key_block(&self) -> Option<&KeyBlock> {
        key_block!(self)
    }

    /// The key block, to be changed.
    pub const fn key_block_mut(&mut self) -> Option<&mut KeyBlock> {
        key_block!(self)
    }
}

/// An object stands under the tag of its kind, whatever tag is asked for.
impl Encode for Object {
    const FIELDS: &'static [Field] = Self::KINDS;

    fn encode(&self, _: Tag, w: &mut Writer, version: Version) {
        self.encode_any(w, version);
    }
}

impl Decode for Object {
    fn is_next(_: Tag, r: &Reader<'_>) -> bool {
        r.peek().is_some_and(Self::has_tag)
    }

    fn decode(_: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        Self::decode_any(r, version)
    }
}

/// The attributes of a template, in the form that requests use.
impl From<Template> for Attributes {
    fn from(template: Template) -> Self {
        Self { names: Vec::new(), attributes: template.attributes.0 }
    }
}
