//! The file `head` beside the engine: what was acknowledged last, known without the engine.
//!
//! ```text
//! block 0 (4096)   head of an even group, zeros
//! block 1 (4096)   head of an odd group, zeros
//! ```
//!
//! A group writes its slot after the engine's sync and before its answers. The file is not synced:
//! after a kill it is exact, and after a power cut it may be some groups behind, never ahead. A
//! torn slot is not valid, and the other one is of the group before.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use support::durable_fs;

use super::OpenError;
use super::integrity::{HEAD_LEN, Head, Integrity, Place};

/// Length of a slot: a block of its own on every usual disk.
const SLOT_LEN: usize = 4096;

/// Slots of the file.
const SLOTS: u64 = 2;

/// Open head file.
pub(crate) struct HeadFile {
    file: File,
    integrity: Arc<Integrity>,
}

impl HeadFile {
    /// Creates or replaces the file, durably.
    pub(crate) fn create(path: &Path, integrity: &Integrity, head: &Head) -> io::Result<()> {
        let mut bytes = integrity.encode(Place::File, head);
        bytes.resize(SLOT_LEN, 0);
        bytes.extend_from_within(..);
        durable_fs::replace_file(path, &bytes)
    }

    /// Opens the file, and returns the newest head in it.
    pub(crate) fn open(path: &Path, integrity: Arc<Integrity>) -> Result<(Self, Head), OpenError> {
        let opened = OpenOptions::new().read(true).write(true).open(path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::HeadFile(path.to_owned()));
            }
            Err(error) => return Err(OpenError::io("open", path, error)),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| OpenError::io("read", path, error))?;
        let heads = bytes
            .chunks(SLOT_LEN)
            .filter_map(|slot| integrity.decode(Place::File, slot.get(..HEAD_LEN)?));
        match heads.max_by_key(|head| head.group) {
            Some(head) => Ok((Self { file, integrity }, head)),
            None => Err(OpenError::HeadFile(path.to_owned())),
        }
    }

    /// Writes the head of a group into its slot.
    pub(crate) fn write(&self, head: &Head) -> io::Result<()> {
        let slot = head.group.checked_rem(SLOTS).unwrap_or_default();
        let offset = slot.saturating_mul(u64::try_from(SLOT_LEN).unwrap_or_default());
        self.file.write_all_at(&self.integrity.encode(Place::File, head), offset)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::integrity::tests::integrity;

    fn head(group: u64) -> Head {
        Head { group, count: group, ..Head::default() }
    }

    fn newest(path: &Path, id: u8) -> Result<u64, OpenError> {
        HeadFile::open(path, Arc::new(integrity(id))).map(|(_, head)| head.group)
    }

    #[test]
    fn newest_valid_slot_counts_and_a_torn_one_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("head");
        HeadFile::create(&path, &integrity(1), &head(0)).unwrap();
        assert_eq!(newest(&path, 1).unwrap(), 0);
        for group in 1..6 {
            let (file, _) = HeadFile::open(&path, Arc::new(integrity(1))).unwrap();
            file.write(&head(group)).unwrap();
            assert_eq!(newest(&path, 1).unwrap(), group);
            assert_eq!(fs::metadata(&path).unwrap().len(), 8192);
        }
        // Group 5 is in the odd slot, group 4 in the even one.
        let whole = fs::read(&path).unwrap();
        for at in 0..HEAD_LEN {
            let mut torn = whole.clone();
            torn[SLOT_LEN + at] ^= 1;
            fs::write(&path, &torn).unwrap();
            assert_eq!(newest(&path, 1).unwrap(), 4);
        }
        fs::write(&path, &whole[..SLOT_LEN]).unwrap();
        assert_eq!(newest(&path, 1).unwrap(), 4, "cut");
    }

    #[test]
    fn missing_empty_or_foreign_head_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("head");
        assert!(matches!(newest(&path, 1), Err(OpenError::HeadFile(_))));
        HeadFile::create(&path, &integrity(1), &head(3)).unwrap();
        assert!(matches!(newest(&path, 2), Err(OpenError::HeadFile(_))));
        for bytes in [&b""[..], &[0; 8192]] {
            fs::write(&path, bytes).unwrap();
            assert!(matches!(newest(&path, 1), Err(OpenError::HeadFile(_))));
        }
    }
}
