//! The vocabulary of KMIP 1.0 to 3.0: tags, enumerations and masks, as data.
//!
//! A name is spelt as the text encodings spell it ("Normalizing Names": 2.1 profiles, 5.4.1.3).
//! Each row says which versions have it; a value whose name changed has its newest name here, and
//! the older ones beside it, each with its versions. **Nothing here is closed**: an enumeration is
//! a number with names, and a number without a name is kept, compared and sent back as it came.

#[macro_use]
mod macros;

mod cryptography;
mod mask_names;
mod masks;
mod messages;
mod objects;
mod pkcs_11;
mod profiles;
mod registry;
mod row;
pub mod tags;

pub use cryptography::*;
pub use mask_names::MaskNames;
pub use masks::*;
pub use messages::*;
pub use objects::*;
pub use pkcs_11::{PKCS_11Function, PKCS_11ReturnCode};
pub use profiles::*;
pub use registry::{ENUMERATIONS, MASKS, Vocabulary, vocabulary_of};
pub(crate) use row::write_name;
pub use row::{Alias, Row, row_by_name, row_by_value};
