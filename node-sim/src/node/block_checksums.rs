//! Format of the file `checksums`, which is beside the file `blocks` of each drive.
//!
//! ```text
//! 0    header: magic and format (8) | trusted (8, big-endian) | checksum of the header (16)
//! 32   second copy of the header
//! 64   entry of block 0: first checksum (16) | second checksum (16)
//! 96   entry of block 1
//! ...  as many as the drive has blocks
//! ```
//!
//! A checksum is HMAC-SHA-256, truncated to 16 bytes, under a key that is derived from the drive's
//! data encryption key. That of a block is over drive id, number of the block and cipher text: an
//! exchanged block and an exchanged file do not match. A checksum of 16 zero bytes means none.
//!
//! - An entry has two checksums so that a block can be overwritten: the new one is written beside
//!   that of the block on disk. The block on disk is good if it matches either.
//! - An empty entry means that the block was never written and is all zeros, but only below
//!   `trusted`. A new file is trusted for all blocks. A file that was cut off or removed is made
//!   whole again by the next write, and is trusted then as far as it was there.
//! - Of two copies of the header that differ the lower `trusted` counts, and one that does not
//!   match its checksum counts for nothing.

use crate::crypto::aes_xts;
use crate::crypto::checksum::{CHECKSUM_LEN, Checksum, ChecksumKey};
use crate::state::key_ring::DriveId;

/// Beginning of a header: the last byte is the format.
const MAGIC: [u8; 8] = *b"NSIMSUM\x01";

/// What the key is derived for.
const PURPOSE: &str = "node-sim: checksums of blocks, format 1";

const NONE: Checksum = [0; CHECKSUM_LEN];

/// Length of an entry, and of a copy of the header.
pub(super) const ENTRY_LEN: usize = 2 * CHECKSUM_LEN;

/// Length of both copies of the header.
pub(super) const HEADER_LEN: usize = 2 * ENTRY_LEN;

const ENTRY_BYTES: u64 = 32;
const HEADER_BYTES: u64 = 64;
const _: () = assert!(ENTRY_LEN == 32 && HEADER_LEN == 64);

/// Which checksum of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The first one.
    First,
    /// The second one.
    Second,
}

/// The two checksums of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    first: Checksum,
    second: Checksum,
}

/// Makes the checksums of one drive.
pub(super) struct DriveChecksums {
    key: ChecksumKey,
    drive_id: DriveId,
    blocks: u64,
}

impl Slot {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

impl Entry {
    /// The entry of a block that was never written.
    pub(super) const EMPTY: Self = Self { first: NONE, second: NONE };

    /// Reads an entry; `None` if there are too few bytes.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first_chunk()?;
        Some(Self { first: *first, second: *rest.first_chunk()? })
    }

    /// Returns the entry as it is on disk.
    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.first, self.second].concat()
    }

    /// Returns the checksum in a slot.
    pub(super) const fn get(&self, slot: Slot) -> Checksum {
        match slot {
            Slot::First => self.first,
            Slot::Second => self.second,
        }
    }

    const fn with(mut self, slot: Slot, checksum: Checksum) -> Self {
        match slot {
            Slot::First => self.first = checksum,
            Slot::Second => self.second = checksum,
        }
        self
    }

    /// Returns whether both checksums are there: an overwrite has begun and is not finished.
    pub(super) fn is_full(&self) -> bool {
        self.first != NONE && self.second != NONE
    }

    /// Returns the slot with this checksum.
    pub(super) fn slot_of(&self, checksum: Checksum) -> Option<Slot> {
        [Slot::First, Slot::Second].into_iter().find(|slot| self.get(*slot) == checksum)
    }

    /// Returns the slot that has a checksum, if exactly one has.
    pub(super) fn only_slot(&self) -> Option<Slot> {
        let used = |slot: &Slot| self.get(*slot) != NONE;
        [Slot::First, Slot::Second].into_iter().find(|slot| used(slot) && !used(&slot.other()))
    }

    /// Returns the entry with a new checksum, and its slot. The checksum in the slot `current`
    /// stays.
    pub(super) fn overwrite(self, current: Option<Slot>, checksum: Checksum) -> (Self, Slot) {
        let slot = current.map_or(Slot::First, Slot::other);
        (self.with(slot, checksum), slot)
    }

    /// Returns the entry with the checksum in this slot only.
    pub(super) const fn only(self, slot: Slot) -> Self {
        self.with(slot.other(), NONE)
    }
}

impl DriveChecksums {
    /// Derives the key from the drive's data encryption key; `None` if the library refuses.
    pub(super) fn new(
        data_encryption_key: &[u8; aes_xts::KEY_LEN],
        drive_id: DriveId,
        blocks: u64,
    ) -> Option<Self> {
        let key = ChecksumKey::derive(data_encryption_key, PURPOSE)?;
        Some(Self { key, drive_id, blocks })
    }

    /// Returns the checksum of a block.
    pub(super) fn block(&self, lba: u64, cipher_text: &[u8]) -> Checksum {
        self.key.checksum(&[&self.drive_id.0.to_be_bytes(), &lba.to_be_bytes(), cipher_text])
    }

    /// Returns both copies of the header of a file that is trusted for the blocks below `trusted`.
    pub(super) fn header(&self, trusted: u64) -> Vec<u8> {
        let trusted = trusted.to_be_bytes();
        // Shorter than the input for a block.
        let (drive_id, blocks) = (self.drive_id.0.to_be_bytes(), self.blocks.to_be_bytes());
        let checksum = self.key.checksum(&[&MAGIC, &drive_id, &blocks, &trusted]);
        [MAGIC.as_slice(), &trusted, &checksum].concat().repeat(2)
    }

    /// Returns for how many blocks this header says that their file is trusted; `None` if no copy
    /// is good.
    pub(super) fn trusted(&self, header: &[u8]) -> Option<u64> {
        let copies = header.chunks_exact(ENTRY_LEN).take(2);
        copies.filter_map(|copy| self.trusted_of_copy(copy)).min()
    }

    fn trusted_of_copy(&self, copy: &[u8]) -> Option<u64> {
        let trusted = u64::from_be_bytes(*copy.get(MAGIC.len()..)?.first_chunk()?);
        self.header(trusted).starts_with(copy).then_some(trusted)
    }

    /// Returns the length of the whole file; `None` if it has more bytes than a file can have.
    pub(super) fn file_len(&self) -> Option<u64> {
        entry_offset(self.blocks)
    }
}

/// Returns where the entry of a block is.
pub(super) fn entry_offset(lba: u64) -> Option<u64> {
    lba.checked_mul(ENTRY_BYTES)?.checked_add(HEADER_BYTES)
}

/// Returns how many whole entries a file of this length has.
pub(super) fn entries_in(file_len: u64) -> u64 {
    file_len.saturating_sub(HEADER_BYTES) / ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::{DriveChecksums, ENTRY_LEN, Entry, HEADER_LEN, Slot, entries_in, entry_offset};
    use crate::state::key_ring::DriveId;

    fn checksums(key: u8, drive: u32, blocks: u64) -> DriveChecksums {
        DriveChecksums::new(&[key; 64], DriveId(drive), blocks).unwrap()
    }

    #[test]
    fn checksum_is_bound_to_key_drive_place_and_content() {
        let block = [7; 4096];
        let one = checksums(1, 1, 8).block(3, &block);
        assert_eq!(one, checksums(1, 1, 8).block(3, &block));
        assert_ne!(one, checksums(2, 1, 8).block(3, &block));
        assert_ne!(one, checksums(1, 2, 8).block(3, &block));
        assert_ne!(one, checksums(1, 1, 8).block(4, &block));
        assert_ne!(one, checksums(1, 1, 8).block(3, &[8; 4096]));
    }

    #[test]
    fn header_is_good_while_one_copy_is() {
        let drive = checksums(1, 1, 8);
        let header = drive.header(8);
        assert_eq!(header.len(), HEADER_LEN);
        assert_eq!(drive.trusted(&header), Some(8));
        for byte in 0..HEADER_LEN {
            let mut changed = header.clone();
            changed[byte] ^= 0x10;
            assert_eq!(drive.trusted(&changed), Some(8), "byte {byte}");
            changed[(byte + ENTRY_LEN) % HEADER_LEN] ^= 1;
            assert_eq!(drive.trusted(&changed), None, "byte {byte} of both");
            assert_eq!(drive.trusted(&header[..byte]), (byte >= ENTRY_LEN).then_some(8));
        }
        let newer = [&header[..ENTRY_LEN], &drive.header(5)[ENTRY_LEN..]].concat();
        assert_eq!(drive.trusted(&newer), Some(5), "the lower of two");
        for other in [checksums(2, 1, 8), checksums(1, 2, 8), checksums(1, 1, 9)] {
            assert_eq!(other.trusted(&header), None, "of another drive");
        }
    }

    #[test]
    fn new_checksum_replaces_that_which_the_block_does_not_match() {
        let (a, b, c) = ([1; 16], [2; 16], [3; 16]);
        let (entry, slot) = Entry::EMPTY.overwrite(None, a);
        assert_eq!((slot, entry.only_slot(), entry.is_full()), (Slot::First, Some(slot), false));
        let (entry, slot) = entry.overwrite(Some(Slot::First), b);
        assert_eq!((slot, entry.only_slot(), entry.is_full()), (Slot::Second, None, true));
        assert_eq!((entry.slot_of(a), entry.slot_of(b)), (Some(Slot::First), Some(Slot::Second)));
        assert_eq!(entry.overwrite(Some(Slot::Second), c).0.slot_of(b), Some(Slot::Second));
        let settled = entry.only(Slot::Second);
        assert_eq!((settled.slot_of(a), settled.only_slot()), (None, Some(Slot::Second)));
        assert_eq!(Entry::from_bytes(&settled.bytes()), Some(settled));
    }

    #[test]
    fn entries_are_counted_as_they_are_placed() {
        assert_eq!((entry_offset(0), entry_offset(2)), (Some(64), Some(128)));
        assert_eq!(entry_offset(u64::MAX), None);
        for (len, entries) in [(0, 0), (64, 0), (95, 0), (96, 1), (128, 2), (159, 2)] {
            assert_eq!(entries_in(len), entries, "{len}");
        }
    }
}
