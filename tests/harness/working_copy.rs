//! A copy of a stopped store that is damaged and mended again, trial after trial: only what has
//! changed is written. A file that nobody has written to since has a time of change of long ago.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test stops when its own files cannot be made"
)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Bytes that are compared at once.
const CHUNK: usize = 1 << 18;

/// A folder that is made like another one.
pub struct WorkingCopy {
    /// Where it is.
    pub path: PathBuf,
    /// Files and folders of the original; a folder has no bytes.
    original: BTreeMap<PathBuf, Option<Vec<u8>>>,
}

impl WorkingCopy {
    /// Copies a folder.
    pub fn new(original: &Path, path: PathBuf) -> Self {
        let mut found = BTreeMap::new();
        read(original, Path::new(""), &mut found);
        let copy = Self { path, original: found };
        copy.restore();
        copy
    }

    /// Files of the original, with their lengths.
    pub fn files(&self) -> impl Iterator<Item = (&Path, usize)> {
        let files = self.original.iter();
        files.filter_map(|(path, bytes)| Some((path.as_path(), bytes.as_ref()?.len())))
    }

    /// Bytes of a file of the original, if it has the file.
    pub fn bytes(&self, file: &Path) -> Option<&[u8]> {
        self.original.get(file)?.as_deref()
    }

    /// Makes the copy what the original is; gives the paths that were not.
    pub fn restore(&self) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        self.remove_others(Path::new(""), &mut changed);
        for (name, bytes) in &self.original {
            let path = self.path.join(name);
            let is_whole = match bytes {
                None => path.is_dir() || fs::create_dir_all(&path).map(|()| false).unwrap(),
                Some(bytes) => restore_file(&path, bytes),
            };
            changed.extend((!is_whole).then(|| name.clone()));
        }
        changed
    }

    /// Removes what the original does not have.
    fn remove_others(&self, below: &Path, removed: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(self.path.join(below)) else { return };
        for entry in entries {
            let entry = entry.unwrap();
            let (path, name) = (entry.path(), below.join(entry.file_name()));
            match (self.original.get(&name), path.is_dir()) {
                (Some(None), true) => self.remove_others(&name, removed),
                (Some(Some(_)), false) => {}
                (_, is_folder) => {
                    let done =
                        if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
                    done.unwrap();
                    removed.push(name);
                }
            }
        }
    }
}

fn read(folder: &Path, below: &Path, found: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
    found.insert(below.to_owned(), None);
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            read(folder, &path, found);
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            found.insert(path, Some(bytes));
        }
    }
}

/// Time of change of a file that nobody has written to since it was restored.
fn restored() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)
}

/// Writes of a file what is not as it should be; tells whether all was.
fn restore_file(path: &Path, bytes: &[u8]) -> bool {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::write(path, bytes).unwrap();
            // As the store makes its files: a key that others may read is refused.
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
            File::open(path).and_then(|file| file.set_modified(restored())).unwrap();
            return false;
        }
        Err(error) => panic!("{}: {error}", path.display()),
    };
    // A thread of an engine that was just closed may hold it still.
    file.lock().unwrap();
    if file.metadata().unwrap().modified().unwrap() == restored() {
        return true;
    }
    let len = u64::try_from(bytes.len()).unwrap();
    let mut is_whole = file.metadata().unwrap().len() == len;
    if !is_whole {
        file.set_len(len).unwrap();
    }
    let (mut is, mut offset) = (vec![0; CHUNK], 0);
    for should in bytes.chunks(CHUNK) {
        let is = &mut is[..should.len()];
        file.read_exact_at(is, offset).unwrap();
        if is != should {
            file.write_all_at(should, offset).unwrap();
            is_whole = false;
        }
        offset += u64::try_from(should.len()).unwrap();
    }
    file.set_modified(restored()).unwrap();
    is_whole
}
