//! What can be wrong with bytes: where, at which tag, and how.

use core::fmt;

use crate::item::{Tag, Type};

/// Where the bytes are wrong, and how. Nothing of it is a piece of a value: of bytes that are no
/// item, neither tag nor type nor length is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Offset of the item from the start of the message, in bytes.
    pub offset: usize,
    /// The tag that was being read.
    pub tag: Tag,
    /// What was wrong.
    pub kind: ErrorKind,
}

/// The ways an item can be malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bytes end before the item does.
    Truncated,
    /// A required item is missing; the tag found in its place, if any.
    Missing(Option<Tag>),
    /// What stands where a tag should be begins with neither 42 nor 54.
    Tag,
    /// No version of the standard has a type of this number.
    UnknownType(u8),
    /// The item has another type (first) than its tag demands (second).
    Type(Type, Type),
    /// The length is not one its type allows.
    Length(Type, usize),
    /// A padding byte is not zero.
    Padding,
    /// A Boolean is neither 0 nor 1.
    Boolean,
    /// A text string is not UTF-8.
    Text,
    /// The structure holds an item that its definition does not have at this place.
    Unexpected(Tag),
    /// Structures are nested deeper than the limit.
    Depth(u8),
    /// The number is not one of the enumeration's.
    UnknownValue(u32),
    /// The value is well formed and yet not one that this item may have.
    Value(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "item {} at byte {}: {}", self.tag, self.offset, self.kind)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end before the item does"),
            Self::Missing(None) => f.write_str("it is missing, its structure has ended"),
            Self::Missing(Some(tag)) => write!(f, "it is missing, {tag} stands in its place"),
            Self::Tag => f.write_str("a tag begins with 42 or 54, and this does not"),
            Self::UnknownType(number) => write!(f, "there is no type 0x{number:02X}"),
            Self::Type(found, wanted) => {
                write!(f, "it is of type {} and must be {}", found.name(), wanted.name())
            }
            Self::Length(ty, len) => write!(f, "{len} bytes are no length of {}", ty.name()),
            Self::Padding => f.write_str("a padding byte is not zero"),
            Self::Boolean => f.write_str("a Boolean is 0 or 1"),
            Self::Text => f.write_str("a Text String is UTF-8"),
            Self::Unexpected(tag) => write!(f, "it holds {tag}, which does not belong there"),
            Self::Depth(limit) => write!(f, "structures are nested deeper than {limit}"),
            Self::UnknownValue(number) => write!(f, "0x{number:08X} is not one of its values"),
            Self::Value(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for Error {}
