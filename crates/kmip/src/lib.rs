//! KMIP 1.0 to 3.0: vocabulary, typed messages, text encodings and a client.
//!
//! ```text
//! client                                    requests and responses over mutual TLS
//!   message                                 headers and batch items
//!     payload                               one request and one response for each operation
//!       attributes . objects . structures   the standard's structures
//!         codec                             typed values <-> items of the crate ttlv
//!           vocabulary . version            names and numbers, as data
//!
//! encoding                                  items <-> XML, JSON     by names of the vocabulary
//! redacted_text                             items -> text           likewise, secrets hidden
//! ```
//!
//! | module | contents |
//! |---|---|
//! | [`vocabulary`] | tags, enumerations and masks, each value with its names and versions |
//! | [`codec`] | the traits [`Encode`] and [`Decode`], and the primitive types |
//! | [`attributes`], [`objects`], [`structures`], [`transparent`] | the standard's structures |
//! | [`payload`] | requests and responses of all operations |
//! | [`message`] | request and response messages |
//! | [`redacted_text`](mod@redacted_text) | a message as text, with secrets hidden |
//! | `encoding` (feature `encodings`) | a message as XML and as JSON |
//! | `client` (feature `client`) | a client of key servers, over mutual TLS |
//!
//! One typed model serves every version. The differences between versions are data: a field names
//! its tag and the versions that have it, an attribute its name in each version. **No type here
//! decides by version what an operation does**, and no item is sent to a version that does not have
//! it.
//!
//! Values that are not in the tables are kept: an enumeration is a number with names, and unknown
//! attributes, operations and extensions are carried as bytes. A request with an enumeration
//! that is neither the standard's nor a vendor's extension is malformed.

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
mod item_error;
pub mod message;
pub mod objects;
pub mod payload;
pub mod redacted_text;
pub mod structures;
pub mod transparent;
mod unknown_values;
mod version;
pub mod vocabulary;

pub use codec::{
    BigInteger, DateTime, DateTimeExtended, Decode, Encode, Interval, SecretBytes, SecretInteger,
};
pub use identifier::Identifier;
pub use input_data::InputData;
pub use item_error::item_error;
pub use redacted_text::redacted_text;
pub use version::Version;
pub use vocabulary::tags;
