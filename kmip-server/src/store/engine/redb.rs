//! redb 4: one table, one transaction a group.
//!
//! A commit is durable when it returns (`Durability::Immediate`), in two phases, so that no write
//! of a client's bytes can forge the checksum of a commit slot.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use ::redb::{Database, Durability, ReadableDatabase, TableDefinition};
use support::durable_fs;

use super::{Engine, EngineError, RowChange, Value};
use crate::store::{Key, Range};

/// Name of the file.
const FILE: &str = "redb";

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// Rows in a file of redb.
pub(crate) struct RedbEngine {
    path: PathBuf,
    /// Empty after a failed reopen, and once it is closed.
    database: RwLock<Option<Database>>,
}

impl RedbEngine {
    /// Opens the rows in a directory, and creates their file if there is none.
    pub(crate) fn open(directory: &Path) -> Result<Self, EngineError> {
        durable_fs::create_dir_all(directory).map_err(|error| EngineError::from(&error))?;
        let path = directory.join(FILE);
        let database = run(|| open_database(&path))?;
        Ok(Self { path, database: RwLock::new(Some(database)) })
    }

    fn database(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a database, checks every checksum in it, and creates the table if there is none.
fn open_database(path: &Path) -> Result<Database, ::redb::Error> {
    let is_new = !path.exists();
    let mut database = Database::create(path)?;
    if !is_new && !database.check_integrity()? {
        tracing::error!(path = %path.display(), "redb found damage and repaired its file");
    }
    if is_new {
        let transaction = database.begin_write()?;
        transaction.open_table(ROWS)?;
        transaction.commit()?;
    }
    Ok(database)
}

fn opened(database: &Option<Database>) -> Result<&Database, ::redb::Error> {
    database.as_ref().ok_or(::redb::Error::DatabaseClosed)
}

/// Runs a step of redb.
fn run<T>(step: impl FnOnce() -> Result<T, ::redb::Error>) -> Result<T, EngineError> {
    step().map_err(|error| failure(&error))
}

/// Failure of redb as the store takes it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enumeration grows with redb")]
fn failure(error: &::redb::Error) -> EngineError {
    match error {
        ::redb::Error::Io(error) => EngineError::from(error),
        ::redb::Error::Corrupted(why) => EngineError::Corrupt(why.clone()),
        ::redb::Error::PreviousIo | ::redb::Error::DatabaseClosed => {
            EngineError::Io(error.to_string())
        }
        _ => EngineError::Corrupt(error.to_string()),
    }
}

impl Engine for RedbEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, EngineError> {
        let database = self.database();
        run(|| {
            let table = opened(&database)?.begin_read()?.open_table(ROWS)?;
            Ok(table.get(key)?.map(|row| row.value().to_vec()))
        })
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Value)>, EngineError> {
        let database = self.database();
        run(|| {
            let table = opened(&database)?.begin_read()?.open_table(ROWS)?;
            let rows = table.range::<&[u8]>(range.bounds())?;
            let owned = |row: Result<_, ::redb::StorageError>| {
                let (key, row): (::redb::AccessGuard<'_, &[u8]>, ::redb::AccessGuard<'_, &[u8]>) =
                    row?;
                Ok((key.value().to_vec(), row.value().to_vec()))
            };
            rows.take(range.limit).map(owned).collect()
        })
    }

    fn write(&self, changes: &[RowChange]) -> Result<(), EngineError> {
        let database = self.database();
        run(|| {
            let mut transaction = opened(&database)?.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.set_two_phase_commit(true);
            transaction.set_quick_repair(true);
            {
                let mut table = transaction.open_table(ROWS)?;
                for (key, row) in changes {
                    match row {
                        Some(row) => drop(table.insert(key.as_slice(), row.as_slice())?),
                        None => drop(table.remove(key.as_slice())?),
                    }
                }
            }
            Ok(transaction.commit()?)
        })
    }

    fn reopen(&self) -> Result<(), EngineError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        run(|| {
            drop(database.take());
            *database = Some(open_database(&self.path)?);
            Ok(())
        })
    }

    fn close(&self) -> Result<(), EngineError> {
        let database = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        run(|| opened(&database).map(drop))
    }
}
