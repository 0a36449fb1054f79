//! Random bytes, and what clients add to their making (1.4, 4.35 and 4.36; 2.1, 6.1.42, 6.1.43 and
//! 7.25).
//!
//! ```text
//! bytes = the library's own, seeded by the system  ^  SHA-256(pool, fresh bytes, 0, 1, 2 ...)
//! ```
//!
//! What a client sends is stirred into the pool, and so into every byte that is given out
//! afterwards; it can make no byte easier to guess than the library's alone.

use aws_lc_rs::rand;
use kmip::vocabulary::HashingAlgorithm;
use zeroize::Zeroizing;

use super::cipher::block_chaining::mix;
use super::error::{Error, Result};
use super::hash::hash;

/// The most bytes that one request is given.
pub(crate) const RANDOM_LEN_MAX: usize = 256 << 10;

/// What clients have added.
#[derive(Clone, Default)]
pub(crate) struct Pool(Zeroizing<Vec<u8>>);

impl Pool {
    /// Adds a client's bytes.
    pub(crate) fn stir(&mut self, seed: &[u8]) -> Result<()> {
        self.0 = hashed(&[&self.0, seed])?;
        Ok(())
    }

    /// Random bytes.
    pub(crate) fn bytes(&self, len: usize) -> Result<Zeroizing<Vec<u8>>> {
        let mut bytes = fresh(len)?;
        if !self.0.is_empty() {
            let once = fresh(32)?;
            for (index, part) in (0_u32..).zip(bytes.chunks_mut(32)) {
                mix(part, &hashed(&[&self.0, &once, &index.to_be_bytes()])?);
            }
        }
        Ok(bytes)
    }
}

/// Random bytes of the library.
pub(crate) fn fresh(len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    rand::fill(&mut bytes).map_err(|_| Error::Internal("make random bytes"))?;
    Ok(bytes)
}

fn hashed(parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>> {
    let mut hash = hash(HashingAlgorithm::SHA_256)?;
    parts.iter().for_each(|part| hash.update(part));
    Ok(hash.finish())
}
