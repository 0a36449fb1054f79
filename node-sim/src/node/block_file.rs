//! The blocks of a drive: a sparse file of encrypted 4 KiB blocks.
//!
//! A block of which every stored byte is 0 was never written and reads as zeros: no block of
//! cipher text is all zeros but by a chance of 2^-32768. So a new drive takes no room, and needs
//! no map of what was written. A write is durable after [`BlockFile::flush`].

use crate::crypto::aes_xts::{self, Xts};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Length of a block.
pub(crate) const BLOCK_LEN: usize = 4096;

/// Why blocks cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlockError {
    /// The drive has no such block.
    #[error("block {lba} is beyond the drive's end at {blocks}")]
    OutOfRange {
        /// The first block that was asked for.
        lba: u64,
        /// How many there are.
        blocks: u64,
    },
    /// Not a whole number of blocks.
    #[error("{len} bytes are no whole number of blocks of {BLOCK_LEN}")]
    Length {
        /// The length that was asked for.
        len: usize,
    },
    /// The drive is locked.
    #[error("the drive is locked: {reason}")]
    Locked {
        /// Why.
        reason: String,
    },
    /// Its node is switched off, or has not yet read its drives.
    #[error("the drive is absent: its node is switched off or is starting")]
    Absent,
    /// The file system refuses.
    #[error(transparent)]
    File(#[from] io::Error),
}

/// The blocks of an unlocked drive.
pub(super) struct BlockFile {
    file: File,
    xts: Xts,
    count: u64,
}

/// Makes the file of a drive without blocks written.
pub(super) fn create(path: &Path, count: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let len = u64::try_from(BLOCK_LEN).ok().and_then(|len| len.checked_mul(count));
    let len = len.ok_or_else(|| io::Error::other("the drive has too many blocks"))?;
    file.set_len(len)?;
    file.sync_all()
}

impl BlockFile {
    /// Opens the file of an unlocked drive.
    pub(super) fn open(path: &Path, key: &[u8; aes_xts::KEY_LEN], count: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let xts = Xts::new(key).ok_or_else(|| io::Error::other("the key's halves are equal"))?;
        Ok(Self { file, xts, count })
    }

    /// Reads whole blocks from `lba` on.
    pub(super) fn read(&self, lba: u64, bytes: &mut [u8]) -> Result<(), BlockError> {
        self.file.read_exact_at(bytes, self.offset(lba, bytes.len())?)?;
        for (number, block) in (lba..).zip(bytes.chunks_exact_mut(BLOCK_LEN)) {
            if block.iter().any(|byte| *byte != 0) {
                self.xts.decrypt(number, block);
            }
        }
        Ok(())
    }

    /// Writes whole blocks from `lba` on.
    pub(super) fn write(&self, lba: u64, bytes: &[u8]) -> Result<(), BlockError> {
        let offset = self.offset(lba, bytes.len())?;
        let mut encrypted = bytes.to_vec();
        for (number, block) in (lba..).zip(encrypted.chunks_exact_mut(BLOCK_LEN)) {
            self.xts.encrypt(number, block);
        }
        self.file.write_all_at(&encrypted, offset)?;
        Ok(())
    }

    /// Makes durable what was written.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn offset(&self, lba: u64, len: usize) -> Result<u64, BlockError> {
        let out_of_range = BlockError::OutOfRange { lba, blocks: self.count };
        if !len.is_multiple_of(BLOCK_LEN) {
            return Err(BlockError::Length { len });
        }
        let wanted = u64::try_from(len / BLOCK_LEN).ok().and_then(|count| lba.checked_add(count));
        if wanted.is_none_or(|end| end > self.count) {
            return Err(out_of_range);
        }
        u64::try_from(BLOCK_LEN).ok().and_then(|len| len.checked_mul(lba)).ok_or(out_of_range)
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_LEN, BlockError, BlockFile, create};

    const BLOCKS: u64 = 8;

    fn key() -> [u8; 64] {
        std::array::from_fn(|i| u8::try_from(i).unwrap())
    }

    #[test]
    fn what_was_written_reads_back_and_is_not_on_the_disk_in_the_clear() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blocks");
        create(&path, BLOCKS).unwrap();
        let blocks = BlockFile::open(&path, &key(), BLOCKS).unwrap();
        let text = b"attack at dawn. ".repeat(2 * BLOCK_LEN / 16);
        blocks.write(3, &text).unwrap();
        blocks.flush().unwrap();
        let mut read = vec![1; 4 * BLOCK_LEN];
        BlockFile::open(&path, &key(), BLOCKS).unwrap().read(2, &mut read).unwrap();
        assert_eq!(read[..BLOCK_LEN], [0; BLOCK_LEN], "never written");
        assert_eq!(read[BLOCK_LEN..3 * BLOCK_LEN], text);
        assert_eq!(read[3 * BLOCK_LEN..], [0; BLOCK_LEN], "never written");
        let raw = std::fs::read(&path).unwrap();
        assert!(!raw.windows(16).any(|window| window == b"attack at dawn. "));
        let (one, other) = (&raw[3 * BLOCK_LEN..4 * BLOCK_LEN], &raw[4 * BLOCK_LEN..5 * BLOCK_LEN]);
        assert_ne!(one, other, "equal blocks differ by their place");
    }

    #[test]
    fn what_is_out_of_range_is_refused_before_the_disk_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blocks");
        create(&path, BLOCKS).unwrap();
        let blocks = BlockFile::open(&path, &key(), BLOCKS).unwrap();
        for (lba, len) in [(BLOCKS, 1), (BLOCKS - 1, 2), (u64::MAX, 1), (u64::MAX, 2)] {
            let error = blocks.write(lba, &vec![0; len * BLOCK_LEN]).unwrap_err();
            assert!(matches!(error, BlockError::OutOfRange { .. }), "{lba} {len}");
        }
        let error = blocks.read(0, &mut [0; 100]).unwrap_err();
        assert!(matches!(error, BlockError::Length { len: 100 }));
    }
}
