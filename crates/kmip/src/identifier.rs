//! How a request names an object (1.4, 3.1; 2.1, 4.58).

use ttlv::{Error, ErrorKind, Reader, Tag, Type, Writer};

use crate::codec::{Decode, Encode};
use crate::version::Version;
use crate::vocabulary::UniqueIdentifier as IdentifierEnumeration;

/// A Unique Identifier in a request: the text that the server gave, or from 2.0 on a word for an
/// object of the same batch (1.4, 3.1; 2.1, 4.58).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// The identifier itself.
    Text(String),
    /// The ID Placeholder, or the identifier of an earlier item's kind (2.1, 11.62).
    Enumeration(IdentifierEnumeration),
    /// The nth identifier of the batch so far, from zero.
    Index(i32),
}

impl From<&str> for Identifier {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Identifier {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Encode for Identifier {
    fn encode(&self, tag: Tag, w: &mut Writer, _: Version) {
        match self {
            Self::Text(text) => w.text_string(tag, text),
            Self::Enumeration(value) => w.enumeration(tag, value.0),
            Self::Index(index) => w.integer(tag, *index),
        }
    }
}

impl Decode for Identifier {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match r.peek_type() {
            Some(Type::Enumeration) if version >= Version::V2_0 => {
                r.enumeration(tag).map(|v| Self::Enumeration(IdentifierEnumeration(v)))
            }
            Some(Type::Integer) if version >= Version::V2_0 => r.integer(tag).map(Self::Index),
            _ => text(tag, r).map(Self::Text),
        }
    }
}

/// Some clients count the padding into the length, so that zeros trail the text; they are no part
/// of the name.
fn text(tag: Tag, r: &mut Reader<'_>) -> Result<String, Error> {
    let start = r.clone();
    let text = r.text_string(tag)?.trim_end_matches('\0');
    match text.contains('\0') {
        true => Err(start.error(tag, ErrorKind::Value("an identifier has no zero byte inside"))),
        false => Ok(text.to_owned()),
    }
}
