//! Data directory of a store: created whole or not at all, and used by one process at a time.
//!
//! ```text
//! <data>/lock              held while a process uses the store
//! <data>/store.key         root key, unless it is elsewhere;  store.key.store-id beside it
//! <data>/store/header      what the store is
//! <data>/store/head        what was acknowledged last
//! <data>/store/records/    the engine's files
//! <data>/store/reserve     space for a start on a full disk
//! <data>/store/stopped     list of the engine's files after a clean stop
//! <data>/store/evidence/   copy of the engine's files while a start checks them
//! ```
//!
//! ```text
//! store.new/ filled -> closed -> every file and directory synced -> renamed to store/ -> synced
//! ```
//!
//! A power cut before the rename leaves a `store.new` in which nothing was acknowledged: it is
//! removed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use support::durable_fs::{self, sync_tree};

use super::OpenError;
use super::engine::open::open_engine;
use super::engine::{Engine, EngineError};
use super::head_file::HeadFile;
use super::header::Header;
use super::integrity::{Head, Integrity, Place};
use super::root_key::RootKey;
use super::verify::HEAD_KEY;

/// Directory that this process alone uses.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

/// Names of a store's files.
pub(crate) struct Files {
    pub(crate) header: PathBuf,
    pub(crate) head: PathBuf,
    pub(crate) records: PathBuf,
    pub(crate) reserve: PathBuf,
    pub(crate) stopped: PathBuf,
    pub(crate) evidence: PathBuf,
}

impl Files {
    fn of(store: &Path) -> Self {
        Self {
            header: store.join("header"),
            head: store.join("head"),
            records: store.join("records"),
            reserve: store.join("reserve"),
            stopped: store.join("stopped"),
            evidence: store.join("evidence"),
        }
    }
}

/// Refuses a directory in which others could put files of their own in the place of the store's.
fn check_mode(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.mode() & 0o777;
    match mode & 0o022 {
        0 => Ok(()),
        _ => Err(io::Error::other(format!(
            "others than its owner can change its files (mode {mode:03o}); chmod it to 700"
        ))),
    }
}

impl DataDirectory {
    /// Takes the directory for this process, and creates it if `create` says so.
    pub(crate) fn lock(path: &Path, create: bool) -> Result<Self, OpenError> {
        if create {
            durable_fs::create_dir_all(path).map_err(|error| OpenError::io("make", path, error))?;
        }
        check_mode(path).map_err(|error| OpenError::io("use", path, error))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| OpenError::io("open", &lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(OpenError::io("lock", &lock_path, error)),
        }
    }

    /// Tells whether a directory is this one, or in it.
    pub(crate) fn contains(&self, path: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        real(path).starts_with(real(&self.path))
    }

    fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    /// Returns the names of the store's files.
    pub(crate) fn files(&self) -> Files {
        Files::of(&self.store())
    }

    /// Tells whether there is no store yet. A store of an unknown form is an error.
    pub(crate) fn is_new(&self) -> Result<bool, OpenError> {
        // The form of before format version 1.
        if self.path.join("records").exists() || self.path.join("log.0").exists() {
            return Err(OpenError::OldStore(self.path.clone()));
        }
        Ok(!self.store().exists())
    }

    /// Creates the empty store that the header describes.
    pub(crate) fn create(&self, header: &Header, root: &RootKey) -> Result<(), OpenError> {
        self.create_with(header, root, |_, _| Ok(Head::default()))
    }

    /// Creates the store that the header describes, with the rows that `fill` writes and returns
    /// the head of. It is there whole or not at all.
    pub(crate) fn create_with(
        &self,
        header: &Header,
        root: &RootKey,
        fill: impl FnOnce(&dyn Engine, &Integrity) -> Result<Head, OpenError>,
    ) -> Result<(), OpenError> {
        let new = self.path.join("store.new");
        self.remove_new()?;
        durable_fs::create_dir_all(&new).map_err(|error| OpenError::io("make", &new, error))?;
        let files = Files::of(&new);
        let integrity = Integrity::new(&header.keys, header.store_id).ok_or(OpenError::NoRandom)?;
        let failed = |error: EngineError| OpenError::engine(&files.records, &error);
        let engine = open_engine(header.engine, &files.records).map_err(failed)?;
        let head = fill(&*engine, &integrity)?;
        let row = integrity.encode(Place::Row, &head);
        engine.write(&[(HEAD_KEY.to_vec(), Some(row))]).map_err(failed)?;
        engine.close().map_err(failed)?;
        HeadFile::create(&files.head, &integrity, &head)
            .map_err(|error| OpenError::io("make", &files.head, error))?;
        header.write(&files.header, root)?;
        let store = self.store();
        sync_tree(&new)
            .and_then(|()| durable_fs::rename(&new, &store))
            .map_err(|error| OpenError::io("make", &store, error))
    }

    /// Removes a store whose creation was interrupted.
    pub(crate) fn remove_new(&self) -> Result<(), OpenError> {
        let new = self.path.join("store.new");
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(OpenError::io("remove", &new, error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
