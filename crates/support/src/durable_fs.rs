//! Files and directories that survive a power cut.
//!
//! ```text
//! write DIR/name.new -> fsync it -> rename to DIR/name -> fsync DIR
//! ```
//!
//! A rename without these syncs is not durable: after a power cut the name may refer to the old
//! bytes or to none. Nothing here knows what the bytes mean.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Mode of a file that only its owner can read and write.
const PRIVATE_FILE: u32 = 0o600;

/// Mode of a directory that only its owner can use.
const PRIVATE_DIR: u32 = 0o700;

/// Syncs a file, or the names in a directory.
pub fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Syncs the directory that holds the name `path`.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    sync(parent(path))
}

/// Syncs every file and directory below `directory`, each before the directory that holds it.
pub fn sync_tree(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { sync_tree(&path)? } else { sync(&path)? }
    }
    sync(directory)
}

/// Creates a directory with mode 0700, its parents first, and syncs each new name. An existing
/// directory is left as it is and not synced.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent(path);
    if parent != path {
        create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(PRIVATE_DIR).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    sync(parent)
}

/// Creates a file for writing, with `mode` from the first moment; fails if the name exists.
pub fn create_file(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// Renames a file or directory and syncs the directory of its new name. The bytes must have been
/// synced before.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_parent(to)
}

/// New bytes of a file, synced as `name.new` beside it: the first half of [`replace_file`], for
/// callers that do something between the two.
#[derive(Debug)]
#[must_use = "the file has its old bytes until the replacement is committed"]
pub struct Replacement<'a> {
    path: &'a Path,
    temporary: PathBuf,
}

impl<'a> Replacement<'a> {
    /// Writes and syncs the new bytes of the file `path`, mode 0600. Removes what an interrupted
    /// replacement left.
    pub fn write(path: &'a Path, bytes: &[u8]) -> io::Result<Self> {
        let temporary = temporary(path);
        remove_if_exists(&temporary)?;
        let mut file = create_file(&temporary, PRIVATE_FILE)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(Self { path, temporary })
    }

    /// Gives the file its new bytes, durably.
    pub fn commit(self) -> io::Result<()> {
        rename(&self.temporary, self.path)
    }
}

/// Creates or replaces a file, mode 0600. A power cut leaves all of the old or all of the new
/// bytes; after the return it leaves the new ones.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Replacement::write(path, bytes)?.commit()
}

/// Removes a file, and what an interrupted replacement of it left, durably. A missing file is no
/// error.
pub fn remove_file(path: &Path) -> io::Result<()> {
    remove_if_exists(path)?;
    remove_if_exists(&temporary(path))?;
    sync_parent(path)
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Name under which the new bytes of a file are written.
fn temporary(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}

/// Directory that holds the name `path`; the current one if `path` names none.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{
        Replacement, create_dir_all, create_file, parent, remove_file, replace_file, sync_tree,
    };

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn count(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn replaced_file_keeps_its_old_bytes_until_commit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.json");
        replace_file(&path, b"old").unwrap();
        let replacement = Replacement::write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        replacement.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(count(directory.path()), 1, "no temporary file is left");
    }

    #[test]
    fn interrupted_replacement_is_removed_by_the_next_write() {
        let directory = tempfile::tempdir().unwrap();
        let (path, left) = (directory.path().join("key"), directory.path().join("key.new"));
        fs::write(&left, "longer than the new bytes").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o644)).unwrap();
        replace_file(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o600);
        assert!(!left.exists());
    }

    #[test]
    fn removed_file_is_gone_with_its_interrupted_replacement() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("share");
        replace_file(&path, b"x").unwrap();
        let _interrupted = Replacement::write(&path, b"y").unwrap();
        remove_file(&path).unwrap();
        assert_eq!(count(directory.path()), 0);
        remove_file(&path).unwrap();
    }

    #[test]
    fn created_file_has_its_mode_and_overwrites_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        drop(create_file(&path, 0o600).unwrap());
        assert_eq!(mode(&path), 0o600);
        fs::write(&path, "kept").unwrap();
        let error = create_file(&path, 0o600).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"kept");
    }

    #[test]
    fn created_directories_are_private_and_existing_ones_are_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let (outer, inner) = (directory.path().join("a"), directory.path().join("a/b"));
        create_dir_all(&inner).unwrap();
        assert_eq!([mode(&outer), mode(&inner)], [0o700, 0o700]);
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o750)).unwrap();
        create_dir_all(&inner).unwrap();
        assert_eq!(mode(&inner), 0o750);
        fs::write(inner.join("file"), "x").unwrap();
        sync_tree(&outer).unwrap();
        assert!(create_dir_all(&inner.join("file/below")).is_err());
        assert!(sync_tree(&inner.join("missing")).is_err());
    }

    #[test]
    fn parent_of_a_bare_name_is_the_current_directory() {
        let rows = [("a", "."), ("a/b", "a"), ("/a", "/"), ("/", "."), ("", "."), (".", ".")];
        for (path, expected) in rows {
            assert_eq!(parent(Path::new(path)), Path::new(expected), "{path:?}");
        }
    }
}
