//! Checks beside writes, and of rows that were changed by others than the store.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use std::sync::mpsc::{Sender, channel};

use super::*;
use crate::store::contract_tests::{local_store, put, remove};
use crate::store::engine::fault_injection::FaultyEngine;
use crate::store::{Range, Store, StoreError};

/// Rows of twelve pages and a half of a check.
const ROWS: usize = 400;

fn key(n: usize) -> String {
    format!("k/{n:04}")
}

struct Checked {
    store: crate::store::local_store::LocalStore,
    engine: Arc<FaultyEngine>,
    checker: Checker,
    watch: CheckWatch,
    _stop: Sender<()>,
    _directory: tempfile::TempDir,
}

async fn checked() -> Checked {
    let directory = tempfile::tempdir().unwrap();
    let engine = Arc::new(FaultyEngine::default());
    let store = local_store(engine.clone(), &directory);
    let changes = (0..ROWS).map(|n| put(key(n), 0, "value"));
    store.commit(changes.collect()).await.unwrap();
    let (signal, watch) = CheckSignal::new();
    let (sender, stop) = channel();
    let integrity = Arc::new(crate::store::integrity::tests::integrity(1));
    let view = store.view();
    let checker = Checker { view, integrity, signal, interval: Duration::ZERO, stop };
    Checked { store, engine, checker, watch, _stop: sender, _directory: directory }
}

fn all() -> Range {
    Range::prefix(b"k/", 9)
}

#[tokio::test]
async fn check_beside_writes_finds_all_rows() {
    let made = checked().await;
    let (view, integrity) = (&made.checker.view, &made.checker.integrity);
    // Rows before and behind the place that the check has come to are written, replaced, removed.
    for round in 0..3 {
        view.begin_check();
        let mut steps = 0;
        loop {
            match view.check_page(integrity).unwrap() {
                CheckStep::More => steps += 1,
                CheckStep::Whole(head) => {
                    assert_eq!(head.count, u64::try_from(ROWS).unwrap() + 2 * round + 2);
                    break;
                }
                step @ (CheckStep::Interrupted | CheckStep::Incomplete(_)) => panic!("{step:?}"),
            }
            for n in [10, 11, ROWS - 2, ROWS - 1] {
                let now = made.store.get(key(n).as_bytes()).await.unwrap().unwrap().stamp;
                made.store.commit(vec![remove(key(n), now)]).await.unwrap();
                made.store.commit(vec![put(key(n), 0, "again")]).await.unwrap();
            }
            let new = ["a", "z"].map(|prefix| put(format!("{prefix}/{round}"), 0, ""));
            made.store.commit(new.into_iter().collect()).await.unwrap();
        }
        assert!(steps > 10, "there is more than one page");
    }
    assert_eq!(made.checker.check(), Ok(None));
    assert_eq!(made.watch.last().result, CheckResult::Whole);
}

#[tokio::test]
async fn absence_is_no_answer_once_rows_are_missing() {
    type Tamper = fn(&mut std::collections::BTreeMap<Vec<u8>, Vec<u8>>);
    let tampers: [(&str, Tamper); 4] = [
        ("399 rows are there of 400", |rows| drop(rows.remove(key(7).as_bytes()))),
        ("401 rows are there of 400", |rows| drop(rows.insert(b"k/x".to_vec(), vec![0; 9]))),
        ("some are changed", |rows| {
            rows.entry(key(ROWS - 1).into_bytes()).and_modify(|row| row[9] ^= 1);
        }),
        ("damaged: as the test has it", |_| {}),
    ];
    for (expected, tamper) in tampers {
        let made = checked().await;
        made.engine.tamper(tamper);
        if expected.starts_with("damaged") {
            made.engine.damage(b"k/03");
        }
        let Checked { store, checker, watch, .. } = made;
        std::thread::spawn(|| checker.run()).join().unwrap();
        let CheckResult::Incomplete(problem) = watch.last().result else { panic!("{expected}") };
        assert!(problem.contains(expected), "{problem}");
        let damaged = |error: StoreError| matches!(error, StoreError::Damaged(_));
        assert!(store.get(key(1).as_bytes()).await.unwrap().is_some(), "what is there is read");
        assert!(store.get(b"k/absent").await.is_err_and(damaged));
        assert!(store.scan(all()).await.is_err_and(damaged));
        assert!(store.commit(vec![put("k/new", 0, "")]).await.is_err_and(damaged));
    }
}

#[tokio::test]
async fn check_ends_with_its_store() {
    let Checked { store, checker, _stop: stop, .. } = checked().await;
    let checker = Checker { interval: Duration::MAX, ..checker };
    let thread = std::thread::spawn(|| checker.run());
    drop((stop, store));
    thread.join().unwrap();
}
