//! Data of a message that is needed as a whole, gathered part by part.
//!
//! ```text
//! [chunk] [chunk] [chunk]   part of a chunk
//!  shared by all copies      copied
//! ```
//!
//! A part of a message works on a copy of what came before it, because it may be done again. So a
//! copy must be cheap: it duplicates less than one chunk, however much is held.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::error::{Error, Result};

/// The most that is held of one message: it stays in memory until its last part comes.
pub(crate) const HELD_LEN_MAX: usize = 16 << 20;

/// Bytes of a chunk.
pub(crate) const CHUNK_LEN: usize = 4 << 10;

/// What is held of a message.
#[derive(Clone, Default)]
pub(crate) struct Held {
    full: Arc<Vec<Arc<Zeroizing<Vec<u8>>>>>,
    rest: Zeroizing<Vec<u8>>,
}

impl Held {
    /// Bytes that are held.
    pub(crate) fn len(&self) -> usize {
        self.full.len().saturating_mul(CHUNK_LEN).saturating_add(self.rest.len())
    }

    /// Takes the next bytes.
    pub(crate) fn push(&mut self, mut data: &[u8]) -> Result<()> {
        self.check_room(data.len())?;
        while !data.is_empty() {
            let room = CHUNK_LEN.saturating_sub(self.rest.len());
            let (part, later) = data.split_at(room.min(data.len()));
            let joined = joined([self.rest.as_slice(), part]);
            if joined.len() < CHUNK_LEN {
                self.rest = joined;
            } else {
                Arc::make_mut(&mut self.full).push(Arc::new(joined));
                self.rest = Zeroizing::default();
            }
            data = later;
        }
        Ok(())
    }

    /// All that is held, and the last bytes after it.
    pub(crate) fn finish(self, last: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.check_room(last.len())?;
        let full = self.full.iter().map(|chunk| chunk.as_slice());
        Ok(joined(full.chain([self.rest.as_slice(), last])))
    }

    fn check_room(&self, more: usize) -> Result<()> {
        match self.len().saturating_add(more) > HELD_LEN_MAX {
            false => Ok(()),
            true => Err(Error::data(format!(
                "the algorithm needs the whole message in memory, and this server holds \
                 {HELD_LEN_MAX} bytes"
            ))),
        }
    }
}

/// One allocation for all, instead of one that grows and leaves its old bytes behind.
fn joined<'a>(parts: impl IntoIterator<Item = &'a [u8]> + Clone) -> Zeroizing<Vec<u8>> {
    let len = parts.clone().into_iter().fold(0_usize, |len, part| len.saturating_add(part.len()));
    let mut all = Zeroizing::new(Vec::with_capacity(len));
    parts.into_iter().for_each(|part| all.extend_from_slice(part));
    all
}

#[cfg(test)]
impl Held {
    /// Bytes that a copy duplicates.
    pub(crate) fn copied_len(&self) -> usize {
        let copy = self.clone();
        assert!(Arc::ptr_eq(&self.full, &copy.full));
        copy.rest.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_LEN, HELD_LEN_MAX, Held};

    #[test]
    fn what_is_held_comes_back_in_order_and_copies_go_their_own_ways() {
        let message: Vec<u8> = (0..=250).cycle().take(3 * CHUNK_LEN + 7).collect();
        for part in [1_usize, 4093, CHUNK_LEN, CHUNK_LEN + 1, message.len()] {
            let mut held = Held::default();
            for part in message.chunks(part) {
                let mut dropped = held.clone();
                dropped.push(b"done once more").unwrap();
                held.push(part).unwrap();
            }
            assert_eq!(held.len(), message.len());
            assert!(held.copied_len() < CHUNK_LEN);
            let end = held.clone().finish(b"end").unwrap();
            assert_eq!(end.split_at(message.len()), (message.as_slice(), b"end".as_slice()));
            assert_eq!(held.finish(&[]).unwrap().as_slice(), message);
        }
    }

    #[test]
    fn no_more_is_held_than_fits() {
        let mut held = Held::default();
        held.push(&vec![0; HELD_LEN_MAX - 1]).unwrap();
        assert!(held.push(&[0; 2]).is_err() && held.clone().finish(&[0; 2]).is_err());
        held.push(&[0]).unwrap();
        assert!(held.push(&[0]).is_err());
        assert_eq!(held.finish(&[]).unwrap().len(), HELD_LEN_MAX);
    }
}
