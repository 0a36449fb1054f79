//! ChaCha20, with and without Poly1305 (RFC 8439; and Bernstein's original).
//!
//! ```text
//! IV/Counter/Nonce   8 bytes    nonce; the counter has 64 bits               (Bernstein 2008)
//!                   12 bytes    nonce; the counter has 32 bits               (RFC 8439)
//!                   16 bytes    counter, the lowest byte first, and then the nonce of 12
//! ```

use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use chacha20::{ChaCha20, ChaCha20Legacy};
use poly1305::Poly1305;
use poly1305::universal_hash::common::KeyInit;
use zeroize::Zeroizing;

use crate::crypto::error::{Error, Result};
use crate::crypto::hash::incremental::{FIELD_BLOCK, FieldHash};

/// Bytes that one value of the counter stands for.
const BLOCK: u64 = 64;

/// Bytes of a key.
const KEY: usize = 32;

/// A stream under way: what it is made from, and where it stands. The library's own state cannot
/// be copied, so it is made anew for each part.
#[derive(Clone)]
pub(crate) struct ChaCha {
    key: Zeroizing<[u8; KEY]>,
    nonce: Nonce,
    position: u64,
}

#[derive(Clone, Copy)]
enum Nonce {
    Long([u8; 12]),
    Short([u8; 8]),
}

impl ChaCha {
    /// A stream whose counter begins with `counter`.
    pub(crate) fn new(key: &[u8], nonce: &[u8], counter: u32) -> Result<Self> {
        let key: [u8; KEY] =
            key.try_into().map_err(|_| Error::parameters("ChaCha20 has keys of 32 bytes"))?;
        let (nonce, counter) = match (<[u8; 12]>::try_from(nonce), <[u8; 8]>::try_from(nonce)) {
            (Ok(nonce), _) => (Nonce::Long(nonce), counter),
            (_, Ok(nonce)) => (Nonce::Short(nonce), counter),
            _ => match nonce.split_first_chunk::<4>() {
                Some((counter, nonce)) if nonce.len() == 12 => {
                    let nonce = nonce.try_into().map_err(|_| Error::Internal("read a nonce"))?;
                    (Nonce::Long(nonce), u32::from_le_bytes(*counter))
                }
                _ => {
                    return Err(Error::parameters(
                        "ChaCha20 needs an IV/Counter/Nonce of 8, 12 or 16 bytes",
                    ));
                }
            },
        };
        let position = u64::from(counter).saturating_mul(BLOCK);
        Ok(Self { key: Zeroizing::new(key), nonce, position })
    }

    /// Encrypts or decrypts the next bytes in place.
    pub(crate) fn apply(&mut self, data: &mut [u8]) -> Result<()> {
        match self.nonce {
            Nonce::Long(nonce) => {
                self.run(&mut ChaCha20::new(&(*self.key).into(), &nonce.into()), data)
            }
            Nonce::Short(nonce) => {
                self.run(&mut ChaCha20Legacy::new(&(*self.key).into(), &nonce.into()), data)
            }
        }
    }

    fn run(
        &mut self,
        cipher: &mut (impl StreamCipher + StreamCipherSeek),
        data: &mut [u8],
    ) -> Result<()> {
        let too_long = || Error::data("the data is longer than the counter of ChaCha20 counts");
        cipher.try_seek(self.position).map_err(|_| too_long())?;
        cipher.try_apply_keystream(data).map_err(|_| too_long())?;
        let len = u64::try_from(data.len()).map_err(|_| too_long())?;
        self.position = self.position.saturating_add(len);
        Ok(())
    }
}

/// ChaCha20-Poly1305 under way (RFC 8439, 2.8).
#[derive(Clone)]
pub(crate) struct ChaChaPoly {
    stream: ChaCha,
    hash: FieldHash<Poly1305>,
    additional_len: u64,
    data_len: u64,
}

impl ChaChaPoly {
    /// Begins a message with its nonce and the additional data.
    pub(crate) fn new(key: &[u8], nonce: &[u8], additional: &[u8]) -> Result<Self> {
        if nonce.len() != 12 {
            return Err(Error::parameters(
                "ChaCha20Poly1305 needs an IV/Counter/Nonce of 12 bytes",
            ));
        }
        // Block 0 of the stream is the one-time key, and the data begins at block 1.
        let mut one_time = Zeroizing::new([0; KEY]);
        ChaCha::new(key, nonce, 0)?.apply(one_time.as_mut_slice())?;
        let mut hash = FieldHash::new(Poly1305::new(&(*one_time).into()));
        hash.update(additional);
        hash.pad();
        let stream = ChaCha::new(key, nonce, 1)?;
        Ok(Self { stream, hash, additional_len: length(additional)?, data_len: 0 })
    }

    /// Encrypts the next bytes in place.
    pub(crate) fn encrypt(&mut self, data: &mut [u8]) -> Result<()> {
        self.data_len = self.data_len.saturating_add(length(data)?);
        self.stream.apply(data)?;
        self.hash.update(data);
        Ok(())
    }

    /// Decrypts the next bytes in place. They mean nothing until the tag has been compared.
    pub(crate) fn decrypt(&mut self, data: &mut [u8]) -> Result<()> {
        self.data_len = self.data_len.saturating_add(length(data)?);
        self.hash.update(data);
        self.stream.apply(data)
    }

    /// The whole tag.
    pub(crate) fn finish(mut self) -> Zeroizing<Vec<u8>> {
        self.hash.pad();
        let lengths = u128::from(self.data_len) << 64 | u128::from(self.additional_len);
        let lengths: [u8; FIELD_BLOCK] = lengths.to_le_bytes();
        self.hash.update(&lengths);
        self.hash.finish()
    }
}

fn length(data: &[u8]) -> Result<u64> {
    u64::try_from(data.len()).map_err(|_| Error::data("the data is too long"))
}
