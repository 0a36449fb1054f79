//! Files of sled in a directory: opened so that what can be read of them is durable.
//!
//! ```text
//! conf, db, blobs/, snap.*   sled's own
//! quarantine/                snapshots that were damaged; nothing is ever deleted
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::durable_fs::{self, sync};

use crate::store::engine::EngineError;

/// Segment length, fixed at creation. It holds the largest leaf of the longest parts
/// ([`super::chunks`]) twice over: sled puts what is above a quarter of a segment into a blob file.
const SEGMENT_LEN: usize = 8 << 20;

/// Interval of sled's own cleaning of segments. It is not what makes a commit durable.
const CLEAN_EVERY_MS: u64 = 500;

/// How long the threads of a sled that was just closed may hold its file.
const CLOSING: Duration = Duration::from_secs(5);

/// Pause between two looks at whether they do.
const CLOSING_STEP: Duration = Duration::from_millis(5);

/// Open files of sled.
pub(super) struct Files {
    pub(super) db: ::sled::Db,
    /// Our own handle of its log.
    log: File,
}

impl Files {
    /// Opens the files, and creates them if there are none.
    pub(super) fn open(directory: &Path) -> Result<Self, EngineError> {
        durable_fs::create_dir_all(directory).map_err(|error| EngineError::from(&error))?;
        let path = directory.join("db");
        // A process that was killed left what it wrote in the page cache. sled reads it, and writes
        // and syncs a snapshot of it: what a snapshot tells of must be on the disk.
        if path.exists() {
            sync_data(&path).map_err(|error| EngineError::from(&error))?;
        }
        let db = match open_db(directory) {
            Err(::sled::Error::Corruption { at: None, .. }) => {
                quarantine_snapshots(directory).map_err(|error| EngineError::from(&error))?;
                open_db(directory)
            }
            other => other,
        }
        .map_err(failure)?;
        let log = File::open(&path).map_err(|error| EngineError::from(&error))?;
        let files = Self { db, log };
        files.make_durable()?;
        refuse_blobs(directory)?;
        Ok(files)
    }

    /// Closes the files, and waits until sled's threads have let go of them.
    pub(super) fn close(self) -> Result<(), EngineError> {
        let Self { db, log } = self;
        db.flush().map_err(failure)?;
        drop(db);
        let deadline = Instant::now().checked_add(CLOSING);
        loop {
            match log.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock)
                    if deadline.is_some_and(|deadline| Instant::now() < deadline) =>
                {
                    std::thread::sleep(CLOSING_STEP);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(EngineError::Io("its threads did not end".to_owned()));
                }
                Err(TryLockError::Error(error)) => return Err(EngineError::from(&error)),
            }
        }
    }

    /// Makes durable what was written. sled's flush alone does not.
    pub(super) fn make_durable(&self) -> Result<(), EngineError> {
        self.db.flush().map_err(failure)?;
        self.log.sync_data().map_err(|error| EngineError::from(&error))
    }
}

/// Failure of sled as the store takes it.
pub(super) fn failure(error: ::sled::Error) -> EngineError {
    match error {
        ::sled::Error::Io(error) => EngineError::from(&error),
        ::sled::Error::Corruption { .. } => {
            EngineError::Corrupt("the engine found a wrong checksum".to_owned())
        }
        error @ (::sled::Error::CollectionNotFound(_)
        | ::sled::Error::Unsupported(_)
        | ::sled::Error::ReportableBug(_)) => EngineError::Corrupt(error.to_string()),
    }
}

fn sync_data(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_data()
}

fn open_db(directory: &Path) -> ::sled::Result<::sled::Db> {
    let config = ::sled::Config::new()
        .path(directory)
        .segment_size(SEGMENT_LEN)
        .flush_every_ms(Some(CLEAN_EVERY_MS));
    let deadline = Instant::now().checked_add(CLOSING);
    loop {
        match config.open() {
            // The store's own lock is held, so it is a thread of a sled that this process has just
            // closed that still holds the file. There is nothing to wait on but the file itself.
            Err(::sled::Error::Io(error))
                if error.to_string().starts_with("could not acquire lock")
                    && deadline.is_some_and(|deadline| Instant::now() < deadline) =>
            {
                std::thread::sleep(CLOSING_STEP);
            }
            other => return other,
        }
    }
}

/// Puts damaged snapshots aside. A snapshot is only a short cut: without it sled reads its log.
fn quarantine_snapshots(directory: &Path) -> io::Result<()> {
    let quarantine = directory.join("quarantine");
    durable_fs::create_dir_all(&quarantine)?;
    let mut moved: usize = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b"snap.") {
            fs::rename(entry.path(), free_name(&quarantine, &entry.file_name()))?;
            moved = moved.saturating_add(1);
        }
    }
    sync(&quarantine)?;
    sync(directory)?;
    tracing::error!(
        moved,
        quarantine = %quarantine.display(),
        "a snapshot of the store is damaged; it was put aside and is built anew from the log"
    );
    Ok(())
}

/// Returns a name that no file in quarantine has, so that none is overwritten.
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

fn refuse_blobs(directory: &Path) -> Result<(), EngineError> {
    let blobs = directory.join("blobs");
    let mut files = fs::read_dir(&blobs).map_err(|error| EngineError::from(&error))?;
    match files.next() {
        None => Ok(()),
        Some(_) => Err(EngineError::Corrupt(format!(
            "{} is not empty: values there are not safe from a power cut",
            blobs.display()
        ))),
    }
}
