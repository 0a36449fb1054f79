//! The tree is an ordered map, whatever write was the last one and whoever reads meanwhile.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use std::collections::BTreeMap;

use super::*;
use crate::store::engine::sled::row_format;

type Model = BTreeMap<IVec, IVec>;

fn tree() -> (tempfile::TempDir, Tree) {
    let path = tempfile::tempdir().unwrap();
    let db = sled::Config::new().path(path.path()).open().unwrap();
    (path, Tree::new(db))
}

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040);
        (self.0 >> 33) % end
    }
}

fn row(revision: u64, len: u64) -> IVec {
    let value = vec![u8::try_from(revision % 251).unwrap(); usize::try_from(len).unwrap()];
    row_format::lay_out(&value, revision).unwrap().first
}

/// Rows with keys like these may be packed, as those of an index are.
fn key(n: u64) -> IVec {
    IVec::from(format!("k/of-one-client/{n:04}").as_bytes())
}

/// Carries everything out.
fn apply_all(tree: &Tree, batch: &BTreeMap<IVec, Option<IVec>>) {
    let mut rows = batch.iter().map(|(key, row)| (key.clone(), row.clone())).peekable();
    while let Some(plan) = tree.plan(&mut rows).unwrap() {
        tree.carry_out(plan).unwrap();
    }
}

/// Carries out at most so many writes; says how many are left.
fn apply(tree: &Tree, batch: &BTreeMap<IVec, Option<IVec>>, mut left: usize) -> usize {
    let mut rows = batch.iter().map(|(key, row)| (key.clone(), row.clone())).peekable();
    while let Some(plan) = tree.plan(&mut rows).unwrap() {
        for write in plan.writes {
            if left == 0 {
                return 0;
            }
            left -= 1;
            tree.write(write).unwrap();
        }
    }
    left
}

fn assert_is(tree: &Tree, model: &Model, what: &str) {
    let all: Vec<_> = tree.read().ascending(b"", b"").map(Result::unwrap).collect();
    assert!(all.iter().map(|(k, r)| (k, r)).eq(model.iter()), "{what}");
    let mut back: Vec<_> = tree.read().descending(b"", b"").map(Result::unwrap).collect();
    back.reverse();
    assert!(all == back, "{what}");
    for n in 0..200 {
        let key = key(n);
        assert!(tree.read().get(&key).unwrap().as_ref() == model.get(&key), "{what}: {key:?}");
        assert!(tree.read().get_new(&key).unwrap().as_ref() == model.get(&key), "{what}: {key:?}");
    }
}

fn change(model: &mut Model, batch: &BTreeMap<IVec, Option<IVec>>) {
    for (key, row) in batch {
        match row {
            Some(row) => model.insert(key.clone(), row.clone()),
            None => model.remove(key),
        };
    }
}

/// Runs, scattered changes and removals, as logs bring them.
fn batch(numbers: &mut Numbers, round: u64) -> BTreeMap<IVec, Option<IVec>> {
    let mut batch = BTreeMap::new();
    let start = numbers.below(200);
    for n in start..(start + numbers.below(40)).min(200) {
        batch.insert(key(n), Some(row(round, numbers.below(250))));
    }
    for _ in 0..numbers.below(12) {
        let is_put = numbers.below(2) == 0;
        let row = is_put.then(|| row(round, numbers.below(6000)));
        batch.insert(key(numbers.below(200)), row);
    }
    batch
}

#[test]
fn it_is_an_ordered_map_whatever_comes() {
    let (_path, tree) = tree();
    follows(&tree, Model::new(), Numbers(1));
}

#[test]
fn a_tree_of_before_there_were_blocks_goes_on_as_it_is() {
    let ((_path, tree), mut model) = (tree(), Model::new());
    for n in 0..200 {
        let (key, row) = (key(n), row(1, n));
        tree.db.insert(key.clone(), row.clone()).unwrap();
        model.insert(key, row);
    }
    assert_is(&tree, &model, "as it was found");
    follows(&tree, model, Numbers(3));
}

/// Does a tree what the model of it does?
fn follows(tree: &Tree, mut model: Model, mut numbers: Numbers) {
    let mut blocks = 0;
    for round in 2..200 {
        let batch = batch(&mut numbers, round);
        apply_all(tree, &batch);
        change(&mut model, &batch);
        assert_is(tree, &model, &format!("round {round}"));
        assert!(tree.db.len() <= model.len());
        blocks += model.len() - tree.db.len();
        let (a, b) = (key(numbers.below(200)), key(numbers.below(200)));
        let (from, to) = (a.clone().min(b.clone()), a.max(b));
        let reading = tree.read();
        let part: Vec<_> = reading.ascending(&from, &to).map(Result::unwrap).collect();
        let of_model = model.range(from.clone()..to.clone());
        assert!(part.iter().map(|(k, r)| (k, r)).eq(of_model), "{from:?} to {to:?}");
        let mut back: Vec<_> = reading.descending(&from, &to).map(Result::unwrap).collect();
        back.reverse();
        assert!(part == back, "{from:?} to {to:?}");
    }
    assert!(blocks > 1000, "rows were packed: {blocks}");
}

/// The engine keeps its writes in their order, so a power cut leaves the first so many of them.
#[test]
fn every_row_is_found_whatever_write_was_the_last_one() {
    let mut numbers = Numbers(2);
    let mut cuts = 0;
    for seed in 0..12 {
        let (before, last) = {
            let mut batches: Vec<_> = (1..8).map(|n| batch(&mut numbers, seed * 9 + n)).collect();
            let last = batches.pop().unwrap();
            (batches, last)
        };
        for cut in 0.. {
            let ((_path, tree), mut model) = (tree(), Model::new());
            for batch in &before {
                apply_all(&tree, batch);
                change(&mut model, batch);
            }
            let old = model.clone();
            change(&mut model, &last);
            let is_whole = apply(&tree, &last, cut) > 0;
            // Each row is as it was or as it will be.
            for n in 0..200 {
                let (key, now) = (key(n), tree.read().get(&key(n)).unwrap());
                assert!(now.as_ref() == old.get(&key) || now.as_ref() == model.get(&key));
            }
            for (key, row) in tree.read().ascending(b"", b"").map(Result::unwrap) {
                assert!(Some(&row) == old.get(&key) || Some(&row) == model.get(&key));
            }
            // The log is read again by another process; and then it goes on, also by removing
            // everything.
            let tree = Tree::new(tree.db.clone());
            apply_all(&tree, &last);
            assert_is(&tree, &model, "read again");
            let mut numbers = Numbers(cuts);
            for round in 100..103 {
                let batch = batch(&mut numbers, round);
                apply_all(&tree, &batch);
                change(&mut model, &batch);
                assert_is(&tree, &model, "after it");
            }
            for n in 0..200 {
                let key = key(numbers.below(200 - n) + n / 2);
                apply_all(&tree, &BTreeMap::from([(key.clone(), None)]));
                model.remove(&key);
            }
            assert_is(&tree, &model, "removed one by one");
            cuts += 1;
            if is_whole {
                break;
            }
        }
    }
    assert!(cuts > 100, "{cuts}");
}

#[test]
fn rows_that_come_together_are_packed_and_a_touched_one_stands_alone() {
    let (_path, tree) = tree();
    apply_all(&tree, &(0..96).map(|n| (key(n), Some(row(1, 70)))).collect());
    assert_eq!(tree.db.len(), 3, "thirty-two to a block");
    apply_all(&tree, &BTreeMap::from([(key(40), Some(row(2, 70)))]));
    assert_eq!(tree.db.len(), 5, "eight stayed before it, and the rest behind");
    assert!(row_format::block_body(&tree.db.get(key(40)).unwrap().unwrap()).is_none());
    apply_all(&tree, &BTreeMap::from([(key(40), Some(row(3, 70)))]));
    assert_eq!(tree.db.len(), 5);
}

#[test]
fn rows_that_are_looked_up_stand_alone() {
    let (_path, tree) = tree();
    let long = (0..10).map(|n| (key(n), Some(row(1, 500))));
    // Keys that are hashes have nothing in common.
    let hashed = (0..10_u8).map(|n| (IVec::from(vec![b'n', n, 0, 0, 0]), Some(row(1, 9))));
    let also_hashed =
        (0..10_u8).map(|n| (IVec::from([&[b'o', n][..], &[0; 40]].concat()), Some(row(1, 9))));
    apply_all(&tree, &long.chain(hashed).chain(also_hashed).collect());
    assert_eq!(tree.db.len(), 30);
}

/// Whoever walks backwards has passed the place that a row of a block goes to, and must not find
/// the block without it.
#[test]
fn no_walk_misses_a_row_while_a_block_falls_apart() {
    let (_path, tree) = tree();
    // Seven to a block, so that some block begins before a page of the engine's and reaches
    // into it: the engine parts its pages where keys differ for the first time.
    let all: Vec<Row> = (0..420).map(|n| (key(n), Some(row(1, 140)))).collect();
    let fill = || {
        for seven in all.chunks(7) {
            apply_all(&tree, &seven.iter().cloned().collect());
        }
        assert_eq!(tree.db.len(), 60);
    };
    fill();
    for passed in (0..420).step_by(7) {
        let touched = all.iter().rev().skip(passed).step_by(3).take(9);
        let touched = touched.map(|(key, _)| (key.clone(), Some(row(2, 140))));
        let mut touched: Vec<Row> = touched.collect();
        touched.reverse();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let reading = tree.read();
            let mut walk = reading.descending(b"", b"");
            let before = walk.by_ref().take(passed).count();
            scope.spawn(|| {
                let mut rows = touched.into_iter().peekable();
                while let Some(plan) = tree.plan(&mut rows).unwrap() {
                    tree.carry_out(plan).unwrap();
                }
                // The walk may have ended.
                let _ = tell.send(());
            });
            // It must wait for the walk; if it does not, it shows here.
            let _ = told.recv_timeout(std::time::Duration::from_millis(10));
            assert_eq!(before + walk.map(Result::unwrap).count(), 420, "{passed}");
        });
        apply_all(&tree, &all.iter().map(|(key, _)| (key.clone(), None)).collect());
        fill();
    }
}

#[test]
fn a_block_that_is_cut_short_is_damage_and_no_row_less() {
    let (_path, tree) = tree();
    apply_all(&tree, &(0..5).map(|n| (key(n), Some(row(1, 70)))).collect());
    let block = tree.db.get(key(0)).unwrap().unwrap();
    for len in [10, 70, 200, block.len() - 1] {
        tree.db.insert(key(0), block.get(..len).unwrap()).unwrap();
        assert!(matches!(tree.read().get(&key(4)), Err(StoreError::Damaged(_))));
        assert!(tree.read().ascending(b"", b"").any(|row| row.is_err()));
        assert!(tree.read().descending(b"", b"").any(|row| row.is_err()));
    }
}

/// A value in parts is looked up while its page is walked. With a lock for each of the two, both
/// waited for ever once a block waited to fall apart.
#[test]
fn who_walks_may_look_a_row_up_while_a_block_waits_to_fall_apart() {
    let (_path, tree) = tree();
    apply_all(&tree, &(0..5).map(|n| (key(n), Some(row(1, 70)))).collect());
    std::thread::scope(|scope| {
        let reading = tree.read();
        let mut walk = reading.ascending(b"", b"");
        walk.next().unwrap().unwrap();
        scope.spawn(|| {
            let mut rows = [(key(3), Some(row(2, 70)))].into_iter().peekable();
            let plan = tree.plan(&mut rows).unwrap().unwrap();
            tree.carry_out(plan).unwrap();
        });
        // Nobody new may read once it waits.
        while tree.whole.try_read().is_ok() {
            std::thread::yield_now();
        }
        assert!(reading.get(&key(3)).unwrap() == Some(row(1, 70)));
        assert_eq!(walk.count(), 4);
    });
}

/// What makes a Create cheap: the keys of new objects are known to be new without a look.
#[test]
fn keys_behind_the_last_row_are_known_to_be_new() {
    let (_path, tree) = tree();
    apply_all(&tree, &(0..50).map(|n| (key(n), Some(row(1, 70)))).collect());
    assert!(tree.gaps.look(&key(60)).is_err());
    assert!(tree.read().get_new(&key(60)).unwrap().is_none());
    assert!(tree.gaps.look(&key(50)).is_ok() && tree.gaps.look(&key(199)).is_ok());
    apply_all(&tree, &(50..100).map(|n| (key(n), Some(row(1, 70)))).collect());
    assert!(tree.gaps.look(&key(99)).is_err() && tree.gaps.look(&key(100)).is_ok());
}
