//! Opens a data directory's store: lock, root key, header, engine, head, check of all rows, seal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use support::durable_fs;

use super::data_directory::{DataDirectory, Files};
use super::engine::open::open_engine;
use super::engine::{Engine, EngineError};
use super::failure_signal::FailureWatch;
use super::free_space::FreeSpace;
use super::head_file::HeadFile;
use super::header::{FORMAT_VERSION, Header, StoreId};
use super::integrity::{Head, Integrity, Place};
use super::key_source::{KEY_FILE, KeySource};
use super::local_store::LocalStore;
use super::record_seal::Seal;
use super::root_key::IndexKey;
use super::sealed_store::SealedStore;
use super::verify::{HEAD_KEY, Verdict, verify};
use super::view::record;
use super::{KEY_FIRST, OpenError, Range, Store};
use crate::config::{CreateStore, Engine as EngineName, FREE_SPACE_RESERVE_MIB};

/// Most keys of unreadable rows that a report names.
const NAMED_MAX: usize = 20;

/// Rows read at once.
const PAGE: usize = 1024;

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
            accept_loss: false,
        }
    }
}

/// An open store.
pub struct OpenStore {
    /// The records.
    pub store: Arc<dyn Store>,
    /// The key for what goes into the keys of index rows.
    pub index_key: IndexKey,
    /// Reports when the store has stopped and the program must end.
    pub health: FailureWatch,
}

/// Opens the store, and creates it if there is none.
pub async fn open(settings: StoreSettings) -> Result<OpenStore, OpenError> {
    // Opening reads every row.
    let opened = tokio::task::spawn_blocking(move || open_blocking(&settings)).await;
    opened.map_err(|panic| OpenError::Thread(io::Error::other(panic)))?
}

fn open_blocking(settings: &StoreSettings) -> Result<OpenStore, OpenError> {
    let (directory, header) = open_header(settings)?;
    let files = directory.files();
    let lacks_key = || OpenError::Header(files.header.clone());
    let integrity = Integrity::new(&header.keys, header.store_id).ok_or_else(lacks_key)?;
    let seal = Seal::new(&header.keys).ok_or_else(lacks_key)?;
    let index_key = header.keys.index_key().ok_or_else(lacks_key)?;
    let space = FreeSpace::new(&settings.data, &files.reserve, settings.free_space_reserve);
    let engine = open_files(header.engine, &files, &space)?;
    let rows = check_rows(settings, &files, engine, Arc::new(integrity), &seal)?;
    space.hold();
    tracing::info!(
        store = %header.store_id,
        format = FORMAT_VERSION,
        engine = %header.engine,
        group = rows.head.group,
        rows = rows.head.count,
        "the store is open"
    );
    let Rows { engine, integrity, head, head_file } = rows;
    let store = LocalStore::start(engine, integrity, head, head_file, space)?.with_lock(directory);
    let health = store.failure();
    Ok(OpenStore { store: Arc::new(SealedStore::new(store, seal)), index_key, health })
}

/// Locks the directory, creates the store if there is none and there may be one, and reads what it
/// is.
fn open_header(settings: &StoreSettings) -> Result<(DataDirectory, Header), OpenError> {
    let data = &settings.data;
    let default = KeySource::File(data.join(KEY_FILE));
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
        check_store_id(&id_file, header.store_id, is_made || settings.key.is_none())?;
    }
    if header.engine != settings.engine {
        let (made, set) = (header.engine, settings.engine);
        return Err(OpenError::OtherEngine { data: data.clone(), made, set });
    }
    Ok((directory, header))
}

/// Compares the store id with the one beside the root key. If there is none and the key file is one
/// that we made, the id is put there.
fn check_store_id(file: &Path, id: StoreId, is_ours: bool) -> Result<(), OpenError> {
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

/// Rows that were checked.
struct Rows {
    engine: Arc<dyn Engine>,
    integrity: Arc<Integrity>,
    head: Head,
    head_file: HeadFile,
}

/// Opens the engine. On a full disk, with the space that was held back for that.
fn open_files(
    name: EngineName,
    files: &Files,
    space: &FreeSpace,
) -> Result<Arc<dyn Engine>, OpenError> {
    if !files.records.is_dir() {
        return Err(OpenError::Records(files.records.clone()));
    }
    let opened = match open_engine(name, &files.records) {
        Err(EngineError::NoSpace(why)) if space.release() => {
            tracing::error!(%why, "the disk is full; the start takes the space held back for it");
            open_engine(name, &files.records)
        }
        opened => opened,
    };
    opened.map_err(|error| engine_failure(files, &error))
}

fn engine_failure(files: &Files, error: &EngineError) -> OpenError {
    let path = files.records.clone();
    match error {
        EngineError::NoSpace(why) => OpenError::NoSpace { path, why: why.clone() },
        EngineError::Io(_) | EngineError::Corrupt(_) => {
            OpenError::Engine { path, why: error.to_string() }
        }
    }
}

/// Compares the engine's rows with what must be there.
fn check_rows(
    settings: &StoreSettings,
    files: &Files,
    engine: Arc<dyn Engine>,
    integrity: Arc<Integrity>,
    seal: &Seal,
) -> Result<Rows, OpenError> {
    let failed = |error: EngineError| engine_failure(files, &error);
    let (head_file, acknowledged) = open_head_file(settings, &files.head, &integrity)?;
    let head = match verify(&*engine, &integrity, acknowledged).map_err(failed)? {
        Verdict::Whole(head) => head,
        Verdict::Incomplete { report, found } => {
            let report = format!("{report}{}", unreadable(&*engine, seal).map_err(failed)?);
            if !settings.accept_loss {
                return Err(OpenError::Incomplete { path: settings.data.clone(), report });
            }
            tracing::error!(%report, "the store has lost records, and the loss is accepted");
            let row = integrity.encode(Place::Row, &found);
            engine.write(&[(HEAD_KEY.to_vec(), Some(row))]).map_err(failed)?;
            let written = head_file.write(&found);
            written.map_err(|error| OpenError::io("write", &files.head, error))?;
            found
        }
    };
    Ok(Rows { engine, integrity, head, head_file })
}

fn open_head_file(
    settings: &StoreSettings,
    path: &Path,
    integrity: &Arc<Integrity>,
) -> Result<(HeadFile, Head), OpenError> {
    match HeadFile::open(path, Arc::clone(integrity)) {
        Err(OpenError::HeadFile(_)) if settings.accept_loss => {
            let file = path.display();
            tracing::error!(%file, "the head file is lost, and the loss is accepted");
            HeadFile::create(path, integrity, &Head::default())
                .map_err(|error| OpenError::io("make", path, error))?;
            HeadFile::open(path, Arc::clone(integrity))
        }
        opened => opened,
    }
}

/// Names the rows whose seal does not open, for a report.
fn unreadable(engine: &dyn Engine, seal: &Seal) -> Result<String, EngineError> {
    let (mut count, mut names) = (0_usize, Vec::new());
    let mut range = Range { from: vec![KEY_FIRST], to: Vec::new(), limit: PAGE };
    loop {
        let page = engine.scan(&range)?;
        let last = page.last().filter(|_| page.len() >= PAGE).map(|(key, _)| key.clone());
        for (key, row) in page {
            if record(row).and_then(|record| seal.open(&key, record)).is_ok() {
                continue;
            }
            count = count.saturating_add(1);
            if names.len() < NAMED_MAX {
                names.push(key.escape_ascii().to_string());
            }
        }
        match last {
            Some(last) => range = range.beyond(&last),
            None if count == 0 => return Ok(String::new()),
            None => return Ok(format!("; {count} do not open: {}", names.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests;
