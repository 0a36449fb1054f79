//! Starts: the first one, the next ones, and those that must be refused.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::*;
use crate::store::Range;
use crate::store::contract_tests::{Random, put, remove, seed, stamp};
use crate::store::engine::Engine;
use crate::store::engine::open::open_engine;
use crate::store::key_source::KEY_FILE;
use crate::store::verify::HEAD_KEY;

fn settings(data: &Path, key: Option<&str>) -> StoreSettings {
    let text = |text: &str| KeySource::Text {
        text: Zeroizing::new(text.to_owned()),
        setting: "the test".to_owned(),
    };
    StoreSettings { key: key.map(text), ..StoreSettings::new(data) }
}

fn with(data: &Path, engine: EngineName) -> StoreSettings {
    StoreSettings { engine, ..StoreSettings::new(data) }
}

async fn refused(settings: StoreSettings) -> String {
    open(settings).await.map(drop).unwrap_err().to_string()
}

const ENGINES: [EngineName; 2] = [EngineName::Sled, EngineName::Redb];

/// Fills a store with 40 rows, of which some were written again and one removed.
async fn fill(data: &Path, engine: EngineName) {
    let store = open(with(data, engine)).await.unwrap().store;
    for n in 0..8 {
        let changes = (0..5).map(|m| put(format!("k/{n}/{m}"), 0, vec![7; 100 * n]));
        store.commit(changes.collect()).await.unwrap();
    }
    let again = stamp(&*store, "k/1/1").await;
    store.commit(vec![put("k/1/1", again, "again"), put("k/x", 0, "")]).await.unwrap();
    store.commit(vec![remove("k/x", stamp(&*store, "k/x").await)]).await.unwrap();
}

async fn count(data: &Path, engine: EngineName) -> usize {
    let store = open(with(data, engine)).await.unwrap().store;
    store.scan(Range::prefix(b"k/", 99)).await.unwrap().len()
}

#[tokio::test]
async fn store_opens_again_with_its_key_and_with_no_other() {
    for engine in ENGINES {
        let data = tempfile::tempdir().unwrap();
        let data = data.path().join("made/with/its/parents");
        let first = open(with(&data, engine)).await.unwrap();
        first.store.commit(vec![put("key", 0, "value")]).await.unwrap();
        let before = stamp(&*first.store, "key").await;
        let hash = first.index_key.hash(&[b"name"]);
        drop(first);

        let other = settings(&data, Some(&"00".repeat(32)));
        let other = refused(StoreSettings { engine, ..other }).await;
        assert!(other.contains("another root key than the one in the test"), "{other}");

        let again = open(with(&data, engine)).await.unwrap();
        assert_eq!(again.index_key.hash(&[b"name"]), hash);
        assert_eq!(*again.store.get(b"key").await.unwrap().unwrap().value, b"value");
        assert!(again.health.check().is_ok());
        again.store.commit(vec![remove("key", before)]).await.unwrap();
        again.store.commit(vec![put("key", 0, "value")]).await.unwrap();
        assert!(stamp(&*again.store, "key").await > before, "a stamp is used once");
    }
}

#[tokio::test]
async fn store_of_the_other_engine_is_refused() {
    for (made, set) in [(ENGINES[0], ENGINES[1]), (ENGINES[1], ENGINES[0])] {
        let data = tempfile::tempdir().unwrap();
        drop(open(with(data.path(), made)).await.unwrap());
        let error = refused(with(data.path(), set)).await;
        assert!(error.ends_with(&format!("set engine to {made}")), "{error}");
    }
}

#[tokio::test]
async fn store_of_an_older_form_is_refused_and_left_alone() {
    for name in ["records/db", "log.0"] {
        let data = tempfile::tempdir().unwrap();
        let old = data.path().join(name);
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, "old").unwrap();
        let error = refused(settings(data.path(), None)).await;
        assert!(error.contains("was made before format version 1"), "{error}");
        assert_eq!(fs::read(&old).unwrap(), b"old");
        assert!(!data.path().join(KEY_FILE).exists());
    }
}

#[tokio::test]
async fn store_whose_root_key_is_lost_is_refused() {
    let data = tempfile::tempdir().unwrap();
    drop(open(settings(data.path(), None)).await.unwrap());
    fs::remove_file(data.path().join(KEY_FILE)).unwrap();
    let error = refused(settings(data.path(), None)).await;
    assert!(error.ends_with("put the file back"), "{error}");
}

#[tokio::test]
async fn one_directory_is_for_one_process() {
    let data = tempfile::tempdir().unwrap();
    let first = open(settings(data.path(), None)).await.unwrap();
    let error = refused(settings(data.path(), None)).await;
    assert!(error.contains("is in use by another process"), "{error}");
    drop(first);
    open(settings(data.path(), None)).await.unwrap();
}

#[tokio::test]
async fn neither_value_nor_root_key_is_in_the_files() {
    for (engine, file) in [(ENGINES[0], "db"), (ENGINES[1], "redb")] {
        let data = tempfile::tempdir().unwrap();
        let settings = StoreSettings { engine, ..settings(data.path(), Some(&"ab".repeat(32))) };
        let opened = open(settings).await.unwrap();
        let secret = b"a value that is easy to find";
        let changes = (0..50).map(|n| put(format!("k/{n}"), 0, secret)).collect();
        opened.store.commit(changes).await.unwrap();
        drop(opened);
        let bytes = fs::read(data.path().join("store/records").join(file)).unwrap();
        let found = |what: &[u8]| bytes.windows(what.len()).any(|bytes| bytes == what);
        assert!(found(b"k/"), "the rows are there to be searched in {file}");
        assert!(!found(secret) && !found(&[0xab; 32]), "{file}");
    }
}

#[tokio::test]
async fn half_made_store_is_made_anew() {
    let data = tempfile::tempdir().unwrap();
    let half = data.path().join("store.new");
    fs::create_dir_all(half.join("records")).unwrap();
    fs::write(half.join("records/db"), "torn").unwrap();
    let store = open(settings(data.path(), None)).await.unwrap().store;
    store.commit(vec![put("h", 0, "1")]).await.unwrap();
    assert!(!half.exists());
}

#[tokio::test]
async fn empty_folder_is_no_store_where_none_may_be_made() {
    let data = tempfile::tempdir().unwrap();
    let never =
        |data: &Path| StoreSettings { create: CreateStore::Never, ..StoreSettings::new(data) };
    for folder in [data.path().to_owned(), data.path().join("missing")] {
        let error = refused(never(&folder)).await;
        assert!(error.contains("none may be created: is the volume mounted?"), "{error}");
        assert!(!folder.join("store").exists() && !folder.join(KEY_FILE).exists());
    }
    drop(open(settings(data.path(), None)).await.unwrap());
    open(never(data.path())).await.unwrap();
}

#[tokio::test]
async fn folder_without_the_store_of_its_root_key_is_refused() {
    let (volume, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = keys.path().join("root.key");
    let at = |data: &Path| StoreSettings {
        key: Some(KeySource::File(key.clone())),
        ..StoreSettings::new(data)
    };
    drop(open(at(volume.path())).await.unwrap());
    let empty = tempfile::tempdir().unwrap();
    let error = refused(at(empty.path())).await;
    assert!(error.contains("root.key.store-id shows that its root key has one"), "{error}");

    // Another store under the same key: the id beside the key is not its own.
    let id_file = keys.path().join("root.key.store-id");
    let id = fs::read_to_string(&id_file).unwrap();
    fs::write(&id_file, id.replace(|c: char| c.is_ascii_digit(), "a") + "b").unwrap();
    let error = refused(at(volume.path())).await;
    assert!(error.contains("names another store"), "{error}");
    fs::write(&id_file, id).unwrap();
    open(at(volume.path())).await.unwrap();
    // The same in the default place, which is in the data folder.
    let data = tempfile::tempdir().unwrap();
    drop(open(settings(data.path(), None)).await.unwrap());
    fs::remove_dir_all(data.path().join("store")).unwrap();
    let error = refused(settings(data.path(), None)).await;
    assert!(error.contains("store.key.store-id shows"), "{error}");
}

/// Changes the engine's rows behind the store's back.
fn tamper(data: &Path, name: EngineName, change: impl FnOnce(&dyn Engine)) {
    change(&*open_engine(name, &data.join("store/records")).unwrap());
}

#[tokio::test]
async fn rows_that_are_missing_changed_or_added_are_noticed_and_can_be_accepted() {
    type Tamper = fn(&dyn Engine);
    let rows: [(&str, Tamper, usize, &str); 5] = [
        (
            "a row is missing",
            |e| e.write(&[(b"k/3/3".to_vec(), None)]).unwrap(),
            39,
            "39 rows are there of 40",
        ),
        (
            "a row is added",
            |e| {
                let row = e.get(b"k/3/3").unwrap();
                e.write(&[(b"k/3/9".to_vec(), row)]).unwrap();
            },
            41,
            "41 rows are there of 40; 1 do not open: k/3/9",
        ),
        (
            "a row has another stamp",
            |e| {
                let mut row = e.get(b"k/3/3").unwrap().unwrap();
                row[7] ^= 1;
                e.write(&[(b"k/3/3".to_vec(), Some(row))]).unwrap();
            },
            40,
            "of 40 rows some are changed or replaced",
        ),
        (
            "a value is changed",
            |e| {
                let mut row = e.get(b"k/3/3").unwrap().unwrap();
                *row.last_mut().unwrap() ^= 1;
                e.write(&[(b"k/3/3".to_vec(), Some(row))]).unwrap();
            },
            40,
            "some are changed or replaced; 1 do not open: k/3/3",
        ),
        (
            "the head row is missing",
            |e| e.write(&[(HEAD_KEY.to_vec(), None)]).unwrap(),
            40,
            "the head row is missing or damaged; group 10 was the last",
        ),
    ];
    for engine in ENGINES {
        for (what, change, left, report) in rows {
            let data = tempfile::tempdir().unwrap();
            fill(data.path(), engine).await;
            tamper(data.path(), engine, change);
            let error = refused(with(data.path(), engine)).await;
            assert!(error.contains(report), "{what}: {error}");
            let accept = StoreSettings { accept_loss: true, ..with(data.path(), engine) };
            let store = open(accept).await.unwrap().store;
            let new = store.commit(vec![put("new", 0, "")]).await.unwrap();
            assert_eq!(new, crate::store::Outcome::Durable);
            assert!(stamp(&*store, "new").await > 10, "a stamp is used once");
            drop(store);
            let store = open(with(data.path(), engine)).await.unwrap().store;
            let range = Range::prefix(b"k/", 99);
            match report.contains("do not open") {
                true => assert!(store.scan(range).await.is_err()),
                false => assert_eq!(store.scan(range).await.unwrap().len(), left, "{what}"),
            }
        }
    }
}

#[tokio::test]
async fn engine_that_is_older_than_the_head_file_is_refused() {
    for engine in ENGINES {
        let data = tempfile::tempdir().unwrap();
        fill(data.path(), engine).await;
        let records = data.path().join("store/records");
        let older = data.path().join("older");
        copy(&records, &older);
        let store = open(with(data.path(), engine)).await.unwrap().store;
        for n in 0..3 {
            store.commit(vec![put(format!("k/late/{n}"), 0, "")]).await.unwrap();
        }
        drop(store);
        fs::remove_dir_all(&records).unwrap();
        let error = refused(with(data.path(), engine)).await;
        assert!(error.contains("records is missing"), "{error}");
        copy(&older, &records);
        let error = refused(with(data.path(), engine)).await;
        assert!(error.contains("groups 11 to 13 are missing"), "{error}");
        assert!(error.contains("40 rows are there of 43"), "{error}");
        // An empty engine in its place.
        fs::remove_dir_all(&records).unwrap();
        tamper(data.path(), engine, |_| {});
        let error = refused(with(data.path(), engine)).await;
        assert!(error.contains("group 13 was the last; 0 rows are there of 43"), "{error}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

#[tokio::test]
async fn missing_header_or_head_file_is_refused() {
    let data = tempfile::tempdir().unwrap();
    fill(data.path(), EngineName::Sled).await;
    let store = data.path().join("store");
    for (name, report) in [("header", "header is missing or damaged"), ("head", "head is missing")]
    {
        let bytes = fs::read(store.join(name)).unwrap();
        fs::remove_file(store.join(name)).unwrap();
        let error = refused(settings(data.path(), None)).await;
        assert!(error.contains(report), "{error}");
        fs::write(store.join(name), vec![0; bytes.len()]).unwrap();
        refused(settings(data.path(), None)).await;
        fs::write(store.join(name), bytes).unwrap();
        assert_eq!(count(data.path(), EngineName::Sled).await, 40);
    }
    // An older head file, as a power cut may leave it, is no loss.
    let older = fs::read(store.join("head")).unwrap();
    let opened = open(settings(data.path(), None)).await.unwrap();
    opened.store.commit(vec![put("k/late", 0, "")]).await.unwrap();
    drop(opened);
    fs::write(store.join("head"), older).unwrap();
    assert_eq!(count(data.path(), EngineName::Sled).await, 41);
    fs::remove_file(store.join("head")).unwrap();
    let accept = StoreSettings { accept_loss: true, ..settings(data.path(), None) };
    drop(open(accept).await.unwrap());
    assert_eq!(count(data.path(), EngineName::Sled).await, 41);
}

#[tokio::test]
async fn store_below_its_reserve_of_free_space_starts_reads_and_refuses_writes() {
    let data = tempfile::tempdir().unwrap();
    fill(data.path(), EngineName::Sled).await;
    fs::remove_file(data.path().join("store/reserve")).unwrap();
    let full = StoreSettings { free_space_reserve: 1 << 40, ..settings(data.path(), None) };
    let store = open(full).await.unwrap().store;
    let error = store.commit(vec![put("k/new", 0, "")]).await.unwrap_err();
    assert!(matches!(error, crate::store::StoreError::NoSpace(_)), "{error:?}");
    assert!(store.get(b"k/1/1").await.unwrap().is_some());
    let conflict = store.commit(vec![crate::store::contract_tests::keep("k/1/1", 0)]).await;
    assert!(conflict.is_ok(), "a commit that writes nothing needs no space");
    drop(store);
    // With space, some of it is held back for a start on a full disk.
    drop(
        open(StoreSettings { free_space_reserve: 1, ..settings(data.path(), None) }).await.unwrap(),
    );
    assert!(data.path().join("store/reserve").exists());
}

/// A client chooses identifiers and values, also such as the store's own files hold.
#[tokio::test]
async fn pieces_of_the_stores_own_files_in_keys_and_values_are_bytes_like_others() {
    for engine in ENGINES {
        let (data, mut random) = (tempfile::tempdir().unwrap(), Random(seed()));
        let mut expected = BTreeMap::new();
        fill(data.path(), engine).await;
        let store = open(with(data.path(), engine)).await.unwrap().store;
        for round in 0..6 {
            let mut changes = Vec::new();
            for bytes in pieces(&data.path().join("store"), &mut random) {
                let key = [&b"piece/"[..], bytes.get(..400).unwrap_or(&bytes)].concat();
                if !expected.contains_key(&key) {
                    expected.insert(key.clone(), bytes.clone());
                    changes.push(put(key, 0, bytes));
                }
            }
            assert_eq!(store.commit(changes).await.unwrap(), crate::store::Outcome::Durable);
            // What a kill at this moment leaves behind.
            let killed = tempfile::tempdir().unwrap();
            copy(data.path(), killed.path());
            let again = open(with(killed.path(), engine)).await.unwrap().store;
            let range = Range::prefix(b"piece/", 1024);
            let found = again.scan(range).await.unwrap().into_iter();
            let found: BTreeMap<_, _> = found.map(|(key, r)| (key, r.value.to_vec())).collect();
            assert!(found == expected, "{engine}, round {round}: {} rows", found.len());
            let others = again.scan(Range::prefix(b"k/", 99)).await.unwrap();
            assert_eq!(others.len(), 40);
        }
    }
}

/// Random pieces of every file below a folder.
fn pieces(folder: &Path, random: &mut Random) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pieces.extend(self::pieces(&path, random));
        } else if !path.ends_with("reserve") {
            let bytes = fs::read(&path).unwrap();
            let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let below = |random: &mut Random, end: usize| {
                usize::try_from(random.below(u64::try_from(end).unwrap())).unwrap()
            };
            for _ in 0..10_usize.min(written) {
                let from = below(random, written);
                let len = 1 + below(random, 8192);
                pieces.push(bytes[from..bytes.len().min(from + len)].to_vec());
            }
        }
    }
    pieces
}
