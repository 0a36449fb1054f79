//! The engine's files as the last process left them, kept until a start has shown that nothing is
//! missing: an engine that opens damaged files may overwrite what could be saved.
//!
//! ```text
//! clean stop    engine closed -> files synced -> `stopped`: length and MAC of each file
//! start         files compared with `stopped` -> copied to `evidence/` -> engine opens
//! all is there  `evidence/` removed
//! refused       `evidence/` becomes `records/` again
//! loss accepted `evidence/` stays as `before-loss-<n>/`
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
use super::engine::EngineError;
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
    copy: Copied,
}

/// Origin of `evidence/`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    /// There is none.
    No,
    /// This start has made it.
    Now,
    /// An earlier start made it and did not end: the files may have been replaced since.
    Before,
}

/// Lists the engine's files after a clean stop. Nothing may change them any more. What is too large
/// for a copy is not listed.
pub(crate) fn record_stop(files: &Files, integrity: &Integrity) -> io::Result<()> {
    if total_len(&files.records)? > COPY_MAX {
        return Ok(());
    }
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
    /// Keeps nothing: the store was made just now.
    pub(crate) fn none(files: &'a Files) -> Self {
        Self { files, stopped: None, copy: Copied::No }
    }

    /// Copies the files before the engine opens them, where there is room. Without room, files that
    /// are not as the last clean stop left them are refused unless a loss is accepted.
    pub(crate) fn take(
        files: &'a Files,
        integrity: &Integrity,
        space: &FreeSpace,
        accept_loss: bool,
    ) -> Result<Self, OpenError> {
        let Files { records, evidence, stopped: list, .. } = files;
        let failed = |what| move |error| OpenError::io(what, evidence, error);
        // A start was ended while it put the files back.
        if evidence.is_dir() && !records.exists() {
            durable_fs::rename(evidence, records).map_err(failed("put back"))?;
        }
        for left in [evidence.with_extension("new"), evidence.with_extension("old")] {
            remove_aside(&left).map_err(failed("remove what is left of"))?;
        }
        remove_aside(&records.with_extension("refused")).map_err(failed("clear the way for"))?;
        let read = |error| OpenError::io("read", list, error);
        let changed = changed_since_stop(files, integrity).map_err(read)?.unwrap_or_default();
        let stopped = read_if_exists(list).map_err(read)?;
        let copy = match evidence.is_dir() {
            true => Copied::Before,
            false if copy_aside(files, space).map_err(failed("copy files to"))? => Copied::Now,
            false => Copied::No,
        };
        if !changed.is_empty() {
            let (path, what) = (records.clone(), changed.join(", "));
            if copy == Copied::No && !accept_loss {
                return Err(OpenError::Changed { path, what });
            }
            let path = path.display();
            tracing::error!(%path, %what, "files are not as the last stop left them");
        }
        durable_fs::remove_file(list).map_err(|error| OpenError::io("remove", list, error))?;
        Ok(Self { files, stopped, copy })
    }

    /// Everything is there: the copy goes, before anything is acknowledged.
    pub(crate) fn release(self) -> Result<(), OpenError> {
        let evidence = &self.files.evidence;
        remove_aside(evidence).map_err(|error| OpenError::io("remove", evidence, error))
    }

    /// The loss is accepted: the copy stays, before anything is written.
    pub(crate) fn keep(&mut self) -> Result<(), OpenError> {
        if self.copy == Copied::No {
            tracing::warn!("there is no copy of the engine's files as they were before the loss");
            return Ok(());
        }
        let evidence = &self.files.evidence;
        let kept = free_name(evidence, "before-loss");
        durable_fs::rename(evidence, &kept)
            .map_err(|error| OpenError::io("rename", evidence, error))?;
        let kept = kept.display();
        tracing::warn!(%kept, "the engine's files as they were before the loss are kept");
        self.copy = Copied::No;
        Ok(())
    }

    /// The start is refused: the files become what they were. The engine must be closed.
    pub(crate) fn put_back(self) {
        let Files { records, evidence, stopped, .. } = self.files;
        let refused = match self.copy {
            Copied::No => return,
            Copied::Now => records.with_extension("refused"),
            Copied::Before => free_name(records, "refused"),
        };
        let swapped =
            fs::rename(records, &refused).and_then(|()| durable_fs::rename(evidence, records));
        if let Err(why) = swapped {
            let evidence = evidence.display();
            tracing::error!(%evidence, %why, "the engine's files as they were are still here");
            return;
        }
        if let Some(bytes) = &self.stopped
            && let Err(why) = durable_fs::replace_file(stopped, bytes)
        {
            tracing::warn!(file = %stopped.display(), %why, "the list is not written again");
        }
        if self.copy == Copied::Before {
            let refused = refused.display();
            tracing::warn!(%refused, "the files that were refused are kept: they may be newer");
        } else if let Err(why) = remove_aside(&refused) {
            tracing::warn!(path = %refused.display(), %why, "a directory is not removed");
        }
    }
}

/// Returns a name beside a path that nothing has.
fn free_name(path: &Path, name: &str) -> PathBuf {
    let names = (1_u64..).map(|n| path.with_file_name(format!("{name}-{n}")));
    names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| path.with_file_name(name))
}

fn total_len(directory: &Path) -> io::Result<u64> {
    let lens = paths(directory)?.into_iter().map(|path| fs::metadata(directory.join(path)));
    lens.map(|metadata| metadata.map(|metadata| metadata.len())).sum()
}

/// Copies the engine's files, whole or not at all. Returns whether there was room.
fn copy_aside(files: &Files, space: &FreeSpace) -> io::Result<bool> {
    let len = total_len(&files.records)?;
    if len > COPY_MAX || !space.has_room(len) {
        tracing::warn!(len, "the files are not copied: a start that fails may change them");
        return Ok(false);
    }
    let new = files.evidence.with_extension("new");
    let copied = copy_files(&files.records, &new)
        .and_then(|()| sync_tree(&new))
        .and_then(|()| durable_fs::rename(&new, &files.evidence));
    match copied {
        Ok(()) => Ok(true),
        Err(why) if matches!(EngineError::from(&why), EngineError::NoSpace(_)) => {
            tracing::warn!(%why, "the files are not copied: a start that fails may change them");
            remove_aside(&new).map(|()| false)
        }
        Err(why) => Err(why),
    }
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
