//! The log of groups: what is acknowledged is here first, and in the tree later.
//!
//! ```text
//! log.0   | frame 7 | frame 8 | frame 9 |                 full: its rows go into the tree
//! log.1   | frame 10 | frame 11 | -> | old frames 4, 5 .. being written
//!
//! frame   magic (8) | number (8) | wanted (8) | length of body (4) | CRC-32 of all else (4) | body
//! body    length of key (2) | length of row (4), all ones for a removed one | key | row ...
//! ```
//!
//! **A block that holds an acknowledged frame is not written again** before its rows are on disk
//! in the tree and a later frame says so: each frame begins on a block of its own, and the two
//! files take turns. A file is written over in place and never cut, so that after its first turn a
//! sync has the bytes alone to write.
//!
//! A frame is written when the one before it is on disk. So of all frames only the last can be
//! torn, and then nobody was told of it. `wanted` is the number of the first frame that the tree
//! may lack: if one from there to the last is missing, the disk has lost what it kept, and the
//! store says so instead of going on without it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use sled::IVec;
use support::durable_fs::sync;

use crate::store::{OpenError, StoreError};

/// Where frames begin: what a disk writes whole or tears apart from its neighbours.
const BLOCK: usize = 4096;

/// A log that is so long is full. Two of them bound what is kept in memory and what is read again
/// at the next start; a longer one merges more writes of one key before they reach the tree.
pub(super) const FULL: usize = 4 << 20;

const MAGIC: [u8; 8] = *b"kmip.log";
const HEADER_LEN: usize = 32;
const LEN_AT: usize = 24;
const SUM_AT: usize = 28;
/// In the place of a row's length: there is none.
const REMOVED: u32 = u32::MAX;

/// A row of the tree and what becomes of it; `None` removes it.
pub(super) type Row = (IVec, Option<IVec>);

/// The frame being made, and where it will go.
pub(super) struct Log {
    files: [File; 2],
    /// Which of them is being written, and from where on.
    active: usize,
    end: usize,
    /// The number of the next frame.
    next: u64,
    /// The number of the first frame in the active file, or of the first one that was written to it
    /// since the store was opened.
    first: u64,
    /// The number of the first frame that the tree may lack.
    wanted: u64,
    frame: Vec<u8>,
}

/// What a frame says of itself.
#[derive(Clone, Copy)]
struct Header {
    number: u64,
    wanted: u64,
    body_len: usize,
}

/// A frame that was found.
struct Found {
    header: Header,
    file: usize,
    at: usize,
}

impl Log {
    /// Opens the log in a directory, and makes one if there is none; gives the rows that the tree
    /// may lack, the oldest first. Until [`Log::forget`] they are kept.
    pub(super) fn open(directory: &Path) -> Result<(Self, Vec<Row>), OpenError> {
        let (first, first_bytes) = open_file(&directory.join("log.0"))?;
        let (second, second_bytes) = open_file(&directory.join("log.1"))?;
        sync(directory).map_err(|error| OpenError::io("sync", directory, error))?;
        let bytes = [first_bytes, second_bytes];
        let mut found: BTreeMap<u64, Found> = BTreeMap::new();
        for (file, bytes) in bytes.iter().enumerate() {
            found.extend(frames(file, bytes).map(|found| (found.header.number, found)));
        }
        let mut log = Self {
            files: [first, second],
            active: 0,
            end: 0,
            next: 1,
            first: 1,
            wanted: 1,
            frame: Vec::new(),
        };
        let Some((_, last)) = found.last_key_value() else { return Ok((log, Vec::new())) };
        log.active = last.file;
        log.end = last.at.saturating_add(blocks(last.header.body_len));
        log.next = last.header.number.saturating_add(1);
        log.first = log.next;
        log.wanted = last.header.wanted;
        let mut rows = Vec::new();
        for number in last.header.wanted..log.next {
            let damaged = || OpenError::Log { path: directory.to_owned(), number };
            let Found { header, file, at } = found.get(&number).ok_or_else(damaged)?;
            let bytes =
                bytes.get(*file).and_then(|bytes| bytes.get(at.saturating_add(HEADER_LEN)..));
            let body = bytes.and_then(|bytes| bytes.get(..header.body_len));
            read_rows(body.unwrap_or_default(), &mut rows).ok_or_else(damaged)?;
        }
        Ok((log, rows))
    }

    /// Writes a group's rows. They are not on disk before the active file is synced.
    pub(super) fn append(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        self.frame.clear();
        self.frame.extend_from_slice(&MAGIC);
        self.frame.extend_from_slice(&self.next.to_be_bytes());
        self.frame.extend_from_slice(&self.wanted.to_be_bytes());
        self.frame.extend_from_slice(&[0; 8]);
        for (key, row) in rows {
            write_row(&mut self.frame, key, row.as_deref())
                .ok_or(StoreError::Refused("a row is longer than the log can say"))?;
        }
        let len = u32::try_from(self.frame.len().saturating_sub(HEADER_LEN))
            .map_err(|_| StoreError::Refused("a group is longer than the log can say"))?;
        put(&mut self.frame, LEN_AT, len);
        let sum = checksum(&self.frame);
        put(&mut self.frame, SUM_AT, sum);
        let whole = self.frame.len().next_multiple_of(BLOCK);
        self.frame.resize(whole, 0);
        let at = u64::try_from(self.end).unwrap_or(u64::MAX);
        self.active_file()
            .write_all_at(&self.frame, at)
            .map_err(|error| StoreError::Stopped(format!("a write of the log failed: {error}")))?;
        self.end = self.end.saturating_add(whole);
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    /// The file to be synced.
    pub(super) fn active_file(&self) -> &File {
        if self.active == 0 { &self.files[0] } else { &self.files[1] }
    }

    /// Is it time to turn to the other file?
    pub(super) fn is_full(&self) -> bool {
        self.end >= FULL
    }

    /// The rows of all frames written so far are on disk in the tree: says so, in a frame that is
    /// to be synced.
    pub(super) fn forget(&mut self) -> Result<(), StoreError> {
        // What this frame itself says is nothing.
        self.wanted = self.next;
        self.append(&[])
    }

    /// The rows of the other file are on disk in the tree: says so, in a frame that is to be
    /// synced before [`Log::turn`].
    pub(super) fn forget_other(&mut self) -> Result<(), StoreError> {
        self.wanted = self.first;
        self.append(&[])
    }

    /// Turns to the other file, whose rows are on disk in the tree.
    pub(super) fn turn(&mut self) {
        self.active = 1_usize.saturating_sub(self.active);
        self.end = 0;
        self.first = self.next;
    }
}

fn open_file(path: &Path) -> Result<(File, Vec<u8>), OpenError> {
    let failed = |what| move |error| OpenError::io(what, path, error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(path).map_err(failed("open"))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed("read"))?;
    Ok((file, bytes))
}

/// Every whole frame in a file, whatever stands between them.
fn frames(file: usize, bytes: &[u8]) -> impl Iterator<Item = Found> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
            let here = at;
            match header(rest) {
                Some(header) => {
                    at = at.saturating_add(blocks(header.body_len));
                    return Some(Found { header, file, at: here });
                }
                None => at = at.saturating_add(BLOCK),
            }
        }
    })
}

/// The header of the frame at the start of these bytes, if a whole one is there.
fn header(bytes: &[u8]) -> Option<Header> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    if *magic != MAGIC {
        return None;
    }
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (wanted, rest) = rest.split_first_chunk::<8>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (sum, _) = rest.split_first_chunk::<4>()?;
    let body_len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
    let frame = bytes.get(..HEADER_LEN.checked_add(body_len)?)?;
    (checksum(frame) == u32::from_be_bytes(*sum)).then_some(Header {
        number: u64::from_be_bytes(*number),
        wanted: u64::from_be_bytes(*wanted),
        body_len,
    })
}

/// The checksum of a whole frame: over all but itself.
fn checksum(frame: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(frame.get(..SUM_AT).unwrap_or_default());
    sum.update(frame.get(HEADER_LEN..).unwrap_or_default());
    sum.finalize()
}

/// Writes a number of the header.
fn put(frame: &mut [u8], at: usize, number: u32) {
    for (to, from) in frame.iter_mut().skip(at).zip(number.to_be_bytes()) {
        *to = from;
    }
}

/// How much room a frame takes.
fn blocks(body_len: usize) -> usize {
    body_len.saturating_add(HEADER_LEN).next_multiple_of(BLOCK)
}

fn write_row(frame: &mut Vec<u8>, key: &[u8], row: Option<&[u8]>) -> Option<()> {
    frame.extend_from_slice(&u16::try_from(key.len()).ok()?.to_be_bytes());
    let len = match row {
        Some(row) => u32::try_from(row.len()).ok().filter(|len| *len != REMOVED)?,
        None => REMOVED,
    };
    frame.extend_from_slice(&len.to_be_bytes());
    frame.extend_from_slice(key);
    frame.extend_from_slice(row.unwrap_or_default());
    Some(())
}

fn read_rows(mut body: &[u8], rows: &mut Vec<Row>) -> Option<()> {
    while !body.is_empty() {
        let (key_len, rest) = body.split_first_chunk::<2>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*key_len)))?;
        let len = u32::from_be_bytes(*len);
        if len == REMOVED {
            rows.push((IVec::from(key), None));
            body = rest;
        } else {
            let (row, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
            rows.push((IVec::from(key), Some(IVec::from(row))));
            body = rest;
        }
    }
    Some(())
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Frames of one row each, in turns: `n` is the number of blocks that the value fills.
    fn write(log: &mut Log, key: &str, n: usize) {
        let row = IVec::from(vec![7; n * BLOCK]);
        log.append(&[(IVec::from(key), Some(row)), (IVec::from("gone"), None)]).unwrap();
    }

    /// The rows of the log that a process which was killed left in a directory.
    fn read(directory: &Path) -> Result<Vec<String>, OpenError> {
        let (_, rows) = Log::open(directory)?;
        let is_put = |(key, row): (IVec, Option<IVec>)| {
            assert_eq!(row.is_none(), key == "gone");
            row.map(|_| String::from_utf8(key.to_vec()).unwrap())
        };
        Ok(rows.into_iter().filter_map(is_put).collect())
    }

    fn file(directory: &Path, n: usize) -> PathBuf {
        directory.join(format!("log.{n}"))
    }

    #[test]
    fn a_log_gives_back_what_was_written_and_no_part_of_a_torn_frame() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let (mut log, rows) = Log::open(path).unwrap();
        assert!(rows.is_empty());
        write(&mut log, "a", 1);
        write(&mut log, "b", 0);
        let whole = log.end;
        write(&mut log, "c", 2);
        assert_eq!(read(path).unwrap(), ["a", "b", "c"]);
        let bytes = std::fs::read(file(path, 0)).unwrap();
        let body = HEADER_LEN + 2 * BLOCK;
        for at in (0..HEADER_LEN).chain([100, BLOCK - 1, BLOCK, body]) {
            // A byte that is not the one that was written, or none from there on.
            let mut torn = bytes.clone();
            torn[whole + at] ^= 1;
            std::fs::write(file(path, 0), torn).unwrap();
            assert_eq!(read(path).unwrap(), ["a", "b"], "changed at {at}");
            std::fs::write(file(path, 0), &bytes[..whole + at]).unwrap();
            assert_eq!(read(path).unwrap(), ["a", "b"], "cut at {at}");
        }
        // The place of a torn frame is the place of the next.
        let (mut log, _) = Log::open(path).unwrap();
        write(&mut log, "d", 0);
        assert_eq!(read(path).unwrap(), ["a", "b", "d"]);
    }

    #[test]
    fn a_frame_that_is_lost_before_the_last_one_is_damage() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let (mut log, _) = Log::open(path).unwrap();
        for key in ["a", "b", "c"] {
            write(&mut log, key, 0);
        }
        let bytes = std::fs::read(file(path, 0)).unwrap();
        for (at, number) in [(0, 1), (BLOCK + 40, 2)] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            std::fs::write(file(path, 0), damaged).unwrap();
            let error = read(path).unwrap_err().to_string();
            assert!(error.contains(&format!("its frame {number} was acknowledged")), "{error}");
        }
    }

    #[test]
    fn a_turn_forgets_what_is_in_the_tree_and_keeps_the_rest_whatever_is_torn() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let (mut log, _) = Log::open(path).unwrap();
        for round in ["a", "b", "c", "d"] {
            for n in 0..3 {
                write(&mut log, &format!("{round}{n}"), 1);
            }
            log.forget_other().unwrap();
            log.turn();
            let before: Vec<_> = (0..3).map(|n| format!("{round}{n}")).collect();
            assert_eq!(read(path).unwrap(), before, "the other file may be written over");
            // The first frame over the other file, torn: its header is there, its rows are not.
            let (active, kept) = (log.active, std::fs::read(file(path, log.active)).unwrap());
            write(&mut log, "next", 1);
            assert_eq!(read(path).unwrap().last().unwrap(), "next");
            let mut torn = std::fs::read(file(path, active)).unwrap();
            torn[BLOCK..2 * BLOCK].fill(0);
            std::fs::write(file(path, active), torn).unwrap();
            assert_eq!(read(path).unwrap(), before);
            std::fs::write(file(path, active), kept).unwrap();
            log.next -= 1;
            log.end = 0;
        }
        log.forget().unwrap();
        assert!(read(path).unwrap().is_empty());
        let (again, _) = Log::open(path).unwrap();
        assert_eq!((again.next, again.active), (log.next, log.active), "numbers go on");
    }
}
