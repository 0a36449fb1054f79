//! Header of an item: tag, type and length.

use crate::item::Tag;

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
