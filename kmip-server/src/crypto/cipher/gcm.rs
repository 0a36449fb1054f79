//! Galois/Counter Mode (SP 800-38D), in parts, over any cipher with blocks of 16 bytes.
//!
//! ```text
//! H = E(0)     J = IV || 1, or GHASH(IV) when the IV has not 12 bytes
//! C = P ^ E(J + 1), E(J + 2) ...        T = GHASH(A, C) ^ E(J)
//! ```

use ghash::GHash;
use zeroize::Zeroizing;

use super::block::SharedBlock;
use crate::crypto::cipher::block_chaining::mix;
use crate::crypto::cipher::stream_modes::{Feedback, KeyStream};
use crate::crypto::error::{Error, Result};
use crate::crypto::hash::incremental::{FIELD_BLOCK, FieldHash};

/// Bytes of the counter.
const COUNTER: usize = 4;

/// The most data under one vector (SP 800-38D, 5.2.1.1): 2^39 - 256 bits.
const DATA_LEN_MAX: u64 = (1 << 36) - 32;

/// A message under way.
#[derive(Clone)]
pub(crate) struct Gcm {
    stream: KeyStream,
    hash: FieldHash<GHash>,
    mask: Zeroizing<Vec<u8>>,
    additional_len: u64,
    data_len: u64,
}

impl Gcm {
    /// Begins a message with its vector and the additional data.
    pub(crate) fn new(cipher: SharedBlock, vector: &[u8], additional: &[u8]) -> Result<Self> {
        if cipher.len() != FIELD_BLOCK {
            return Err(Error::unsupported("GCM needs a cipher with blocks of 16 bytes"));
        }
        let mut key = Zeroizing::new([0; FIELD_BLOCK]);
        cipher.encrypt(key.as_mut_slice());
        let mut hash = FieldHash::new(GHash::new(&(*key).into()));
        let mut first = Zeroizing::new(vector.to_vec());
        if vector.len() == 12 {
            first.extend_from_slice(&1_u32.to_be_bytes());
        } else {
            let mut of_vector = hash.clone();
            of_vector.update(vector);
            of_vector.pad();
            of_vector.update(&lengths(0, length(vector)?)?);
            first = of_vector.finish();
        }
        // The first block of the stream hides the tag, and the data begins at the next one.
        let mut stream = KeyStream::new(cipher, Feedback::Counter(COUNTER), &first);
        let mut mask = Zeroizing::new(vec![0; FIELD_BLOCK]);
        stream.encrypt(&mut mask)?;
        hash.update(additional);
        hash.pad();
        Ok(Self { stream, hash, mask, additional_len: length(additional)?, data_len: 0 })
    }

    /// Encrypts the next bytes in place.
    pub(crate) fn encrypt(&mut self, data: &mut [u8]) -> Result<()> {
        self.count(data)?;
        self.stream.encrypt(data)?;
        self.hash.update(data);
        Ok(())
    }

    /// Decrypts the next bytes in place. They mean nothing until the tag has been compared.
    pub(crate) fn decrypt(&mut self, data: &mut [u8]) -> Result<()> {
        self.count(data)?;
        self.hash.update(data);
        self.stream.decrypt(data)
    }

    fn count(&mut self, data: &[u8]) -> Result<()> {
        self.data_len = self.data_len.saturating_add(length(data)?);
        match self.data_len > DATA_LEN_MAX {
            true => Err(Error::data("the data is longer than GCM takes under one vector")),
            false => Ok(()),
        }
    }

    /// The whole tag.
    pub(crate) fn finish(mut self) -> Result<Zeroizing<Vec<u8>>> {
        self.hash.pad();
        self.hash.update(&lengths(self.additional_len, self.data_len)?);
        let mut tag = self.hash.finish();
        mix(&mut tag, &self.mask);
        Ok(tag)
    }
}

fn length(data: &[u8]) -> Result<u64> {
    u64::try_from(data.len()).map_err(|_| Error::data("the data is too long"))
}

/// Both lengths in bits, as the last block of GHASH.
fn lengths(additional: u64, data: u64) -> Result<[u8; FIELD_BLOCK]> {
    let bits = |bytes: u64| bytes.checked_mul(8).ok_or_else(|| Error::data("the data is too long"));
    Ok((u128::from(bits(additional)?) << 64 | u128::from(bits(data)?)).to_be_bytes())
}
