//! Cryptography: pure functions on bytes, with parameters in the words of the standard.
//!
//! ```text
//! error        why it cannot be done, in this room's own words
//! split        secrets in parts
//! ```
//!
//! **Knows no store, no message, no object and no clock.** What an operation asks of it is named
//! by the vocabulary's enumerations; what it answers is bytes, or an [`Error`] that
//! `crate::error` alone turns into a Result Reason.
//!
//! What a library does well is the library's: block functions, hashes, curves and RSA are never
//! written here. Where the standard asks for what no library puts together (a mode with a padding
//! of KMIP's own, in parts, over any cipher), it is put together here, and shown against the
//! vectors of those who defined it.

pub mod error;
pub mod split;

pub use error::{Error, Result};
