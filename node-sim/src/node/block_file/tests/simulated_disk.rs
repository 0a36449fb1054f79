//! Files of a disk that loses what was not synced.

use crate::node::drive_file::{FileAccess, FileIdentity};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Counts what is asked of the files that changes them, and lets the machine stop at a step.
#[derive(Default)]
pub(super) struct Machine {
    steps: AtomicU64,
    stops_at: AtomicU64,
}

/// A file. Clones are the same file.
#[derive(Clone)]
pub(super) struct SimulatedFile {
    path: PathBuf,
    /// What a power loss leaves of a write is any of its pieces of this length, each whole.
    piece: usize,
    machine: Arc<Machine>,
    contents: Arc<Mutex<Contents>>,
}

#[derive(Default)]
struct Contents {
    /// What a reader sees.
    cached: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Piece>,
}

struct Piece {
    offset: usize,
    bytes: Vec<u8>,
}

impl Machine {
    /// Lets the machine stop at a step, counted from 1 from now on; 0 is never.
    pub(super) fn stop_at(&self, step: u64) {
        self.steps.store(0, Ordering::SeqCst);
        self.stops_at.store(step, Ordering::SeqCst);
    }

    /// Returns how many steps were taken.
    pub(super) fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    fn step(&self) -> io::Result<()> {
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        let stops_at = self.stops_at.load(Ordering::SeqCst);
        if stops_at != 0 && step >= stops_at {
            return Err(io::Error::other("the machine stopped"));
        }
        Ok(())
    }

    fn has_stopped(&self) -> bool {
        let stops_at = self.stops_at.load(Ordering::SeqCst);
        stops_at != 0 && self.steps() >= stops_at
    }
}

impl SimulatedFile {
    pub(super) fn new(name: &str, piece: usize, machine: &Arc<Machine>, bytes: Vec<u8>) -> Self {
        let contents = Contents { cached: bytes.clone(), durable: bytes, unsynced: Vec::new() };
        let contents = Arc::new(Mutex::new(contents));
        Self { path: PathBuf::from(name), piece, machine: Arc::clone(machine), contents }
    }

    /// Returns how many pieces are not synced.
    pub(super) fn unsynced(&self) -> usize {
        self.contents().unsynced.len()
    }

    /// Loses what was not synced, but for those pieces of which `is_kept` returns true.
    pub(super) fn lose_power(&self, mut is_kept: impl FnMut(usize) -> bool) {
        let mut contents = self.contents();
        let pieces = std::mem::take(&mut contents.unsynced);
        for (index, piece) in pieces.iter().enumerate() {
            if is_kept(index) {
                put(&mut contents.durable, piece);
            }
        }
        contents.cached = contents.durable.clone();
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap()
    }
}

fn put(bytes: &mut [u8], piece: &Piece) {
    bytes[piece.offset..piece.offset + piece.bytes.len()].copy_from_slice(&piece.bytes);
}

impl FileAccess for SimulatedFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&self) -> io::Result<Option<u64>> {
        Ok(u64::try_from(self.contents().cached.len()).ok())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let contents = self.contents();
        let offset = usize::try_from(offset).unwrap();
        let rest = contents.cached.get(offset..).unwrap_or_default();
        let len = rest.len().min(bytes.len());
        bytes[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    /// The write at which the machine stops may be done or not, in each of its pieces.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<FileIdentity> {
        let stopped_before = self.machine.has_stopped();
        let outcome = self.machine.step();
        if stopped_before {
            return outcome.map(|()| FileIdentity::default());
        }
        let mut contents = self.contents();
        let mut offset = usize::try_from(offset).unwrap();
        let mut rest = bytes;
        while !rest.is_empty() {
            let len = (self.piece - offset % self.piece).min(rest.len());
            let (part, more) = rest.split_at(len);
            let piece = Piece { offset, bytes: part.to_vec() };
            put(&mut contents.cached, &piece);
            contents.unsynced.push(piece);
            (offset, rest) = (offset + len, more);
        }
        outcome.map(|()| FileIdentity::default())
    }

    fn extend(&self, _: u64) -> io::Result<()> {
        self.machine.step()
    }

    fn sync(&self) -> io::Result<FileIdentity> {
        self.machine.step()?;
        let mut contents = self.contents();
        contents.durable = contents.cached.clone();
        contents.unsynced.clear();
        Ok(FileIdentity::default())
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        Ok(Some(offset))
    }
}
