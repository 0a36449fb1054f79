//! What other KMIP servers get wrong, a test for each.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

mod adjust;
mod batches;
mod clients;
mod interop_operation;
mod locate;
mod messages;
mod objects;
mod query;
mod storage;
mod usage;
