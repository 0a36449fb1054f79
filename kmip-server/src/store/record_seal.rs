//! The seal of one value: nobody reads it, changes it or moves it without the root key.
//!
//! ```text
//! sealed   1 | nonce (24) | AES-256-GCM ciphertext | tag (16)
//! empty    2 | HMAC-SHA256 over revision and key, its first 16 bytes
//! bound to          revision (8) | key
//! ```
//!
//! Every value is bound to its key and its revision: moved to another key, or put back after a
//! later put, it does not open. What a seal cannot show is that a whole record is gone, that a
//! record was removed and made anew, or that the whole disk is an older copy of itself.
//!
//! **The nonce is random, and long enough for that.** AES-256-GCM alone has a nonce of 12 bytes:
//! drawn at random it is good for 2^32 values, which a busy server writes in days. So the first 12
//! of 24 random bytes choose a key of their own, and the other 12 are the nonce under it. This is
//! XAES-256-GCM (C2SP), good for 2^80 values of any length we have. Nothing drawn from key and
//! revision would do in its place: the same two are sealed again when a commit loses a race, or
//! when a record is removed and made anew.
//!
//! An empty value, as index rows have it, holds nothing to hide. It gets a tag alone.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherEncrypt, KeyInit};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, rand};
use hmac::Mac;
use zeroize::{Zeroize, Zeroizing};

use super::root_key::{KEY_LEN, KeyedHash, RootKey, first_bytes};
use super::{Record, StoreError};
use crate::secret::SecretBuffer;

const SEALED: u8 = 1;
const EMPTY: u8 = 2;
const NONCE_LEN: usize = 24;
const HALF_LEN: usize = NONCE_LEN / 2;
const TAG_LEN: usize = 16;

/// How much longer a sealed value is.
const SEAL_LEN: usize = 1 + NONCE_LEN + TAG_LEN;

/// Seals and opens values.
pub(super) struct Seal {
    cipher: Xaes,
    tagging: KeyedHash,
}

impl Seal {
    pub(super) fn new(root_key: &RootKey) -> Self {
        Self { cipher: Xaes::new(&root_key.derive(b"seal")), tagging: root_key.keyed_hash(b"tag") }
    }

    /// The seal of an empty value.
    fn tag(&self, bound: &[u8]) -> [u8; TAG_LEN] {
        first_bytes(self.tagging.clone().chain_update(bound))
    }

    /// The value as it may be shown to a disk.
    pub(super) fn seal(
        &self,
        key: &[u8],
        revision: u64,
        value: &[u8],
    ) -> Result<SecretBuffer, StoreError> {
        let bound = [&revision.to_be_bytes()[..], key].concat();
        if value.is_empty() {
            let tag = self.tag(&bound);
            return Ok(SecretBuffer::new([&[EMPTY][..], &tag].concat()));
        }
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce)
            .map_err(|_| StoreError::Unreadable("the system gives no random bytes".to_owned()))?;
        // In one piece from the start: a vector that grows leaves what it held behind.
        let mut sealed =
            SecretBuffer::new(Vec::with_capacity(value.len().saturating_add(SEAL_LEN)));
        sealed.push(SEALED);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(value);
        let text = sealed.get_mut(1 + NONCE_LEN..).unwrap_or_default();
        let tag = self.cipher.encrypt(&nonce, &bound, text).ok_or_else(too_long)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// The record behind the seal.
    pub(super) fn open(&self, key: &[u8], mut record: Record) -> Result<Record, StoreError> {
        let bound = [&record.revision.to_be_bytes()[..], key].concat();
        let value = &mut *record.value;
        let opened = match value.split_first_mut() {
            Some((&mut EMPTY, tag)) => {
                constant_time::verify_slices_are_equal(tag, &self.tag(&bound)).ok().map(|()| 0)
            }
            Some((&mut SEALED, sealed)) => self.cipher.open(sealed, &bound),
            Some(_) | None => None,
        };
        let Some(len) = opened else {
            return Err(StoreError::Damaged("its seal does not hold".to_owned()));
        };
        if len > 0 {
            value.copy_within(1 + NONCE_LEN.., 0);
        }
        value.truncate(len);
        Ok(record)
    }
}

fn too_long() -> StoreError {
    StoreError::Refused("a value is longer than a seal can be")
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

    fn seal(root: u8) -> Seal {
        Seal::new(&RootKey::new(Zeroizing::new([root; KEY_LEN])))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
    fn a_value_comes_back_under_its_key_and_revision_alone() {
        for value in [&b""[..], b"x", &[7; 5000]] {
            let sealed = seal(1).seal(b"key", 3, value).unwrap();
            let open = |root, key: &[u8], revision| {
                seal(root).open(key, Record { value: sealed.clone(), revision })
            };
            let record = open(1, b"key", 3).unwrap();
            assert_eq!((record.revision, record.value.as_slice()), (3, value));
            for (root, key, revision) in [(2, &b"key"[..], 3), (1, b"kez", 3), (1, b"key", 4)] {
                assert!(matches!(open(root, key, revision), Err(StoreError::Damaged(_))));
            }
        }
    }

    #[test]
    fn no_changed_byte_and_no_lost_one_goes_unseen() {
        for value in [&b""[..], b"secret"] {
            let sealed = seal(1).seal(b"key", 3, value).unwrap();
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 0x04;
                let short = SecretBuffer::new(sealed[..at].to_vec());
                for value in [changed, short] {
                    let opened = seal(1).open(b"key", Record { value, revision: 3 });
                    assert!(matches!(opened, Err(StoreError::Damaged(_))), "byte {at}");
                }
            }
        }
    }

    #[test]
    fn a_sealed_value_shows_nothing_and_never_looks_the_same() {
        let seal = seal(1);
        let (one, two) = (seal.seal(b"k", 1, b"secret"), seal.seal(b"k", 1, b"secret"));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(one != two);
        assert_eq!(one.len(), b"secret".len() + SEAL_LEN);
        assert!(!one.windows(6).any(|bytes| bytes == b"secret"));
        assert_eq!(one.len(), one.capacity(), "it was not moved while it was made");
    }
}
