//! The engine's files as the last process left them, kept until a start has shown that nothing is
//! missing: an engine that opens damaged files may overwrite what could be saved.
//!
//! ```text
//! clean stop    engine closed -> files synced -> `stopped`: length and MAC of each file
//! start         the files are as in `stopped`     -> engine opens
//!               they are not, or there is none    -> copied to `evidence/` -> engine opens
//! all is there  `evidence/` removed
//! refused       `evidence/` becomes `records/` again
//! loss accepted `evidence/` stays as `before-loss-<group>/`
//! ```
//!
//! ```text
//! stopped   store id (16) | entries | MAC (32)
//! entry     length of the path (2) | path below `records/` | length of the file (8) | MAC (32)
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use support::durable_fs::{self, sync_tree};

use super::OpenError;
use super::data_directory::Files;
use super::free_space::FreeSpace;
use super::integrity::{Integrity, MAC_LEN, Place};

/// Most bytes that a start copies: a store of a million keys has less than half of it.
const COPY_MAX: u64 = 4 << 30;

/// Length and MAC of a file.
type Content = (u64, [u8; MAC_LEN]);

/// Files by their path below `records/`.
type List = BTreeMap<PathBuf, Content>;

/// State of the files before the engine opened them.
pub(crate) struct Evidence<'a> {
    files: &'a Files,
    /// The file `stopped`, if there was one.
    stopped: Option<Vec<u8>>,
    is_copied: bool,
}

/// Lists the engine's files after a clean stop. Nothing may change them any more.
pub(crate) fn record_stop(files: &Files, integrity: &Integrity) -> io::Result<()> {
    sync_tree(&files.records)?;
    let list = list(&files.records, integrity)?;
    durable_fs::replace_file(&files.stopped, &encode(&list, integrity))
}

/// Compares the engine's files with the list of the last clean stop. `None` if there is no valid
/// list; else the paths that differ.
pub(crate) fn changed_since_stop(
    files: &Files,
    integrity: &Integrity,
) -> io::Result<Option<Vec<String>>> {
    let Some(stopped) = read_if_exists(&files.stopped)? else { return Ok(None) };
    let Some(listed) = decode(&stopped, integrity) else { return Ok(None) };
    let found = list(&files.records, integrity)?;
    let paths = listed.keys().chain(found.keys().filter(|path| !listed.contains_key(*path)));
    let differing = paths.filter(|path| listed.get(*path) != found.get(*path));
    Ok(Some(differing.map(|path| path.as_os_str().as_bytes().escape_ascii().to_string()).collect()))
}

impl<'a> Evidence<'a> {
    /// Looks at the files before the engine opens them, and copies them unless they are as the last
    /// clean stop left them.
    pub(crate) fn take(
        files: &'a Files,
        integrity: &Integrity,
        space: &FreeSpace,
        accept_loss: bool,
    ) -> Result<Self, OpenError> {
        let evidence = &files.evidence;
        let failed = |what| move |error| OpenError::io(what, evidence, error);
        // A start was ended while it put the files back.
        if evidence.is_dir() && !files.records.exists() {
            durable_fs::rename(evidence, &files.records).map_err(failed("put back"))?;
        }
        let read = |error| OpenError::io("read", &files.records, error);
        let changed = changed_since_stop(files, integrity).map_err(read)?;
        let stopped = read_if_exists(&files.stopped).map_err(read)?;
        // A start was ended before it had checked anything: what it copied is still the evidence.
        let mut is_copied = evidence.is_dir();
        if changed.as_ref().is_none_or(|changed| !changed.is_empty()) && !is_copied {
            is_copied = copy_aside(files, space).map_err(failed("copy files to"))?;
            match changed.map(|changed| changed.join(", ")) {
                Some(what) if !is_copied && !accept_loss => {
                    return Err(OpenError::Changed { path: files.records.clone(), what });
                }
                Some(what) => {
                    let records = files.records.display();
                    tracing::error!(%records, %what, "files are not as the last stop left them");
                }
                None => {}
            }
        }
        durable_fs::remove_file(&files.stopped)
            .map_err(|error| OpenError::io("remove", &files.stopped, error))?;
        Ok(Self { files, stopped, is_copied })
    }

    /// Everything is there: the copy goes, before anything is acknowledged.
    pub(crate) fn release(self) -> Result<(), OpenError> {
        let evidence = &self.files.evidence;
        remove_aside(evidence).map_err(|error| OpenError::io("remove", evidence, error))
    }

    /// The loss is accepted: the copy stays, and its place is returned.
    pub(crate) fn keep(self, group: u64) -> Result<Option<PathBuf>, OpenError> {
        let evidence = &self.files.evidence;
        if !self.is_copied {
            return Ok(None);
        }
        let kept = evidence.with_file_name(format!("before-loss-{group}"));
        durable_fs::rename(evidence, &kept)
            .map_err(|error| OpenError::io("rename", evidence, error))?;
        Ok(Some(kept))
    }

    /// The start is refused: the files become what they were. The engine must be closed.
    pub(crate) fn put_back(self) {
        if !self.is_copied {
            return;
        }
        let Files { records, evidence, stopped, .. } = self.files;
        let refused = records.with_extension("refused");
        let swap = || {
            remove_aside(&refused)?;
            fs::rename(records, &refused)?;
            durable_fs::rename(evidence, records)?;
            if let Some(bytes) = &self.stopped {
                durable_fs::replace_file(stopped, bytes)?;
            }
            remove_aside(&refused)
        };
        if let Err(why) = swap() {
            let evidence = evidence.display();
            tracing::error!(%evidence, %why, "the engine's files as they were are still here");
        }
    }
}

/// Copies the engine's files, whole or not at all. Returns whether there was room.
fn copy_aside(files: &Files, space: &FreeSpace) -> io::Result<bool> {
    let paths = paths(&files.records)?;
    let mut len = 0_u64;
    for path in &paths {
        len = len.saturating_add(fs::metadata(files.records.join(path))?.len());
    }
    if len > COPY_MAX || !space.has_room(len) {
        tracing::warn!(len, "no room for a copy of the files: a start that fails may change them");
        return Ok(false);
    }
    let new = files.evidence.with_extension("new");
    remove_aside(&new)?;
    copy_files(&files.records, &new)?;
    sync_tree(&new)?;
    durable_fs::rename(&new, &files.evidence)?;
    Ok(true)
}

/// Copies all files and directories below `from`, into a directory that may be there already.
pub(crate) fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    durable_fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_files(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Removes a directory, under another name first, so that no part of it is ever taken for it.
fn remove_aside(path: &Path) -> io::Result<()> {
    let old = path.with_extension("old");
    let removed = |path: &Path| match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    removed(&old)?;
    match durable_fs::rename(path, &old) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => removed(&old),
    }
}

fn read_if_exists(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the paths of all files below a directory.
fn paths(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut below = vec![PathBuf::new()];
    while let Some(part) = below.pop() {
        for entry in fs::read_dir(directory.join(&part))? {
            let entry = entry?;
            let path = part.join(entry.file_name());
            if entry.file_type()?.is_dir() { below.push(path) } else { found.push(path) }
        }
    }
    Ok(found)
}

fn list(directory: &Path, integrity: &Integrity) -> io::Result<List> {
    let content = |path: PathBuf| {
        let file = File::open(directory.join(&path))?;
        let len = file.metadata()?.len();
        Ok((path, (len, integrity.mac_of(file)?)))
    };
    paths(directory)?.into_iter().map(content).collect()
}

fn encode(list: &List, integrity: &Integrity) -> Vec<u8> {
    let mut bytes = integrity.store_id().0.to_vec();
    for (path, (len, mac)) in list {
        let path = path.as_os_str().as_bytes();
        bytes.extend_from_slice(&u16::try_from(path.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(path);
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(mac);
    }
    integrity.append_mac(Place::Stop, bytes)
}

fn decode(bytes: &[u8], integrity: &Integrity) -> Option<List> {
    let covered = integrity.strip_mac(Place::Stop, bytes)?;
    let mut rest = covered.strip_prefix(&integrity.store_id().0)?;
    let mut list = List::new();
    while !rest.is_empty() {
        let (len, after) = rest.split_first_chunk()?;
        let (path, after) = after.split_at_checked(u16::from_be_bytes(*len).into())?;
        let (len, after) = after.split_first_chunk()?;
        let (mac, after) = after.split_first_chunk()?;
        list.insert(OsStr::from_bytes(path).into(), (u64::from_be_bytes(*len), *mac));
        rest = after;
    }
    Some(list)
}

#[cfg(test)]
mod tests;
