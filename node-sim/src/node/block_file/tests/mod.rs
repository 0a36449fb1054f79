//! Tests of the blocks of a drive and their checksums.

#![allow(clippy::arithmetic_side_effects, reason = "a test stops at what overflows")]

mod crash;
mod damage;
mod lost_files;
mod simulated_disk;

use super::{BLOCK_LEN, BlockFile, blocks_path, checksums_path, create};
use crate::node::block_error::BlockError;
use crate::state::key_ring::DriveId;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tempfile::TempDir;

const BLOCKS: u64 = 8;

/// The blocks that [`drive`] has written.
const WRITTEN: [u64; 3] = [1, 2, 6];

fn key(drive: u32) -> [u8; 64] {
    let first = u8::try_from(drive).unwrap();
    std::array::from_fn(|i| first.wrapping_mul(100).wrapping_add(u8::try_from(i).unwrap()))
}

fn open(folder: &Path, drive: u32) -> BlockFile {
    BlockFile::open(folder, DriveId(drive), &key(drive), BLOCKS).unwrap()
}

/// A drive in a folder of its own, without blocks written.
fn new_drive(drive: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), DriveId(drive), &key(drive), BLOCKS).unwrap();
    folder
}

/// A drive with three blocks written.
fn drive(number: u32) -> TempDir {
    let folder = new_drive(number);
    let file = open(folder.path(), number);
    for lba in WRITTEN {
        file.write(lba, &content(number, lba, 1)).unwrap();
    }
    file.flush().unwrap();
    folder
}

fn content(drive: u32, lba: u64, version: u32) -> Vec<u8> {
    format!("drive {drive}, block {lba}, version {version}. ")
        .bytes()
        .cycle()
        .take(BLOCK_LEN)
        .collect()
}

/// What [`drive`] has in a block.
fn expected(number: u32, lba: u64) -> Vec<u8> {
    if WRITTEN.contains(&lba) { content(number, lba, 1) } else { vec![0; BLOCK_LEN] }
}

fn read(file: &BlockFile, lba: u64) -> Result<Vec<u8>, BlockError> {
    let mut block = vec![0xEE; BLOCK_LEN];
    file.read(lba, &mut block).map(|()| block)
}

/// The blocks that are damaged. Those that are not have what [`drive`] wrote.
fn damaged(folder: &Path, number: u32) -> Vec<u64> {
    let file = open(folder, number);
    let wrong = |lba: &u64| match read(&file, *lba) {
        Ok(block) => {
            assert!(block == expected(number, *lba), "block {lba} is wrong, without an error");
            false
        }
        Err(BlockError::Damaged { drive_id, lba: named, .. }) => {
            assert_eq!((drive_id, named), (DriveId(number), *lba));
            true
        }
        Err(error) => panic!("{error}"),
    };
    (0..BLOCKS).filter(wrong).collect()
}

fn all() -> Vec<u64> {
    (0..BLOCKS).collect()
}

#[test]
fn block_reads_back_as_written_and_is_not_on_disk_in_the_clear() {
    let folder = new_drive(1);
    let file = open(folder.path(), 1);
    let text = b"attack at dawn. ".repeat(2 * BLOCK_LEN / 16);
    file.write(3, &text).unwrap();
    file.flush().unwrap();
    let mut bytes = vec![1; 4 * BLOCK_LEN];
    open(folder.path(), 1).read(2, &mut bytes).unwrap();
    assert_eq!(bytes[..BLOCK_LEN], [0; BLOCK_LEN], "never written");
    assert_eq!(bytes[BLOCK_LEN..3 * BLOCK_LEN], text);
    assert_eq!(bytes[3 * BLOCK_LEN..], [0; BLOCK_LEN], "never written");
    let raw = std::fs::read(blocks_path(folder.path())).unwrap();
    assert!(!raw.windows(16).any(|window| window == b"attack at dawn. "));
    let (one, other) = (&raw[3 * BLOCK_LEN..4 * BLOCK_LEN], &raw[4 * BLOCK_LEN..5 * BLOCK_LEN]);
    assert_ne!(one, other, "equal blocks differ by their place");
}

#[test]
fn block_out_of_range_is_refused_before_the_disk_is_touched() {
    let folder = new_drive(1);
    let file = open(folder.path(), 1);
    for (lba, len) in [(BLOCKS, 1), (BLOCKS - 1, 2), (u64::MAX, 1), (u64::MAX, 2)] {
        let error = file.write(lba, &vec![0; len * BLOCK_LEN]).unwrap_err();
        assert!(matches!(error, BlockError::OutOfRange { .. }), "{lba} {len}");
    }
    let error = file.read(0, &mut [0; 100]).unwrap_err();
    assert!(matches!(error, BlockError::Length { len: 100 }));
}

#[test]
fn new_files_are_private_and_sparse() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = 1 << 20;
    create(folder.path(), DriveId(1), &key(1), blocks).unwrap();
    let sizes = [blocks * 4096, 64 + blocks * 32];
    let metadata = || {
        let paths = [blocks_path(folder.path()), checksums_path(folder.path())];
        paths.map(|path| std::fs::metadata(path).unwrap())
    };
    for (found, size) in metadata().iter().zip(sizes) {
        assert_eq!((found.len(), found.mode() & 0o777), (size, 0o600));
        assert!(found.blocks() * 512 <= 4096, "{} bytes are used", found.blocks() * 512);
    }
    let file = BlockFile::open(folder.path(), DriveId(1), &key(1), blocks).unwrap();
    for lba in [0, blocks / 2, blocks - 1] {
        assert_eq!(read(&file, lba).unwrap(), [0; BLOCK_LEN]);
        file.write(lba, &content(1, lba, 1)).unwrap();
    }
    file.flush().unwrap();
    file.suspect_damage(true);
    file.search_damage(|| true);
    for found in metadata() {
        assert!(found.blocks() * 512 <= 16 * 4096, "{} bytes are used", found.blocks() * 512);
    }
}

/// A read while a block is overwritten sees the old or the new block, and an overwrite while
/// another is flushed does not lose its checksum.
#[test]
fn concurrent_reads_writes_and_flushes_find_no_damage() {
    let folder = drive(1);
    let file = open(folder.path(), 1);
    let write = |thread: u32| {
        for version in 0..40 {
            let lba = u64::from(version % 3);
            let two = [content(thread, lba, version), content(thread, lba + 1, version)].concat();
            file.write(lba, &two).unwrap();
            file.flush().unwrap();
        }
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (2..5).map(|thread| scope.spawn(move || write(thread))).collect();
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            for lba in 0..4 {
                let block = read(&file, lba).unwrap();
                let text = String::from_utf8_lossy(&block[..BLOCK_LEN / 2]).into_owned();
                assert!(text.contains(&format!("block {lba}, ")) || block[0] == 0, "{text}");
            }
        }
    });
    let again = open(folder.path(), 1);
    for lba in 0..BLOCKS {
        read(&again, lba).unwrap();
    }
}
