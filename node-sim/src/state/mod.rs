//! Durable and observable state of the cluster.

pub mod accounts;
pub mod async_results;
pub mod durable_file;
pub mod error;
pub mod events;
pub mod faults;
pub mod key_pair_record;
pub mod key_ring;
pub mod key_server_registry;
pub mod ledger;
pub mod rekey_job;
pub mod timestamps;
