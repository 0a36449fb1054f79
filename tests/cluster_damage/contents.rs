//! Contents of the drives.

use std::collections::BTreeMap;
use std::ops::Range;

/// Blocks of a drive.
pub(crate) const BLOCKS: u64 = 256;
pub(crate) const BLOCK_LEN: usize = 4096;

/// Ranges of blocks that are written; all others never are.
pub(crate) const WRITTEN: [Range<u64>; 3] = [0..3, 100..102, 255..256];

/// How often the blocks were written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    First,
    Last,
}

/// Contents of a block that is written: text, so that it passes through any client; no two blocks
/// are equal.
pub(crate) fn block(drive: u64, lba: u64, version: Version) -> String {
    let version = if version == Version::First { "older" } else { "newest" };
    let text = format!("drive {drive} block {lba} {version} ");
    text.chars().cycle().take(BLOCK_LEN).collect()
}

/// Contents of these blocks of a drive.
pub(crate) fn blocks(drive: u64, range: Range<u64>, version: Version) -> String {
    let is_written = |lba: u64| WRITTEN.iter().any(|written| written.contains(&lba));
    let zeros = || "\0".repeat(BLOCK_LEN);
    range.map(|lba| if is_written(lba) { block(drive, lba, version) } else { zeros() }).collect()
}

/// Blocks of each drive that the damage may cost.
pub(crate) type Suspects = BTreeMap<u64, Range<u64>>;
