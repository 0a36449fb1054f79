//! The file `header`: versions, store id, engine and key ring of a store. Written once.
//!
//! ```text
//! magic (8) | format version (4) | record format (4) | store id (16) | engine (8)
//!    | root key id (8) | key ring | MAC (32)
//! ```
//!
//! The MAC is HMAC-SHA256 over all before it, under a key derived from the root key.

use std::fs;
use std::io;
use std::path::Path;

use aws_lc_rs::{constant_time, rand};
use hmac::Mac;
use support::durable_fs;

use super::OpenError;
use super::key_ring::{KeyRing, STORE_ID_LEN};
use super::root_key::{RootKey, first_bytes};
use crate::config::Engine;

const MAGIC: &[u8; 8] = b"kmipstor";

/// Version of the files of a store: header, head file, rows of the engine and their seal.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Version of what the key server keeps in the rows: their keys, and what is under the seals. **It
/// is frozen**: `tests::known_answers::saved_stores` holds stores of it that every later version
/// must open. A version that writes other rows raises the number, first of all in the header of the
/// store.
pub(crate) const RECORD_FORMAT: u32 = 1;

const ENGINE_LEN: usize = 8;
const ROOT_KEY_ID_LEN: usize = 8;
const MAC_LEN: usize = 32;

/// Random identifier of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreId(pub(crate) [u8; STORE_ID_LEN]);

impl std::fmt::Display for StoreId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a store is, fixed at its creation.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) store_id: StoreId,
    pub(crate) engine: Engine,
    pub(crate) keys: KeyRing,
}

impl Header {
    /// Draws id and keys of a new store.
    pub(crate) fn generate(engine: Engine) -> Result<Self, OpenError> {
        let mut id = [0; STORE_ID_LEN];
        rand::fill(&mut id).map_err(|_| OpenError::NoRandom)?;
        let keys = KeyRing::generate().ok_or(OpenError::NoRandom)?;
        Ok(Self { store_id: StoreId(id), engine, keys })
    }

    /// Writes the file, durably.
    pub(crate) fn write(&self, path: &Path, root: &RootKey) -> Result<(), OpenError> {
        let bytes = self.encode(root)?;
        durable_fs::replace_file(path, &bytes).map_err(|error| OpenError::io("make", path, error))
    }

    /// Returns the bytes of the file.
    pub(crate) fn encode(&self, root: &RootKey) -> Result<Vec<u8>, OpenError> {
        let keys = self.keys.wrap(root, &self.store_id.0).ok_or(OpenError::NoRandom)?;
        let mut bytes = [
            &MAGIC[..],
            &FORMAT_VERSION.to_be_bytes(),
            &RECORD_FORMAT.to_be_bytes(),
            &self.store_id.0,
            &engine_field(self.engine),
            &root_key_id(root),
            &keys,
        ]
        .concat();
        let mac = mac(root, &bytes);
        bytes.extend_from_slice(&mac);
        Ok(bytes)
    }

    /// Reads the file; `place` says where the root key came from. `None` if there is no file.
    pub(crate) fn read(
        path: &Path,
        root: &RootKey,
        place: &str,
    ) -> Result<Option<Self>, OpenError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::io("read", path, error)),
        };
        Self::decode(&bytes, path, root, place).map(Some)
    }

    /// Takes the bytes of a header apart, which are from the file `path`.
    pub(crate) fn decode(
        bytes: &[u8],
        path: &Path,
        root: &RootKey,
        place: &str,
    ) -> Result<Self, OpenError> {
        let damaged = || OpenError::Header(path.to_owned());
        let version = bytes.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk());
        let (version, _) = version.ok_or_else(damaged)?;
        let version = u32::from_be_bytes(*version);
        if version != FORMAT_VERSION {
            return Err(OpenError::FormatVersion { path: path.to_owned(), version });
        }
        let (covered, found) = bytes.split_last_chunk::<MAC_LEN>().ok_or_else(damaged)?;
        let fields = parse(covered).ok_or_else(damaged)?;
        if *fields.root_key_id != root_key_id(root) {
            return Err(OpenError::WrongKey { place: place.to_owned() });
        }
        constant_time::verify_slices_are_equal(found, &mac(root, covered))
            .map_err(|_| damaged())?;
        let records = u32::from_be_bytes(*fields.record_format);
        if records != RECORD_FORMAT {
            return Err(OpenError::RecordFormat { path: path.to_owned(), version: records });
        }
        let keys = KeyRing::unwrap(fields.keys, root, fields.store_id).ok_or_else(damaged)?;
        let engine = [Engine::Sled, Engine::Redb]
            .into_iter()
            .find(|engine| engine_field(*engine) == *fields.engine)
            .ok_or_else(|| OpenError::UnknownEngine {
                path: path.to_owned(),
                name: String::from_utf8_lossy(fields.engine).trim_end_matches('\0').to_owned(),
            })?;
        Ok(Self { store_id: StoreId(*fields.store_id), engine, keys })
    }
}

/// Fields of the file behind magic and version.
struct Fields<'a> {
    record_format: &'a [u8; 4],
    store_id: &'a [u8; STORE_ID_LEN],
    engine: &'a [u8; ENGINE_LEN],
    root_key_id: &'a [u8; ROOT_KEY_ID_LEN],
    keys: &'a [u8],
}

fn parse(covered: &[u8]) -> Option<Fields<'_>> {
    let rest = covered.get(MAGIC.len().checked_add(4)?..)?;
    let (record_format, rest) = rest.split_first_chunk()?;
    let (store_id, rest) = rest.split_first_chunk()?;
    let (engine, rest) = rest.split_first_chunk()?;
    let (root_key_id, keys) = rest.split_first_chunk()?;
    Some(Fields { record_format, store_id, engine, root_key_id, keys })
}

fn engine_field(engine: Engine) -> [u8; ENGINE_LEN] {
    let mut field = [0; ENGINE_LEN];
    for (byte, letter) in field.iter_mut().zip(engine.to_string().bytes()) {
        *byte = letter;
    }
    field
}

/// Value by which another root key is told from damage. It shows nothing of the key.
fn root_key_id(root: &RootKey) -> [u8; ROOT_KEY_ID_LEN] {
    first_bytes(root.keyed_hash(b"root key id"))
}

fn mac(root: &RootKey, covered: &[u8]) -> [u8; MAC_LEN] {
    first_bytes(root.keyed_hash(b"header").chain_update(covered))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::store::root_key::KEY_LEN;

    fn root(byte: u8) -> RootKey {
        RootKey::new(Zeroizing::new([byte; KEY_LEN]))
    }

    fn read(path: &Path, root: &RootKey) -> Result<Header, String> {
        let read = Header::read(path, root, "the test").map_err(|error| error.to_string())?;
        read.ok_or_else(|| "none".to_owned())
    }

    #[test]
    fn header_comes_back_under_its_root_key_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("header");
        assert_eq!(read(&path, &root(1)).unwrap_err(), "none");
        for engine in [Engine::Sled, Engine::Redb] {
            let made = Header::generate(engine).unwrap();
            made.write(&path, &root(1)).unwrap();
            let found = read(&path, &root(1)).unwrap();
            assert_eq!((found.store_id, found.engine), (made.store_id, engine));
            assert!(found.keys.seals().eq(made.keys.seals()));
            let other = read(&path, &root(2)).unwrap_err();
            assert!(other.contains("another root key than the one in the test"), "{other}");
        }
    }

    #[test]
    fn every_changed_or_missing_byte_of_a_header_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("header");
        Header::generate(Engine::Sled).unwrap().write(&path, &root(1)).unwrap();
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            for wrong in [&changed[..], &bytes[..at]] {
                fs::write(&path, wrong).unwrap();
                read(&path, &root(1)).unwrap_err();
            }
        }
    }

    #[test]
    fn unknown_format_version_is_refused_by_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("header");
        Header::generate(Engine::Sled).unwrap().write(&path, &root(1)).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[MAGIC.len() + 3] = 9;
        fs::write(&path, bytes).unwrap();
        let error = read(&path, &root(1)).unwrap_err();
        assert!(error.contains("format version 9") && error.contains("knows 1"), "{error}");
    }

    /// What a later version has written, with a right MAC.
    #[test]
    fn unknown_record_format_is_refused_by_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("header");
        let mut bytes = Header::generate(Engine::Sled).unwrap().encode(&root(1)).unwrap();
        bytes[MAGIC.len() + 7] = 9;
        let covered = bytes.len() - MAC_LEN;
        let right = mac(&root(1), &bytes[..covered]);
        bytes[covered..].copy_from_slice(&right);
        fs::write(&path, bytes).unwrap();
        let error = read(&path, &root(1)).unwrap_err();
        assert!(error.contains("records of format 9") && error.contains("knows 1"), "{error}");
    }
}
