//! Hashes and message authentication codes that take their data in parts.
//!
//! A state can be copied, because a part of a stream may be done again: what came of it counts only
//! once its batch is durable.

use aes::cipher::Array;
use hmac::Mac;
use hmac::digest::{Digest, FixedOutput};
use poly1305::Poly1305;
use poly1305::universal_hash::UniversalHash;
use zeroize::Zeroizing;

/// A hash or a code under way. Its library zeroizes it when it is dropped.
pub(crate) trait Run: Send + Sync {
    /// Takes the next part.
    fn update(&mut self, data: &[u8]);

    /// What comes of all that was taken.
    fn finish(self: Box<Self>) -> Zeroizing<Vec<u8>>;

    /// The same once more.
    fn copy(&self) -> Running;
}

/// A hash or a code under way.
pub(crate) type Running = Box<dyn Run>;

impl Clone for Running {
    fn clone(&self) -> Self {
        (**self).copy()
    }
}

/// A hash of a library.
#[derive(Clone)]
pub(crate) struct RunningHash<D>(pub(crate) D);

impl<D: Digest + Clone + Send + Sync + 'static> Run for RunningHash<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finish(self: Box<Self>) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.finalize().to_vec())
    }

    fn copy(&self) -> Running {
        Box::new(self.clone())
    }
}

/// A code of a library.
#[derive(Clone)]
pub(crate) struct RunningMac<M>(pub(crate) M);

impl<M: Mac + FixedOutput + Clone + Send + Sync + 'static> Run for RunningMac<M> {
    fn update(&mut self, data: &[u8]) {
        Mac::update(&mut self.0, data);
    }

    fn finish(self: Box<Self>) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.finalize_fixed().to_vec())
    }

    fn copy(&self) -> Running {
        Box::new(self.clone())
    }
}

/// Bytes of a block of the two hashes over fields, GHASH and Poly1305.
pub(crate) const FIELD_BLOCK: usize = 16;

/// A hash over a field, which its library takes whole blocks for.
#[derive(Clone)]
pub(crate) struct FieldHash<H> {
    hash: H,
    rest: Zeroizing<Vec<u8>>,
}

impl<H: UniversalHash<BlockSize = aes::cipher::consts::U16> + Clone> FieldHash<H> {
    pub(crate) fn new(hash: H) -> Self {
        Self { hash, rest: Zeroizing::new(Vec::with_capacity(FIELD_BLOCK)) }
    }

    /// Takes the next bytes.
    pub(crate) fn update(&mut self, mut data: &[u8]) {
        if !self.rest.is_empty() {
            let room = FIELD_BLOCK.saturating_sub(self.rest.len()).min(data.len());
            let (first, left) = data.split_at(room);
            self.rest.extend_from_slice(first);
            data = left;
            if self.rest.len() < FIELD_BLOCK {
                return;
            }
            self.pad();
        }
        let (blocks, rest) = Array::slice_as_chunks(data);
        self.hash.update(blocks);
        self.rest.extend_from_slice(rest);
    }

    /// Fills the last block with zeros.
    pub(crate) fn pad(&mut self) {
        if !self.rest.is_empty() {
            self.hash.update_padded(&self.rest);
            self.rest.clear();
        }
    }

    /// The hash of what was taken, the last block filled with zeros.
    pub(crate) fn finish(mut self) -> Zeroizing<Vec<u8>> {
        self.pad();
        Zeroizing::new(self.hash.finalize().to_vec())
    }
}

/// Poly1305 as a code of its own (RFC 8439, 2.5): its last block is filled with a one and zeros.
impl Run for FieldHash<Poly1305> {
    fn update(&mut self, data: &[u8]) {
        Self::update(self, data);
    }

    fn finish(self: Box<Self>) -> Zeroizing<Vec<u8>> {
        let Self { hash, rest } = *self;
        Zeroizing::new(hash.compute_unpadded(&rest).to_vec())
    }

    fn copy(&self) -> Running {
        Box::new(self.clone())
    }
}
