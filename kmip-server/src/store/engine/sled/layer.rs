//! Rows in memory that are shown in place of the tree's, and a sieve that tells most other keys
//! from them.
//!
//! ```text
//! key -> hash -> word of the sieve:  both bits?  no   -> it is not here
//!                                                yes  -> it is looked for among the rows
//! ```
//!
//! Nearly every key that is looked up is in the tree alone, or nowhere, and is looked for here
//! first. To see among 15,000 rows that a key is none of theirs takes some twenty comparisons, each
//! of bytes elsewhere in memory, and as long as the tree takes. The sieve tells it by one word.
//!
//! **A key that is here is never sifted out.**

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;
use sled::IVec;

use super::log::Row;

/// Rows and what becomes of them: `None` for one that is removed.
pub(super) type Rows = BTreeMap<IVec, Option<IVec>>;

/// The rows of one log.
#[derive(Default)]
pub(super) struct Layer {
    rows: Rows,
    sieve: Sieve,
}

impl Layer {
    /// What becomes of a key, if anything does.
    pub(super) fn get(&self, key: &[u8], hash: Hash) -> Option<&Option<IVec>> {
        if self.sieve.lets_through(hash) { self.rows.get(key) } else { None }
    }

    /// All rows, in the order of their keys.
    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Adds rows, each in the place of an earlier one of its key.
    pub(super) fn extend(&mut self, rows: Vec<Row>) {
        for (key, row) in rows {
            self.sieve.add(Hash::of(&key));
            self.rows.insert(key, row);
        }
    }
}

/// A key's hash, for the sieve alone. A client that chooses identifiers may choose such as fall
/// together: their keys are then looked for among the rows, and nothing else comes of it.
#[derive(Clone, Copy)]
pub(super) struct Hash(u64);

/// The words of a sieve, 32 KiB. A log that is full has some 15,000 rows: of the keys that are not
/// among them, one in fifty is let through.
const WORDS: usize = 1 << 12;

/// Two bits in one word for each key; no word before the first key.
#[derive(Default)]
struct Sieve(Vec<u64>);

impl Sieve {
    fn add(&mut self, hash: Hash) {
        self.0.resize(WORDS, 0);
        if let Some(word) = self.0.get_mut(hash.word()) {
            *word |= hash.bits();
        }
    }

    fn lets_through(&self, hash: Hash) -> bool {
        self.0.get(hash.word()).is_some_and(|word| word & hash.bits() == hash.bits())
    }
}

impl Hash {
    pub(super) fn of(key: &[u8]) -> Self {
        Self(FxBuildHasher.hash_one(key))
    }

    fn word(self) -> usize {
        usize::try_from(self.0 >> 12).unwrap_or_default() % WORDS
    }

    fn bits(self) -> u64 {
        (1 << (self.0 & 63)) | (1 << ((self.0 >> 6) & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> IVec {
        IVec::from(&n.to_be_bytes())
    }

    #[test]
    fn every_row_is_found_and_hardly_another_key_is_looked_for() {
        let mut layer = Layer::default();
        let row = |n: u32| (key(n), n.is_multiple_of(2).then(|| key(n)));
        assert!(layer.get(&key(0), Hash::of(&key(0))).is_none());
        layer.extend((0..15_000).map(row).collect());
        for n in 0..15_000 {
            assert_eq!(layer.get(&key(n), Hash::of(&key(n))), Some(&row(n).1), "{n}");
        }
        let others = (15_000..30_000).map(|n| Hash::of(&key(n)));
        let through = others.filter(|hash| layer.sieve.lets_through(*hash)).count();
        assert!(through < 450, "{through} of 15,000");
    }
}
