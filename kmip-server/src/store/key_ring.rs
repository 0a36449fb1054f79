//! Keys of a store, wrapped by the root key.
//!
//! ```text
//! root key -- HKDF "wrap" --> wraps    seal 1 (, seal 2 ...)   index 1   integrity 1
//! entry    purpose (1) | key id (4) | nonce (12) | wrapped key (32) | tag (16)
//! bound to store id | purpose | key id
//! ```
//!
//! The keys are random and have ids. A sealed value names its seal's, so another seal can be added,
//! and the root key replaced, without an index row being written anew.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::root_key::{IndexKey, KEY_LEN, RootKey};

/// Length of a store id.
pub(crate) const STORE_ID_LEN: usize = 16;

/// Length of a wrapped key.
pub(crate) const ENTRY_LEN: usize = 1 + 4 + NONCE_LEN + KEY_LEN + TAG_LEN;

const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

/// Use of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Seals values.
    Seal = 1,
    /// Hashes what indexes look for.
    Index = 2,
    /// Authenticates the set of rows.
    Integrity = 3,
}

/// A key with its id.
struct Entry {
    purpose: Purpose,
    id: u32,
    key: Zeroizing<[u8; KEY_LEN]>,
}

/// Keys of a store: one for each purpose, or more of seals, of which the last is in use.
pub(crate) struct KeyRing(Vec<Entry>);

impl KeyRing {
    /// Draws the keys of a new store; `None` if the system gives no random bytes.
    pub(crate) fn generate() -> Option<Self> {
        let draw = |purpose| {
            let mut key = Zeroizing::new([0; KEY_LEN]);
            rand::fill(key.as_mut()).ok()?;
            Some(Entry { purpose, id: 1, key })
        };
        [Purpose::Seal, Purpose::Index, Purpose::Integrity]
            .into_iter()
            .map(draw)
            .collect::<Option<_>>()
            .map(Self)
    }

    fn of(&self, purpose: Purpose) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| entry.purpose == purpose)
    }

    /// Returns the keys that seal values, with their ids; new values are sealed under the last.
    pub(crate) fn seals(&self) -> impl Iterator<Item = (u32, &[u8; KEY_LEN])> {
        self.of(Purpose::Seal).map(|entry| (entry.id, &*entry.key))
    }

    /// Returns the key that hashes index values.
    pub(crate) fn index_key(&self) -> Option<IndexKey> {
        self.of(Purpose::Index).last().map(|entry| IndexKey::new(&entry.key))
    }

    /// Returns the key that authenticates the set of rows.
    pub(crate) fn integrity_key(&self) -> Option<&[u8; KEY_LEN]> {
        self.of(Purpose::Integrity).last().map(|entry| &*entry.key)
    }

    /// Returns the keys wrapped by the root key, entry after entry.
    pub(crate) fn wrap(&self, root: &RootKey, store: &[u8; STORE_ID_LEN]) -> Option<Vec<u8>> {
        let cipher = cipher(root)?;
        let mut entries = Vec::new();
        for Entry { purpose, id, key } in &self.0 {
            let code = code(*purpose);
            let mut nonce = [0; NONCE_LEN];
            rand::fill(&mut nonce).ok()?;
            let mut wrapped = key.clone();
            let bound = Aad::from(bound(store, code, *id));
            let used = Nonce::assume_unique_for_key(nonce);
            let tag =
                cipher.seal_in_place_separate_tag(used, bound, wrapped.as_mut_slice()).ok()?;
            entries.push(code);
            entries.extend_from_slice(&id.to_be_bytes());
            entries.extend_from_slice(&nonce);
            entries.extend_from_slice(wrapped.as_slice());
            entries.extend_from_slice(tag.as_ref());
        }
        Some(entries)
    }

    /// Returns the keys in wrapped entries, if they are all there and open under the root key.
    pub(crate) fn unwrap(
        entries: &[u8],
        root: &RootKey,
        store: &[u8; STORE_ID_LEN],
    ) -> Option<Self> {
        let cipher = cipher(root)?;
        let mut ring = Self(Vec::new());
        let (whole, rest) = entries.as_chunks::<ENTRY_LEN>();
        for entry in whole {
            let (&code, rest) = entry.split_first()?;
            let (id, rest) = rest.split_first_chunk()?;
            let (nonce, wrapped) = rest.split_first_chunk()?;
            let id = u32::from_be_bytes(*id);
            let mut wrapped = Zeroizing::new(wrapped.to_vec());
            let bound = Aad::from(bound(store, code, id));
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let key = cipher.open_in_place(nonce, bound, wrapped.as_mut_slice()).ok()?;
            let key = Zeroizing::new(<[u8; KEY_LEN]>::try_from(&*key).ok()?);
            ring.0.push(Entry { purpose: purpose(code)?, id, key });
        }
        let purposes = [Purpose::Seal, Purpose::Index, Purpose::Integrity];
        let is_whole = purposes.into_iter().all(|purpose| ring.of(purpose).next().is_some());
        (rest.is_empty() && is_whole).then_some(ring)
    }
}

fn cipher(root: &RootKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, root.derive(b"wrap").as_ref()).ok().map(LessSafeKey::new)
}

fn bound(store: &[u8; STORE_ID_LEN], code: u8, id: u32) -> Vec<u8> {
    [&store[..], &[code], &id.to_be_bytes()].concat()
}

fn code(purpose: Purpose) -> u8 {
    match purpose {
        Purpose::Seal => 1,
        Purpose::Index => 2,
        Purpose::Integrity => 3,
    }
}

fn purpose(code: u8) -> Option<Purpose> {
    [Purpose::Seal, Purpose::Index, Purpose::Integrity]
        .into_iter()
        .find(|known| self::code(*known) == code)
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyRing({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(byte: u8) -> RootKey {
        RootKey::new(Zeroizing::new([byte; KEY_LEN]))
    }

    #[test]
    fn wrapped_keys_open_under_their_root_key_and_store_only() {
        let ring = KeyRing::generate().unwrap();
        let wrapped = ring.wrap(&root(1), &[7; STORE_ID_LEN]).unwrap();
        assert_eq!(wrapped.len(), 3 * ENTRY_LEN);
        let again = KeyRing::unwrap(&wrapped, &root(1), &[7; STORE_ID_LEN]).unwrap();
        assert!(ring.seals().eq(again.seals()));
        assert_eq!(ring.integrity_key(), again.integrity_key());
        assert_ne!(ring.integrity_key(), ring.seals().next().map(|(_, key)| key));
        assert!(KeyRing::unwrap(&wrapped, &root(2), &[7; STORE_ID_LEN]).is_none());
        assert!(KeyRing::unwrap(&wrapped, &root(1), &[8; STORE_ID_LEN]).is_none());
        assert!(KeyRing::unwrap(&wrapped[ENTRY_LEN..], &root(1), &[7; STORE_ID_LEN]).is_none());
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert!(KeyRing::unwrap(&changed, &root(1), &[7; STORE_ID_LEN]).is_none(), "{at}");
        }
    }
}
