//! Storage engines: ordered rows, written in atomic and durable groups.
//!
//! An engine knows no seal, no stamp and no expectation. Keys that begin with byte 0 are its own.

mod contained;
#[cfg(test)]
pub(crate) mod fault_injection;
pub(crate) mod open;
mod redb;
mod sled;

use std::io;

use crate::store::{Key, Range, StoreError};

/// Bytes of a row.
pub(crate) type Value = Vec<u8>;

/// A row to be written, or removed.
pub(crate) type RowChange = (Key, Option<Value>);

/// Storage engine. All writes come from one thread.
pub(crate) trait Engine: Send + Sync {
    /// Returns the row of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Value>, EngineError>;

    /// Returns the first rows of a range that is not empty, at most `range.limit`, the smallest key
    /// first. No write is seen in part.
    fn scan(&self, range: &Range) -> Result<Vec<(Key, Value)>, EngineError>;

    /// Makes all changes or none; a key occurs once. When it returns, they survive a power cut.
    /// After an error it is not known which of the two happened.
    fn write(&self, changes: &[RowChange]) -> Result<(), EngineError>;

    /// Closes the files and opens them again: what is read afterwards is what is on the disk.
    fn reopen(&self) -> Result<(), EngineError>;

    /// Closes the files. When it returns, no thread of the engine changes them any more; later
    /// calls are errors.
    fn close(&self) -> Result<(), EngineError>;
}

/// Failure of an engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EngineError {
    /// The disk, or a quota on it, is full.
    #[error("no space: {0}")]
    NoSpace(String),
    /// The disk refused otherwise.
    #[error("{0}")]
    Io(String),
    /// The files do not hold what the engine wrote.
    #[error("damaged: {0}")]
    Corrupt(String),
}

impl From<&io::Error> for EngineError {
    fn from(error: &io::Error) -> Self {
        let is_full =
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        if is_full { Self::NoSpace(error.to_string()) } else { Self::Io(error.to_string()) }
    }
}

impl EngineError {
    /// Failure of a read, as callers of the store see it.
    pub(crate) fn on_read(self) -> StoreError {
        match self {
            Self::NoSpace(why) | Self::Io(why) => StoreError::Unreadable(why),
            Self::Corrupt(why) => StoreError::Damaged(why),
        }
    }
}
