//! Why a store did not open: one sentence that says what is wrong and what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::engine::EngineError;
use super::error::StoreError;
use crate::config::Engine;

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
    /// The store is of a form that this program does not read.
    #[error(
        "the store in {} was made before format version 1, which this program cannot read: start \
         with an empty directory",
        .0.display()
    )]
    OldStore(PathBuf),
    /// The format version is another one.
    #[error(
        "{} has format version {version}, and this program knows 1: use the program that made the \
         store",
        path.display()
    )]
    FormatVersion {
        /// The header.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The rows are of another form.
    #[error(
        "{} says that the store has records of format {version}, and this program knows 1: use the \
         program that wrote them",
        path.display()
    )]
    RecordFormat {
        /// The header.
        path: PathBuf,
        /// Format of the records.
        version: u32,
    },
    /// The header is missing, or not what was written.
    #[error("the header {} is missing or damaged: restore the store from a backup", .0.display())]
    Header(PathBuf),
    /// The head file is missing, or not what was written.
    #[error(
        "the head file {} is missing or damaged, so nothing shows what was acknowledged: restore \
         the store from a backup, or start once with --accept-loss",
        .0.display()
    )]
    HeadFile(PathBuf),
    /// The engine's files are gone.
    #[error("{} is missing: restore the store from a backup", .0.display())]
    Records(PathBuf),
    /// The engine is one that this program does not have.
    #[error("{} names the engine {name:?}, which this program does not have", path.display())]
    UnknownEngine {
        /// The header.
        path: PathBuf,
        /// The engine.
        name: String,
    },
    /// The store was made with another engine than the settings name.
    #[error(
        "the store in {} was made with the engine {made}, and the settings name {set}: set engine \
         to {made}",
        data.display()
    )]
    OtherEngine {
        /// The data directory.
        data: PathBuf,
        /// The store's engine.
        made: Engine,
        /// The setting.
        set: Engine,
    },
    /// The disk is full, and the engine needs space to start.
    #[error("the store in {} does not open: {why}; free some space", path.display())]
    NoSpace {
        /// Where it is.
        path: PathBuf,
        /// What the engine said.
        why: String,
    },
    /// Acknowledged rows are not there.
    #[error(
        "the store in {} is not whole: {report}; restore it from a backup, or start once with \
         --accept-loss to go on with what is left",
        path.display()
    )]
    Incomplete {
        /// The data directory.
        path: PathBuf,
        /// What is missing.
        report: String,
    },
    /// The engine's files were changed since the last clean stop.
    #[error(
        "in {} these files are not as the last stop left them: {what}; there is no room to copy \
         them before the engine opens them: free some space, restore the store from a backup, or \
         start once with --accept-loss",
        path.display()
    )]
    Changed {
        /// Directory of the engine.
        path: PathBuf,
        /// The files.
        what: String,
    },
    /// There is no store, and none may be created.
    #[error(
        "there is no store in {}, and none may be created: is the volume mounted?",
        .0.display()
    )]
    NotCreated(PathBuf),
    /// There is no store, but its root key shows that there was one.
    #[error(
        "there is no store in {}, but {} shows that its root key has one: is the volume mounted? \
         Remove that file to create a new store",
        data.display(),
        id_file.display()
    )]
    NotMounted {
        /// The data directory.
        data: PathBuf,
        /// The file with the store id.
        id_file: PathBuf,
    },
    /// The root key belongs to another store.
    #[error("{} names another store than this one, which is {id}", id_file.display())]
    OtherStore {
        /// The file with the store id.
        id_file: PathBuf,
        /// The id of this store.
        id: String,
    },
    /// There is a store already.
    #[error("there is a store in {} already: import into an empty data folder", .0.display())]
    NotEmpty(PathBuf),
    /// An export file cannot be written or used.
    #[error("the export file {}: {why}", path.display())]
    Export {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
    /// No thread can be started.
    #[error("a thread of the store cannot be started: {0}")]
    Thread(io::Error),
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
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    /// Failure of the engine in a directory.
    pub(crate) fn engine(records: &Path, error: &EngineError) -> Self {
        let path = records.to_owned();
        match error {
            EngineError::NoSpace(why) => Self::NoSpace { path, why: why.clone() },
            EngineError::Io(_) | EngineError::Corrupt(_) => {
                Self::Engine { path, why: error.to_string() }
            }
        }
    }

    pub(crate) fn io(what: &'static str, path: &Path, why: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), why }
    }
}
