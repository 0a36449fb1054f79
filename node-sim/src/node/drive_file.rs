//! Access to one of the two files of a drive, by its path.
//!
//! The file is kept open. It is opened anew when the path leads to another file: an operator who
//! puts a file back while the node is on need not restart it, and what was written to a removed
//! file is not taken for durable.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use support::durable_fs;

/// Mode of a drive's files.
const MODE: u32 = 0o600;

/// Which file a path leads to: its device and its number there.
pub(super) type FileIdentity = (u64, u64);

/// Access to a file.
pub(crate) trait FileAccess {
    /// Path of the file.
    fn path(&self) -> &Path;

    /// Returns the length in bytes; `None` if the file does not exist.
    fn len(&self) -> io::Result<Option<u64>>;

    /// Reads bytes from `offset` on, as far as the file reaches, and returns how many.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes bytes from `offset` on, and returns to which file.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<FileIdentity>;

    /// Creates the file if it does not exist, and extends it to `len` bytes if it is shorter,
    /// durably.
    fn extend(&self, len: u64) -> io::Result<()>;

    /// Makes durable what was written to the file that is returned.
    fn sync(&self) -> io::Result<FileIdentity>;

    /// Returns a place from `offset` on before which the file has only holes; `None` if all of the
    /// rest is one.
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>>;
}

/// A file of a drive.
pub(crate) struct DriveFile {
    path: PathBuf,
    open: RwLock<Option<Arc<OpenFile>>>,
}

/// An open file, and which one it is.
struct OpenFile {
    file: File,
    identity: FileIdentity,
}

impl DriveFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, open: RwLock::new(None) }
    }

    /// Returns the file that the path leads to now; `None` if there is none.
    fn current(&self) -> io::Result<Option<Arc<OpenFile>>> {
        let Some(metadata) = exists(std::fs::metadata(&self.path))? else { return Ok(None) };
        if let Some(open) = self.kept().filter(|open| open.identity == identity(&metadata)) {
            return Ok(Some(open));
        }
        let opened = OpenOptions::new().read(true).write(true).open(&self.path);
        let Some(file) = exists(opened)? else { return Ok(None) };
        let identity = identity(&file.metadata()?);
        let open = Arc::new(OpenFile { file, identity });
        let mut kept = self.open.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::clone(&open));
        Ok(Some(open))
    }

    fn existing(&self) -> io::Result<Arc<OpenFile>> {
        self.current()?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn kept(&self) -> Option<Arc<OpenFile>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl FileAccess for DriveFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&self) -> io::Result<Option<u64>> {
        Ok(exists(std::fs::metadata(&self.path))?.map(|metadata| metadata.len()))
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let open = self.existing()?;
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = u64::try_from(done).ok().and_then(|done| offset.checked_add(done));
            match open.file.read_at(rest, at.ok_or(io::ErrorKind::InvalidInput)?) {
                Ok(0) => break,
                Ok(read) => done = done.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<FileIdentity> {
        let open = self.existing()?;
        open.file.write_all_at(bytes, offset)?;
        Ok(open.identity)
    }

    fn extend(&self, len: u64) -> io::Result<()> {
        let is_new = self.current()?.is_none();
        if is_new {
            drop(durable_fs::create_file(&self.path, MODE)?);
        }
        let open = self.existing()?;
        if open.file.metadata()?.len() < len {
            open.file.set_len(len)?;
            open.file.sync_all()?;
        }
        if is_new { durable_fs::sync_parent(&self.path) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<FileIdentity> {
        let open = self.existing()?;
        open.file.sync_data()?;
        let found = exists(std::fs::metadata(&self.path))?;
        if found.is_some_and(|metadata| identity(&metadata) == open.identity) {
            Ok(open.identity)
        } else {
            Err(replaced(&self.path))
        }
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        use rustix::fs::{SeekFrom, seek};
        use rustix::io::Errno;
        match seek(&self.existing()?.file, SeekFrom::Data(offset)) {
            Ok(found) => Ok(Some(found.max(offset))),
            Err(Errno::NXIO) => Ok(None),
            // The file system does not know its holes.
            Err(Errno::INVAL | Errno::NOTSUP) => Ok(Some(offset)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Error of a file that an operator removed or replaced after it was written to.
pub(super) fn replaced(path: &Path) -> io::Error {
    let path = path.display();
    io::Error::other(format!("{path} was removed or replaced while it was written to"))
}

/// Creates the file, or empties an existing one, and gives it this length, durably.
pub(super) fn create(path: &Path, len: u64, beginning: &[u8]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(path)?;
    file.set_len(len)?;
    file.write_all_at(beginning, 0)?;
    file.sync_all()
}

fn identity(metadata: &Metadata) -> FileIdentity {
    (metadata.dev(), metadata.ino())
}

/// Takes "does not exist" for an answer instead of an error.
fn exists<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
