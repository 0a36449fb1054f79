//! TTLV, the binary encoding of KMIP (1.4, section 9.1): bytes to items, and items to bytes.
//!
//! ```text
//!  42 00 20 | 02   | 00 00 00 04 | 00 00 00 08 00 00 00 00
//!  tag      | type | length      | value, padded to 8 bytes
//!  `------- Header ------------'
//! ```
//!
//! A [`Reader`] decodes [`Item`]s in place from the bytes of a frame; a [`Writer`] encodes them;
//! [`Raw`] keeps items as bytes. Lengths and padding are checked in one place, [`Reader::item`].
//! No allocation has a size that the peer names, and no input panics.
//!
//! **This crate knows no tag by name and no version of KMIP**: the meaning of items is defined in
//! the crate `kmip`.

mod error;
mod header;
mod item;
mod raw;
mod reader;
mod writer;

pub use error::{Error, ErrorKind};
pub use header::{HEADER_LEN, Header};
pub use item::{Item, Tag, Type};
pub use raw::Raw;
pub use reader::{DEPTH_MAX, Reader};
pub use writer::Writer;
