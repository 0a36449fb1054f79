//! Modes that make a block cipher a stream of bytes (SP 800-38A, 6.3 to 6.5).
//!
//! ```text
//! CFB    C = P ^ E(r)    r <- C          the whole block is fed back
//! OFB    C = P ^ E(r)    r <- E(r)
//! CTR    C = P ^ E(r)    r <- r + 1      in the last bytes of r, as many as the counter has
//! ```

use zeroize::Zeroizing;

use super::block::SharedBlock;
use crate::crypto::cipher::block_chaining::mix;
use crate::crypto::error::{Error, Result};

/// What is encrypted for the next block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feedback {
    /// The ciphertext: CFB.
    Cipher,
    /// The stream itself: OFB.
    Stream,
    /// A counter of so many bytes, at the end of the register: CTR.
    Counter(usize),
}

/// Blocks of a counter that are encrypted at once: ciphers of today take eight or more together.
const COUNTED: usize = 32;

/// A stream under way.
#[derive(Clone)]
pub(crate) struct KeyStream {
    cipher: SharedBlock,
    feedback: Feedback,
    register: Zeroizing<Vec<u8>>,
    /// What is left of the blocks that were encrypted.
    stream: Zeroizing<Vec<u8>>,
    used: usize,
    /// The ciphertext of the block under way, for CFB.
    fed: Zeroizing<Vec<u8>>,
    /// How many more blocks there are before the counter comes round.
    blocks_left: u64,
}

impl KeyStream {
    /// A stream that begins with this register, which is as long as a block.
    pub(crate) fn new(cipher: SharedBlock, feedback: Feedback, register: &[u8]) -> Self {
        let len = cipher.len();
        let blocks_left = match feedback {
            Feedback::Counter(bytes) => u32::try_from(bytes.saturating_mul(8))
                .ok()
                .and_then(|bits| 1_u64.checked_shl(bits))
                .unwrap_or(u64::MAX),
            Feedback::Cipher | Feedback::Stream => u64::MAX,
        };
        Self {
            feedback,
            register: Zeroizing::new(register.to_vec()),
            stream: Zeroizing::new(Vec::with_capacity(len.saturating_mul(COUNTED))),
            used: 0,
            fed: Zeroizing::new(Vec::with_capacity(len)),
            blocks_left,
            cipher,
        }
    }

    /// Encrypts the next bytes in place; refuses when the counter would come round.
    pub(crate) fn encrypt(&mut self, data: &mut [u8]) -> Result<()> {
        self.apply(data, true)
    }

    /// Decrypts the next bytes in place; refuses when the counter would come round.
    pub(crate) fn decrypt(&mut self, data: &mut [u8]) -> Result<()> {
        self.apply(data, false)
    }

    fn apply(&mut self, mut data: &mut [u8], encrypts: bool) -> Result<()> {
        while !data.is_empty() {
            if self.used >= self.stream.len() {
                self.refill(data.len())?;
            }
            let left = self.stream.get(self.used..).unwrap_or_default();
            let (part, rest) = data.split_at_mut(left.len().min(data.len()));
            let is_fed = self.feedback == Feedback::Cipher;
            if is_fed && !encrypts {
                self.fed.extend_from_slice(part);
            }
            mix(part, left);
            if is_fed && encrypts {
                self.fed.extend_from_slice(part);
            }
            self.used = self.used.saturating_add(part.len());
            data = rest;
        }
        Ok(())
    }

    /// The stream for the next bytes, of which so many are wanted.
    fn refill(&mut self, wanted: usize) -> Result<()> {
        let len = self.cipher.len();
        if self.feedback == Feedback::Cipher && self.fed.len() == len {
            self.register.copy_from_slice(&self.fed);
        }
        self.fed.clear();
        self.stream.clear();
        self.used = 0;
        match self.feedback {
            Feedback::Cipher => {
                self.stream.extend_from_slice(&self.register);
                self.cipher.encrypt(&mut self.stream);
            }
            Feedback::Stream => {
                self.cipher.encrypt(&mut self.register);
                self.stream.extend_from_slice(&self.register);
            }
            Feedback::Counter(counter) => {
                let wanted = wanted.div_ceil(len.max(1)).clamp(1, COUNTED);
                for _ in 0..wanted {
                    let Some(left) = self.blocks_left.checked_sub(1) else { break };
                    self.blocks_left = left;
                    self.stream.extend_from_slice(&self.register);
                    let fixed = self.register.len().saturating_sub(counter);
                    increment(self.register.get_mut(fixed..).unwrap_or_default());
                }
                if self.stream.is_empty() {
                    return Err(Error::data("the data is longer than the counter counts"));
                }
                self.cipher.encrypt(&mut self.stream);
            }
        }
        Ok(())
    }
}

/// Adds one to a big-endian number, which begins again at zero.
fn increment(counter: &mut [u8]) {
    for byte in counter.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
}
