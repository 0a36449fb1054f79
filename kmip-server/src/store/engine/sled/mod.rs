//! sled 0.34.7, used so that what was acknowledged is on the disk.
//!
//! sled's own `flush` does not call fsync on Linux, and loses acknowledged writes when the power
//! goes. These rules lose none; `tests/powerloss` fails without them:
//!
//! 1. One tree.
//! 2. One merged batch a group, `flush`, then fdatasync on a handle of our own.
//! 3. Files and directories are synced after their creation (by the creator of the store).
//! 4. Segments of 8 MiB, so that a leaf is never too large for sled's log ([`files`]).
//! 5. No row above 60 KiB ([`chunks`]), and `blobs/` stays empty ([`files`]).
//! 6. A damaged snapshot is put aside and built anew from sled's log ([`files`]).
//! 7. After a failed write nothing is written until the files were opened again.
//! 8. Nothing of sled is in the rows that a scan gives: an export is a scan.

mod chunks;
mod files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use self::files::{Files, failure};
use super::{Engine, EngineError, RowChange, Value};
use crate::store::{Key, Range};

/// Rows in a directory of sled.
pub(crate) struct SledEngine {
    directory: PathBuf,
    /// Empty after a failed reopen, and once it is closed.
    files: RwLock<Option<Files>>,
    /// Held by readers of a page or of a row of several parts, which must be of one moment, and
    /// by the writer while a batch is applied.
    moment: RwLock<()>,
}

impl SledEngine {
    /// Opens the rows in a directory, and creates its files if there are none.
    pub(crate) fn open(directory: &Path) -> Result<Self, EngineError> {
        let files = RwLock::new(Some(Files::open(directory)?));
        Ok(Self { directory: directory.to_owned(), files, moment: RwLock::default() })
    }

    fn files(&self) -> RwLockReadGuard<'_, Option<Files>> {
        self.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> RwLockReadGuard<'_, ()> {
        self.moment.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn opened(files: &Option<Files>) -> Result<&Files, EngineError> {
    files.as_ref().ok_or_else(closed)
}

fn closed() -> EngineError {
    EngineError::Io("its files are closed".to_owned())
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, EngineError> {
        let files = self.files();
        let db = &opened(&files)?.db;
        let Some(first) = db.get(key).map_err(failure)? else { return Ok(None) };
        if let Some(row) = chunks::whole(&first) {
            return Ok(Some(row));
        }
        let _moment = self.moment();
        let first = db.get(key).map_err(failure)?;
        first.map(|first| chunks::join(db, key, &first)).transpose()
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Value)>, EngineError> {
        let files = self.files();
        let db = &opened(&files)?.db;
        let _moment = self.moment();
        let rows = db.range::<&[u8], _>(range.bounds());
        let whole = |row: ::sled::Result<(::sled::IVec, ::sled::IVec)>| {
            let (key, first) = row.map_err(failure)?;
            let value = chunks::join(db, &key, &first)?;
            Ok((key.to_vec(), value))
        };
        rows.take(range.limit).map(whole).collect()
    }

    fn write(&self, changes: &[RowChange]) -> Result<(), EngineError> {
        let files = self.files();
        let files = opened(&files)?;
        let batch = chunks::batch(&files.db, changes)?;
        {
            let _moment = self.moment.write().unwrap_or_else(PoisonError::into_inner);
            files.db.apply_batch(batch).map_err(failure)?;
        }
        files.make_durable()
    }

    fn reopen(&self) -> Result<(), EngineError> {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        drop(files.take());
        *files = Some(Files::open(&self.directory)?);
        Ok(())
    }

    fn close(&self) -> Result<(), EngineError> {
        let files = self.files.write().unwrap_or_else(PoisonError::into_inner).take();
        files.map_or_else(|| Err(closed()), Files::close)
    }
}
