//! File with all rows of a store, sealed under the store's own keys.
//!
//! ```text
//! magic (8) | version (4) | export id (16) | length of the header (4) | header of the store
//! frame     is last (1) | length (4) | sealed value
//! plain     rows: length of the key (2) | key | length of the row (4) | row    head of the store
//! ```
//!
//! A frame is sealed as a record is, bound to export id, number of the frame and "is last": one
//! that is missing, moved or of another file does not open. The last frame is the head, which
//! all rows are compared with.

use std::io::{self, Read, Write};

use aws_lc_rs::rand;

use super::engine::{EngineError, Value};
use super::integrity::{Head, Integrity, Place};
use super::record_seal::Seal;
use super::{Key, Record, StoreError, VALUE_LEN_MAX};
use crate::secret::SecretBuffer;

const MAGIC: &[u8; 8] = b"kmipexpo";

/// Version of the export file.
pub(crate) const EXPORT_VERSION: u32 = 1;

const ID_LEN: usize = 16;

/// Longest header that is read: it has some hundred bytes.
const HEADER_LEN_MAX: u32 = 1 << 16;

/// Length from which a frame takes no further row.
const FRAME_LEN: usize = 1 << 20;

/// Longest frame that is read: it may have one row more, with its seal, and has one itself.
const FRAME_LEN_MAX: usize = FRAME_LEN + VALUE_LEN_MAX + (1 << 16);

/// Failure of an export file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not what was written.
    #[error("it is damaged at byte {at}: {what}")]
    Damaged {
        /// Place in the file.
        at: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// It is of a version that this program does not know.
    #[error("it has version {0}, and this program knows {EXPORT_VERSION}")]
    Version(u32),
    /// Its rows are not those of its head.
    #[error("its rows are not those that it says it has")]
    Incomplete,
    /// The engine refused.
    #[error("the engine: {0}")]
    Engine(#[from] EngineError),
    /// A row cannot be sealed.
    #[error("{0}")]
    Seal(#[from] StoreError),
}

/// Row of a store.
pub(crate) type Row = (Key, Value);

/// Name that a frame is bound to. No key of a record begins with 0.
struct FrameName {
    id: [u8; ID_LEN],
    number: u64,
}

impl FrameName {
    fn next(&mut self, is_last: bool) -> Vec<u8> {
        let number = self.number;
        self.number = number.saturating_add(1);
        [b"\0export", &self.id[..], &number.to_be_bytes(), &[u8::from(is_last)]].concat()
    }
}

/// Writes an export file.
pub(crate) struct ExportWriter<'a, W> {
    file: W,
    seal: &'a Seal,
    name: FrameName,
    frame: Vec<u8>,
}

impl<'a, W: Write> ExportWriter<'a, W> {
    /// Begins a file of the store with this header.
    pub(crate) fn begin(mut file: W, header: &[u8], seal: &'a Seal) -> Result<Self, FileError> {
        let mut id = [0; ID_LEN];
        rand::fill(&mut id).map_err(|_| io::Error::other("the system gives no random bytes"))?;
        let len = u32::try_from(header.len()).map_err(io::Error::other)?;
        for part in [&MAGIC[..], &EXPORT_VERSION.to_be_bytes(), &id, &len.to_be_bytes(), header] {
            file.write_all(part)?;
        }
        Ok(Self { file, seal, name: FrameName { id, number: 0 }, frame: Vec::new() })
    }

    /// Appends a row.
    pub(crate) fn push(&mut self, (key, row): &Row) -> Result<(), FileError> {
        let key_len = u16::try_from(key.len()).map_err(io::Error::other)?;
        let row_len = u32::try_from(row.len()).map_err(io::Error::other)?;
        for part in [&key_len.to_be_bytes()[..], key, &row_len.to_be_bytes(), row] {
            self.frame.extend_from_slice(part);
        }
        if self.frame.len() < FRAME_LEN { Ok(()) } else { self.write_frame(false) }
    }

    /// Ends the file with the head of all rows.
    pub(crate) fn end(mut self, head: &Head, integrity: &Integrity) -> Result<W, FileError> {
        if !self.frame.is_empty() {
            self.write_frame(false)?;
        }
        self.frame = integrity.encode(Place::Export, head);
        self.write_frame(true)?;
        Ok(self.file)
    }

    fn write_frame(&mut self, is_last: bool) -> Result<(), FileError> {
        let nonces = Seal::nonces(1)?;
        let nonce = nonces.first().ok_or_else(|| io::Error::other("there is no nonce"))?;
        let sealed = self.seal.seal(&self.name.next(is_last), &self.frame, nonce)?;
        let len = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.file.write_all(&[u8::from(is_last)])?;
        self.file.write_all(&len.to_be_bytes())?;
        self.file.write_all(&sealed)?;
        self.frame.clear();
        Ok(())
    }
}

/// Reads an export file.
pub(crate) struct ExportReader<R> {
    file: R,
    at: u64,
    name: FrameName,
    /// Header of the store.
    pub(crate) header: Vec<u8>,
}

/// Frame of an export file.
pub(crate) enum Frame {
    /// Some rows.
    Rows(Vec<Row>),
    /// The head of all rows, behind which there is nothing.
    End(Head),
}

impl<R: Read> ExportReader<R> {
    /// Reads what is before the frames.
    pub(crate) fn begin(file: R) -> Result<Self, FileError> {
        let name = FrameName { id: [0; ID_LEN], number: 0 };
        let mut reader = Self { file, at: 0, name, header: Vec::new() };
        if reader.read::<8>()? != *MAGIC {
            return Err(FileError::Damaged { at: 0, what: "it does not begin as an export file" });
        }
        let version = u32::from_be_bytes(reader.read()?);
        if version != EXPORT_VERSION {
            return Err(FileError::Version(version));
        }
        reader.name.id = reader.read()?;
        let len = u32::from_be_bytes(reader.read()?);
        if len > HEADER_LEN_MAX {
            return Err(reader.damaged("the header is too long"));
        }
        reader.header = reader.read_vec(usize::try_from(len).map_err(io::Error::other)?)?;
        Ok(reader)
    }

    /// Reads the next frame.
    pub(crate) fn frame(&mut self, seal: &Seal, integrity: &Integrity) -> Result<Frame, FileError> {
        let [is_last] = self.read()?;
        let len = usize::try_from(u32::from_be_bytes(self.read()?)).map_err(io::Error::other)?;
        if is_last > 1 || len > FRAME_LEN_MAX {
            return Err(self.damaged("a frame has no valid length"));
        }
        let value = SecretBuffer::new(self.read_vec(len)?);
        let name = self.name.next(is_last == 1);
        let opened = seal.open(&name, Record { value, stamp: 0 });
        let plain = opened.map_err(|_| self.damaged("a frame does not open"))?.value;
        if is_last == 0 {
            return rows(&plain).map(Frame::Rows).ok_or_else(|| self.damaged("rows are cut off"));
        }
        let head = integrity.decode(Place::Export, &plain);
        let head = head.ok_or_else(|| self.damaged("the head has a wrong MAC"))?;
        if self.file.read(&mut [0])? != 0 {
            return Err(self.damaged("there are bytes behind the last frame"));
        }
        Ok(Frame::End(head))
    }

    fn damaged(&self, what: &'static str) -> FileError {
        FileError::Damaged { at: self.at, what }
    }

    fn read<const LEN: usize>(&mut self) -> Result<[u8; LEN], FileError> {
        let mut bytes = [0; LEN];
        let read = self.file.read_exact(&mut bytes);
        self.after(read, LEN).map(|()| bytes)
    }

    /// Reads so many bytes, and takes memory for those that are there.
    fn read_vec(&mut self, len: usize) -> Result<Vec<u8>, FileError> {
        let mut bytes = Vec::new();
        let taken = self.file.by_ref().take(u64::try_from(len).unwrap_or(u64::MAX));
        let read = { taken }.read_to_end(&mut bytes)?;
        let whole = if read == len { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        self.after(whole, len).map(|()| bytes)
    }

    fn after(&mut self, read: io::Result<()>, len: usize) -> Result<(), FileError> {
        match read {
            Ok(()) => {
                self.at = self.at.saturating_add(u64::try_from(len).unwrap_or_default());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged("the file ends too early"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Takes the rows of a frame apart.
fn rows(mut rest: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let (len, after) = rest.split_first_chunk()?;
        let (key, after) = after.split_at_checked(u16::from_be_bytes(*len).into())?;
        let (len, after) = after.split_first_chunk()?;
        let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
        let (row, after) = after.split_at_checked(len)?;
        rows.push((key.to_vec(), row.to_vec()));
        rest = after;
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::integrity::tests::integrity;
    use crate::store::key_ring::KeyRing;

    fn sample(integrity: &Integrity) -> (Vec<Row>, Head) {
        let rows: Vec<Row> =
            (0..40_u8).map(|n| (vec![b'k', n], vec![n; usize::from(n) * 2000])).collect();
        let mut head = Head { group: 9, ..Head::default() };
        rows.iter().for_each(|(key, row)| integrity.replace(&mut head, key, None, Some(row)));
        (rows, head)
    }

    fn written(seal: &Seal, integrity: &Integrity) -> Vec<u8> {
        let (rows, head) = sample(integrity);
        let mut writer = ExportWriter::begin(Vec::new(), b"header", seal).unwrap();
        rows.iter().for_each(|row| writer.push(row).unwrap());
        writer.end(&head, integrity).unwrap()
    }

    fn read(
        file: &[u8],
        seal: &Seal,
        integrity: &Integrity,
    ) -> Result<(Vec<Row>, Head), FileError> {
        let mut reader = ExportReader::begin(file)?;
        let mut found = Vec::new();
        loop {
            match reader.frame(seal, integrity)? {
                Frame::Rows(rows) => found.extend(rows),
                Frame::End(head) => return Ok((found, head)),
            }
        }
    }

    #[test]
    fn rows_come_back_and_none_is_seen_in_the_file() {
        let (seal, integrity) = (Seal::new(&KeyRing::generate().unwrap()).unwrap(), integrity(1));
        let file = written(&seal, &integrity);
        assert_eq!(read(&file, &seal, &integrity).unwrap(), sample(&integrity));
        assert_eq!(ExportReader::begin(&file[..]).unwrap().header, b"header");
        assert!(!file.windows(16).any(|bytes| bytes == [39; 16]));
        let other = Seal::new(&KeyRing::generate().unwrap()).unwrap();
        assert!(read(&file, &other, &integrity).is_err());
    }

    #[test]
    fn changed_cut_or_lengthened_file_is_refused() {
        let (seal, integrity) = (Seal::new(&KeyRing::generate().unwrap()).unwrap(), integrity(1));
        let file = written(&seal, &integrity);
        let header = 32..38;
        let places =
            (0..200).chain((200..file.len()).step_by(9_973)).chain(file.len() - 100..file.len());
        for at in places.filter(|at| !header.contains(at)) {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            assert!(read(&changed, &seal, &integrity).is_err(), "byte {at}");
            assert!(read(&file[..at], &seal, &integrity).is_err(), "cut to {at}");
        }
        let longer = [&file[..], b"x"].concat();
        assert!(read(&longer, &seal, &integrity).is_err());
    }

    #[test]
    fn frame_that_is_missing_moved_or_of_another_file_is_refused() {
        let (seal, integrity) = (Seal::new(&KeyRing::generate().unwrap()).unwrap(), integrity(1));
        let file = written(&seal, &integrity);
        let frames = |file: &[u8]| {
            let (start, mut rest) = file.split_at(38);
            let mut frames = Vec::new();
            while !rest.is_empty() {
                let len =
                    usize::try_from(u32::from_be_bytes(rest[1..5].try_into().unwrap())).unwrap();
                let (frame, after) = rest.split_at(5 + len);
                frames.push(frame.to_vec());
                rest = after;
            }
            (start.to_vec(), frames)
        };
        let (start, all) = frames(&file);
        assert_eq!(all.len(), 3, "two frames of rows and the head");
        let (_, other) = frames(&written(&seal, &integrity));
        let mixes: [&[&Vec<u8>]; 6] = [
            &[&all[1], &all[2]],
            &[&all[0], &all[2]],
            &[&all[1], &all[0], &all[2]],
            &[&all[0], &all[1]],
            &[&all[2]],
            &[&other[0], &all[1], &all[2]],
        ];
        for mix in mixes {
            let frames: Vec<u8> = mix.iter().flat_map(|frame| frame.to_vec()).collect();
            assert!(read(&[&start[..], &frames].concat(), &seal, &integrity).is_err());
        }
    }
}
