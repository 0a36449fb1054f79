//! Hashes, and message authentication codes over them (1.4, 4.37; 2.1, 6.1.22 and 11.21).

pub(crate) mod algorithms;
pub(crate) mod incremental;
pub(crate) mod mac;

pub(crate) use algorithms::{Hash, hash, hash_of_hmac, hmac, pbkdf2};
