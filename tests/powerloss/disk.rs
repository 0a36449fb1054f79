//! What a disk may hold after a power cut, from the record of what was asked of it.
//!
//! ```text
//! write  write  [sync begins  write  sync done]  write  | power cut
//! durable -----^              `--------- may be there or not, whole or torn
//! ```
//!
//! A sync makes durable what was asked for before it began, of the one file or folder it is for:
//! of a file the bytes and the length, of a folder the names in it. Nothing else makes anything
//! durable. What is not durable is up to the model.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::record::{Entry, split};
use harness::Random;

/// What becomes of that which is not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// All of it is lost.
    Strict,
    /// Each page of a file holds some first part of what was written to it; the length is one that
    /// the file had; names are as they were at some moment.
    Page,
    /// Each write is there or not; names are as they were at some moment.
    Random,
    /// All of it is there: the folder as it was when the record ended.
    Everything,
}

const PAGE: usize = 4096;

/// A file or a folder, whatever its names.
#[derive(Default)]
struct Object<'a> {
    folder: bool,
    changes: Vec<(usize, Change<'a>)>,
    /// Entries before this one are durable.
    durable: usize,
}

#[derive(Clone, Copy)]
enum Change<'a> {
    Write { offset: usize, bytes: &'a [u8] },
    Cut { len: usize },
}

/// A change of names: an object is known under a name in a folder, or no longer.
struct Naming<'a> {
    entry: usize,
    object: usize,
    from: Option<(usize, &'a str)>,
    to: Option<(usize, &'a str)>,
}

/// All that was asked for up to a power cut.
pub(crate) struct Disk<'a> {
    objects: Vec<Object<'a>>,
    namings: Vec<Naming<'a>>,
    inodes: HashMap<u64, usize>,
    /// The names as the process saw them.
    names: HashMap<(usize, &'a str), usize>,
    root: &'a str,
}

/// The recorded folder itself.
const ROOT: usize = 0;

impl<'a> Disk<'a> {
    /// The disk at the end of these entries, for the folder `root` with this inode.
    pub(crate) fn new(root: &'a str, inode: u64, entries: &[Entry<'a>]) -> Self {
        let object = Object { folder: true, ..Object::default() };
        let mut disk = Self {
            objects: vec![object],
            namings: Vec::new(),
            inodes: HashMap::from([(inode, ROOT)]),
            names: HashMap::new(),
            root,
        };
        for (n, entry) in entries.iter().enumerate() {
            disk.take(n, *entry);
        }
        disk
    }

    fn take(&mut self, entry: usize, what: Entry<'a>) {
        match what {
            Entry::Life | Entry::SyncBegun | Entry::Acknowledged(_) => {}
            Entry::Made { inode, path, folder } => {
                let object = self.objects.len();
                self.objects.push(Object { folder, ..Object::default() });
                self.inodes.insert(inode, object);
                self.name(entry, object, None, Some(path));
            }
            Entry::Written { inode, offset, bytes } => {
                self.of(inode).changes.push((entry, Change::Write { offset, bytes }));
            }
            Entry::Cut { inode, len } => self.of(inode).changes.push((entry, Change::Cut { len })),
            Entry::Synced { inode, begun } => {
                let durable = &mut self.of(inode).durable;
                *durable = begun.max(*durable);
            }
            Entry::Renamed { from, to } => {
                let object = self.find(from);
                self.name(entry, object, Some(from), Some(to));
            }
            Entry::Removed { path } => {
                let object = self.find(path);
                self.name(entry, object, Some(path), None);
            }
        }
    }

    fn of(&mut self, inode: u64) -> &mut Object<'a> {
        &mut self.objects[self.inodes[&inode]]
    }

    fn find(&self, path: &'a str) -> usize {
        if path == self.root {
            return ROOT;
        }
        let (folder, name) = split(path);
        self.names[&(self.find(folder), name)]
    }

    fn name(&mut self, entry: usize, object: usize, from: Option<&'a str>, to: Option<&'a str>) {
        let place = |path| {
            let (folder, name) = split(path);
            (self.find(folder), name)
        };
        let (from, to) = (from.map(place), to.map(place));
        if let Some(from) = from {
            self.names.remove(&from);
        }
        if let Some(to) = to {
            self.names.insert(to, object);
        }
        self.namings.push(Naming { entry, object, from, to });
    }

    /// The names that are there when the power comes back.
    fn names_after(&self, model: Model, random: &mut Random) -> BTreeMap<(usize, &'a str), usize> {
        let moment = match model {
            Model::Strict => 0,
            Model::Everything => self.namings.len(),
            // A file system keeps its names in a journal: in order.
            Model::Page | Model::Random => random.below(self.namings.len() + 1),
        };
        let mut names = BTreeMap::new();
        for (n, naming) in self.namings.iter().enumerate() {
            let in_folders = [naming.from, naming.to];
            let durable =
                |(folder, _): &(usize, &str)| naming.entry < self.objects[*folder].durable;
            if n >= moment && !in_folders.iter().flatten().all(durable) {
                continue;
            }
            if let Some(from) = naming.from
                && names.get(&from) == Some(&naming.object)
            {
                names.remove(&from);
            }
            if let Some(to) = naming.to {
                names.insert(to, naming.object);
            }
        }
        names
    }

    /// Writes what is there when the power comes back to the empty folder `to`.
    pub(crate) fn restore(&self, model: Model, random: &mut Random, to: &Path) {
        let names = self.names_after(model, random);
        self.restore_folder(ROOT, &names, model, random, to);
    }

    fn restore_folder(
        &self,
        folder: usize,
        names: &BTreeMap<(usize, &'a str), usize>,
        model: Model,
        random: &mut Random,
        to: &Path,
    ) {
        for ((_, name), object) in names.range((folder, "")..(folder + 1, "")) {
            let path = to.join(name);
            if self.objects[*object].folder {
                fs::create_dir(&path).unwrap();
                self.restore_folder(*object, names, model, random, &path);
            } else {
                let bytes = self.objects[*object].after(model, random);
                write_sparse(&path, &bytes);
            }
        }
    }
}

/// Writes a file, without the pages that are all zero: the log of an engine has many.
fn write_sparse(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    let file = File::create(path).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
    file.set_len(u64::try_from(bytes.len()).unwrap()).unwrap();
    let zero = [0; 16 * PAGE];
    for (n, chunk) in (0_u64..).zip(bytes.chunks(zero.len())) {
        if *chunk != zero[..chunk.len()] {
            let offset = n * u64::try_from(16 * PAGE).unwrap();
            file.write_all_at(chunk, offset).unwrap();
        }
    }
}

impl<'a> Object<'a> {
    /// The bytes that are there when the power comes back.
    fn after(&self, model: Model, random: &mut Random) -> Vec<u8> {
        let ends = self.changes.iter().map(|(_, change)| change.end());
        let mut image = Image { bytes: vec![0; ends.max().unwrap_or(0)], len: 0 };
        let mut pending = Vec::new();
        for (entry, change) in &self.changes {
            let keep = match model {
                Model::Strict | Model::Page => false,
                Model::Random => random.below(2) == 0,
                Model::Everything => true,
            };
            if *entry < self.durable || keep {
                image.apply(*change);
            } else {
                pending.push(*change);
            }
        }
        if model == Model::Page {
            image.tear(&pending, random);
        }
        image.bytes.truncate(image.len);
        image.bytes
    }
}

impl Change<'_> {
    fn end(&self) -> usize {
        match self {
            Change::Cut { len } => *len,
            Change::Write { offset, bytes } => offset + bytes.len(),
        }
    }
}

/// The bytes of a file that changes: zero beyond its length, and as long as it ever gets.
struct Image {
    bytes: Vec<u8>,
    len: usize,
}

impl Image {
    fn apply(&mut self, change: Change<'_>) {
        match change {
            Change::Cut { len } => self.cut(len),
            Change::Write { offset, bytes } => {
                self.len = self.len.max(change.end());
                self.bytes[offset..change.end()].copy_from_slice(bytes);
            }
        }
    }

    fn cut(&mut self, len: usize) {
        if len < self.len {
            self.bytes[len..self.len].fill(0);
        }
        self.len = len;
    }

    /// Page by page, carries out some first part of what is pending.
    fn tear(&mut self, pending: &[Change<'_>], random: &mut Random) {
        let mut len = self.len;
        for change in &pending[..random.below(pending.len() + 1)] {
            len = match change {
                Change::Cut { len } => *len,
                Change::Write { .. } => len.max(change.end()),
            };
        }
        let mut pages: BTreeMap<usize, Vec<(usize, &[u8])>> = BTreeMap::new();
        for change in pending {
            let Change::Write { mut offset, bytes: mut rest } = *change else { continue };
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(PAGE - offset % PAGE));
                pages.entry(offset / PAGE).or_default().push((offset, piece));
                offset += piece.len();
                rest = after;
            }
        }
        for pieces in pages.values() {
            for (offset, bytes) in &pieces[..random.below(pieces.len() + 1)] {
                self.apply(Change::Write { offset: *offset, bytes });
            }
        }
        self.cut(len);
    }
}
