//! Files that were cut off, removed or replaced.

use super::{BLOCKS, WRITTEN, all, content, damaged, drive, expected, open, read};
use crate::node::block_damage::Damage;
use crate::node::block_file::{BLOCK_LEN, blocks_path, checksums_path};
use std::fs::File;
use std::path::Path;

fn cut(path: &Path, len: u64) {
    File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

/// Overwrites a block, and flushes.
fn overwrite(folder: &Path, lba: u64) {
    let file = open(folder, 1);
    file.write(lba, &expected(1, lba)).unwrap();
    file.flush().unwrap();
}

/// The search at the unlock finds this block.
fn assert_search_finds(folder: &Path, expected: Option<u64>, path: &Path) {
    let file = open(folder, 1);
    file.suspect_damage(false);
    file.search_damage(|| true);
    match (file.damage(), expected) {
        (Damage::Found { lba, details }, Some(expected)) => {
            assert_eq!(lba, expected, "{details}");
            assert!(details.contains(&format!("{}: ", path.display())), "{details}");
        }
        (Damage::None | Damage::Repaired, None) => {}
        (found, _) => panic!("{found:?}, but expected {expected:?}"),
    }
}

#[test]
fn cut_blocks_are_damaged_behind_the_cut_until_they_are_overwritten() {
    for (len, whole) in [(0, 0), (1, 0), (4096, 1), (3 * 4096 - 1, 2), (7 * 4096, 7)] {
        let folder = drive(1);
        let path = blocks_path(folder.path());
        cut(&path, len);
        assert_eq!(damaged(folder.path(), 1), (whole..BLOCKS).collect::<Vec<_>>(), "{len}");
        assert_search_finds(folder.path(), Some(whole), &path);
        // The next write makes the file whole: what was never written is zeros again.
        overwrite(folder.path(), 7);
        let lost: Vec<_> = WRITTEN.into_iter().filter(|lba| *lba >= whole).collect();
        assert_eq!(damaged(folder.path(), 1), lost, "{len}");
        for lba in &lost {
            overwrite(folder.path(), *lba);
        }
        assert!(damaged(folder.path(), 1).is_empty());
        assert_search_finds(folder.path(), None, &path);
    }
}

#[test]
fn cut_checksums_damage_the_blocks_behind_the_cut_until_they_are_overwritten() {
    for (len, whole) in [(0, 0), (31, 0), (32, 0), (63, 0), (64, 0), (64 + 3 * 32 - 1, 2), (288, 7)]
    {
        let folder = drive(1);
        let path = checksums_path(folder.path());
        cut(&path, len);
        let lost: Vec<_> = (whole..BLOCKS).collect();
        assert_eq!(damaged(folder.path(), 1), lost, "{len}");
        assert_search_finds(folder.path(), Some(whole), &path);
        overwrite(folder.path(), 7);
        let lost: Vec<_> = (whole..7).collect();
        assert_eq!(damaged(folder.path(), 1), lost, "{len}: not zeros");
        for lba in lost {
            overwrite(folder.path(), lba);
        }
        assert!(damaged(folder.path(), 1).is_empty());
    }
}

#[test]
fn removed_file_damages_all_blocks_and_is_named() {
    let folder = drive(1);
    for path in [blocks_path(folder.path()), checksums_path(folder.path())] {
        let aside = path.with_extension("aside");
        std::fs::rename(&path, &aside).unwrap();
        assert_eq!(damaged(folder.path(), 1), all());
        let error = read(&open(folder.path(), 1), 3).unwrap_err().to_string();
        let named = format!("{}: the file does not exist", path.display());
        assert!(error.contains(&named), "{error}");
        assert_search_finds(folder.path(), Some(0), &path);
        std::fs::rename(&aside, &path).unwrap();
        assert!(damaged(folder.path(), 1).is_empty(), "put back");
    }
}

/// Both files are made again by a write: nothing that was lost reads as zeros.
#[test]
fn removed_files_are_made_again_without_forgetting_the_damage() {
    let folder = drive(1);
    let paths = [blocks_path(folder.path()), checksums_path(folder.path())];
    for path in &paths {
        std::fs::remove_file(path).unwrap();
    }
    overwrite(folder.path(), 2);
    let lost: Vec<_> = all().into_iter().filter(|lba| *lba != 2).collect();
    assert_eq!(damaged(folder.path(), 1), lost);
    assert_search_finds(folder.path(), Some(0), &paths[1]);
    for lba in lost {
        overwrite(folder.path(), lba);
    }
    assert!(damaged(folder.path(), 1).is_empty());
}

#[test]
fn file_put_back_while_the_drive_is_open_is_used_at_once() {
    let folder = drive(1);
    let file = open(folder.path(), 1);
    for path in [blocks_path(folder.path()), checksums_path(folder.path())] {
        read(&file, 1).unwrap();
        let (bytes, aside) = (std::fs::read(&path).unwrap(), path.with_extension("aside"));
        std::fs::write(&aside, vec![7; bytes.len()]).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        read(&file, 1).unwrap_err();
        std::fs::write(&aside, bytes).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        assert_eq!(read(&file, 1).unwrap(), content(1, 1, 1));
    }
}

#[test]
fn flush_of_a_file_that_was_removed_or_replaced_is_refused() {
    for checksums in [false, true] {
        let folder = drive(1);
        let path =
            if checksums { checksums_path(folder.path()) } else { blocks_path(folder.path()) };
        let file = open(folder.path(), 1);
        let older = std::fs::read(&path).unwrap();
        file.write(1, &content(1, 1, 2)).unwrap();
        let aside = path.with_extension("aside");
        std::fs::write(&aside, &older).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        file.flush().unwrap_err();
        file.write(1, &content(1, 1, 3)).unwrap();
        std::fs::remove_file(&path).unwrap();
        file.flush().unwrap_err();
    }
}

#[test]
fn file_that_cannot_be_read_is_damaged_and_named() {
    let folder = drive(1);
    let path = blocks_path(folder.path());
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(damaged(folder.path(), 1), all());
    let mut two = vec![0; 2 * BLOCK_LEN];
    let error = open(folder.path(), 1).read(2, &mut two).unwrap_err().to_string();
    assert!(error.contains("block 2 of drive 1") && error.contains("/blocks: "), "{error}");
}
