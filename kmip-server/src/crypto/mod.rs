//! Cryptography on bytes: what operations do with keys, without messages, objects or a store.
//!
//! Pure functions with typed parameters. No key is ever named in an error, and none is kept.

pub mod split;
