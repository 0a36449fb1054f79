//! Why a store did not open: one sentence that says what is wrong and what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system refused.
    #[error("cannot {what} {}: {why}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// Another process has it.
    #[error(
        "the store in {} is in use by another process: stop that one, or give this one a directory \
         of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// The engine refused.
    #[error("the store in {} does not open: {why}; restore it from a backup", path.display())]
    Engine {
        /// Where it is.
        path: PathBuf,
        /// What the engine said.
        why: String,
    },
    /// The log lacks what it must have.
    #[error(
        "the log of the store in {} is damaged: its frame {number} was acknowledged and is not \
         there; restore the store from a backup",
        path.display()
    )]
    Log {
        /// Where it is.
        path: PathBuf,
        /// The number of the frame.
        number: u64,
    },
    /// The engine put a value where it is not durable.
    #[error(
        "{} is not empty: this store was written by another program, and values there are not \
         safe from a power cut; restore the store from a backup",
        .0.display()
    )]
    Blobs(PathBuf),
    /// The root key cannot be had.
    #[error("the root key in {place} {why}")]
    RootKey {
        /// Where it is or should be.
        place: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The root key is another one.
    #[error(
        "the records were sealed under another root key than the one in {place}: give the key that \
         the store was made with"
    )]
    WrongKey {
        /// Where the key came from.
        place: String,
    },
    /// There are records, but none that was sealed.
    #[error("the store holds records that were not sealed: it is not a store of this program")]
    NotSealed,
    /// Two made it at once.
    #[error("another process made the store at the same moment: start this one again")]
    SetUpTwice,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    pub(crate) fn io(what: &'static str, path: &Path, why: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), why }
    }
}
