//! The blocks of a drive: a sparse file of encrypted 4 KiB blocks, and beside it a sparse file of
//! their checksums ([`super::block_checksums`]).
//!
//! A block of which every stored byte is 0 was never written and reads as zeros: no block of
//! cipher text is all zeros but by a chance of 2^-32768. So a new drive takes no room.
//!
//! # Overwriting
//!
//! ```text
//! checksums: new one beside the old one -> sync -> blocks: write         BlockFile::write
//! blocks: sync -> checksums: clear the old one                          BlockFile::flush
//! ```
//!
//! Until the block is written it matches the old checksum, and afterwards the new one: at every
//! moment of a crash it matches one of the two. If both are there when a block is overwritten
//! again, the blocks are synced first, and the checksum that the block on disk then matches is
//! kept. The first write of a block keeps the checksum of a block of zeros for the old one. A
//! write is durable after [`BlockFile::flush`]; that the old checksum is cleared need not be.
//!
//! What is asked of the disk: a write of 4096 bytes at a multiple of 4096 is there whole or not at
//! all after a power loss. On a disk without that a torn block is damaged, and never read as data.
//!
//! What is not noticed: both files put back as they were at one earlier moment, and a block put
//! back as it was before an overwrite that a crash interrupted.

#[cfg(test)]
mod tests;
mod verification;

use super::block_checksums::{
    DriveChecksums, ENTRY_LEN, Entry, HEADER_LEN, Slot, entries_in, entry_offset,
};
use super::block_damage::Damage;
use super::block_error::BlockError;
use super::drive_file::{self, DriveFile, FileAccess, FileIdentity};
use crate::crypto::aes_xts::{self, Xts};
use crate::crypto::checksum::Checksum;
use crate::state::key_ring::DriveId;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Length of a block.
pub(crate) const BLOCK_LEN: usize = 4096;
const BLOCK_BYTES: u64 = 4096;
const _: () = assert!(BLOCK_LEN == 4096);

const BLOCKS_NAME: &str = "blocks";
const CHECKSUMS_NAME: &str = "checksums";

/// The blocks of an unlocked drive.
pub(crate) struct BlockFile<F = DriveFile> {
    drive_id: DriveId,
    count: u64,
    blocks: F,
    checksums: F,
    xts: Xts,
    key: DriveChecksums,
    /// Held while files are changed.
    unflushed: Mutex<Unflushed>,
    damage: Mutex<Damage>,
}

/// Blocks that were written and not flushed since.
#[derive(Default)]
struct Unflushed {
    writes: u64,
    blocks: BTreeMap<u64, UnflushedWrite>,
}

/// The last write of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
struct UnflushedWrite {
    number: u64,
    slot: Slot,
    checksum: Checksum,
    /// The file of the blocks at that time.
    file: FileIdentity,
}

/// Path of the file of the blocks in the drive's folder.
pub(super) fn blocks_path(folder: &Path) -> PathBuf {
    folder.join(BLOCKS_NAME)
}

/// Path of the file of the checksums in the drive's folder.
pub(super) fn checksums_path(folder: &Path) -> PathBuf {
    folder.join(CHECKSUMS_NAME)
}

/// Makes both files of a drive without blocks written. An error names the file.
pub(super) fn create(
    folder: &Path,
    drive_id: DriveId,
    key: &[u8; aes_xts::KEY_LEN],
    count: u64,
) -> Result<(), (PathBuf, io::Error)> {
    let (blocks, checksums) = (blocks_path(folder), checksums_path(folder));
    drive_file::create(&blocks, blocks_len(count), &[]).map_err(|cause| (blocks, cause))?;
    checksum_key(key, drive_id, count)
        .and_then(|key| drive_file::create(&checksums, checksums_len(&key)?, &key.header(count)))
        .map_err(|cause| (checksums, cause))
}

impl BlockFile {
    /// Opens the files of an unlocked drive. Whether they are there shows when they are used.
    pub(super) fn open(
        folder: &Path,
        drive_id: DriveId,
        key: &[u8; aes_xts::KEY_LEN],
        count: u64,
    ) -> io::Result<Self> {
        let blocks = DriveFile::new(blocks_path(folder));
        let checksums = DriveFile::new(checksums_path(folder));
        Self::of_files(blocks, checksums, drive_id, key, count)
    }
}

impl<F: FileAccess> BlockFile<F> {
    pub(super) fn of_files(
        blocks: F,
        checksums: F,
        drive_id: DriveId,
        key: &[u8; aes_xts::KEY_LEN],
        count: u64,
    ) -> io::Result<Self> {
        let xts = Xts::new(key).ok_or_else(|| io::Error::other("the key's halves are equal"))?;
        Ok(Self {
            drive_id,
            count,
            blocks,
            checksums,
            xts,
            key: checksum_key(key, drive_id, count)?,
            unflushed: Mutex::default(),
            damage: Mutex::default(),
        })
    }

    /// Reads whole blocks from `lba` on.
    pub(crate) fn read(&self, lba: u64, bytes: &mut [u8]) -> Result<(), BlockError> {
        let range = self.range(lba, bytes.len())?;
        self.read_cipher_text(lba, bytes)?;
        for (number, block) in (lba..).zip(bytes.chunks_exact_mut(BLOCK_LEN)) {
            if !is_zero(block) {
                self.xts.decrypt(number, block);
            }
        }
        self.damage_mut().readable(&range);
        Ok(())
    }

    /// Writes whole blocks from `lba` on.
    pub(crate) fn write(&self, lba: u64, bytes: &[u8]) -> Result<(), BlockError> {
        let range = self.range(lba, bytes.len())?;
        let mut encrypted = bytes.to_vec();
        for (number, block) in range.clone().zip(encrypted.chunks_exact_mut(BLOCK_LEN)) {
            self.xts.encrypt(number, block);
        }
        let mut unflushed = self.unflushed();
        let trusted = self.make_whole()?;
        let mut entries = self.entries(&range)?;
        if entries.iter().any(Entry::is_full) {
            // One of the two is needed only while the block may yet be lost.
            self.blocks.sync()?;
        }
        let mut written = Vec::with_capacity(entries.len());
        let blocks = range.clone().zip(encrypted.chunks_exact(BLOCK_LEN));
        for ((lba, block), entry) in blocks.zip(&mut entries) {
            let checksum = self.key.block(lba, block);
            written.push((lba, self.replace(entry, lba, checksum, trusted), checksum));
        }
        self.write_entries(lba, &entries)?;
        self.checksums.sync()?;
        let file = self.blocks.write_at(&encrypted, block_offset(lba))?;
        for (lba, slot, checksum) in written {
            unflushed.writes = unflushed.writes.wrapping_add(1);
            let write = UnflushedWrite { number: unflushed.writes, slot, checksum, file };
            unflushed.blocks.insert(lba, write);
        }
        self.damage_mut().readable(&range);
        Ok(())
    }

    /// Makes durable what was written.
    pub(crate) fn flush(&self) -> Result<(), BlockError> {
        let written = self.unflushed().blocks.clone();
        let file = self.blocks.sync()?;
        let mut unflushed = self.unflushed();
        // What was overwritten since is of its own flush.
        let same = |lba: &u64, write| unflushed.blocks.get(lba) == Some(write);
        let durable: Vec<_> = written.iter().filter(|(lba, write)| same(lba, write)).collect();
        let mut outcome = Ok(());
        for run in durable.chunk_by(|(lba, _), (next, _)| lba.checked_add(1) == Some(**next)) {
            outcome = outcome.and(self.settle(run, file));
        }
        for (lba, _) in durable {
            unflushed.blocks.remove(lba);
        }
        Ok(outcome?)
    }

    /// Reads the entries of these blocks, as far as the file reaches.
    fn read_entries(&self, numbers: &Range<u64>) -> io::Result<Vec<Option<Entry>>> {
        let count = numbers.end.saturating_sub(numbers.start);
        let count = usize::try_from(count).map_err(io::Error::other)?;
        let mut bytes = vec![0; count.saturating_mul(ENTRY_LEN)];
        let offset = entry_offset(numbers.start).ok_or(io::ErrorKind::InvalidInput)?;
        let read = self.checksums.read_at(&mut bytes, offset)?;
        bytes.truncate(read);
        let mut entries: Vec<_> = bytes.chunks(ENTRY_LEN).map(Entry::from_bytes).collect();
        entries.resize(count, None);
        Ok(entries)
    }

    /// Reads the entries of these blocks from a file that is whole.
    fn entries(&self, numbers: &Range<u64>) -> io::Result<Vec<Entry>> {
        let entries = self.read_entries(numbers)?.into_iter().collect::<Option<_>>();
        entries.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn write_entries(&self, lba: u64, entries: &[Entry]) -> io::Result<()> {
        let bytes: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
        let offset = entry_offset(lba).ok_or(io::ErrorKind::InvalidInput)?;
        self.checksums.write_at(&bytes, offset).map(drop)
    }

    /// Puts a new checksum beside that of the block on disk.
    fn replace(&self, entry: &mut Entry, lba: u64, checksum: Checksum, trusted: u64) -> Slot {
        let current = if *entry == Entry::EMPTY && lba < trusted {
            let zeros = self.key.block(lba, &[0; BLOCK_LEN]);
            let (first, slot) = entry.overwrite(None, zeros);
            *entry = first;
            Some(slot)
        } else if entry.is_full() {
            let mut block = [0; BLOCK_LEN];
            // A block that cannot be read matches neither.
            let read = self.blocks.read_at(&mut block, block_offset(lba));
            read.ok().and_then(|_| entry.slot_of(self.key.block(lba, &block)))
        } else {
            entry.only_slot()
        };
        let (replaced, slot) = entry.overwrite(current, checksum);
        *entry = replaced;
        slot
    }

    /// Clears the old checksums of these blocks, which follow each other and are durable in this
    /// file.
    fn settle(&self, run: &[(&u64, &UnflushedWrite)], file: FileIdentity) -> io::Result<()> {
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else { return Ok(()) };
        let mut entries = self.entries(&(**first..last.saturating_add(1)))?;
        for (entry, (_, write)) in entries.iter_mut().zip(run) {
            if write.file != file {
                return Err(drive_file::replaced(self.blocks.path()));
            }
            if entry.get(write.slot) != write.checksum {
                return Err(drive_file::replaced(self.checksums.path()));
            }
            *entry = entry.only(write.slot);
        }
        self.write_entries(**first, &entries)
    }

    /// Makes both files as long as they should be and the header good, and returns for how many
    /// blocks the checksums are trusted.
    fn make_whole(&self) -> io::Result<u64> {
        let (blocks_len, checksums_len) = (blocks_len(self.count), checksums_len(&self.key)?);
        if self.blocks.len()?.is_none_or(|len| len < blocks_len) {
            self.blocks.extend(blocks_len)?;
        }
        let found = match self.checksums.len()? {
            Some(len) => len,
            None => {
                self.checksums.extend(0)?;
                0
            }
        };
        let header = self.read_header()?;
        // What was cut off is empty when the file is extended, and was not when it was whole.
        let trusted = self.key.trusted(&header).unwrap_or(0).min(entries_in(found));
        let good = self.key.header(trusted);
        if header != good {
            self.checksums.write_at(&good, 0)?;
            self.checksums.sync()?;
        }
        if found < checksums_len {
            self.checksums.extend(checksums_len)?;
        }
        Ok(trusted)
    }

    fn trusted(&self) -> Option<u64> {
        self.read_header().ok().and_then(|header| self.key.trusted(&header))
    }

    fn read_header(&self) -> io::Result<Vec<u8>> {
        let mut header = vec![0; HEADER_LEN];
        let read = self.checksums.read_at(&mut header, 0)?;
        header.truncate(read);
        Ok(header)
    }

    /// The numbers of the blocks from `lba` on that `len` bytes are.
    fn range(&self, lba: u64, len: usize) -> Result<Range<u64>, BlockError> {
        if !len.is_multiple_of(BLOCK_LEN) {
            return Err(BlockError::Length { len });
        }
        let end = u64::try_from(len / BLOCK_LEN).ok().and_then(|count| lba.checked_add(count));
        let end = end.filter(|end| *end <= self.count);
        let end = end.ok_or(BlockError::OutOfRange { lba, blocks: self.count })?;
        Ok(lba..end)
    }

    fn unflushed(&self) -> MutexGuard<'_, Unflushed> {
        self.unflushed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damage_mut(&self) -> MutexGuard<'_, Damage> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn checksum_key(
    key: &[u8; aes_xts::KEY_LEN],
    drive_id: DriveId,
    count: u64,
) -> io::Result<DriveChecksums> {
    let derived = DriveChecksums::new(key, drive_id, count);
    derived.ok_or_else(|| io::Error::other("the key of the checksums cannot be derived"))
}

/// The number of a block is less than a drive can have: no offset overflows.
const fn block_offset(lba: u64) -> u64 {
    lba.saturating_mul(BLOCK_BYTES)
}

const fn blocks_len(count: u64) -> u64 {
    block_offset(count)
}

/// The number of the block at this offset.
const fn block_at(offset: u64) -> u64 {
    offset / BLOCK_BYTES
}

fn checksums_len(key: &DriveChecksums) -> io::Result<u64> {
    key.file_len().ok_or_else(|| io::Error::other("the drive has too many blocks"))
}

fn is_zero(block: &[u8]) -> bool {
    block.iter().all(|byte| *byte == 0)
}
