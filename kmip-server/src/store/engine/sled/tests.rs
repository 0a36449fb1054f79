//! What the contract suite cannot see: sled's files, and rows in parts.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use super::*;

fn rows(engine: &SledEngine) -> Vec<(Key, usize)> {
    let range = Range { from: vec![1], to: Vec::new(), limit: 99 };
    engine.scan(&range).unwrap().into_iter().map(|(key, row)| (key, row.len())).collect()
}

#[test]
fn row_in_parts_comes_back_and_leaves_none_behind() {
    let directory = tempfile::tempdir().unwrap();
    let engine = SledEngine::open(directory.path()).unwrap();
    let row = |len: usize| -> Value { (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect() };
    for len in [5, 61_440, 61_441, 200_000, 122_880, 122_881, 0, 300_000] {
        engine.write(&[(b"k".to_vec(), Some(row(len))), (b"other".to_vec(), None)]).unwrap();
        assert!(engine.get(b"k").unwrap() == Some(row(len)), "{len}");
        assert_eq!(rows(&engine), [(b"k".to_vec(), len)]);
        let count = engine.files().as_ref().unwrap().db.len();
        assert_eq!(count, len.div_ceil(60 << 10).max(1), "{len}");
    }
    engine.reopen().unwrap();
    assert!(engine.get(b"k").unwrap() == Some(row(300_000)));
    engine.write(&[(b"k".to_vec(), None)]).unwrap();
    assert!(engine.files().as_ref().unwrap().db.is_empty());
}

#[test]
fn missing_part_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let engine = SledEngine::open(directory.path()).unwrap();
    engine.write(&[(b"k".to_vec(), Some(vec![7; 100_000]))]).unwrap();
    engine.files().as_ref().unwrap().db.remove([0, 0, 1, b'k', 0, 1]).unwrap().unwrap();
    assert!(matches!(engine.get(b"k"), Err(EngineError::Corrupt(_))));
    let range = Range { from: vec![1], to: Vec::new(), limit: 99 };
    assert!(matches!(engine.scan(&range), Err(EngineError::Corrupt(_))));
}

#[test]
fn damaged_snapshot_is_put_aside_and_the_log_gives_all_back() {
    let directory = tempfile::tempdir().unwrap();
    // Nothing of it, half of it, and a last byte that is another.
    let damages: [fn(&mut Vec<u8>); 3] = [
        Vec::clear,
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
    ];
    for (round, damage) in (0_usize..).zip(damages) {
        let engine = SledEngine::open(directory.path()).unwrap();
        engine.write(&[(format!("s/{round}").into_bytes(), Some(vec![1]))]).unwrap();
        drop(engine);
        // sled writes its snapshot when it opens after something was written.
        drop(SledEngine::open(directory.path()).unwrap());
        let mut damaged = 0;
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_str().unwrap().starts_with("snap.") {
                let mut bytes = std::fs::read(entry.path()).unwrap();
                damage(&mut bytes);
                std::fs::write(entry.path(), bytes).unwrap();
                damaged += 1;
            }
        }
        assert!(damaged > 0, "there was a snapshot to damage");
        let engine = SledEngine::open(directory.path()).unwrap();
        assert_eq!(rows(&engine).len(), round + 1);
        let aside = std::fs::read_dir(directory.path().join("quarantine")).unwrap().count();
        assert_eq!(aside, round + 1, "nothing is ever deleted");
    }
}

#[test]
fn no_row_goes_to_a_blob_file_and_a_directory_that_has_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let engine = SledEngine::open(directory.path()).unwrap();
    // Leaves full of the longest parts there are.
    for n in 0..6_u8 {
        let change = |m| (format!("b/{n}/{m}").into_bytes(), Some(vec![n; 500_000]));
        engine.write(&(0..8).map(change).collect::<Vec<_>>()).unwrap();
    }
    drop(engine);
    drop(SledEngine::open(directory.path()).unwrap());
    std::fs::write(directory.path().join("blobs/7"), "x").unwrap();
    let error = SledEngine::open(directory.path()).map(drop).unwrap_err();
    assert!(error.to_string().contains("blobs is not empty"), "{error}");
}
