//! What the fuzzing targets share: valid messages, mutations that know items, and round trips.
//!
//! docs/fuzzing.md says what each target checks and how it is run.

pub mod edits;
pub mod export_files;
pub mod form;
pub mod mutation;
pub mod rng;
pub mod round_trip;
pub mod samples;
pub mod sessions;
pub mod store_files;
pub mod tree;
pub mod two_clients;
pub mod version_fields;

#[allow(dead_code, reason = "the tests of kmip use all of it")]
#[path = "../../crates/kmip/tests/sample_messages/mod.rs"]
mod sample_messages;
