//! Files on disk: a secret one is never readable by others, not even while it is being written.

use std::fs::{DirBuilder, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use support::{durable_fs, small_files};
use zeroize::Zeroizing;

use crate::Error;

/// Access to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileAccess {
    /// Anyone: a certificate.
    Public,
    /// The owner alone: a private key.
    Secret,
}

impl FileAccess {
    fn mode(self) -> u32 {
        match self {
            Self::Public => 0o644,
            Self::Secret => 0o600,
        }
    }
}

/// A file to be written.
pub(crate) struct File {
    name: PathBuf,
    text: Zeroizing<String>,
    access: FileAccess,
}

impl File {
    /// `name` is below the folder that it will be written to.
    pub(crate) fn new(name: impl Into<PathBuf>, text: &str, access: FileAccess) -> Self {
        Self { name: name.into(), text: Zeroizing::new(text.to_owned()), access }
    }
}

/// Writes all of `files` into `dir`, or none when one is there already and `replace` is not given.
pub(crate) fn write_all(dir: &Path, files: &[File], replace: bool) -> Result<Vec<PathBuf>, Error> {
    let paths: Vec<PathBuf> = files.iter().map(|file| dir.join(&file.name)).collect();
    if !replace && let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(Error::Exists(path.clone()));
    }
    if files.iter().any(|file| file.access == FileAccess::Secret) {
        paths.iter().filter_map(|path| path.parent()).try_for_each(check_folder)?;
    }
    for (file, path) in files.iter().zip(&paths) {
        if let Some(parent) = path.parent() {
            // Whatever the umask says, nobody else shall put files of his own there.
            let made = DirBuilder::new().recursive(true).mode(0o755).create(parent);
            made.map_err(|cause| failed("make the folder", parent, cause))?;
        }
        if replace {
            // Beside the target and renamed over it: a reader sees the old file or the new one.
            let fresh = path.with_extension(format!("new-{}", std::process::id()));
            create(&fresh, file)?;
            durable_fs::rename(&fresh, path).map_err(|cause| failed("replace", path, cause))?;
        } else {
            create(path, file)?;
        }
    }
    Ok(paths)
}

/// Refuses a folder in which others can replace a key or what it is trusted by.
fn check_folder(folder: &Path) -> Result<(), Error> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match here.metadata() {
        Ok(metadata) if metadata.is_dir() && metadata.mode() & WRITTEN_BY_OTHERS != 0 => {
            Err(Error::Folder { path: here.to_owned(), mode: metadata.mode() & 0o7777 })
        }
        // One that is not there is made, and who makes it says why it cannot be.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Bits of a mode by which the group or others may write.
const WRITTEN_BY_OTHERS: u32 = 0o022;

/// Refuses to replace a file of an authority, under whatever name it is reached.
pub(crate) fn check_targets(authority: &[PathBuf], targets: &[PathBuf]) -> Result<(), Error> {
    let same = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    let kept: Vec<_> = authority.iter().filter_map(|path| same(path)).collect();
    match targets.iter().find(|path| same(path).is_some_and(|file| kept.contains(&file))) {
        Some(path) => Err(Error::IsAuthority(path.clone())),
        None => Ok(()),
    }
}

/// Writes one certificate to `path`.
pub(crate) fn write_cert(path: &Path, text: &str, replace: bool) -> Result<(), Error> {
    // Not even if it is told to: there may be no other copy of a key.
    let there =
        if path.exists() { small_files::read(path).unwrap_or_default() } else { Vec::new() };
    if there.windows(KEY.len()).any(|part| part == KEY) {
        return Err(Error::IsKey(path.to_owned()));
    }
    write_all(Path::new(""), &[File::new(path, text, FileAccess::Public)], replace).map(|_| ())
}

/// What stands in the file of a private key.
const KEY: &[u8] = b"PRIVATE KEY-----";

/// Makes a file that was not there, with its mode from the first moment.
fn create(path: &Path, file: &File) -> Result<(), Error> {
    let mode = file.access.mode();
    let mut made = match durable_fs::create_file(path, mode) {
        Ok(made) => made,
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::Exists(path.to_owned()));
        }
        Err(cause) => return Err(failed("create", path, cause)),
    };
    made.write_all(file.text.as_bytes())
        // The umask may have taken bits from a certificate's mode; others must be able to read it.
        .and_then(|()| made.set_permissions(Permissions::from_mode(mode)))
        .and_then(|()| made.sync_all())
        .map_err(|cause| failed("write", path, cause))
}

/// Reads a text file that holds no secret.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    text(small_files::read(path)).map_err(|cause| failed("read", path, cause))
}

/// Reads the standard input to its end.
pub(crate) fn read_stdin() -> Result<String, Error> {
    let mut bytes = Vec::new();
    text(small_files::take(&mut std::io::stdin().lock(), &mut bytes).map(|()| bytes))
        .map_err(|cause| failed("read", Path::new("the standard input"), cause))
}

fn text(bytes: std::io::Result<Vec<u8>>) -> std::io::Result<String> {
    let bytes = bytes?;
    // A SEQUENCE, as every certificate, request and key begins with in DER.
    if bytes.first() == Some(&0x30) {
        return Err(std::io::Error::other("it is DER, not PEM: convert it with openssl"));
    }
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8"))
}

/// Reads a private key's file, which nobody but its owner may read or write.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>, Error> {
    let bytes = small_files::read_secret(path).map(|mut bytes| std::mem::take(&mut *bytes));
    text(bytes).map(Zeroizing::new).map_err(|cause| failed("read", path, cause))
}

fn failed(verb: &'static str, path: &Path, cause: std::io::Error) -> Error {
    Error::File { verb, path: path.to_owned(), cause }
}
