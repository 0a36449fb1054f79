//! Changed and exchanged bytes: found at the read, lost only where they are.

use super::{BLOCKS, WRITTEN, all, content, damaged, drive, expected, new_drive, open, read};
use crate::node::block_damage::Damage;
use crate::node::block_file::{BLOCK_LEN, blocks_path, checksums_path};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const HEADER: usize = 64;

fn flip(path: &Path, offset: usize, bit: usize) {
    let offset = u64::try_from(offset).unwrap();
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    byte[0] ^= 1 << bit;
    file.write_all_at(&byte, offset).unwrap();
}

/// The blocks that a changed byte of the checksums damages: none in the header, of which there are
/// two copies, and none where a written block has no checksum.
fn damaged_by_checksum_byte(path: &Path, offset: usize) -> Vec<u64> {
    let bytes = std::fs::read(path).unwrap();
    let Some(in_entries) = offset.checked_sub(HEADER) else { return Vec::new() };
    let lba = u64::try_from(in_entries / 32).unwrap();
    let slot = HEADER + in_entries / 16 * 16;
    let is_used = bytes[slot..slot + 16] != [0; 16];
    if is_used || !WRITTEN.contains(&lba) { vec![lba] } else { Vec::new() }
}

#[test]
fn flipped_bit_of_a_block_damages_that_block() {
    let folder = drive(1);
    let path = blocks_path(folder.path());
    for lba in 0..BLOCKS {
        for (place, bit) in [(0, 0), (1, 7), (17, 3), (2048, 4), (4000, 1), (4095, 7)] {
            let offset = usize::try_from(lba).unwrap() * BLOCK_LEN + place;
            flip(&path, offset, bit);
            assert_eq!(damaged(folder.path(), 1), [lba], "byte {place} of block {lba}");
            flip(&path, offset, bit);
        }
    }
    assert!(damaged(folder.path(), 1).is_empty(), "as it was");
}

#[test]
fn flipped_bit_of_a_checksum_damages_at_most_its_block() {
    let folder = drive(1);
    let path = checksums_path(folder.path());
    let len = std::fs::metadata(&path).unwrap().len();
    assert_eq!(len, 64 + BLOCKS * 32);
    let mut found = 0;
    for offset in 0..usize::try_from(len).unwrap() {
        let lost = damaged_by_checksum_byte(&path, offset);
        flip(&path, offset, offset % 8);
        assert_eq!(damaged(folder.path(), 1), lost, "byte {offset}");
        found += lost.len();
        flip(&path, offset, offset % 8);
    }
    // Of a written block one of two checksums is there, of another none may be.
    assert_eq!(found, WRITTEN.len() * 16 + (all().len() - WRITTEN.len()) * 32);
    assert!(damaged(folder.path(), 1).is_empty(), "as it was");
}

#[test]
fn error_names_drive_block_and_file() {
    let folder = drive(1);
    flip(&blocks_path(folder.path()), 2 * BLOCK_LEN, 0);
    let file = open(folder.path(), 1);
    let text = read(&file, 2).unwrap_err().to_string();
    let (blocks, checksums) = (blocks_path(folder.path()), checksums_path(folder.path()));
    let words = ["block 2 of drive 1 is damaged", blocks.to_str().unwrap()];
    for word in words.into_iter().chain([checksums.to_str().unwrap(), "or overwrite the block"]) {
        assert!(text.contains(word), "{text}");
    }
    let mut three = vec![0; 3 * BLOCK_LEN];
    let error = file.read(0, &mut three).unwrap_err().to_string();
    assert_eq!(error, text, "the first damaged one of several");
}

#[test]
fn overwrite_repairs_a_damaged_block_and_no_other() {
    let folder = drive(1);
    let (blocks, checksums) = (blocks_path(folder.path()), checksums_path(folder.path()));
    flip(&blocks, 2 * BLOCK_LEN + 9, 0);
    flip(&blocks, 4 * BLOCK_LEN, 5);
    flip(&checksums, HEADER + 6 * 32 + 1, 1);
    flip(&checksums, HEADER + 6 * 32 + 17, 1);
    flip(&checksums, HEADER + 7 * 32 + 16, 1);
    assert_eq!(damaged(folder.path(), 1), [2, 4, 6, 7]);
    for (lba, left) in [(2, vec![4, 6, 7]), (6, vec![4, 7]), (4, vec![7]), (7, vec![])] {
        let file = open(folder.path(), 1);
        file.write(lba, &expected(1, lba)).unwrap();
        file.flush().unwrap();
        assert_eq!(damaged(folder.path(), 1), left, "block {lba} was overwritten");
    }
}

#[test]
fn exchanged_blocks_are_damaged_also_with_their_checksums() {
    let folder = drive(1);
    let exchange = |path: PathBuf, offset: usize, len: usize| {
        let mut bytes = std::fs::read(&path).unwrap();
        let (one, other) = (offset + len, offset + 2 * len);
        for i in 0..len {
            bytes.swap(one + i, other + i);
        }
        std::fs::write(&path, bytes).unwrap();
    };
    exchange(blocks_path(folder.path()), 0, BLOCK_LEN);
    assert_eq!(damaged(folder.path(), 1), [1, 2]);
    exchange(checksums_path(folder.path()), HEADER, 32);
    assert_eq!(damaged(folder.path(), 1), [1, 2]);
    exchange(blocks_path(folder.path()), 0, BLOCK_LEN);
    exchange(checksums_path(folder.path()), HEADER, 32);
    assert!(damaged(folder.path(), 1).is_empty());
}

#[test]
fn exchanged_file_of_another_drive_is_damaged() {
    let (one, other, empty) = (drive(1), drive(2), new_drive(3));
    let backup = drive(1);
    let paths = |folder: &Path| [blocks_path(folder), checksums_path(folder)];
    let put = |from: &Path, files: &[usize]| {
        for file in files {
            std::fs::copy(&paths(from)[*file], &paths(one.path())[*file]).unwrap();
        }
    };
    // Blocks that were never written are zeros in the other drive too, and their checksums say so.
    put(other.path(), &[0]);
    assert_eq!(damaged(one.path(), 1), WRITTEN);
    put(backup.path(), &[0]);
    put(other.path(), &[1]);
    assert_eq!(damaged(one.path(), 1), all());
    let error = read(&open(one.path(), 1), 0).unwrap_err().to_string();
    assert!(error.contains("/checksums: ") && error.contains("not that of drive 1"), "{error}");
    put(other.path(), &[0, 1]);
    assert_eq!(damaged(one.path(), 1), all());
    put(empty.path(), &[0, 1]);
    assert_eq!(damaged(one.path(), 1), all(), "zeros of a new drive are not taken for its own");
    put(backup.path(), &[0, 1]);
    assert!(damaged(one.path(), 1).is_empty(), "put back");
}

#[test]
fn older_copy_of_one_file_is_damaged_where_blocks_were_overwritten_since() {
    let folder = drive(1);
    let paths = [blocks_path(folder.path()), checksums_path(folder.path())];
    let older = paths.clone().map(|path| std::fs::read(path).unwrap());
    let file = open(folder.path(), 1);
    for lba in [2, 5] {
        file.write(lba, &content(1, lba, 2)).unwrap();
    }
    file.flush().unwrap();
    for (path, older) in paths.iter().zip(&older) {
        let newer = std::fs::read(path).unwrap();
        std::fs::write(path, older).unwrap();
        let file = open(folder.path(), 1);
        let is_damaged = |lba: &u64| read(&file, *lba).is_err();
        assert_eq!(all().into_iter().filter(is_damaged).collect::<Vec<_>>(), [2, 5], "{path:?}");
        std::fs::write(path, newer).unwrap();
    }
    assert_eq!(read(&open(folder.path(), 1), 2).unwrap(), content(1, 2, 2));
}

#[test]
fn damage_is_known_from_the_read_until_no_block_is_damaged() {
    let folder = drive(1);
    let path = blocks_path(folder.path());
    flip(&path, BLOCK_LEN, 0);
    flip(&path, 6 * BLOCK_LEN, 0);
    let file = open(folder.path(), 1);
    let search = || file.search_damage(|| true);
    assert_eq!(file.damage(), Damage::None, "nothing was read");
    read(&file, 6).unwrap_err();
    let Damage::Found { lba: 6, details } = file.damage() else { panic!("{:?}", file.damage()) };
    assert_eq!(details, read(&file, 6).unwrap_err().to_string());
    read(&file, 1).unwrap_err();
    read(&file, 2).unwrap();
    assert!(matches!(file.damage(), Damage::Found { lba: 6, .. }), "the one that was found first");
    flip(&path, 6 * BLOCK_LEN, 0);
    read(&file, 6).unwrap();
    file.search_damage(|| false);
    assert_eq!(file.damage(), Damage::Unknown { from: 6 });
    search();
    assert!(matches!(file.damage(), Damage::Found { lba: 1, .. }), "{:?}", file.damage());
    file.write(1, &content(1, 1, 2)).unwrap();
    search();
    assert_eq!(file.damage(), Damage::Repaired);
    file.damage_resolved();
    assert_eq!(file.damage(), Damage::None);
}
