//! Files of certificates, keys and passwords: read to a length that none of them has, and secret
//! ones only if nobody else can read them.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

/// The longest file that is read. A list of a hundred authorities has some hundred kilobytes.
pub const LEN_MAX: u64 = 4 << 20;

/// Reads a file of at most [`LEN_MAX`] bytes.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    take(&mut File::open(path)?, &mut bytes)?;
    Ok(bytes)
}

/// Reads all of a stream of at most [`LEN_MAX`] bytes.
pub fn take(from: &mut impl io::Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    from.take(LEN_MAX.saturating_add(1)).read_to_end(bytes)?;
    match u64::try_from(bytes.len()).is_ok_and(|len| len <= LEN_MAX) {
        true => Ok(()),
        false => Err(io::Error::other(format!("it is longer than {LEN_MAX} bytes"))),
    }
}

/// Reads a file with a secret, which nobody but its owner may read or write. Of a file that belongs
/// to root the group may read it too: so a service gets a key that it cannot change.
pub fn read_secret(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    check_mode(metadata.uid(), metadata.mode())?;
    // Made as long as it must be: a vector that grows leaves behind what it held.
    let len = usize::try_from(metadata.len().min(LEN_MAX)).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(len.saturating_add(1)));
    take(&mut file, &mut bytes)?;
    Ok(bytes)
}

/// Refuses a mode that lets others read or write.
pub fn check_mode(owner: u32, mode: u32) -> io::Result<()> {
    let (forbidden, right) = if owner == 0 { (0o037, "640 or 600") } else { (0o077, "600") };
    match mode & forbidden {
        0 => Ok(()),
        _ => Err(io::Error::other(format!(
            "others than its owner can read or write it (mode {:03o}); chmod it to {right}",
            mode & 0o777
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{check_mode, read, read_secret};

    #[test]
    fn only_the_owner_may_read_a_secret_and_of_roots_the_group() {
        let (root, other) = (0, 1000);
        for (owner, mode, is_taken) in [
            (root, 0o600, true),
            (root, 0o640, true),
            (root, 0o660, false),
            (root, 0o644, false),
            (other, 0o400, true),
            (other, 0o600, true),
            (other, 0o640, false),
            (other, 0o604, false),
            (other, 0o620, false),
        ] {
            assert_eq!(check_mode(owner, mode).is_ok(), is_taken, "{owner} {mode:o}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "secret").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let error = read_secret(&path).unwrap_err().to_string();
        assert!(error.contains("(mode 644); chmod it to 6"), "{error}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_secret(&path).unwrap().as_slice(), b"secret");
    }

    #[test]
    fn no_file_is_read_for_ever() {
        assert!(read(Path::new("/dev/zero")).unwrap_err().to_string().contains("longer than"));
    }
}
