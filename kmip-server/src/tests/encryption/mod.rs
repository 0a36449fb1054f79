//! Encryption in every mode, version and part: what is encrypted can be decrypted, no vector that
//! the server makes repeats, and no field that a client sends is passed over.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

mod limits;
mod modes;
mod nonces;
mod parts;
mod round_trips;
mod scripts;
mod versioned_fields;
mod wrapper_requests;
