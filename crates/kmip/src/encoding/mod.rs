//! The text encodings, by transcoding to and from TTLV through the vocabulary (Additional Message
//! Encodings 1.0, 4 and 6; 2.1 profiles, 5.4 and 5.5).
//!
//! ```text
//! bytes <-> Element { name, type, text or children } <-> XML | JSON
//! ```
//!
//! An [`Element`] is an item as both text encodings see it: a name, a type, and a value in letters.
//! What XML and JSON differ in is the business of their own files; what a name means is said by the
//! vocabulary alone. **No operation and no typed message is here**: a message that no version knows
//! is transcoded like any other.
//!
//! | type | the text of an element |
//! |---|---|
//! | Integer | decimal; a mask as names apart by blanks; `0x` and hex when read |
//! | LongInteger, Interval | decimal; `0x` and hex when read |
//! | BigInteger | hex, a multiple of eight bytes |
//! | Enumeration | the name in the version of the message; else `0x` and eight digits |
//! | Boolean | `true` or `false` |
//! | TextString | itself |
//! | ByteString | hex |
//! | DateTime, DateTimeExtended | ISO 8601 in UTC; any zone, and `0x` and hex, when read |
//!
//! A message may hold a key, so all texts are zeroized when dropped, none is shown by `Debug`, and
//! no error repeats one.

mod error;
mod from_ttlv;
pub mod json;
mod secret_text_buffer;
mod to_ttlv;
pub mod xml;

#[cfg(test)]
mod tests;

use core::fmt;
use std::borrow::Cow;

use ttlv::Type;
use zeroize::Zeroizing;

use crate::version::Version;

pub use error::{Error, Fault};
pub use secret_text_buffer::SecretTextBuffer;

/// The longest message in a text encoding that is read, in bytes.
///
/// Hex is twice as long as bytes, and a small item takes eight times its sixteen bytes; a message
/// of one MiB, which is what servers take, is read in any case.
pub const TEXT_LEN_MAX: usize = 16 << 20;

/// The most items that are read from one text: each takes a hundred bytes, whatever is in it.
pub const ITEMS_MAX: usize = 200_000;

/// An item as the text encodings spell it.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    /// The tag: its normalised name, or `0x` and six hex digits where it has none.
    pub name: Cow<'static, str>,
    /// What the item holds.
    pub value: Value,
}

/// What an element holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Items.
    Structure(Vec<Element>),
    /// A value of any other type, in letters.
    Text(Type, Zeroizing<String>),
}

impl Element {
    /// An element with others inside.
    pub fn structure(name: impl Into<Cow<'static, str>>, children: Vec<Self>) -> Self {
        Self { name: name.into(), value: Value::Structure(children) }
    }

    /// An element with a value. A structure has none: this one would be refused by
    /// [`Element::to_ttlv`].
    pub fn leaf(name: impl Into<Cow<'static, str>>, ty: Type, text: impl Into<String>) -> Self {
        Self { name: name.into(), value: Value::Text(ty, Zeroizing::new(text.into())) }
    }

    /// The type.
    pub const fn ty(&self) -> Type {
        match &self.value {
            Value::Structure(_) => Type::Structure,
            Value::Text(ty, _) => *ty,
        }
    }

    /// The elements inside; none for a value.
    pub fn children(&self) -> &[Self] {
        match &self.value {
            Value::Structure(children) => children,
            Value::Text(..) => &[],
        }
    }

    /// The first element inside that has this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children().iter().find(|child| child.name == name)
    }

    /// The version that a request message names in its header, whatever follows: what an answer to
    /// a spoilt request is written in.
    pub fn request_version(&self) -> Option<Version> {
        let version = self.child("RequestHeader")?.child("ProtocolVersion")?;
        let number = |name| version.child(name)?.text()?.trim().parse().ok();
        Some(Version {
            major: number("ProtocolVersionMajor")?,
            minor: number("ProtocolVersionMinor")?,
        })
    }

    /// The value in letters; none for a structure.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Structure(_) => None,
            Value::Text(_, text) => Some(text),
        }
    }
}

impl fmt::Debug for Element {
    /// Shows the name and the type, and never the value, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Structure(children) => {
                write!(f, "{} ", self.name)?;
                f.debug_list().entries(children).finish()
            }
            Value::Text(ty, text) => {
                write!(f, "{} ({}, {} characters)", self.name, ty.name(), text.len())
            }
        }
    }
}
