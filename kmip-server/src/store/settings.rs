//! Which store to open, and how.

use std::path::PathBuf;
use std::time::Duration;

use super::KeySource;
use crate::config::{
    CHECK_INTERVAL_H, CreateStore, Engine as EngineName, FREE_SPACE_RESERVE_MIB, check_interval,
};

/// Which store to open, and how.
#[derive(Debug)]
pub struct StoreSettings {
    /// Data directory; created if there is none.
    pub data: PathBuf,
    /// Source of the root key; by default `store.key` in the data directory.
    pub key: Option<KeySource>,
    /// Engine of a new store; an existing one must have been made with it.
    pub engine: EngineName,
    /// Whether a new store may be created.
    pub create: CreateStore,
    /// Free space in MiB below which writes are refused; 0 for none.
    pub free_space_reserve: u64,
    /// Time between two checks of all rows while the store is in use.
    pub check_interval: Option<Duration>,
    /// Whether a store that has lost rows is opened with what is left.
    pub accept_loss: bool,
}

impl StoreSettings {
    /// Settings of the store in a data directory, each its default.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            key: None,
            engine: EngineName::Sled,
            create: CreateStore::Auto,
            free_space_reserve: FREE_SPACE_RESERVE_MIB,
            check_interval: check_interval(CHECK_INTERVAL_H),
            accept_loss: false,
        }
    }
}
