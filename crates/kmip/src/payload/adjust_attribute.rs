//! Adjust Attribute (2.1, 6.1.3): a number goes up or down, a flag turns over.

use ttlv::{Error, ErrorKind, Reader, Tag, Type, Writer};

use crate::attributes::AttributeReference;
use crate::codec::{BigInteger, Decode, Encode, Interval};
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::version::Version;
use crate::vocabulary::AdjustmentType;

structure! {
    /// Asks for an attribute to be adjusted (2.1, 6.1.3).
    AdjustAttributeRequest {
        /// The object; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// The attribute.
        AttributeReference => attribute: AttributeReference,
        /// Up, down, or over.
        AdjustmentType => adjustment_type: AdjustmentType,
        /// By how much; by one when absent.
        AdjustmentValue => adjustment_value: Option<AdjustmentValue>,
    }
}

/// By how much a number is adjusted (2.1, 6.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdjustmentValue {
    /// An Integer.
    Integer(i32),
    /// A Long Integer.
    LongInteger(i64),
    /// A Big Integer.
    BigInteger(BigInteger),
    /// An Interval, in seconds.
    Interval(Interval),
}

impl Encode for AdjustmentValue {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match self {
            Self::Integer(value) => value.encode(tag, w, version),
            Self::LongInteger(value) => value.encode(tag, w, version),
            Self::BigInteger(value) => value.encode(tag, w, version),
            Self::Interval(value) => value.encode(tag, w, version),
        }
    }
}

impl Decode for AdjustmentValue {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match r.peek_type() {
            Some(Type::Integer) => Decode::decode(tag, r, version).map(Self::Integer),
            Some(Type::LongInteger) => Decode::decode(tag, r, version).map(Self::LongInteger),
            Some(Type::BigInteger) => Decode::decode(tag, r, version).map(Self::BigInteger),
            Some(Type::Interval) => Decode::decode(tag, r, version).map(Self::Interval),
            _ => Err(r.error(tag, ErrorKind::Value("a number or an interval must stand here"))),
        }
    }
}

structure! {
    /// The object whose attribute was adjusted (2.1, 6.1.3).
    AdjustAttributeResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
    }
}
