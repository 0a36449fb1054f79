//! A client's objects inside one transaction: read, write, wrap, release and count.

pub(crate) mod async_requests;
pub(crate) mod batch_references;
pub(crate) mod certification;
pub(crate) mod constraints;
pub(crate) mod context;
pub(crate) mod defaults;
pub(crate) mod encryption;
pub(crate) mod key_pair;
pub(crate) mod key_release;
pub(crate) mod key_use;
pub(crate) mod lease;
pub(crate) mod login_tickets;
pub(crate) mod message_work;
pub(crate) mod notifications;
pub(crate) mod pkcs12_bundle;
pub(crate) mod process_state;
pub(crate) mod processor_pool;
pub(crate) mod replacement;
pub(crate) mod request_attributes;
pub(crate) mod split_key;
pub(crate) mod streaming;
pub(crate) mod symmetric_key;
pub(crate) mod usage_accounting;
pub(crate) mod wrapping;
mod writes;

pub(crate) use context::{Context, ID_LEN_MAX};
