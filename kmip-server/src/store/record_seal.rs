//! The seal of one value: nobody reads it, changes it or moves it without the store's keys.
//!
//! ```text
//! key id (4) | nonce (24) | AES-256-GCM ciphertext | tag (16)      bound to the key of the row
//! ```
//!
//! Moved to another key, a value does not open. That an older value was put back, or that a row is
//! gone, the sum over all rows shows ([`super::integrity`]).
//!
//! **The nonce is random, and long enough for that.** AES-256-GCM alone has a nonce of 12 bytes:
//! drawn at random it is good for 2^32 values, which a busy server writes in days. So the first 12
//! of 24 random bytes choose a key of their own, and the other 12 are the nonce under it. This is
//! XAES-256-GCM (C2SP), good for 2^80 values of any length we have.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherEncrypt, KeyInit};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use zeroize::{Zeroize, Zeroizing};

use super::key_ring::KeyRing;
use super::root_key::KEY_LEN;
use super::{Record, StoreError};
use crate::secret::SecretBuffer;

const ID_LEN: usize = 4;
const NONCE_LEN: usize = 24;
const HALF_LEN: usize = NONCE_LEN / 2;
const TAG_LEN: usize = 16;

/// How much longer a sealed value is.
pub(crate) const SEAL_LEN: usize = ID_LEN + NONCE_LEN + TAG_LEN;

/// Random bytes of one seal.
pub(crate) type SealNonce = [u8; NONCE_LEN];

/// Seals and opens values.
pub(crate) struct Seal {
    /// Cipher of each seal key, with the key's id; the last one seals.
    ciphers: Vec<(u32, Xaes)>,
    current: u32,
}

impl Seal {
    /// Seals under the keys of a store; `None` if the ring has none.
    pub(crate) fn new(keys: &KeyRing) -> Option<Self> {
        let ciphers: Vec<_> = keys.seals().map(|(id, key)| (id, Xaes::new(key))).collect();
        let (current, _) = ciphers.last()?;
        Some(Self { current: *current, ciphers })
    }

    fn cipher(&self, id: u32) -> Option<&Xaes> {
        self.ciphers.iter().find(|(known, _)| *known == id).map(|(_, cipher)| cipher)
    }

    /// Draws the random bytes of so many seals.
    pub(crate) fn nonces(count: usize) -> Result<Vec<SealNonce>, StoreError> {
        let mut nonces = vec![[0; NONCE_LEN]; count];
        rand::fill(nonces.as_flattened_mut())
            .map_err(|_| StoreError::Unreadable("the system gives no random bytes".to_owned()))?;
        Ok(nonces)
    }

    /// The value as a disk may have it, under a nonce that is used once.
    pub(crate) fn seal(
        &self,
        key: &[u8],
        value: &[u8],
        nonce: &SealNonce,
    ) -> Result<SecretBuffer, StoreError> {
        // In one piece from the start: a vector that grows leaves what it held behind.
        let mut sealed =
            SecretBuffer::new(Vec::with_capacity(value.len().saturating_add(SEAL_LEN)));
        sealed.extend_from_slice(&self.current.to_be_bytes());
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(value);
        let text = sealed.get_mut(ID_LEN + NONCE_LEN..).unwrap_or_default();
        let cipher = self.cipher(self.current);
        let tag = cipher.and_then(|cipher| cipher.encrypt(nonce, key, text));
        let too_long = StoreError::Refused("a value is longer than a seal can be");
        sealed.extend_from_slice(&tag.ok_or(too_long)?);
        Ok(sealed)
    }

    /// The record behind the seal.
    pub(crate) fn open(&self, key: &[u8], mut record: Record) -> Result<Record, StoreError> {
        let value = &mut *record.value;
        let len = self.open_in_place(key, value);
        let len = len.ok_or_else(|| StoreError::Damaged("its seal does not hold".to_owned()))?;
        value.copy_within(ID_LEN + NONCE_LEN.., 0);
        value.truncate(len);
        Ok(record)
    }

    /// Opens a value behind its nonce, and returns its length.
    fn open_in_place(&self, key: &[u8], value: &mut [u8]) -> Option<usize> {
        let (id, sealed) = value.split_first_chunk_mut()?;
        self.cipher(u32::from_be_bytes(*id))?.open(sealed, key)
    }
}

/// XAES-256-GCM, <https://c2sp.org/XAES-256-GCM>.
struct Xaes {
    cipher: Aes256,
    /// CMAC's first subkey (SP 800-38B, 6.1).
    subkey: Zeroizing<[u8; 16]>,
}

impl Xaes {
    fn new(key: &[u8; KEY_LEN]) -> Self {
        let cipher = Aes256::new(key.into());
        let mut block = Block::<Aes256>::default();
        cipher.encrypt_block(&mut block);
        let doubled = u128::from_be_bytes(block.into());
        let carry = if doubled >> 127 == 1 { 0x87 } else { 0 };
        let subkey = Zeroizing::new(((doubled << 1) ^ carry).to_be_bytes());
        block.zeroize();
        Self { cipher, subkey }
    }

    /// The cipher of all nonces that begin with this half.
    fn derive(&self, half: &[u8; HALF_LEN]) -> Option<LessSafeKey> {
        let mut blocks = [Block::<Aes256>::default(); KEY_LEN / 16];
        for (counter, block) in (1..).zip(&mut blocks) {
            let message = [0, counter, b'X', 0].into_iter().chain(*half);
            for ((byte, message), subkey) in block.iter_mut().zip(message).zip(*self.subkey) {
                *byte = message ^ subkey;
            }
        }
        // Both at once: to begin costs as much as to encrypt.
        self.cipher.encrypt_blocks(&mut blocks);
        let mut key = Zeroizing::new([0; KEY_LEN]);
        for (out, block) in key.chunks_exact_mut(16).zip(&mut blocks) {
            out.copy_from_slice(block);
            block.zeroize();
        }
        UnboundKey::new(&AES_256_GCM, &*key).ok().map(LessSafeKey::new)
    }

    fn encrypt(
        &self,
        nonce: &[u8; NONCE_LEN],
        bound: &[u8],
        text: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        let (half, nonce) = halves(nonce)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let key = self.derive(half)?;
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(bound), text).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Opens `nonce | text | tag` in place, and says how long the text is.
    fn open(&self, sealed: &mut [u8], bound: &[u8]) -> Option<usize> {
        let (nonce, rest) = sealed.split_first_chunk_mut::<NONCE_LEN>()?;
        let (half, nonce) = halves(nonce)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let text = self.derive(half)?.open_in_place(nonce, Aad::from(bound), rest).ok()?;
        Some(text.len())
    }
}

fn halves(nonce: &[u8; NONCE_LEN]) -> Option<(&[u8; HALF_LEN], &[u8; HALF_LEN])> {
    let (half, rest) = nonce.split_first_chunk()?;
    Some((half, rest.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn sealed(seal: &Seal, key: &[u8], value: &[u8]) -> SecretBuffer {
        seal.seal(key, value, &Seal::nonces(1).unwrap()[0]).unwrap()
    }

    fn seal() -> Seal {
        Seal::new(&KeyRing::generate().unwrap()).unwrap()
    }

    /// The vectors of C2SP's XAES-256-GCM: one for either value of the subkey's carry.
    #[test]
    fn it_is_xaes_256_gcm() {
        let rows = [
            (1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
            (
                3,
                "c2sp.org/XAES-256-GCM",
                "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
            ),
        ];
        for (key, bound, expected) in rows {
            let mut text = b"XAES-256-GCM".to_vec();
            let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
            let cipher = Xaes::new(&[key; KEY_LEN]);
            let tag = cipher.encrypt(nonce, bound.as_bytes(), &mut text).unwrap();
            assert_eq!(hex(&[&text[..], &tag].concat()), expected);
        }
    }

    #[test]
    fn value_comes_back_under_its_store_and_key_only() {
        let (one, other) = (seal(), seal());
        for value in [&b""[..], b"x", &[7; 5000]] {
            let sealed = sealed(&one, b"key", value);
            let open = |seal: &Seal, key: &[u8]| {
                seal.open(key, Record { value: sealed.clone(), stamp: 3 })
            };
            let record = open(&one, b"key").unwrap();
            assert_eq!((record.stamp, record.value.as_slice()), (3, value));
            for (seal, key) in [(&other, &b"key"[..]), (&one, b"kez")] {
                assert!(matches!(open(seal, key), Err(StoreError::Damaged(_))));
            }
        }
    }

    #[test]
    fn changed_or_missing_byte_is_damage() {
        let seal = seal();
        for value in [&b""[..], b"secret"] {
            let sealed = sealed(&seal, b"key", value);
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 0x04;
                let short = SecretBuffer::new(sealed[..at].to_vec());
                for value in [changed, short] {
                    let opened = seal.open(b"key", Record { value, stamp: 3 });
                    assert!(matches!(opened, Err(StoreError::Damaged(_))), "byte {at}");
                }
            }
        }
    }

    #[test]
    fn sealed_value_shows_nothing_and_never_looks_the_same() {
        let seal = seal();
        let (one, two) = (sealed(&seal, b"k", b"secret"), sealed(&seal, b"k", b"secret"));
        assert!(one != two);
        assert_eq!(one.len(), b"secret".len() + SEAL_LEN);
        assert!(!one.windows(6).any(|bytes| bytes == b"secret"));
        assert_eq!(one.len(), one.capacity(), "it was not moved while it was made");
    }
}
