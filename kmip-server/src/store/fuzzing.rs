//! What the fuzzing targets reach of a store's files. It is compiled for them alone.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use hmac::Mac;

use super::export_file::{EXPORT_VERSION, ExportReader, ExportWriter, Frame};
use super::head_file::HeadFile;
use super::header::{Header, StoreId};
use super::integrity::{HEAD_LEN, Head, Integrity, MAC_LEN, Place};
use super::key_ring::STORE_ID_LEN;
use super::record_seal::Seal;
use super::root_key::{RootKey, first_bytes};
use super::{KEY_FIRST, KEY_LEN, OpenError};
use crate::config::Engine;

/// Row as an engine has it.
pub type Row = (Vec<u8>, Vec<u8>);

/// Root key of all stores here.
fn root() -> RootKey {
    RootKey::new(zeroize::Zeroizing::new([7; KEY_LEN]))
}

fn decode(header: &[u8]) -> Option<Header> {
    Header::decode(header, Path::new("header"), &root(), "the target").ok()
}

/// Makes the file `header` of a new store.
///
/// # Errors
///
/// No random bytes.
pub fn new_header() -> Result<Vec<u8>, OpenError> {
    Header::generate(Engine::Redb)?.encode(&root())
}

/// Reads a file `header`: the id of the store, if it is taken.
pub fn read_header(header: &[u8]) -> Option<[u8; STORE_ID_LEN]> {
    decode(header).map(|header| header.store_id.0)
}

/// Puts the right MAC at the end of a header.
pub fn seal_header(header: &mut [u8]) {
    if let Some((covered, mac)) = header.split_last_chunk_mut::<MAC_LEN>() {
        *mac = first_bytes(root().keyed_hash(b"header").chain_update(&*covered));
    }
}

/// Heads of a store, as its files have them.
pub struct Heads(Arc<Integrity>);

impl Heads {
    /// Heads of the store of a header; with another id, those of another store with the same keys.
    pub fn new(header: &[u8], id: Option<[u8; STORE_ID_LEN]>) -> Option<Self> {
        let header = decode(header)?;
        let id = id.map_or(header.store_id, StoreId);
        Integrity::new(&header.keys, id).map(|integrity| Self(Arc::new(integrity)))
    }

    /// Writes a file `head` of a new store.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn create(&self, path: &Path) -> io::Result<()> {
        HeadFile::create(path, &self.0, &Head::default())
    }

    /// Writes the head of a group into a file `head`. Its count of rows is the group's number.
    ///
    /// # Errors
    ///
    /// A file that is refused or cannot be written.
    pub fn write(&self, path: &Path, group: u64) -> Result<(), OpenError> {
        let (file, _) = HeadFile::open(path, Arc::clone(&self.0))?;
        let head = Head { group, count: group, ..Head::default() };
        file.write(&head).map_err(|error| OpenError::io("write", path, error))
    }

    /// Bytes of a head as the row of an engine has it.
    pub fn row(&self, group: u64) -> Vec<u8> {
        self.0.encode(Place::Row, &Head { group, count: group, ..Head::default() })
    }

    /// Reads a file `head`: the newest head in it, as the file has it, if one is taken.
    pub fn newest(&self, path: &Path) -> Option<Vec<u8>> {
        let (_, head) = HeadFile::open(path, Arc::clone(&self.0)).ok()?;
        Some(self.0.encode(Place::File, &head))
    }

    /// Puts the right MAC into the head at the start of a slot.
    pub fn seal(&self, slot: &mut [u8]) {
        if let Some(head) = slot.first_chunk_mut::<HEAD_LEN>()
            && let Some((covered, _)) = head.split_last_chunk::<MAC_LEN>()
        {
            let sealed = self.0.append_mac(Place::File, covered.to_vec());
            head.copy_from_slice(&sealed);
        }
    }
}

/// Export files of a store.
pub struct Exports {
    header: Vec<u8>,
    seal: Seal,
    integrity: Integrity,
}

impl Exports {
    /// Export files of a new store.
    pub fn new() -> Option<Self> {
        let header = new_header().ok()?;
        let (seal, integrity) = keys(&decode(&header)?)?;
        Some(Self { header, seal, integrity })
    }

    /// Writes an export file as `store export` does.
    pub fn written(&self, rows: &[Row], group: u64) -> Option<Vec<u8>> {
        let mut writer = ExportWriter::begin(Vec::new(), &self.header, &self.seal).ok()?;
        rows.iter().try_for_each(|row| writer.push(row)).ok()?;
        writer.end(&head(&self.integrity, group, rows), &self.integrity).ok()
    }

    /// Frames of an export before they are sealed, with so many rows each; each with whether it is
    /// the last one, which is the head.
    pub fn plain(&self, rows: &[Row], frame_rows: usize, group: u64) -> Vec<(bool, Vec<u8>)> {
        let mut frames = Vec::new();
        for rows in rows.chunks(frame_rows) {
            let mut plain = Vec::new();
            for (key, row) in rows {
                plain.extend(u16::try_from(key.len()).unwrap_or_default().to_be_bytes());
                plain.extend_from_slice(key);
                plain.extend(u32::try_from(row.len()).unwrap_or_default().to_be_bytes());
                plain.extend_from_slice(row);
            }
            frames.push((false, plain));
        }
        let head = head(&self.integrity, group, rows);
        frames.push((true, self.integrity.encode(Place::Export, &head)));
        frames
    }

    /// Seals frames as those of a file are: the start of the file, and each frame.
    pub fn sealed(&self, frames: &[(bool, Vec<u8>)]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
        let id = [3; 16];
        let len = u32::try_from(self.header.len()).ok()?.to_be_bytes();
        let version = EXPORT_VERSION.to_be_bytes();
        let start = [&b"kmipexpo"[..], &version, &id, &len, &self.header].concat();
        let nonces = Seal::nonces(frames.len()).ok()?;
        let all = frames.iter().zip(&nonces).zip(0_u64..);
        let sealed = all.map(|(((is_last, plain), nonce), number)| {
            let is_last = u8::from(*is_last);
            let name = [b"\0export", &id[..], &number.to_be_bytes(), &[is_last]].concat();
            let sealed = self.seal.seal(&name, plain, nonce).ok()?;
            let len = u32::try_from(sealed.len()).ok()?.to_be_bytes();
            Some([&[is_last][..], &len, &sealed].concat())
        });
        Some((start, sealed.collect::<Option<_>>()?))
    }

    /// Reads an export file as `store import` does, into memory: all rows, if it is taken.
    pub fn read(file: &[u8]) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
        let mut reader = ExportReader::begin(file).ok()?;
        let (seal, integrity) = keys(&decode(&reader.header)?)?;
        let mut all = BTreeMap::new();
        loop {
            match reader.frame(&seal, &integrity).ok()? {
                Frame::Rows(rows) => {
                    if rows.iter().any(|(key, _)| key.first().is_none_or(|at| *at < KEY_FIRST)) {
                        return None;
                    }
                    all.extend(rows);
                }
                Frame::End(last) => {
                    let rows: Vec<Row> = all.clone().into_iter().collect();
                    return (head(&integrity, last.group, &rows) == last).then_some(all);
                }
            }
        }
    }
}

fn keys(header: &Header) -> Option<(Seal, Integrity)> {
    Some((Seal::new(&header.keys)?, Integrity::new(&header.keys, header.store_id)?))
}

fn head(integrity: &Integrity, group: u64, rows: &[Row]) -> Head {
    let mut head = Head { group, ..Head::default() };
    rows.iter().for_each(|(key, row)| integrity.replace(&mut head, key, None, Some(row)));
    head
}
