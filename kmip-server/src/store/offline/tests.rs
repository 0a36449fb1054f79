//! Verify, export and import, on both engines, whole stores and damaged ones.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::config::Engine as EngineName;
use crate::store::Range;
use crate::store::contract_tests::{put, remove, stamp};
use crate::store::open::open;

const ENGINES: [EngineName; 2] = [EngineName::Sled, EngineName::Redb];

fn settings(data: &Path, engine: EngineName) -> StoreSettings {
    StoreSettings { engine, ..StoreSettings::new(data) }
}

/// Rows of a store, with their stamps.
async fn rows(data: &Path, engine: EngineName) -> BTreeMap<Vec<u8>, (u64, Vec<u8>)> {
    let store = open(settings(data, engine)).await.unwrap().store;
    let page = store.scan(Range::prefix(b"k/", 999)).await.unwrap();
    page.into_iter().map(|(key, record)| (key, (record.stamp, record.value.to_vec()))).collect()
}

async fn fill(data: &Path, engine: EngineName) {
    let store = open(settings(data, engine)).await.unwrap().store;
    for n in 0..30 {
        store.commit(vec![put(format!("k/{n}"), 0, vec![7; 40_000 * (n % 5)])]).await.unwrap();
    }
    store.commit(vec![remove("k/3", stamp(&*store, "k/3").await)]).await.unwrap();
}

fn content(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

fn verified(data: &Path) -> Report {
    let scratch = tempfile::tempdir().unwrap();
    let report = verify(StoreSettings::new(data), scratch.path()).unwrap();
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "the copy is removed");
    report
}

#[tokio::test]
async fn rows_move_between_engines_with_their_stamps() {
    for (from, to) in [(0, 1), (1, 0), (0, 0)].map(|(from, to)| (ENGINES[from], ENGINES[to])) {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let file = folder.path().join("store.export");
        fill(&old, from).await;
        let moved = export(settings(&old, from), folder.path(), &file).unwrap();
        assert_eq!((moved.group, moved.rows), (31, 29));
        fs::create_dir(&new).unwrap();
        fs::copy(old.join("store.key"), new.join("store.key")).unwrap();
        assert_eq!(import(&settings(&new, to), &file).unwrap(), moved);
        assert!(verified(&new).is_whole);
        assert_eq!(rows(&new, to).await, rows(&old, from).await);
        let again = export(settings(&old, from), folder.path(), &file).unwrap_err().to_string();
        assert!(again.contains("it is there already"), "{again}");
        let again = import(&settings(&new, to), &file).unwrap_err().to_string();
        assert!(again.contains("import into an empty data folder"), "{again}");
    }
}

#[tokio::test]
async fn damaged_file_or_other_root_key_makes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let file = folder.path().join("store.export");
    fill(&old, EngineName::Sled).await;
    export(settings(&old, EngineName::Sled), folder.path(), &file).unwrap();
    let whole = fs::read(&file).unwrap();
    fs::create_dir(&new).unwrap();
    let refused = |bytes: &[u8], data: &Path| {
        fs::write(&file, bytes).unwrap();
        let error = import(&settings(data, EngineName::Redb), &file).unwrap_err().to_string();
        assert!(!data.join("store").exists() && !data.join("store.new").exists());
        error
    };
    let error = refused(&whole, &new);
    assert!(error.contains("is missing"), "no root key: {error}");
    fs::write(new.join("store.key"), [3; 32]).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(new.join("store.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let error = refused(&whole, &new);
    assert!(error.contains("another root key"), "{error}");
    fs::copy(old.join("store.key"), new.join("store.key")).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        refused(&changed, &new);
        refused(&whole[..at], &new);
    }
    fs::write(&file, &whole).unwrap();
    import(&settings(&new, EngineName::Redb), &file).unwrap();
}

#[tokio::test]
async fn verify_says_what_it_found_and_changes_nothing() {
    for engine in ENGINES {
        let data = tempfile::tempdir().unwrap();
        let data = data.path();
        fill(data, engine).await;
        let before = content(data);
        let report = verified(data);
        assert!(report.is_whole, "{report:?}");
        assert!(report.lines.iter().any(|line| line == "files: as the last stop left them"));
        assert!(report.lines.iter().any(|line| line == "rows: all 29 of group 31"));
        assert!(content(data) == before);
        // A row that only the engine has lost.
        let files = data.join("store/records");
        let opened = open_engine(engine, &files).unwrap();
        opened.write(&[(b"k/7".to_vec(), None)]).unwrap();
        opened.close().unwrap();
        let before = content(data);
        let report = verified(data);
        assert!(!report.is_whole);
        assert!(report.lines.iter().any(|line| line == "rows: 28 rows are there of 29"));
        assert!(report.lines.iter().any(|line| line.starts_with("files: changed since")));
        fs::remove_file(data.join("store/head")).unwrap();
        assert!(verified(data).lines.contains(&"head file: missing or damaged".to_owned()));
        assert!(content(data).len() == before.len() - 1);
    }
}

#[test]
fn store_that_is_not_there_is_not_made() {
    let data = tempfile::tempdir().unwrap();
    let absent = || StoreSettings::new(data.path());
    verify(absent(), data.path()).unwrap_err();
    export(absent(), Path::new("/tmp"), &data.path().join("file")).unwrap_err();
    assert!(!data.path().join("store").exists() && !data.path().join("file").exists());
}

#[tokio::test]
async fn export_of_what_is_left_does_not_accept_the_loss_for_the_store() {
    for engine in ENGINES {
        let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (data, folder) = (data.path(), folder.path());
        fill(data, engine).await;
        let opened = open_engine(engine, &data.join("store/records")).unwrap();
        opened.write(&[(b"k/7".to_vec(), None)]).unwrap();
        opened.close().unwrap();
        let before = content(data);
        let file = folder.join("file");
        let error = export(settings(data, engine), folder, &file).unwrap_err().to_string();
        assert!(error.contains("28 rows are there of 29"), "{error}");
        let accept = StoreSettings { accept_loss: true, ..settings(data, engine) };
        assert_eq!(export(accept, folder, &file).unwrap().rows, 28);
        assert!(content(data) == before);
        open(settings(data, engine)).await.map(drop).unwrap_err();
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
        let inside = export(settings(data, engine), &data.join("store"), &folder.join("other"));
        assert!(inside.unwrap_err().to_string().contains("it is in the data folder"));
    }
}
