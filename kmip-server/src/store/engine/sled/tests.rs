//! What the contract suite cannot see: the disk, the group, and what comes after a failure.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::committer::GROUP_MAX;
use super::log::FULL;
use super::*;
use crate::store::Order;
use crate::store::contract_tests::{put, remove};

/// A disk that reports each sync, and does it when it is told how it ends.
struct Disk {
    asked: Receiver<()>,
    told: SyncSender<io::Result<()>>,
}

impl Disk {
    fn wait_for_sync(&self) {
        self.asked.recv().unwrap();
    }

    fn tell(&self, result: io::Result<()>) {
        self.told.send(result).unwrap();
    }
}

fn on_a_disk(path: &Path) -> (SledStore, Disk) {
    let directory = Directory::lock(path).unwrap();
    let open = directory.open().unwrap();
    let (ask, asked) = sync_channel(1000);
    let (told, result) = sync_channel(1000);
    let sync = move |log: &File| {
        let _ = ask.send(());
        // A disk whose test has ended does what it is asked.
        result.recv().unwrap_or(Ok(())).and_then(|()| log.sync_data())
    };
    let store = SledStore::with_syncs(directory, open, sync, |file| file.sync_data()).unwrap();
    (store, Disk { asked, told })
}

/// Puts commits in the queue, as many callers at once would.
fn queue(
    store: &SledStore,
    commits: impl IntoIterator<Item = Vec<Change>>,
) -> Vec<oneshot::Receiver<Result<Outcome, StoreError>>> {
    let send = |changes| {
        let (answer, outcome) = oneshot::channel();
        store.queue.as_ref().unwrap().send(store.lay_out(changes, answer).unwrap()).unwrap();
        outcome
    };
    commits.into_iter().map(send).collect()
}

async fn seen(store: &SledStore, prefix: &str) -> Vec<(String, usize)> {
    let page = store.scan(Range::prefix(prefix.as_bytes(), 99, Order::Ascending)).await.unwrap();
    for (key, record) in &page {
        let got = store.get(key).await.unwrap().unwrap();
        assert!(got.value == record.value && got.revision == record.revision);
    }
    let descending = Range::prefix(prefix.as_bytes(), 99, Order::Descending);
    let mut again = store.scan(descending).await.unwrap();
    again.reverse();
    assert!(again.iter().map(|(key, _)| key).eq(page.iter().map(|(key, _)| key)));
    let row = |(key, record): (Key, Record)| (String::from_utf8(key).unwrap(), record.value.len());
    page.into_iter().map(row).collect()
}

fn rows(rows: &[(&str, usize)]) -> Vec<(String, usize)> {
    rows.iter().map(|(key, len)| ((*key).to_owned(), *len)).collect()
}

#[tokio::test]
async fn a_read_sees_nothing_that_is_not_on_the_disk() {
    let path = tempfile::tempdir().unwrap();
    let (store, disk) = on_a_disk(path.path());
    let long = |len| vec![7; len];
    let first = [
        put("r/a", 0, "1"),
        put("r/c", 0, long(150_000)),
        put("r/d", 0, long(200_000)),
        put("r/e", 0, "12345"),
    ];
    disk.tell(Ok(()));
    store.commit(first.into()).await.unwrap();
    disk.wait_for_sync();
    let before = rows(&[("r/a", 1), ("r/c", 150_000), ("r/d", 200_000), ("r/e", 5)]);
    assert_eq!(seen(&store, "r/").await, before);

    // A new key, a changed one, one that loses parts, one removed with its parts, one that gains
    // parts: and a second commit of the same group on top of the first.
    let change = vec![
        put("r/b", 0, "12"),
        put("r/a", 1, "123"),
        put("r/c", 1, long(70_000)),
        remove("r/d", 1),
        put("r/e", 1, long(140_000)),
    ];
    let mut outcomes = queue(&store, [change]);
    disk.wait_for_sync();
    assert_eq!(seen(&store, "r/").await, before);
    assert!(store.get(b"r/b").await.unwrap().is_none());
    assert!(outcomes[0].try_recv().is_err(), "nobody is answered before the sync");
    let on_top = vec![put("r/b", 1, "1234"), put("r/d", 0, "1")];
    outcomes.extend(queue(&store, [on_top, vec![put("r/b", 1, "lost")]]));
    disk.tell(Ok(()));
    disk.wait_for_sync();
    let between = [("r/a", 3), ("r/b", 2), ("r/c", 70_000), ("r/e", 140_000)];
    assert_eq!(seen(&store, "r/").await, rows(&between));
    disk.tell(Ok(()));

    let mut answers = Vec::new();
    for outcome in outcomes {
        answers.push(outcome.await.unwrap().unwrap());
    }
    let conflict = Outcome::Conflict { key: b"r/b".to_vec() };
    assert_eq!(answers, [Outcome::Durable, Outcome::Durable, conflict]);
    let after = [("r/a", 3), ("r/b", 4), ("r/c", 70_000), ("r/d", 1), ("r/e", 140_000)];
    assert_eq!(seen(&store, "r/").await, rows(&after));
}

#[tokio::test]
async fn commits_that_wait_share_one_sync_up_to_the_limit() {
    let path = tempfile::tempdir().unwrap();
    let (store, disk) = on_a_disk(path.path());
    let mut outcomes = queue(&store, [vec![put("g/first", 0, "1")]]);
    disk.wait_for_sync();
    // While the disk is busy, a full group, one more commit, and commits that change nothing.
    outcomes.extend(queue(&store, (0..=GROUP_MAX).map(|n| vec![put(format!("g/{n}"), 0, "1")])));
    outcomes.extend(queue(&store, [vec![], vec![put("g/0", 7, "in conflict")]]));
    for _ in 0..3 {
        disk.tell(Ok(()));
    }
    let mut durable = 0;
    for outcome in outcomes {
        durable += usize::from(outcome.await.unwrap().unwrap() == Outcome::Durable);
    }
    assert_eq!(durable, 1 + GROUP_MAX + 1 + 1);
    assert_eq!(store.syncs(), 3);

    // One that writes nothing asks nothing of the disk.
    store.commit(vec![crate::store::contract_tests::keep("g/0", 1)]).await.unwrap();
    store.commit(vec![put("g/0", 0, "in conflict")]).await.unwrap();
    assert_eq!(store.syncs(), 3);
}

#[tokio::test]
async fn commits_of_one_group_that_want_the_same_revision_have_one_winner() {
    let path = tempfile::tempdir().unwrap();
    let (store, disk) = on_a_disk(path.path());
    let first = queue(&store, [vec![put("w", 0, "0")]]);
    disk.wait_for_sync();
    let race = queue(&store, (0..20).map(|n| vec![put("w", 1, [n]), put([b'x', n], 0, "")]));
    disk.tell(Ok(()));
    disk.tell(Ok(()));
    let mut won = 0;
    for outcome in first.into_iter().chain(race) {
        won += usize::from(outcome.await.unwrap().unwrap() == Outcome::Durable);
    }
    assert_eq!(won, 2);
    assert_eq!(*store.get(b"w").await.unwrap().unwrap().value, [0], "the first in the queue");
    assert_eq!(seen(&store, "x").await.len(), 1, "the others wrote nothing at all");
    assert_eq!(store.syncs(), 2);
}

#[tokio::test]
async fn what_a_commit_read_ahead_is_not_believed_once_another_group_came() {
    let path = tempfile::tempdir().unwrap();
    let store = SledStore::open_at(path.path()).unwrap();
    for (revision, key) in [(0, "e/a"), (1, "e/a"), (2, "e/a")] {
        // Laid out, and so read ahead, before the other one; in the queue after it.
        let (answer, late) = oneshot::channel();
        let commit = store.lay_out(vec![put(key, revision, "late")], answer).unwrap();
        let first = store.commit(vec![put(key, revision, "first")]).await.unwrap();
        assert_eq!(first, Outcome::Durable);
        store.queue.as_ref().unwrap().send(commit).unwrap();
        let conflict = Outcome::Conflict { key: key.as_bytes().to_vec() };
        assert_eq!(late.await.unwrap().unwrap(), conflict);
        assert_eq!(*store.get(b"e/a").await.unwrap().unwrap().value, b"first");
    }
}

#[tokio::test]
async fn after_a_failed_sync_nothing_goes_on() {
    let path = tempfile::tempdir().unwrap();
    let (store, disk) = on_a_disk(path.path());
    disk.tell(Ok(()));
    store.commit(vec![put("f/a", 0, "1")]).await.unwrap();
    disk.wait_for_sync();

    let both = queue(&store, [vec![put("f/b", 0, "1")]]);
    disk.wait_for_sync();
    let late = queue(&store, [vec![put("f/c", 0, "1")]]);
    disk.tell(Err(io::Error::other("the disk is gone")));
    for outcome in both {
        let error = outcome.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("a sync to disk failed: the disk is gone"), "{error}");
    }
    for outcome in late {
        assert!(outcome.await.is_err(), "what was queued behind it is not carried out");
    }
    let cause = store.health().stopped().await;
    let errors = [
        store.get(b"f/a").await.map(drop).unwrap_err(),
        store.scan(Range::prefix(b"f", 9, Order::Ascending)).await.map(drop).unwrap_err(),
        store.commit(vec![put("f/d", 0, "1")]).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| *error == cause), "{errors:?}");
    drop(store);

    let again = SledStore::open_at(path.path()).unwrap();
    assert!(again.get(b"f/a").await.unwrap().is_some());
    assert!(again.get(b"f/c").await.unwrap().is_none());
    assert!(again.get(b"f/d").await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_committed_is_there_when_it_is_opened_again() {
    let path = tempfile::tempdir().unwrap();
    for round in 0..4_u64 {
        let store = SledStore::open_at(path.path()).unwrap();
        let known = store.get(b"o/counter").await.unwrap();
        assert_eq!(known.map_or(0, |record| record.revision), round);
        let large = vec![u8::try_from(round).unwrap(); 90_000];
        let changes = vec![put("o/counter", round, ""), put(format!("o/{round}"), 0, &large)];
        assert_eq!(store.commit(changes).await.unwrap(), Outcome::Durable);
        // Queued, and not waited for: closing is no reason to lose it.
        drop(queue(&store, [vec![put(format!("p/{round}"), 0, "")]]));
    }
    let store = SledStore::open_at(path.path()).unwrap();
    assert_eq!(seen(&store, "o/").await.len(), 5);
    assert_eq!(seen(&store, "p/").await.len(), 4);
}

#[tokio::test]
async fn a_damaged_snapshot_is_put_aside_and_the_log_gives_all_back() {
    let path = tempfile::tempdir().unwrap();
    let records = path.path().join("records");
    // Nothing of it, half of it, and a last byte that is another.
    let damages: [fn(&mut Vec<u8>); 3] = [
        Vec::clear,
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
    ];
    for (round, damage) in (0..).zip(damages) {
        let store = SledStore::open_at(path.path()).unwrap();
        let written = store.commit(vec![put(format!("s/{round}"), 0, "1")]).await.unwrap();
        assert_eq!(written, Outcome::Durable);
        drop(store);
        // An engine writes its snapshot when it opens after something was written.
        drop(SledStore::open_at(path.path()).unwrap());
        let mut damaged = 0;
        for entry in std::fs::read_dir(&records).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_str().unwrap().starts_with("snap.") {
                let mut bytes = std::fs::read(entry.path()).unwrap();
                damage(&mut bytes);
                std::fs::write(entry.path(), bytes).unwrap();
                damaged += 1;
            }
        }
        assert!(damaged > 0, "there was a snapshot to damage");
        let store = SledStore::open_at(path.path()).unwrap();
        assert_eq!(seen(&store, "s/").await.len(), round + 1);
        let aside = std::fs::read_dir(path.path().join("quarantine")).unwrap().count();
        assert_eq!(aside, round + 1, "nothing is ever deleted");
    }
}

#[tokio::test]
async fn no_value_goes_to_a_blob_file_and_a_store_that_has_one_is_refused() {
    let path = tempfile::tempdir().unwrap();
    let store = SledStore::open_at(path.path()).unwrap();
    // Leaves full of the longest rows there are.
    for n in 0..6 {
        let changes = (0..8).map(|m| put(format!("b/{n}/{m}"), 0, vec![n; 500_000]));
        store.commit(changes.collect()).await.unwrap();
    }
    drop(store);
    drop(SledStore::open_at(path.path()).unwrap());
    std::fs::write(path.path().join("records/blobs/7"), "x").unwrap();
    let error = SledStore::open_at(path.path()).map(drop).unwrap_err();
    assert!(error.to_string().contains("blobs is not empty"), "{error}");
}

#[tokio::test]
async fn a_store_that_was_half_made_is_made_anew() {
    let path = tempfile::tempdir().unwrap();
    let half = path.path().join("records.new");
    std::fs::create_dir_all(half.join("blobs")).unwrap();
    std::fs::write(half.join("conf"), "").unwrap();
    std::fs::write(half.join("db"), "torn").unwrap();
    let store = SledStore::open_at(path.path()).unwrap();
    store.commit(vec![put("h", 0, "1")]).await.unwrap();
    assert!(!half.exists());
}

/// What a process that is killed at this moment leaves behind.
fn killed(from: &Path) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &to);
            } else {
                std::fs::copy(path, to).unwrap();
            }
        }
    }
    let to = tempfile::tempdir().unwrap();
    copy(from, to.path());
    to
}

#[tokio::test]
async fn logs_take_turns_and_every_commit_is_there_after_a_kill() {
    const LEN: usize = 700_000;
    let path = tempfile::tempdir().unwrap();
    let store = SledStore::open_at(path.path()).unwrap();
    let keys = 4 * FULL / LEN;
    for n in 0..keys {
        // Each time one key more, and another value for one that may be in either log or the tree.
        let value = vec![u8::try_from(n).unwrap(); LEN];
        let changes =
            vec![put(format!("t/{n:03}"), 0, &value), put("u", u64::try_from(n).unwrap(), [0])];
        assert_eq!(store.commit(changes).await.unwrap(), Outcome::Durable);
        assert_eq!(seen(&store, "t/").await.len(), n + 1);
        if n % 5 == 0 {
            let copy = killed(path.path());
            let again = SledStore::open_at(copy.path()).unwrap();
            assert_eq!(seen(&again, "t/").await.len(), n + 1);
            assert_eq!(
                again.get(b"u").await.unwrap().unwrap().revision,
                u64::try_from(n).unwrap() + 1
            );
            // What was found in the log is in the tree, and stays there after another kill.
            let once_more = SledStore::open_at(killed(copy.path()).path()).unwrap();
            assert_eq!(seen(&once_more, "t/").await.len(), n + 1);
        }
    }
    drop(store);
    // Closed in good order, all is in the tree, and the log tells of nothing.
    for log in ["log.0", "log.1"] {
        std::fs::remove_file(path.path().join(log)).unwrap();
    }
    let store = SledStore::open_at(path.path()).unwrap();
    assert_eq!(seen(&store, "t/").await.len(), keys);
}

#[tokio::test]
async fn after_a_failed_sync_of_the_tree_nothing_goes_on_and_the_log_has_it_all() {
    let path = tempfile::tempdir().unwrap();
    let directory = Directory::lock(path.path()).unwrap();
    let open = directory.open().unwrap();
    let fails = |_: &File| Err(io::Error::other("the disk is gone"));
    let store = SledStore::with_syncs(directory, open, |log| log.sync_data(), fails).unwrap();
    let mut acknowledged = 0;
    while let Ok(outcome) =
        store.commit(vec![put(format!("v/{acknowledged:03}"), 0, vec![1; 500_000])]).await
    {
        assert_eq!(outcome, Outcome::Durable);
        acknowledged += 1;
        assert!(acknowledged * 500_000 < 4 * FULL, "the settler's failure was not seen");
    }
    let cause = store.health().stopped().await.to_string();
    assert!(cause.contains("a sync to disk failed: the disk is gone"), "{cause}");
    assert!(store.get(b"v/000").await.is_err());
    drop(store);
    let store = SledStore::open_at(path.path()).unwrap();
    assert!(seen(&store, "v/").await.len() >= acknowledged);
}
