//! Cryptography of the cluster, kept apart from the key server's on purpose: two independent
//! implementations that must agree. It knows no file and no ledger.

pub(crate) mod aead;
pub(crate) mod aes_xts;
pub(crate) mod checksum;
pub(crate) mod master_key;
pub(crate) mod shamir;
