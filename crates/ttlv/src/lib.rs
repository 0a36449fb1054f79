//! TTLV, the binary encoding of KMIP (1.4, section 9.1): bytes to items, and items to bytes.
//!
//! ```text
//!  42 00 20 | 02   | 00 00 00 04 | 00 00 00 08 00 00 00 00
//!  tag      | type | length      | value, padded to 8 bytes
//! ```
//!
//! A [`Reader`] decodes in place from the bytes of a frame; a [`Writer`] makes them.
//! Lengths and padding are checked in one place, [`Reader::item`]; nothing is allocated by a size
//! that the peer names, and no input panics.
//!
//! **This crate knows the name of no tag, and no version of KMIP.** What an item means is the
//! business of the crate `kmip`.

mod error;
mod item;
mod raw;
mod reader;
mod writer;

pub use error::{Error, ErrorKind};
pub use item::{Item, Tag, Type};
pub use raw::Raw;
pub use reader::{DEPTH_MAX, Reader};
pub use writer::Writer;

/// The bytes of an item before its value: tag, type and length.
pub const HEADER_LEN: usize = 8;

/// What the first eight bytes of an item say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The tag.
    pub tag: Tag,
    /// The type's number, which may be one that no standard has.
    pub ty: u8,
    /// The length of the value in bytes, without padding.
    pub len: u32,
}

impl Header {
    /// Reads a header; any eight bytes are one.
    pub const fn parse(bytes: [u8; HEADER_LEN]) -> Self {
        let [a, b, c, ty, d, e, f, g] = bytes;
        Self {
            tag: Tag(u32::from_be_bytes([0, a, b, c])),
            ty,
            len: u32::from_be_bytes([d, e, f, g]),
        }
    }
}
