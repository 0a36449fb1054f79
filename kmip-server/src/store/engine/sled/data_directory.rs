//! The directory of the store: made whole or not at all, and used by one process at a time.
//!
//! ```text
//! <directory>/lock          held while a process uses the store
//! <directory>/records/      the engine's own: conf, db, blobs/, snap.*
//! <directory>/log.0, log.1  what is acknowledged and may not be in the engine yet ([`super::log`])
//! <directory>/quarantine/   snapshots that were damaged; nothing is ever deleted
//! ```
//!
//! ```text
//! records.new/ made -> closed -> every file and directory synced -> renamed to records/ -> synced
//! ```
//!
//! A power cut before the rename leaves a `records.new` that nobody was told of: it is removed.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::durable_fs::{self, sync, sync_tree};

use super::layer::Rows;
use super::log::Log;
use super::settler::settle;
use super::tree::Tree;
use crate::store::OpenError;

/// Segment length, fixed when the store is made. It holds the largest leaf of rows of
/// [`super::row_format::ROW_LEN_MAX`] four times over: the engine puts what is above a quarter of a
/// segment into a blob file, which it never syncs.
const SEGMENT_LEN: usize = 8 << 20;

/// How often the engine's own thread cleans its segments. It is not what makes a commit durable.
const CLEAN_EVERY_MS: u64 = 500;

/// How long the engine's threads of a store that was just closed may hold its file.
const CLOSING: Duration = Duration::from_secs(5);

/// A directory that this process alone uses.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: File,
}

/// An open engine, in which is all that was acknowledged.
pub(super) struct Open {
    pub(super) tree: Tree,
    /// Our own handle of its file.
    pub(super) file: File,
    pub(super) log: Log,
}

impl Directory {
    /// Takes the directory for this process, and makes it if there is none.
    pub(crate) fn lock(path: &Path) -> Result<Self, OpenError> {
        durable_fs::create_dir_all(path).map_err(|error| OpenError::io("make", path, error))?;
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

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it holds no store yet.
    pub(crate) fn is_new(&self) -> bool {
        !self.records().exists()
    }

    fn records(&self) -> PathBuf {
        self.path.join("records")
    }

    /// Opens the engine, so that what can be read of it is durable.
    pub(super) fn open(&self) -> Result<Open, OpenError> {
        if self.is_new() {
            self.create()?;
        }
        let records = self.records();
        let path = records.join("db");
        let file = File::open(&path).map_err(|error| OpenError::io("open", &path, error))?;
        let sync = || file.sync_data().map_err(|error| OpenError::io("sync", &path, error));
        // A process that was killed left what it wrote in the page cache. The engine reads it, and
        // writes a snapshot of it that it syncs: what a snapshot tells of must be on the disk.
        sync()?;
        let tree = match open_engine(&records) {
            Err(sled::Error::Corruption { at: None, .. }) => {
                self.quarantine_snapshots()?;
                open_engine(&records)
            }
            other => other,
        }
        .map(Tree::new)
        .map_err(|error| self.failed(&error))?;
        sync()?;
        self.refuse_blobs()?;
        let log = self.read_log(&tree, &file)?;
        Ok(Open { tree, file, log })
    }

    /// Puts into the tree what the log has and the tree may lack. A store without a log, as they
    /// were once, is one whose log tells of nothing.
    fn read_log(&self, tree: &Tree, file: &File) -> Result<Log, OpenError> {
        let (mut log, rows) = Log::open(&self.path)?;
        if !rows.is_empty() {
            let rows: Rows = rows.into_iter().collect();
            settle(tree, rows.into_iter(), &mut || file.sync_data())?;
            log.forget()?;
            let synced = log.active_file().sync_data();
            synced.map_err(|error| OpenError::io("sync the log of", &self.path, error))?;
        }
        Ok(log)
    }

    fn create(&self) -> Result<(), OpenError> {
        let new = self.path.join("records.new");
        match fs::remove_dir_all(&new) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(OpenError::io("remove", &new, error)),
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&new)
            .map_err(|error| OpenError::io("make", &new, error))?;
        drop(open_engine(&new).map_err(|error| self.failed(&error))?);
        sync_tree(&new)
            .and_then(|()| durable_fs::rename(&new, &self.records()))
            .map_err(|error| OpenError::io("make", &self.records(), error))
    }

    /// A snapshot is only a short cut: without it the engine reads its whole log.
    fn quarantine_snapshots(&self) -> Result<(), OpenError> {
        let quarantine = self.path.join("quarantine");
        durable_fs::create_dir_all(&quarantine)
            .map_err(|error| OpenError::io("make", &quarantine, error))?;
        let records = self.records();
        let moved = move_snapshots(&records, &quarantine)
            .map_err(|error| OpenError::io("move the snapshots of", &records, error))?;
        tracing::error!(
            moved,
            quarantine = %quarantine.display(),
            "a snapshot of the store is damaged; it was put aside and is built anew from the log"
        );
        Ok(())
    }

    fn refuse_blobs(&self) -> Result<(), OpenError> {
        let blobs = self.records().join("blobs");
        let mut files = fs::read_dir(&blobs).map_err(|e| OpenError::io("read", &blobs, e))?;
        if files.next().is_some() { Err(OpenError::Blobs(blobs)) } else { Ok(()) }
    }

    fn failed(&self, error: &sled::Error) -> OpenError {
        OpenError::Engine { path: self.records(), why: error.to_string() }
    }
}

fn open_engine(records: &Path) -> sled::Result<sled::Db> {
    let config = sled::Config::new()
        .path(records)
        .segment_size(SEGMENT_LEN)
        .flush_every_ms(Some(CLEAN_EVERY_MS));
    let deadline = Instant::now().checked_add(CLOSING);
    loop {
        match config.open() {
            // The lock of the directory is ours, so it is a thread of an engine that this process
            // has just closed that still holds the file. It will let go; there is nothing to wait
            // on but the file itself.
            Err(sled::Error::Io(error))
                if error.to_string().starts_with("could not acquire lock")
                    && deadline.is_some_and(|deadline| Instant::now() < deadline) =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

fn move_snapshots(records: &Path, quarantine: &Path) -> io::Result<usize> {
    let mut moved: usize = 0;
    for entry in fs::read_dir(records)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b"snap.") {
            fs::rename(entry.path(), free_name(quarantine, &entry.file_name()))?;
            moved = moved.saturating_add(1);
        }
    }
    sync(quarantine)?;
    sync(records)?;
    Ok(moved)
}

/// A name that nothing in quarantine has, so that an earlier file there is not written over.
fn free_name(quarantine: &Path, name: &std::ffi::OsStr) -> PathBuf {
    let mut path = quarantine.join(name);
    let mut n: u64 = 1;
    while path.exists() {
        let mut numbered = name.to_owned();
        numbered.push(format!(".{n}"));
        path = quarantine.join(numbered);
        n = n.saturating_add(1);
    }
    path
}
