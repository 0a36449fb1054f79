//! What the contract suite cannot see: the group, the disk, and what comes after a failure.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::oneshot;

use super::contract_tests::{keep, local_store, put, remove, stamp};
use super::engine::fault_injection::{Disk, FaultyEngine, Verdict};
use super::engine::{Engine, EngineError};
use super::group_commit::GROUP_MAX;
use super::local_store::LocalStore;
use super::{Change, Outcome, Range, Store, StoreError};

type Answered = oneshot::Receiver<Result<Outcome, StoreError>>;

/// A store whose writes end as the disk is told.
struct OnADisk {
    store: LocalStore,
    engine: Arc<FaultyEngine>,
    disk: Disk,
    directory: TempDir,
}

fn on_a_disk() -> OnADisk {
    let directory = tempfile::tempdir().unwrap();
    let (engine, disk) = FaultyEngine::on_a_disk();
    let engine = Arc::new(engine);
    let store = local_store(engine.clone(), &directory);
    OnADisk { store, engine, disk, directory }
}

impl OnADisk {
    /// Puts commits in the queue, as many callers at once would.
    fn queue(&self, commits: impl IntoIterator<Item = Vec<Change>>) -> Vec<Answered> {
        commits.into_iter().map(|changes| self.store.submit(changes).unwrap()).collect()
    }

    /// Commits, and waits until the disk has done it.
    async fn commit(&self, changes: Vec<Change>) -> Outcome {
        self.disk.tell(Verdict::Done);
        let outcome = self.store.commit(changes).await.unwrap();
        self.disk.wait_for_write();
        outcome
    }

    /// Keys and lengths of values, read page by page and one by one.
    async fn seen(&self, prefix: &str) -> Vec<(String, usize)> {
        for limit in [1, 2, 3] {
            let mut found = Vec::new();
            let mut range = Range::prefix(prefix.as_bytes(), limit);
            loop {
                let page = self.store.scan(range.clone()).await.unwrap();
                let last = page.last().filter(|_| page.len() >= limit);
                let last = last.map(|(key, _)| key.clone());
                found.extend(page);
                let Some(last) = last else { break };
                range = range.beyond(&last);
            }
            let found: Vec<_> = found.iter().map(|(key, r)| (key, r.stamp)).collect();
            let range = Range::prefix(prefix.as_bytes(), 99);
            let whole = self.store.scan(range).await.unwrap();
            let whole: Vec<_> = whole.iter().map(|(key, r)| (key, r.stamp)).collect();
            assert_eq!(found, whole, "{limit}");
        }
        let range = Range::prefix(prefix.as_bytes(), 99);
        let page = self.store.scan(range).await.unwrap();
        for (key, record) in &page {
            let got = self.store.get(key).await.unwrap().unwrap();
            assert!(got.value == record.value && got.stamp == record.stamp);
        }
        page.into_iter().map(|(key, r)| (String::from_utf8(key).unwrap(), r.value.len())).collect()
    }
}

fn rows(rows: &[(&str, usize)]) -> Vec<(String, usize)> {
    rows.iter().map(|(key, len)| ((*key).to_owned(), *len)).collect()
}

fn conflict(key: &str) -> Outcome {
    Outcome::Conflict { key: key.as_bytes().to_vec() }
}

#[tokio::test]
async fn read_sees_nothing_that_is_not_durable() {
    let on = on_a_disk();
    on.commit(vec![put("r/a", 0, "1"), put("r/c", 0, "12"), put("r/d", 0, ""), put("r/f", 0, "1")])
        .await;
    let before = rows(&[("r/a", 1), ("r/c", 2), ("r/d", 0), ("r/f", 1)]);
    assert_eq!(on.seen("r/").await, before);
    let first = stamp(&on.store, "r/a").await;

    // New keys, a changed one and one that is removed.
    let change = vec![
        put("r/b", 0, "12"),
        put("r/a", first, "123"),
        remove("r/d", first),
        put("r/e", 0, ""),
    ];
    let mut outcomes = on.queue([change]);
    on.disk.wait_for_write();
    assert_eq!(on.seen("r/").await, before);
    assert!(on.store.get(b"r/b").await.unwrap().is_none());
    assert!(outcomes[0].try_recv().is_err(), "nobody is answered before the write is durable");
    // Queued behind it: they are decided after it, and answered after a write of their own.
    outcomes.extend(on.queue([vec![put("r/d", 0, "1")], vec![put("r/a", first, "lost")]]));
    on.disk.tell(Verdict::Done);
    on.disk.wait_for_write();
    let between = rows(&[("r/a", 3), ("r/b", 2), ("r/c", 2), ("r/e", 0), ("r/f", 1)]);
    assert_eq!(on.seen("r/").await, between);
    on.disk.tell(Verdict::Done);
    let mut answers = Vec::new();
    for outcome in outcomes {
        answers.push(outcome.await.unwrap().unwrap());
    }
    assert_eq!(answers, [Outcome::Durable, Outcome::Durable, conflict("r/a")]);
    let after = [("r/a", 3), ("r/b", 2), ("r/c", 2), ("r/d", 1), ("r/e", 0), ("r/f", 1)];
    assert_eq!(on.seen("r/").await, rows(&after));
}

#[tokio::test]
async fn queued_commits_share_one_write_up_to_the_limit() {
    let on = on_a_disk();
    let mut outcomes = on.queue([vec![put("g/first", 0, "1")]]);
    on.disk.wait_for_write();
    // While the disk is busy: a full group, one commit more, and two that change nothing.
    outcomes.extend(on.queue((0..=GROUP_MAX).map(|n| vec![put(format!("g/{n}"), 0, "1")])));
    outcomes.extend(on.queue([vec![], vec![put("g/0", 7, "in conflict")]]));
    for _ in 0..3 {
        on.disk.tell(Verdict::Done);
    }
    let mut durable = 0;
    for outcome in outcomes {
        durable += usize::from(outcome.await.unwrap().unwrap() == Outcome::Durable);
    }
    assert_eq!(durable, 1 + GROUP_MAX + 1 + 1);
    on.disk.wait_for_write();
    on.disk.wait_for_write();
    // A commit that changes nothing asks nothing of the disk, which was told of no further write.
    let guard = keep("g/0", stamp(&on.store, "g/0").await);
    assert_eq!(on.store.commit(vec![guard]).await.unwrap(), Outcome::Durable);
    assert_eq!(on.store.commit(vec![put("g/0", 0, "x")]).await.unwrap(), conflict("g/0"));
    assert_eq!(on.store.commit(vec![remove("g/none", 0)]).await.unwrap(), Outcome::Durable);
}

#[tokio::test]
async fn commits_of_one_group_that_expect_the_same_stamp_have_one_winner() {
    let on = on_a_disk();
    on.commit(vec![put("w", 0, "0")]).await;
    let expected = stamp(&on.store, "w").await;
    let busy = on.queue([vec![put("busy", 0, "")]]);
    on.disk.wait_for_write();
    let race = on.queue((0..20).map(|n| vec![put("w", expected, [n]), put([b'x', n], 0, "")]));
    on.disk.tell(Verdict::Done);
    on.disk.tell(Verdict::Done);
    let mut won = 0;
    for outcome in busy.into_iter().chain(race) {
        won += usize::from(outcome.await.unwrap().unwrap() == Outcome::Durable);
    }
    assert_eq!(won, 2);
    assert_eq!(*on.store.get(b"w").await.unwrap().unwrap().value, [0], "the first in the queue");
    assert_eq!(on.seen("x").await.len(), 1, "the others wrote nothing at all");
}

#[tokio::test]
async fn after_a_failed_write_its_outcome_is_unknown_and_nothing_goes_on() {
    let on = on_a_disk();
    on.commit(vec![put("f/a", 0, "1")]).await;
    let busy = on.queue([vec![put("f/b", 0, "1")]]);
    on.disk.wait_for_write();
    let late = on.queue([vec![put("f/c", 0, "1")], vec![put("f/a", 0, "conflict")]]);
    on.disk.tell(Verdict::Done);
    on.disk.wait_for_write();
    let later = on.queue([vec![put("f/d", 0, "1")]]);
    on.disk.tell(Verdict::Lost(EngineError::Io("the disk is gone".to_owned())));
    for outcome in busy {
        assert_eq!(outcome.await.unwrap(), Ok(Outcome::Durable));
    }
    let mut late = late.into_iter();
    let error = late.next().unwrap().await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unknown(_)), "{error:?}");
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    let error = late.next().unwrap().await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Stopped(_)), "a conflict is no unknown outcome: {error:?}");
    for outcome in later {
        assert!(outcome.await.is_err(), "what was queued behind it is not carried out");
    }
    let cause = on.store.failure().stopped().await;
    let errors = [
        on.store.get(b"f/a").await.map(drop).unwrap_err(),
        on.store.scan(Range::prefix(b"f", 9)).await.map(drop).unwrap_err(),
        on.store.commit(vec![put("f/d", 0, "1")]).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| *error == cause), "{errors:?}");
}

#[tokio::test]
async fn store_on_a_full_disk_reads_on_and_writes_again_after_a_reopen() {
    let no_space = || EngineError::NoSpace("full".to_owned());
    for landed in [false, true] {
        let on = on_a_disk();
        on.commit(vec![put("s/a", 0, "1")]).await;
        let before = rows(&[("s/a", 1)]);
        on.disk.tell(if landed { Verdict::Landed(no_space()) } else { Verdict::Lost(no_space()) });
        let error = on.store.commit(vec![put("s/b", 0, "1")]).await.unwrap_err();
        on.disk.wait_for_write();
        assert!(matches!(error, StoreError::Unknown(_)), "{error:?}");
        assert_eq!(on.seen("s/").await, before, "readers see what is durable");

        on.engine.fail_reopen(no_space());
        let error = on.store.commit(vec![put("s/c", 0, "1")]).await.unwrap_err();
        assert!(matches!(error, StoreError::NoSpace(_)), "{error:?}");
        assert_eq!(on.seen("s/").await, before);
        let guard = keep("s/a", stamp(&on.store, "s/a").await);
        assert_eq!(on.store.commit(vec![guard]).await.unwrap(), Outcome::Durable);

        // There is space again: the next commit opens the engine, and sees what became of the last.
        assert_eq!(on.commit(vec![put("s/c", 0, "1")]).await, Outcome::Durable);
        let after: &[_] = match landed {
            true => &[("s/a", 1), ("s/b", 1), ("s/c", 1)],
            false => &[("s/a", 1), ("s/c", 1)],
        };
        assert_eq!(on.seen("s/").await, rows(after));
        assert_ne!(stamp(&on.store, "s/a").await, stamp(&on.store, "s/c").await);
        assert!(on.store.failure().check().is_ok());
    }
}

/// sled reads nothing more after a write that failed, until it was opened again.
#[tokio::test]
async fn space_held_back_is_given_up_so_that_an_engine_reads_on() {
    let on = on_a_disk();
    on.commit(vec![put("r/a", 0, "1")]).await;
    let reserve = on.directory.path().join("reserve");
    std::fs::write(&reserve, "").unwrap();
    on.disk.tell(Verdict::Lost(EngineError::NoSpace("full".to_owned())));
    on.store.commit(vec![put("r/b", 0, "1")]).await.unwrap_err();
    on.disk.wait_for_write();
    // Comes behind it in the queue.
    let guard = keep("r/a", stamp(&on.store, "r/a").await);
    assert_eq!(on.store.commit(vec![guard]).await.unwrap(), Outcome::Durable);
    assert!(on.engine.get(b"r/b").unwrap().is_none(), "it was opened again");
    assert!(!reserve.exists());
    assert_eq!(on.seen("r/").await, rows(&[("r/a", 1)]));
}

/// sled writes now and then by itself, and reads nothing more once that found no space.
#[tokio::test]
async fn engine_that_found_no_space_by_itself_reads_on() {
    for has_reserve in [true, false] {
        let on = on_a_disk();
        on.commit(vec![put("f/a", 0, "1")]).await;
        if has_reserve {
            std::fs::write(on.directory.path().join("reserve"), "").unwrap();
        }
        for _ in 0..2 {
            on.engine.find_no_space();
            let (row, page) =
                (on.store.get(b"f/a").await, on.store.scan(Range::prefix(b"f/", 9)).await);
            if has_reserve {
                assert!(row.unwrap().is_some() && page.unwrap().len() == 1);
                std::fs::write(on.directory.path().join("reserve"), "").unwrap();
                continue;
            }
            assert!(matches!(row.map(drop), Err(StoreError::Unreadable(_))));
            assert!(matches!(page.map(drop), Err(StoreError::Unreadable(_))));
        }
        // There is space again: the next commit opens the engine, if no read has.
        assert_eq!(on.commit(vec![put("f/b", 0, "1")]).await, Outcome::Durable);
        assert_eq!(on.seen("f/").await, rows(&[("f/a", 1), ("f/b", 1)]));
    }
}

#[tokio::test]
async fn reopen_that_has_lost_rows_stops_the_store() {
    let on = on_a_disk();
    on.commit(vec![put("l/a", 0, "1"), put("l/b", 0, "1")]).await;
    on.disk.tell(Verdict::Lost(EngineError::NoSpace("full".to_owned())));
    on.store.commit(vec![put("l/c", 0, "1")]).await.unwrap_err();
    on.engine.tamper(|rows| drop(rows.remove(&b"l/a"[..])));
    let refused = on.store.commit(vec![put("l/c", 0, "1")]).await;
    assert!(matches!(refused, Err(StoreError::Stopped(_))), "{refused:?}");
    let cause = on.store.failure().stopped().await.to_string();
    assert!(cause.contains("rows are missing"), "{cause}");
}

#[tokio::test]
async fn page_that_cannot_be_read_is_damaged_and_never_absent() {
    let on = on_a_disk();
    on.commit(vec![put("d/a", 0, "1"), put("e/a", 0, "1")]).await;
    on.engine.damage(b"d/");
    let damaged = |error: StoreError| matches!(error, StoreError::Damaged(_));
    assert!(damaged(on.store.get(b"d/a").await.map(drop).unwrap_err()));
    let page = on.store.scan(Range::prefix(b"d/", 9)).await;
    assert!(damaged(page.map(drop).unwrap_err()));
    assert!(damaged(on.store.commit(vec![put("d/b", 0, "1")]).await.unwrap_err()));
    // Others are served.
    assert!(on.store.get(b"e/a").await.unwrap().is_some());
    assert_eq!(on.commit(vec![put("e/b", 0, "1")]).await, Outcome::Durable);
}

#[tokio::test]
async fn queued_commits_are_carried_out_when_the_store_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Arc::new(FaultyEngine::default());
    let store = local_store(engine.clone(), &directory);
    for n in 0..50 {
        drop(store.submit(vec![put(format!("q/{n}"), 0, "")]).unwrap());
    }
    drop(store);
    let range = Range { limit: 99, ..Range::prefix(b"q/", 99) };
    assert_eq!(engine.scan(&range).unwrap().len(), 50);
}
