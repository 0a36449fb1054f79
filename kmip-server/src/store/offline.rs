//! Work on the store of a stopped server: verify it, export it, make one of an export file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use support::durable_fs;

use super::data_directory::{DataDirectory, Files};
use super::engine::Engine;
use super::engine::open::open_engine;
use super::evidence::{self, changed_since_stop, copy_files};
use super::export_file::{ExportReader, ExportWriter, FileError, Frame, Row};
use super::head_file::HeadFile;
use super::header::{FORMAT_VERSION, Header};
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
    let settings = existing(settings);
    let store = unlock(&settings, None)?;
    let files = store.directory.files();
    let mut report = Report { lines: Vec::new(), is_whole: true };
    let Header { store_id, engine, .. } = &store.header;
    report.push(true, format!("store {store_id}, format {FORMAT_VERSION}, engine {engine}"));
    if !files.records.is_dir() {
        return Err(OpenError::Records(files.records));
    }
    let changed = changed_since_stop(&files, &store.integrity);
    match changed.map_err(|error| OpenError::io("read", &files.records, error))? {
        None => report.push(true, "files: the last stop was not a clean one".to_owned()),
        Some(changed) if changed.is_empty() => {
            report.push(true, "files: as the last stop left them".to_owned());
        }
        Some(changed) => {
            let changed = changed.join(", ");
            report.push(true, format!("files: changed since the last stop: {changed}"));
        }
    }
    let head = match HeadFile::open(&files.head, store.integrity.clone()) {
        Ok((_, head)) => {
            report.push(true, format!("head file: group {}, {} rows", head.group, head.count));
            Some(head)
        }
        Err(OpenError::HeadFile(_)) => {
            report.push(false, "head file: missing or damaged".to_owned());
            None
        }
        Err(error) => return Err(error),
    };
    let copy = Scratch::make(scratch)?;
    copy_files(&files.records, &copy.0)
        .map_err(|error| OpenError::io("copy the store to", &copy.0, error))?;
    match open_engine(*engine, &copy.0) {
        Ok(engine) => compare_rows(&*engine, &store, head, &mut report)?,
        Err(error) => report.push(false, format!("engine: it does not open: {error}")),
    }
    Ok(report)
}

/// Compares the rows of an engine with the head, and opens each.
fn compare_rows(
    engine: &dyn Engine,
    store: &Unlocked,
    head: Option<Head>,
    report: &mut Report,
) -> Result<(), OpenError> {
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
    // The copy is removed; that it was closed is all that is asked.
    let _ = engine.close();
    Ok(())
}

/// Directory that is removed when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn make(parent: &Path) -> Result<Self, OpenError> {
        let path = parent.join(format!("kmip-server-verify-{}", std::process::id()));
        let made = fs::create_dir(&path).and_then(|()| {
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        });
        made.map_err(|error| OpenError::io("make", &path, error))?;
        Ok(Self(path))
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

/// Writes all rows of a store to a file, and reads it back. The store is opened as a server opens
/// it, so one that is not whole is refused unless the settings accept the loss.
pub fn export(settings: StoreSettings, path: &Path) -> Result<Moved, OpenError> {
    let settings = existing(settings);
    let failed = |why: FileError| OpenError::Export { path: path.to_owned(), why: why.to_string() };
    if path.exists() {
        return Err(failed(io::Error::other("it is there already").into()));
    }
    let store = unlock(&settings, None)?;
    let files = store.directory.files();
    let (rows, _) = store.open_rows(&settings)?;
    let new = path.with_added_extension("new");
    let written = write_file(&new, &files, &*rows.engine, &rows.head, &store);
    let checked = written.and_then(|()| check_file(&new, &rows.head, &store));
    let closed = rows.engine.close();
    closed.map_err(|error| OpenError::engine(&files.records, &error))?;
    if let Err(why) = evidence::record_stop(&files, &store.integrity) {
        tracing::warn!(stopped = %files.stopped.display(), %why, "files cannot be listed");
    }
    let finished = checked.and_then(|()| Ok(durable_fs::rename(&new, path)?));
    if finished.is_err() {
        let _ = fs::remove_file(&new);
    }
    finished.map_err(failed)?;
    Ok(Moved::new(&store.header, &rows.head))
}

fn write_file(
    path: &Path,
    files: &Files,
    engine: &dyn Engine,
    head: &Head,
    store: &Unlocked,
) -> Result<(), FileError> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
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
    if let Some(id_file) = key.store_id_file() {
        check_store_id(&id_file, header.store_id, settings.key.is_none())?;
    }
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
