//! How a request names the data that a cryptographic operation works on (1.4, 2.1.10; 2.1, 7.9).

use ttlv::{Error, Reader, Tag, Type, Writer};

use crate::codec::{Decode, Encode, SecretBytes};
use crate::version::Version;
use crate::vocabulary::Data;

/// Data in a request: the bytes, or from 2.0 on a word for what the same batch has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputData {
    /// The bytes themselves.
    Bytes(SecretBytes),
    /// What the last item of this operation gave (2.1, 11.13).
    Enumeration(Data),
    /// The nth Data of the answers to the batch so far, from zero; a negative number counts back
    /// from this item.
    Index(i32),
}

impl From<&[u8]> for InputData {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(SecretBytes::new(bytes))
    }
}

impl Encode for InputData {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match self {
            Self::Bytes(bytes) => bytes.encode(tag, w, version),
            Self::Enumeration(word) => word.encode(tag, w, version),
            Self::Index(index) => index.encode(tag, w, version),
        }
    }
}

impl Decode for InputData {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match r.peek_type() {
            Some(Type::Enumeration) if version >= Version::V2_0 => {
                Decode::decode(tag, r, version).map(Self::Enumeration)
            }
            Some(Type::Integer) if version >= Version::V2_0 => {
                Decode::decode(tag, r, version).map(Self::Index)
            }
            _ => Decode::decode(tag, r, version).map(Self::Bytes),
        }
    }
}
