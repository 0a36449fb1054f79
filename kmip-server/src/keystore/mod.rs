//! A client's objects inside one transaction: read, write, wrap, release and count.

pub mod async_requests;
pub mod batch_references;
pub mod certification;
pub mod constraints;
pub mod context;
pub mod defaults;
pub mod encryption;
pub mod key_pair;
pub mod key_release;
pub mod key_use;
pub mod lease;
pub mod login_tickets;
pub mod notifications;
pub mod pkcs12_bundle;
pub mod process_state;
pub mod replacement;
pub mod request_attributes;
pub mod split_key;
pub mod streaming;
pub mod symmetric_key;
pub mod usage_accounting;
pub mod wrapping;
mod writes;

pub use context::{Context, ID_LEN_MAX};
