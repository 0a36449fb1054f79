//! Comparison of blocks with their checksums, and the search for damaged blocks.

use super::{BLOCK_LEN, BlockFile, block_at, block_offset, blocks_len, checksums_len, is_zero};
use crate::node::block_checksums::{Entry, entries_in, entry_offset};
use crate::node::block_damage::Damage;
use crate::node::block_error::{BlockError, DamageCause};
use crate::node::drive_file::FileAccess;
use std::io;
use std::ops::Range;

/// Blocks that a search reads at once.
const SEARCH_BLOCKS: u64 = 256;

impl<F: FileAccess> BlockFile<F> {
    /// Returns what is known of damaged blocks.
    pub(crate) fn damage(&self) -> Damage {
        self.damage_mut().clone()
    }

    /// Notes that the cluster fault is resolved.
    pub(crate) fn damage_resolved(&self) {
        self.damage_mut().resolved();
    }

    /// Notes that all blocks have to be searched for damage, if `known` or the files are not as
    /// they should be.
    pub(crate) fn suspect_damage(&self, known: bool) {
        if known || !self.is_whole().unwrap_or(false) {
            self.damage_mut().suspect();
        }
    }

    /// Searches a damaged block, if it is not known whether there is one, or the one that is known
    /// is good again; stops when `go_on` returns false.
    pub(crate) fn search_damage(&self, go_on: impl Fn() -> bool) {
        if let Damage::Found { lba, .. } = self.damage() {
            let found = lba..lba.saturating_add(1);
            if self.check(found.clone()).is_ok() {
                self.damage_mut().readable(&found);
            }
        }
        let Damage::Unknown { from } = self.damage() else { return };
        for part in [from..self.count, 0..from] {
            let mut next = self.next_used(part.start);
            while next < part.end {
                let end = next.saturating_add(SEARCH_BLOCKS).min(part.end);
                if !go_on() || self.check(next..end).is_err() {
                    return;
                }
                next = self.next_used(end);
            }
        }
        self.damage_mut().none_found();
    }

    fn check(&self, range: Range<u64>) -> Result<(), BlockError> {
        let blocks = range.end.saturating_sub(range.start);
        let len = usize::try_from(blocks).unwrap_or(0).saturating_mul(BLOCK_LEN);
        self.read_cipher_text(range.start, &mut vec![0; len])
    }

    /// Returns the first block from `lba` on that is not one that was never written for sure.
    fn next_used(&self, lba: u64) -> u64 {
        let is_whole = self.is_whole().unwrap_or(false);
        let offsets = entry_offset(lba).filter(|_| is_whole).zip(Some(block_offset(lba)));
        let Some((entry, block)) = offsets else { return lba };
        let number = |found: io::Result<Option<u64>>, to: fn(u64) -> u64| match found {
            Ok(found) => found.map_or(self.count, to),
            Err(_) => lba,
        };
        let block = number(self.blocks.next_data(block), block_at);
        let entry = number(self.checksums.next_data(entry), entries_in);
        block.min(entry).max(lba)
    }

    /// Reads blocks and compares them with their checksums.
    pub(super) fn read_cipher_text(&self, lba: u64, bytes: &mut [u8]) -> Result<(), BlockError> {
        if self.read_and_compare(lba, bytes).is_ok() {
            return Ok(());
        }
        // A write may have come between the reading of the checksums and that of the blocks.
        let _writer = self.unflushed();
        let compared = self.read_and_compare(lba, bytes);
        if let Err(error @ BlockError::Damaged { lba, .. }) = &compared {
            self.damage_mut().found(*lba, error.to_string());
        }
        compared
    }

    fn read_and_compare(&self, lba: u64, bytes: &mut [u8]) -> Result<(), BlockError> {
        let numbers = self.range(lba, bytes.len())?;
        let entries = self.read_entries(&numbers);
        let read = self.blocks.read_at(bytes, block_offset(lba));
        let (entries, read) = match (entries, read) {
            (Ok(entries), Ok(read)) => (entries, read),
            // Which of them it is.
            (Err(_), _) | (_, Err(_)) if bytes.len() > BLOCK_LEN => {
                let mut blocks = numbers.zip(bytes.chunks_exact_mut(BLOCK_LEN));
                return blocks.try_for_each(|(lba, block)| self.read_and_compare(lba, block));
            }
            (Err(error), _) => return Err(self.unreadable(&self.checksums, lba, error)),
            (_, Err(error)) => return Err(self.unreadable(&self.blocks, lba, error)),
        };
        let mut whole = bytes.get(..read).unwrap_or_default().chunks_exact(BLOCK_LEN);
        for (lba, entry) in numbers.zip(entries) {
            let short = |file| self.damaged(file, lba, DamageCause::Short);
            let block = whole.next().ok_or_else(|| short(&self.blocks))?;
            self.compare(lba, block, &entry.ok_or_else(|| short(&self.checksums))?)?;
        }
        Ok(())
    }

    /// Compares one block with its checksums.
    fn compare(&self, lba: u64, block: &[u8], entry: &Entry) -> Result<(), BlockError> {
        if *entry != Entry::EMPTY {
            if entry.slot_of(self.key.block(lba, block)).is_some() {
                return Ok(());
            }
            return Err(self.mismatch(lba));
        }
        if !is_zero(block) {
            return Err(self.mismatch(lba));
        }
        match self.trusted() {
            Some(trusted) if lba < trusted => Ok(()),
            Some(_) => Err(self.damaged(&self.checksums, lba, DamageCause::Lost)),
            None => Err(self.mismatch(lba)),
        }
    }

    fn mismatch(&self, lba: u64) -> BlockError {
        if self.trusted().is_none() {
            return self.damaged(&self.checksums, lba, DamageCause::Foreign(self.drive_id));
        }
        let checksums = self.checksums.path().display().to_string();
        self.damaged(&self.blocks, lba, DamageCause::Mismatch { checksums })
    }

    fn unreadable(&self, file: &F, lba: u64, error: io::Error) -> BlockError {
        let cause = if error.kind() == io::ErrorKind::NotFound {
            DamageCause::Missing
        } else {
            DamageCause::Unreadable(error)
        };
        self.damaged(file, lba, cause)
    }

    fn damaged(&self, file: &F, lba: u64, cause: DamageCause) -> BlockError {
        let path = file.path().display().to_string();
        BlockError::Damaged { drive_id: self.drive_id, lba, path, cause }
    }

    /// Whether both files are as long as they should be and the checksums trusted for all blocks.
    fn is_whole(&self) -> io::Result<bool> {
        let is_long = |file: &F, len| Ok::<_, io::Error>(file.len()?.is_some_and(|l| l >= len));
        Ok(is_long(&self.blocks, blocks_len(self.count))?
            && is_long(&self.checksums, checksums_len(&self.key)?)?
            && self.trusted() == Some(self.count))
    }
}
