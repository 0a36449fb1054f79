//! Answers that others have written down: each row is a case with its source.
//!
//! One module for each kind of operation. None of these cases is of the OASIS profiles.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

mod asymmetric;
mod attribute_names;
mod attributes;
mod brought_attributes;
pub(crate) mod certificates;
mod chains;
mod ciphers;
mod codes;
mod derivations;
mod enumerations;
mod formats;
mod import_export;
mod key_blocks;
mod key_forms;
mod key_numbers;
mod new_objects;
mod object_forms;
mod pairs;
mod re_provision;
mod renewals;
mod replacements;
mod saved_stores;
pub(crate) mod served;
mod settings;
pub(crate) mod signatures;
mod split_keys;
mod stanzas;
mod table;
mod templates;
mod uses;
mod values;
mod wrapping;
