//! KMIP: the vocabulary, the messages and the objects of versions 1.0 to 3.0, and a client.
//!
//! ```text
//! bytes <- ttlv <- codec <- structures . objects . attributes <- payload <- message
//!                             vocabulary (names and numbers) <- text . encoding
//! ```
//!
//! One typed model serves every version. What differs between versions is data: a field says
//! under which tag it stands and which versions have it, an attribute says how each version
//! spells it. **No type here decides by version what an operation does**, and nothing is sent to
//! a version that does not have it.
//!
//! What is not known is kept: an enumeration is a number with names, and unknown attributes,
//! operations and extensions are carried as bytes.

mod macros;

pub mod attributes;
#[cfg(feature = "client")]
pub mod client;
pub mod codec;
mod date;
#[cfg(feature = "encodings")]
pub mod encoding;
mod identifier;
mod input_data;
mod item_context;
pub mod message;
pub mod objects;
pub mod payload;
pub mod redacted_text;
pub mod structures;
pub mod transparent;
mod version;
pub mod vocabulary;

pub use codec::{
    BigInteger, DateTime, DateTimeExtended, Decode, Encode, Interval, SecretBytes, SecretInteger,
};
pub use identifier::Identifier;
pub use input_data::InputData;
pub use redacted_text::redacted_text;
pub use version::Version;
pub use vocabulary::tags;
