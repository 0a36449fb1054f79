//! Work on the store of a stopped server: verify it, export it, make one of an export file.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, BufWriter};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use support::durable_fs;

use super::data_directory::{DataDirectory, Files};
use super::engine::open::open_engine;
use super::engine::{Engine, EngineError};
use super::evidence::{changed_since_stop, copy_files};
use super::export_file::{ExportReader, ExportWriter, FileError, Frame, Row};
use super::head_file::HeadFile;
use super::header::{FORMAT_VERSION, Header, RECORD_FORMAT};
use super::integrity::{Head, Integrity};
use super::open::rows::unreadable;
use super::open::{Unlocked, check_store_id, unlock};
use super::record_seal::Seal;
use super::verify::{Verdict, count_rows, missing, pages, verify as compare};
use super::{KEY_FIRST, KeySource, OpenError, StoreSettings};
use crate::config::CreateStore;

/// What a store is, and what was found in it.
#[derive(Debug)]
pub struct Report {
    /// One finding a line.
    pub lines: Vec<String>,
    /// Whether everything that was acknowledged is there.
    pub is_whole: bool,
}

impl Report {
    fn push(&mut self, is_good: bool, line: String) {
        self.lines.push(line);
        self.is_whole &= is_good;
    }
}

/// Checks the store and changes nothing in it: the engine opens a copy of its files, which is made
/// in `scratch` and removed.
pub fn verify(settings: StoreSettings, scratch: &Path) -> Result<Report, OpenError> {
    let store = unlock(&existing(settings), None)?;
    let mut report = Report { lines: Vec::new(), is_whole: true };
    let Header { store_id, engine, .. } = &store.header;
    let versions = format!("format {FORMAT_VERSION}, records of format {RECORD_FORMAT}");
    report.push(true, format!("store {store_id}, {versions}, engine {engine}"));
    let files = store.directory.files();
    let changed = changed_since_stop(&files, &store.integrity);
    match changed.map_err(|error| OpenError::io("read", &files.stopped, error))? {
        None => report.push(true, "files: the last stop was not a clean one".to_owned()),
        Some(changed) if changed.is_empty() => {
            report.push(true, "files: as the last stop left them".to_owned());
        }
        Some(changed) => {
            let changed = changed.join(", ");
            report.push(true, format!("files: changed since the last stop: {changed}"));
        }
    }
    let head = head_of(&files, &store)?;
    match &head {
        Some(Head { group, count, .. }) => {
            report.push(true, format!("head file: group {group}, {count} rows"));
        }
        None => report.push(false, "head file: missing or damaged".to_owned()),
    }
    let copy = Scratch::copy(&files, scratch, &store.directory)?;
    match open_engine(*engine, &copy.0) {
        Ok(engine) => compare_rows(&*engine, &store, head, &mut report),
        Err(EngineError::Corrupt(why)) => {
            report.push(false, format!("engine: it does not open: {why}"));
        }
        Err(error) => return Err(OpenError::engine(&copy.0, &error)),
    }
    Ok(report)
}

/// Returns the head in the head file; `None` if that is lost.
fn head_of(files: &Files, store: &Unlocked) -> Result<Option<Head>, OpenError> {
    match HeadFile::open(&files.head, store.integrity.clone()) {
        Ok((_, head)) => Ok(Some(head)),
        Err(OpenError::HeadFile(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Compares the rows of an engine with the head, opens each, and closes the engine.
fn compare_rows(engine: &dyn Engine, store: &Unlocked, head: Option<Head>, report: &mut Report) {
    match compare(engine, &store.integrity, head.unwrap_or_default()) {
        Ok(Verdict::Whole(head)) => {
            report.push(true, format!("rows: all {} of group {}", head.count, head.group));
        }
        Ok(Verdict::Incomplete { report: found, .. }) => {
            report.push(false, format!("rows: {found}"));
        }
        Err(error) => report.push(false, format!("rows: they cannot be read: {error}")),
    }
    match unreadable(engine, &store.seal) {
        Ok(None) => report.push(true, "seals: all open".to_owned()),
        Ok(Some(found)) => report.push(false, format!("seals: {found}")),
        Err(error) => report.push(false, format!("seals: they cannot be read: {error}")),
    }
    // The files are a copy, which is removed.
    let _ = engine.close();
}

/// Copy of the engine's files, which is removed when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn copy(files: &Files, parent: &Path, directory: &DataDirectory) -> Result<Self, OpenError> {
        // A start that was ended while it put the files back has left them there.
        let records = [&files.records, &files.evidence].into_iter().find(|path| path.is_dir());
        let records = records.ok_or_else(|| OpenError::Records(files.records.clone()))?;
        let mut random = [0; 8];
        rand::fill(&mut random).map_err(|_| OpenError::NoRandom)?;
        let name = format!("kmip-server-store-{:016x}", u64::from_be_bytes(random));
        let path = parent.join(name);
        if directory.contains(parent) {
            let inside = io::Error::other("it is in the data folder");
            return Err(OpenError::io("copy the store to", &path, inside));
        }
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| OpenError::io("make", &path, error))?;
        let copy = Self(path);
        copy_files(records, &copy.0)
            .map_err(|error| OpenError::io("copy the store to", &copy.0, error))?;
        Ok(copy)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(why) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %why, "a copy of the store was not removed");
        }
    }
}

/// What an export or import has moved.
#[derive(Debug, PartialEq, Eq)]
pub struct Moved {
    /// Identifier of the store.
    pub store: String,
    /// Number of its last group of commits.
    pub group: u64,
    /// Count of rows.
    pub rows: u64,
}

impl Moved {
    fn new(header: &Header, head: &Head) -> Self {
        Self { store: header.store_id.to_string(), group: head.group, rows: head.count }
    }
}

/// Writes all rows of a store to a file, and reads it back. Nothing in the store is changed: the
/// engine opens a copy of its files in `scratch`. A store that is not whole is refused, unless the
/// settings accept the loss, which then is logged and in the file alone.
pub fn export(settings: StoreSettings, scratch: &Path, path: &Path) -> Result<Moved, OpenError> {
    let settings = existing(settings);
    let failed = |why: FileError| OpenError::Export { path: path.to_owned(), why: why.to_string() };
    if path.exists() {
        return Err(failed(io::Error::other("it is there already").into()));
    }
    let store = unlock(&settings, None)?;
    let files = store.directory.files();
    let acknowledged = head_of(&files, &store)?;
    if acknowledged.is_none() && !settings.accept_loss {
        return Err(OpenError::HeadFile(files.head));
    }
    let copy = Scratch::copy(&files, scratch, &store.directory)?;
    let refused = |error: EngineError| OpenError::engine(&copy.0, &error);
    let engine = open_engine(store.header.engine, &copy.0).map_err(refused)?;
    let verdict = compare(&*engine, &store.integrity, acknowledged.unwrap_or_default());
    let head = match verdict.map_err(refused)? {
        Verdict::Whole(head) => head,
        Verdict::Incomplete { report, found } if settings.accept_loss => {
            tracing::error!(%report, "the store has lost records, and the rest is exported");
            found
        }
        Verdict::Incomplete { report, .. } => {
            return Err(OpenError::Incomplete { path: settings.data, report });
        }
    };
    let new = path.with_added_extension("new");
    let file = durable_fs::create_file(&new, 0o600).map_err(|error| failed(error.into()))?;
    let written = write_file(file, &files, &*engine, &head, &store)
        .and_then(|()| check_file(&new, &head, &store))
        .and_then(|()| Ok(durable_fs::rename(&new, path)?));
    // The files are a copy, which is removed.
    let _ = engine.close();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written.map_err(failed)?;
    Ok(Moved::new(&store.header, &head))
}

fn write_file(
    file: File,
    files: &Files,
    engine: &dyn Engine,
    head: &Head,
    store: &Unlocked,
) -> Result<(), FileError> {
    let header = fs::read(&files.header)?;
    let mut writer = ExportWriter::begin(BufWriter::new(file), &header, &store.seal)?;
    pages::<FileError>(engine, |page| {
        page.iter().try_for_each(|row| writer.push(row)).map(|()| true)
    })?;
    let file = writer.end(head, &store.integrity)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(file.sync_all()?)
}

/// Reads the file back, and compares all of it with the head.
fn check_file(path: &Path, head: &Head, store: &Unlocked) -> Result<(), FileError> {
    let mut reader = ExportReader::begin(BufReader::new(File::open(path)?))?;
    let mut found = Head { group: head.group, ..Head::default() };
    let last = read_frames(&mut reader, &store.seal, &store.integrity, |rows| {
        for (key, row) in rows {
            store.integrity.replace(&mut found, key, None, Some(row));
        }
        Ok(())
    })?;
    if found == *head && last == *head { Ok(()) } else { Err(FileError::Incomplete) }
}

/// Gives the rows of all frames to `take`, and returns the head at the end.
fn read_frames(
    reader: &mut ExportReader<BufReader<File>>,
    seal: &Seal,
    integrity: &Integrity,
    mut take: impl FnMut(&[Row]) -> Result<(), FileError>,
) -> Result<Head, FileError> {
    loop {
        match reader.frame(seal, integrity)? {
            Frame::Rows(rows) => take(&rows)?,
            Frame::End(head) => return Ok(head),
        }
    }
}

/// Makes a store of an export file, under the root key of the settings and with their engine. It is
/// there whole or not at all.
pub fn import(settings: &StoreSettings, path: &Path) -> Result<Moved, OpenError> {
    let failed = |why: FileError| OpenError::Export { path: path.to_owned(), why: why.to_string() };
    let file = File::open(path).map_err(|error| failed(error.into()))?;
    let mut reader = ExportReader::begin(BufReader::new(file)).map_err(failed)?;
    let directory = DataDirectory::lock(&settings.data, true)?;
    if !directory.is_new()? {
        return Err(OpenError::NotEmpty(settings.data.clone()));
    }
    let default = KeySource::in_directory(&settings.data);
    let key = settings.key.as_ref().unwrap_or(&default);
    let (root_key, _) = key.root_key(false)?;
    let header = Header::decode(&reader.header, path, &root_key, &key.place())?;
    let store_id = header.store_id;
    let check_id = |may_write| match key.store_id_file() {
        Some(id_file) => check_store_id(&id_file, store_id, may_write),
        None => Ok(()),
    };
    check_id(false)?;
    let seal = Seal::new(&header.keys).ok_or_else(|| OpenError::Header(path.to_owned()))?;
    let header = Header { engine: settings.engine, ..header };
    let mut moved = Head::default();
    let created = directory.create_with(&header, &root_key, |engine, integrity| {
        moved = fill(engine, &mut reader, &seal, integrity).map_err(failed)?;
        Ok(moved)
    });
    if let Err(error) = created {
        // What was refused is not left behind as if it were a store.
        directory.remove_new()?;
        return Err(error);
    }
    check_id(settings.key.is_none())?;
    Ok(Moved::new(&header, &moved))
}

/// Writes all rows of an export file into an engine, and reads them back.
fn fill(
    engine: &dyn Engine,
    reader: &mut ExportReader<BufReader<File>>,
    seal: &Seal,
    integrity: &Integrity,
) -> Result<Head, FileError> {
    let head = read_frames(reader, seal, integrity, |rows| {
        if rows.iter().any(|(key, _)| key.first().is_none_or(|first| *first < KEY_FIRST)) {
            return Err(FileError::Incomplete);
        }
        let changes: Vec<_> =
            rows.iter().map(|(key, row)| (key.clone(), Some(row.clone()))).collect();
        Ok(engine.write(&changes)?)
    })?;
    match missing(&count_rows(engine, integrity)?, &head) {
        None => Ok(head),
        Some(_) => Err(FileError::Incomplete),
    }
}

/// Settings that create nothing.
fn existing(settings: StoreSettings) -> StoreSettings {
    StoreSettings { create: CreateStore::Never, ..settings }
}

#[cfg(test)]
mod tests;
