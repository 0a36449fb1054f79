//! Cryptography of the cluster, kept apart from the key server's on purpose: two independent implementations that must agree.

pub mod aead;
pub(crate) mod aes_xts;
pub mod master_key;
pub mod shamir;
