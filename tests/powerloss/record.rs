//! The record of a process: what it asked of its files, as `recorder.c` wrote it down.

use std::path::Path;

/// One thing that was asked for, and was carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    /// A process began.
    Life,
    /// A file, or a folder, was made.
    Made { inode: u64, path: &'a str, folder: bool },
    /// Bytes were written to a file.
    Written { inode: u64, offset: usize, bytes: &'a [u8] },
    /// A file was given this length.
    Cut { inode: u64, len: usize },
    /// A sync of a file or folder began. It is durable when the sync is done.
    SyncBegun,
    /// A sync is done: what came before the entry `begun` is durable.
    Synced { inode: u64, begun: usize },
    /// A file or folder has another name.
    Renamed { from: &'a str, to: &'a str },
    /// A file has no name any more.
    Removed { path: &'a str },
    /// The process told the world that something is durable.
    Acknowledged(&'a str),
}

/// Reads a whole record.
pub(crate) fn read(record: &[u8]) -> Vec<Entry<'_>> {
    let (mut entries, mut rest, mut life) = (Vec::new(), record, 0);
    while !rest.is_empty() {
        let kind = take(&mut rest, 1)[0];
        let inode = number(&mut rest);
        let number = usize::try_from(number(&mut rest)).unwrap();
        let len = u32::from_ne_bytes(take(&mut rest, 4).try_into().unwrap());
        let bytes = take(&mut rest, usize::try_from(len).unwrap());
        let text = || std::str::from_utf8(bytes).unwrap();
        let entry = match kind {
            b'L' => {
                life = entries.len();
                Entry::Life
            }
            b'C' | b'D' => Entry::Made { inode, path: text(), folder: kind == b'D' },
            b'W' => Entry::Written { inode, offset: number, bytes },
            b'T' => Entry::Cut { inode, len: number },
            b'B' => Entry::SyncBegun,
            b'S' => Entry::Synced { inode, begun: life + number },
            b'R' => {
                let (from, to) = text().split_once('\0').unwrap();
                Entry::Renamed { from, to }
            }
            b'U' => Entry::Removed { path: text() },
            b'A' => Entry::Acknowledged(text()),
            other => panic!("the record has no such entry: {other}"),
        };
        entries.push(entry);
    }
    entries
}

/// Folder and name of a path.
pub(crate) fn split(path: &str) -> (&str, &str) {
    let path = Path::new(path);
    let folder = path.parent().and_then(Path::to_str).unwrap();
    (folder, path.file_name().and_then(|name| name.to_str()).unwrap())
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (taken, after) = rest.split_at(len);
    *rest = after;
    taken
}

fn number(rest: &mut &[u8]) -> u64 {
    u64::from_ne_bytes(take(rest, 8).try_into().unwrap())
}
