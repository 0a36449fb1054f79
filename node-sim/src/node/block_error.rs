//! Errors of reading and writing the blocks of a drive.

use crate::state::key_ring::DriveId;
use std::io;

/// Error of reading or writing blocks.
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
    #[error("{len} bytes are not a whole number of blocks of 4096 bytes")]
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
    /// What is on disk is not what was written.
    #[error(
        "block {lba} of drive {drive_id} is damaged: {path}: {cause}; put the file back as it was, \
         or overwrite the block"
    )]
    Damaged {
        /// The drive.
        drive_id: DriveId,
        /// The first damaged block of those that were asked for.
        lba: u64,
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: DamageCause,
    },
    /// The file system refuses.
    #[error(transparent)]
    File(#[from] io::Error),
}

/// What is wrong with the file of a damaged block.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DamageCause {
    /// The file was removed.
    #[error("the file does not exist")]
    Missing,
    /// The file was cut off.
    #[error("the file ends before the block")]
    Short,
    /// Block or checksum changed.
    #[error("the block does not match its checksum in {checksums}")]
    Mismatch {
        /// The file of the checksums.
        checksums: String,
    },
    /// No copy of the header of the checksums is that of the drive.
    #[error(
        "the file has no checksum that the block matches, and its header is not that of drive {0}"
    )]
    Foreign(DriveId),
    /// The file was made again after it had been damaged.
    #[error("the checksum of the block was lost when the file was damaged")]
    Lost,
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
}
