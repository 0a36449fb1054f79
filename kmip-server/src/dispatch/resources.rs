//! What processing a batch needs beside its request.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use kmip::DateTime;

use crate::config::policy::Policy;
use crate::keystore::process_state::ProcessState;
use crate::store::Store;
use crate::store::root_key::IndexKey;

/// The most items in one message. All changes of a batch are one commit, whose size the store
/// limits; a Create with its names and groups is some ten changes.
pub(crate) const BATCH_ITEMS_MAX: usize = 100;

/// Store, keys, policy and process state that every batch is processed with.
#[derive(Clone)]
pub(crate) struct Resources {
    /// The records.
    pub(crate) store: Arc<dyn Store>,
    /// The key of index rows.
    pub(crate) index_key: IndexKey,
    /// What the settings let operations do.
    pub(crate) policy: Arc<Policy>,
    /// In-memory state of the process.
    pub(crate) state: Arc<ProcessState>,
}

/// Returns the current time in seconds since 1970; 1970 if the clock is before it.
pub(crate) fn now() -> DateTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    DateTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
