//! Where the key server's records live: three verbs over ordered keys, and nothing else.
//!
//! ```text
//! get(key)          one record, as last made durable
//! scan(range)       a page of records, the smallest key first
//! commit(changes)   all or none, under expected stamps; answers when it is durable
//! ```
//!
//! ```text
//! CachedStore -> SealedStore -> LocalStore -> Engine: sled | redb
//!                                MemoryStore
//! ```
//!
//! No word of KMIP may be here: a key and a value are bytes, and what they mean is the business
//! of whoever wrote them.

mod background_check;
pub(crate) mod cache;
mod data_directory;
mod engine;
mod error;
mod evidence;
mod export_file;
pub(crate) mod failure_signal;
mod free_space;
#[cfg(fuzzing)]
pub mod fuzzing;
mod group_commit;
mod head_file;
mod header;
mod integrity;
mod interface;
mod key_ring;
pub(crate) mod key_source;
mod local_store;
pub(crate) mod memory_store;
pub mod offline;
mod open;
mod open_error;
mod record_seal;
pub(crate) mod root_key;
mod sealed_store;
mod settings;
pub(crate) mod transaction;
mod verify;
mod view;

#[cfg(test)]
pub(crate) mod contract_tests;
#[cfg(test)]
mod group_tests;

pub use background_check::{CheckResult, CheckWatch, LastCheck};
pub use error::StoreError;
pub use failure_signal::FailureWatch;
pub(crate) use interface::check;
pub use interface::{
    CHANGES_MAX, COMMIT_LEN_MAX, Change, KEY_FIRST, KEY_LEN_MAX, Key, Outcome, Pending, Range,
    Record, SCAN_MAX, Store, To, VALUE_LEN_MAX,
};
pub use key_source::KeySource;
pub use memory_store::MemoryStore;
pub use open::{OpenStore, open};
pub use open_error::OpenError;
pub use root_key::{IndexKey, KEY_LEN, RootKey};
pub use settings::StoreSettings;
