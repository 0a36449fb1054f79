//! Root key of a store, and keyed hashes.
//!
//! ```text
//!              +-- HKDF "wrap"        --> wraps the store's keys ([`super::key_ring`])
//! root key  ---+-- HKDF "header"      --> authenticates the header ([`super::header`])
//!              +-- HKDF "root key id" --> tells one root key from another
//! ```
//!
//! The root key itself is used for derivation only, and leaves this file in no other form.

use aws_lc_rs::hkdf;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The length of the root key and of every key derived from it.
pub const KEY_LEN: usize = 32;

/// The length of a hashed index value: so long that no two values of one store will meet (a chance
/// of one half at 2^64 values).
pub(crate) const HASH_LEN: usize = 16;

/// Sets this store's derivations apart from any other use of the same secret.
const SALT: &[u8] = b"kmip-server store 1";

/// A hash that is begun with a key. It is cloned for each value: to begin it anew takes as long as
/// the value does.
pub(super) type KeyedHash = Hmac<Sha256>;

/// The hash, cut to so many bytes.
pub(super) fn first_bytes<const LEN: usize>(hashing: KeyedHash) -> [u8; LEN] {
    let mut first = [0; LEN];
    for (byte, from) in first.iter_mut().zip(hashing.finalize().into_bytes()) {
        *byte = from;
    }
    first
}

/// HMAC-SHA256 under a key.
pub(super) fn keyed_hash(key: &[u8; KEY_LEN]) -> KeyedHash {
    // A key is filled with zeros to the length of the hash's block (RFC 2104, 2).
    let mut block = Zeroizing::new(Key::<KeyedHash>::default());
    for (byte, key) in block.iter_mut().zip(key) {
        *byte = *key;
    }
    KeyedHash::new(&block)
}

/// The root key.
pub struct RootKey(Zeroizing<[u8; KEY_LEN]>);

impl RootKey {
    /// Takes these bytes as the root key.
    pub fn new(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self(bytes)
    }

    /// HMAC-SHA256 under the key for one purpose.
    pub(super) fn keyed_hash(&self, purpose: &[u8]) -> KeyedHash {
        keyed_hash(&self.derive(purpose))
    }

    /// The key for one purpose (RFC 5869).
    pub(super) fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; KEY_LEN]> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        let filled = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT)
            .extract(self.0.as_ref())
            .expand(&[purpose], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(key.as_mut()));
        // HKDF-SHA256 gives up to 8160 bytes; 32 are asked of it.
        assert!(filled.is_ok(), "HKDF gives 32 bytes");
        key
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey")
    }
}

/// The key that index values are hashed under, so that no name is on the disk.
#[derive(Clone)]
pub struct IndexKey(KeyedHash);

impl IndexKey {
    /// Hashes index values under this key.
    pub fn new(key: &[u8; KEY_LEN]) -> Self {
        Self(keyed_hash(key))
    }

    /// HMAC-SHA256 over `parts`, each with its length before it so that two lists of parts never
    /// look the same, cut to `HASH_LEN`.
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; HASH_LEN] {
        let mut hashing = self.0.clone();
        for part in parts {
            let len = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hashing.update(&len.to_be_bytes());
            hashing.update(part);
        }
        first_bytes(hashing)
    }
}

impl std::fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexKey")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;

    use super::*;

    fn root(byte: u8) -> RootKey {
        RootKey::new(Zeroizing::new([byte; KEY_LEN]))
    }

    #[test]
    fn lists_of_parts_that_join_alike_hash_apart() {
        let key = IndexKey::new(&[7; KEY_LEN]);
        let lists: [&[&[u8]]; 6] =
            [&[], &[b""], &[b"", b""], &[b"ab"], &[b"a", b"b"], &[b"", b"ab"]];
        let mut hashes: Vec<_> = lists.iter().map(|parts| key.hash(parts)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), lists.len());
    }

    #[test]
    fn index_hash_depends_on_its_key() {
        let hash = |byte| IndexKey::new(&[byte; KEY_LEN]).hash(&[b"name", b"disk-7"]);
        assert_eq!(hash(1), hash(1));
        assert_ne!(hash(1), hash(2));
    }

    #[test]
    fn index_hash_is_hmac_sha256_as_another_library_has_it() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; KEY_LEN]);
        let framed = b"\0\0\0\0\0\0\0\x04name\0\0\0\0\0\0\0\x06disk-7";
        let whole = hmac::sign(&key, framed);
        let hash = IndexKey::new(&[7; KEY_LEN]).hash(&[b"name", b"disk-7"]);
        assert_eq!(hash, whole.as_ref()[..HASH_LEN]);
    }

    #[test]
    fn each_purpose_has_its_own_key() {
        let root = root(9);
        assert_ne!(*root.derive(b"wrap"), *root.derive(b"header"));
        assert_ne!(*root.derive(b"wrap"), *root.0);
    }

    #[test]
    fn no_debug_text_shows_a_key() {
        let index_key = IndexKey::new(&[1; KEY_LEN]);
        assert_eq!(format!("{:?} {index_key:?}", root(1)), "RootKey IndexKey");
    }
}
