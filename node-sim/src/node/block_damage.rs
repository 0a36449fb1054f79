//! What is known of the damaged blocks of an unlocked drive: at most one of them, which its cluster
//! fault names.
//!
//! ```text
//! None ----> Found <----------+      a block was read and is damaged
//!   ^          v              |      the block is good again: put back, or overwritten
//!   |        Unknown ---------+      the search for another damaged block found one
//!   |          v                     ... or none
//!   +------- Repaired                the fault is resolved, durably
//! ```

use std::ops::Range;

/// State of a drive's blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Damage {
    /// No damaged block is known.
    #[default]
    None,
    /// A block is damaged.
    Found {
        /// The block.
        lba: u64,
        /// What is wrong, as the cluster fault says it.
        details: String,
    },
    /// Blocks may be damaged: to be searched, first from this block on.
    Unknown {
        /// The block.
        from: u64,
    },
    /// All blocks are good after some were, or may have been, damaged.
    Repaired,
}

impl Damage {
    /// Notes a damaged block. The first one that was found stays the one that is named.
    pub(super) fn found(&mut self, lba: u64, details: String) {
        if !matches!(self, Self::Found { .. }) {
            *self = Self::Found { lba, details };
        }
    }

    /// Notes that these blocks are good.
    pub(super) fn readable(&mut self, blocks: &Range<u64>) {
        if let Self::Found { lba, .. } = self
            && blocks.contains(lba)
        {
            *self = Self::Unknown { from: *lba };
        }
    }

    /// Notes that something outside of this program may have damaged blocks.
    pub(super) fn suspect(&mut self) {
        if !matches!(self, Self::Found { .. }) {
            *self = Self::Unknown { from: 0 };
        }
    }

    /// Notes that a search found every block good.
    pub(super) fn none_found(&mut self) {
        if matches!(self, Self::Unknown { .. }) {
            *self = Self::Repaired;
        }
    }

    /// Notes that the cluster fault is resolved.
    pub(super) fn resolved(&mut self) {
        if *self == Self::Repaired {
            *self = Self::None;
        }
    }
}
