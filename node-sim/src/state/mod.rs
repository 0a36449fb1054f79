//! State of the cluster: the ledger, which is one durable file, and its sections.
//!
//! The sections decide and do no I/O. No key that opens data is here.

pub(crate) mod account_key;
pub(crate) mod accounts;
pub(crate) mod async_results;
pub(crate) mod checked_json;
#[cfg_attr(not(test), allow(dead_code, reason = "tests of crash recovery use the rest"))]
pub(crate) mod durable_file;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod faults;
pub(crate) mod ids;
pub(crate) mod key_origin;
pub(crate) mod key_pair_record;
pub(crate) mod key_ring;
pub(crate) mod key_server_registry;
pub(crate) mod ledger;
pub(crate) mod ledger_file;
pub(crate) mod observations;
pub(crate) mod rekey_job;
pub(crate) mod timestamps;
