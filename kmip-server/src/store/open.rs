//! Opens a data directory's store: lock, root key, header, engine, head, check of all rows, seal.

pub(crate) mod rows;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use support::durable_fs;

use self::rows::{Known, Rows, open_rows};
use super::background_check::{CheckSignal, CheckWatch};
use super::data_directory::DataDirectory;
use super::failure_signal::FailureWatch;
use super::free_space::FreeSpace;
use super::header::{FORMAT_VERSION, Header, RECORD_FORMAT, StoreId};
use super::integrity::Integrity;
use super::key_source::KeySource;
use super::local_store::LocalStore;
use super::record_seal::Seal;
use super::root_key::IndexKey;
use super::sealed_store::SealedStore;
use super::{OpenError, Store, StoreSettings};
use crate::config::{CreateStore, Engine as EngineName};

/// An open store.
pub struct OpenStore {
    /// The records.
    pub store: Arc<dyn Store>,
    /// The key for what goes into the keys of index rows.
    pub index_key: IndexKey,
    /// Reports when the store has stopped and the program must end.
    pub health: FailureWatch,
    /// Reports the last check of all rows; `None` for a store in memory.
    pub last_check: Option<CheckWatch>,
}

/// Opens the store, and creates it if there is none.
pub async fn open(settings: StoreSettings) -> Result<OpenStore, OpenError> {
    // Opening reads every row.
    let opened = tokio::task::spawn_blocking(move || open_blocking(&settings)).await;
    opened.map_err(|panic| OpenError::Thread(io::Error::other(panic)))?
}

fn open_blocking(settings: &StoreSettings) -> Result<OpenStore, OpenError> {
    let unlocked = unlock(settings, Some(settings.engine))?;
    let (rows, space) = unlocked.open_rows(settings)?;
    space.hold();
    let Unlocked { directory, header, integrity, seal, index_key, .. } = unlocked;
    tracing::info!(
        store = %header.store_id,
        format = FORMAT_VERSION,
        records = RECORD_FORMAT,
        engine = %header.engine,
        group = rows.head.group,
        rows = rows.head.count,
        "the store is open"
    );
    let (signal, last_check) = CheckSignal::new();
    let mut store = LocalStore::start(rows, integrity, space)?.with_directory(directory);
    if let Some(interval) = settings.check_interval {
        store = store.with_checks(interval, signal)?;
    }
    let health = store.failure();
    let store = Arc::new(SealedStore::new(store, seal));
    Ok(OpenStore { store, index_key, health, last_check: Some(last_check) })
}

/// Store of a directory that this process has locked, with its keys.
pub(super) struct Unlocked {
    pub(super) directory: DataDirectory,
    pub(super) header: Header,
    pub(super) integrity: Arc<Integrity>,
    pub(super) seal: Seal,
    index_key: IndexKey,
    is_new: bool,
}

impl Unlocked {
    /// Opens the engine and checks its rows.
    pub(super) fn open_rows(
        &self,
        settings: &StoreSettings,
    ) -> Result<(Rows, FreeSpace), OpenError> {
        let files = self.directory.files();
        let space = FreeSpace::new(&settings.data, &files.reserve, settings.free_space_reserve);
        let (integrity, seal) = (&self.integrity, &self.seal);
        let known = Known { integrity, seal, is_new: self.is_new };
        let rows = open_rows(settings, &files, self.header.engine, known, &space)?;
        Ok((rows, space))
    }
}

/// Locks the store, and creates it if there is none and there may be one. It must have been made
/// with this engine, if one is given.
pub(super) fn unlock(
    settings: &StoreSettings,
    engine: Option<EngineName>,
) -> Result<Unlocked, OpenError> {
    let (directory, header, is_new) = open_header(settings)?;
    if let Some(set) = engine.filter(|engine| *engine != header.engine) {
        let (data, made) = (settings.data.clone(), header.engine);
        return Err(OpenError::OtherEngine { data, made, set });
    }
    let lacks_key = || OpenError::Header(directory.files().header);
    let integrity = Integrity::new(&header.keys, header.store_id).ok_or_else(lacks_key)?;
    let seal = Seal::new(&header.keys).ok_or_else(lacks_key)?;
    let index_key = header.keys.index_key().ok_or_else(lacks_key)?;
    Ok(Unlocked { directory, header, integrity: Arc::new(integrity), seal, index_key, is_new })
}

/// Locks the directory, creates the store if there is none and there may be one, and reads what it
/// is. The last value tells whether it was created.
fn open_header(settings: &StoreSettings) -> Result<(DataDirectory, Header, bool), OpenError> {
    let data = &settings.data;
    let default = KeySource::in_directory(data);
    let key = settings.key.as_ref().unwrap_or(&default);
    let may_create = settings.create == CreateStore::Auto;
    if !may_create && !data.is_dir() {
        return Err(OpenError::NotCreated(data.clone()));
    }
    let directory = DataDirectory::lock(data, may_create)?;
    let is_new = directory.is_new()?;
    if is_new && !may_create {
        return Err(OpenError::NotCreated(data.clone()));
    }
    let id_file = key.store_id_file();
    if is_new && let Some(id_file) = id_file.as_ref().filter(|file| file.exists()) {
        return Err(OpenError::NotMounted { data: data.clone(), id_file: id_file.clone() });
    }
    let (root_key, is_made) = key.root_key(is_new)?;
    if is_new {
        directory.create(&Header::generate(settings.engine)?, &root_key)?;
    }
    let path = directory.files().header;
    let header = Header::read(&path, &root_key, &key.place())?;
    let header = header.ok_or(OpenError::Header(path))?;
    if let Some(id_file) = id_file {
        let is_ours = may_create && (is_made || settings.key.is_none());
        check_store_id(&id_file, header.store_id, is_ours)?;
    }
    Ok((directory, header, is_new))
}

/// Compares the store id with the one beside the root key. If there is none and the key file is one
/// that we made, the id is put there.
pub(super) fn check_store_id(file: &Path, id: StoreId, is_ours: bool) -> Result<(), OpenError> {
    match fs::read_to_string(file) {
        Ok(found) if found.trim() == id.to_string() => Ok(()),
        Ok(_) => Err(OpenError::OtherStore { id_file: file.to_owned(), id: id.to_string() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if is_ours
                && let Err(why) = durable_fs::replace_file(file, format!("{id}\n").as_bytes())
            {
                // A start on a full disk goes on.
                let file = file.display();
                tracing::warn!(%file, %why, "the store id cannot be kept beside the root key");
            }
            Ok(())
        }
        Err(error) => Err(OpenError::io("read", file, error)),
    }
}

#[cfg(test)]
mod tests;
