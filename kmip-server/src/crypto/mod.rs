//! Cryptography: pure functions on bytes, with parameters in the words of the standard.
//!
//! ```text
//! asymmetric   what operations ask of pairs of keys: encryption, signatures, agreement
//!                rsa (oaep . pkcs1 . pss) . elliptic . edwards, with the hashes in digests
//! signing      messages to be signed, whole or in parts
//! cipher       encryption: algorithms by modes, in one part or in many
//!                block . chain . key_stream . gcm . ccm . xts . chacha . key_wrap . padding
//!                vector
//! held         data that is gathered part by part
//! digest       hashes, and HMAC over them        mac       codes
//! derive       keys out of keys                  random    bytes that nobody knows
//! error        why it cannot be done, in this room's own words
//! split        secrets in parts
//! ```
//!
//! **Knows no store, no message, no object and no clock.** What an operation asks of it is named
//! by the vocabulary's enumerations; what it answers is bytes, or an [`Error`] that
//! `crate::objects::error` alone turns into a Result Reason.
//!
//! What a library does well is the library's: block functions, hashes, curves and RSA are never
//! written here. Where the standard asks for what no library puts together (a mode with a padding
//! of KMIP's own, in parts, over any cipher), it is put together here, and shown against the
//! vectors of those who defined it.

pub(crate) mod asymmetric;
pub(crate) mod cipher;
pub(crate) mod error;
pub(crate) mod formats;
pub(crate) mod hash;
pub(crate) mod held;
pub(crate) mod key_derivation;
pub(crate) mod keys;
pub(crate) mod pkcs11;
pub(crate) mod random;
pub(crate) mod secret_sharing;
pub(crate) mod x509;

pub(crate) use error::{Error, Result};
