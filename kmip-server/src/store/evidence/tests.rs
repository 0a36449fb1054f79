//! What a start leaves of the engine's files: all of them, unless it found every row.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use std::collections::BTreeMap;

use super::*;
use crate::config::Engine as EngineName;
use crate::store::contract_tests::put;
use crate::store::engine::open::open_engine;
use crate::store::open::unlock;
use crate::store::{Range, StoreSettings, open};

const ENGINES: [EngineName; 2] = [EngineName::Sled, EngineName::Redb];

fn settings(data: &Path, engine: EngineName) -> StoreSettings {
    StoreSettings { engine, ..StoreSettings::new(data) }
}

async fn fill(data: &Path, engine: EngineName) {
    let store = open(settings(data, engine)).await.unwrap().store;
    for n in 0..20 {
        store.commit(vec![put(format!("k/{n}"), 0, vec![7; 20_000])]).await.unwrap();
    }
}

async fn rows(settings: StoreSettings) -> usize {
    let store = open(settings).await.unwrap().store;
    store.scan(Range::prefix(b"k/", 99)).await.unwrap().len()
}

/// All files below a directory.
fn content(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = paths(directory).unwrap().into_iter();
    paths.map(|path| (path.clone(), fs::read(directory.join(&path)).unwrap())).collect()
}

/// Removes a row as no store does.
fn lose_a_row(data: &Path, engine: EngineName) {
    let opened = open_engine(engine, &data.join("store/records")).unwrap();
    opened.write(&[(b"k/7".to_vec(), None)]).unwrap();
    opened.close().unwrap();
}

#[tokio::test]
async fn refused_start_leaves_every_file_as_it_was() {
    for engine in ENGINES {
        for is_clean in [true, false] {
            let data = tempfile::tempdir().unwrap();
            let (data, store) = (data.path(), data.path().join("store"));
            fill(data, engine).await;
            let whole = content(&store.join("records"));
            lose_a_row(data, engine);
            if !is_clean {
                fs::remove_file(store.join("stopped")).unwrap();
            }
            let before = content(&store);
            for _ in 0..2 {
                let error = open(settings(data, engine)).await.map(drop).unwrap_err().to_string();
                assert!(error.contains("19 rows are there of 20"), "{error}");
                assert!(content(&store) == before, "{engine}, clean: {is_clean}");
            }
            // Whoever has the files as they were puts them there, and the start goes well.
            fs::remove_dir_all(store.join("records")).unwrap();
            fs::create_dir_all(store.join("records/blobs")).unwrap();
            for (path, bytes) in whole {
                fs::write(store.join("records").join(path), bytes).unwrap();
            }
            assert_eq!(rows(settings(data, engine)).await, 20);
        }
    }
}

/// With the bit put right, everything is there again: no start has overwritten it.
#[tokio::test]
async fn flipped_bit_that_is_put_right_has_cost_nothing() {
    let data = tempfile::tempdir().unwrap();
    let (data, file) = (data.path(), data.path().join("store/records/db"));
    fill(data, EngineName::Sled).await;
    let whole = fs::read(&file).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for at in (0..used).step_by(used / 8) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x20;
        fs::write(&file, &flipped).unwrap();
        if open(settings(data, EngineName::Sled)).await.is_err() {
            assert!(fs::read(&file).unwrap() == flipped, "byte {at}");
            fs::write(&file, &whole).unwrap();
        }
        assert_eq!(rows(settings(data, EngineName::Sled)).await, 20, "byte {at}");
        fs::write(&file, &whole).unwrap();
        fs::remove_file(data.join("store/stopped")).unwrap();
    }
}

#[tokio::test]
async fn start_that_was_interrupted_is_begun_again() {
    for engine in ENGINES {
        let data = tempfile::tempdir().unwrap();
        let (data, store) = (data.path(), data.path().join("store"));
        fill(data, engine).await;
        let (records, evidence) = (store.join("records"), store.join("evidence"));
        // While the engine opened its files.
        copy_files(&records, &evidence).unwrap();
        assert_eq!(rows(settings(data, engine)).await, 20);
        assert!(!evidence.exists());
        // And others put newer files in place then, which are refused: they are kept.
        copy_files(&records, &evidence).unwrap();
        lose_a_row(data, engine);
        let newer = content(&records);
        open(settings(data, engine)).await.map(drop).unwrap_err();
        let kept = content(&store.join("refused-1"));
        assert_eq!(kept.len(), newer.len());
        assert_eq!(rows(settings(data, engine)).await, 20);
        // While the files were put back.
        fs::rename(&records, &evidence).unwrap();
        assert_eq!(rows(settings(data, engine)).await, 20);
        assert!(!evidence.exists());
        // While they were copied.
        copy_files(&records, &store.join("evidence.new")).unwrap();
        fs::remove_file(store.join("stopped")).unwrap();
        assert_eq!(rows(settings(data, engine)).await, 20);
        assert!(!evidence.exists() && !store.join("evidence.new").exists());
    }
}

#[tokio::test]
async fn files_before_an_accepted_loss_are_kept() {
    for engine in ENGINES {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        fill(data, engine).await;
        lose_a_row(data, engine);
        let before = content(&data.join("store/records"));
        let accept = StoreSettings { accept_loss: true, ..settings(data, engine) };
        assert_eq!(rows(accept).await, 19);
        assert!(content(&data.join("store/before-loss-1")) == before);
        assert_eq!(rows(settings(data, engine)).await, 19);
        assert!(!data.join("store/evidence").exists());
        // A second loss takes nothing from what is kept of the first.
        let opened = open_engine(engine, &data.join("store/records")).unwrap();
        opened.write(&[(b"k/8".to_vec(), None)]).unwrap();
        opened.close().unwrap();
        let accept = StoreSettings { accept_loss: true, ..settings(data, engine) };
        assert_eq!(rows(accept).await, 18);
        assert!(content(&data.join("store/before-loss-1")) == before);
        assert!(data.join("store/before-loss-2").exists());
    }
}

/// A flipped bit that arose while the store was in use, and was there at the clean stop.
#[tokio::test]
async fn damage_before_a_clean_stop_costs_nothing_either() {
    let data = tempfile::tempdir().unwrap();
    let (data, file) = (data.path(), data.path().join("store/records/db"));
    fill(data, EngineName::Sled).await;
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    flipped[used / 2] ^= 0x20;
    fs::write(&file, &flipped).unwrap();
    let store = unlock(&settings(data, EngineName::Sled), None).unwrap();
    record_stop(&store.directory.files(), &store.integrity).unwrap();
    drop(store);
    open(settings(data, EngineName::Sled)).await.map(drop).unwrap_err();
    assert!(fs::read(&file).unwrap() == flipped);
    fs::write(&file, &whole).unwrap();
    assert_eq!(rows(settings(data, EngineName::Sled)).await, 20);
}

#[tokio::test]
async fn lost_head_file_is_made_anew_only_with_a_loss_that_was_accepted() {
    for engine in ENGINES {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        fill(data, engine).await;
        let head = data.join("store/head");
        fs::remove_file(&head).unwrap();
        let records = data.join("store/records");
        let whole = content(&records);
        for (path, bytes) in &whole {
            fs::write(records.join(path), &bytes[..bytes.len() / 3]).unwrap();
        }
        let accept = || StoreSettings { accept_loss: true, ..settings(data, engine) };
        if open(accept()).await.is_ok() {
            // sled opens what is left, and that was accepted.
            assert!(head.exists() && data.join("store/before-loss-1").exists());
            continue;
        }
        assert!(!head.exists(), "nothing was accepted");
        for (path, bytes) in &whole {
            fs::write(records.join(path), bytes).unwrap();
        }
        open(settings(data, engine)).await.map(drop).unwrap_err();
        assert_eq!(rows(accept()).await, 20);
        assert_eq!(rows(settings(data, engine)).await, 20);
    }
}

#[tokio::test]
async fn changed_files_are_not_opened_without_room_for_a_copy() {
    for engine in ENGINES {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        fill(data, engine).await;
        lose_a_row(data, engine);
        let store = data.join("store");
        fs::remove_file(store.join("reserve")).unwrap();
        let before = content(&store);
        let full = || StoreSettings { free_space_reserve: 1 << 40, ..settings(data, engine) };
        let error = open(full()).await.map(drop).unwrap_err().to_string();
        assert!(error.contains("not as the last stop left them: "), "{error}");
        assert!(content(&store) == before);
        let accept = StoreSettings { accept_loss: true, ..full() };
        assert_eq!(rows(accept).await, 19);
    }
}

#[test]
fn list_is_of_its_store_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("below")).unwrap();
    fs::write(directory.path().join("one"), b"content").unwrap();
    fs::write(directory.path().join("below/two"), b"").unwrap();
    let integrity = crate::store::integrity::tests::integrity;
    let list = list(directory.path(), &integrity(1)).unwrap();
    assert_eq!(list.len(), 2);
    let bytes = encode(&list, &integrity(1));
    assert_eq!(decode(&bytes, &integrity(1)), Some(list));
    assert_eq!(decode(&bytes, &integrity(2)), None);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(decode(&changed, &integrity(1)), None, "{at}");
        assert_eq!(decode(&bytes[..at], &integrity(1)), None, "{at}");
    }
}
