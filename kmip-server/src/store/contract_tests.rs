//! The contract of a store, as one suite that every engine passes.

#![allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails the test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use tempfile::TempDir;

use super::cache::CachedStore;
use super::engine::Engine;
use super::engine::fault_injection::FaultyEngine;
use super::engine::open::open_engine;
use super::free_space::FreeSpace;
use super::head_file::HeadFile;
use super::integrity::{Head, Integrity};
use super::key_ring::KeyRing;
use super::local_store::LocalStore;
use super::memory_store::MemoryStore;
use super::open::rows::Rows;
use super::record_seal::Seal;
use super::sealed_store::SealedStore;
use super::{
    CHANGES_MAX, Change, KEY_LEN_MAX, Key, Outcome, Range, SCAN_MAX, Store, StoreError, To,
    VALUE_LEN_MAX,
};
use crate::config::Engine as EngineName;
use crate::secret::SecretBuffer;

/// What a store over an engine may add to a value.
const VALUE_OVERHEAD: usize = 64;

pub(crate) fn put(key: impl AsRef<[u8]>, expected: u64, value: impl AsRef<[u8]>) -> Change {
    let to = To::Put(SecretBuffer::new(value.as_ref().to_vec()));
    Change { key: key.as_ref().to_vec(), expected, to }
}

pub(crate) fn remove(key: impl AsRef<[u8]>, expected: u64) -> Change {
    Change { key: key.as_ref().to_vec(), expected, to: To::Remove }
}

pub(crate) fn keep(key: impl AsRef<[u8]>, expected: u64) -> Change {
    Change { key: key.as_ref().to_vec(), expected, to: To::Keep }
}

fn conflict(key: impl AsRef<[u8]>) -> Outcome {
    Outcome::Conflict { key: key.as_ref().to_vec() }
}

/// Stamp of a key; 0 if it is absent.
pub(crate) async fn stamp(store: &dyn Store, key: impl AsRef<[u8]>) -> u64 {
    store.get(key.as_ref()).await.unwrap().map_or(0, |record| record.stamp)
}

async fn value(store: &dyn Store, key: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    store.get(key.as_ref()).await.unwrap().map(|record| record.value.to_vec())
}

/// Runs the whole contract on a store that is empty.
pub(crate) async fn contract(store: Arc<dyn Store>) {
    let all = Range { from: Vec::new(), to: Vec::new(), limit: 10 };
    assert!(store.scan(all).await.unwrap().is_empty(), "a new store is empty");
    stamp_names_one_put_of_a_key(&*store).await;
    a_commit_is_all_or_nothing(&*store).await;
    a_guard_changes_nothing(&*store).await;
    pages_come_in_order_and_leave_out_nothing(&*store).await;
    odd_ranges_are_empty_pages(&*store).await;
    values_of_every_length_come_back(&*store).await;
    what_no_engine_takes_is_refused(&*store).await;
    no_update_of_a_counter_is_lost(Arc::clone(&store)).await;
    it_does_what_an_ordered_map_does(&*store, seed()).await;
}

async fn stamp_names_one_put_of_a_key(store: &dyn Store) {
    let mut stamps = vec![0];
    let commit = async |change: Change| store.commit(vec![change]).await.unwrap();
    for round in ["a", "b", "a", "removed", "a"] {
        let now = *stamps.last().unwrap();
        for other in stamps.iter().copied().chain([u64::MAX]).filter(|other| *other != now) {
            assert_eq!(commit(put("stamp", other, "x")).await, conflict("stamp"));
            assert_eq!(commit(remove("stamp", other)).await, conflict("stamp"));
            assert_eq!(commit(keep("stamp", other)).await, conflict("stamp"));
        }
        if round == "removed" {
            assert_eq!(commit(remove("stamp", now)).await, Outcome::Durable);
            assert_eq!(value(store, "stamp").await, None);
            // The stamp of a row that was removed stays used.
            stamps.push(0);
        } else {
            assert_eq!(commit(put("stamp", now, round)).await, Outcome::Durable);
            assert_eq!(value(store, "stamp").await.as_deref(), Some(round.as_bytes()));
            let new = stamp(store, "stamp").await;
            assert!(!stamps.contains(&new), "{new} was used: {stamps:?}");
            stamps.push(new);
        }
    }
    assert_eq!(commit(remove("none", 0)).await, Outcome::Durable);
}

async fn a_commit_is_all_or_nothing(store: &dyn Store) {
    assert_eq!(store.commit(Vec::new()).await.unwrap(), Outcome::Durable);
    let both = vec![put("all/a", 0, "1"), put("all/b", 0, "1")];
    assert_eq!(store.commit(both).await.unwrap(), Outcome::Durable);
    let (a, b) = (stamp(store, "all/a").await, stamp(store, "all/b").await);
    let last_in_conflict =
        vec![put("all/a", a, "2"), remove("all/b", b), put("all/c", 0, "2"), put("all/d", 7, "2")];
    assert_eq!(store.commit(last_in_conflict).await.unwrap(), conflict("all/d"));
    let two_in_conflict = vec![put("all/a", a, "2"), put("all/z", 3, "2"), put("all/b", 0, "2")];
    assert_eq!(store.commit(two_in_conflict).await.unwrap(), conflict("all/z"));
    assert_eq!(value(store, "all/a").await, Some(b"1".to_vec()));
    assert_eq!(value(store, "all/b").await, Some(b"1".to_vec()));
    assert_eq!(value(store, "all/c").await, None);
    assert_eq!(value(store, "all/d").await, None);
}

async fn a_guard_changes_nothing(store: &dyn Store) {
    store.commit(vec![put("keep/a", 0, "1")]).await.unwrap();
    let a = stamp(store, "keep/a").await;
    let rows = [
        (keep("keep/a", a), Outcome::Durable),
        (keep("keep/b", 0), Outcome::Durable),
        (keep("keep/a", 0), conflict("keep/a")),
        (keep("keep/a", a + 1), conflict("keep/a")),
        (keep("keep/b", a), conflict("keep/b")),
    ];
    for (n, (guard, outcome)) in (0_u64..).zip(rows) {
        let written = format!("keep/written/{n}");
        let changes = vec![put(&written, 0, "x"), guard];
        assert_eq!(store.commit(changes).await.unwrap(), outcome, "guard {n}");
        assert_eq!(value(store, &written).await.is_some(), outcome == Outcome::Durable);
        assert_eq!(value(store, "keep/a").await, Some(b"1".to_vec()));
        assert_eq!(stamp(store, "keep/a").await, a);
        assert_eq!(value(store, "keep/b").await, None);
    }
}

/// All keys of a range, page by page.
async fn keys(store: &dyn Store, mut range: Range) -> Vec<Key> {
    let mut keys = Vec::new();
    loop {
        let page = store.scan(range.clone()).await.unwrap();
        assert!(page.len() <= range.limit);
        let whole = page.len() == range.limit.min(SCAN_MAX);
        keys.extend(page.into_iter().map(|(key, _)| key));
        let Some(last) = keys.last().filter(|_| whole) else { return keys };
        range = range.beyond(last);
    }
}

async fn pages_come_in_order_and_leave_out_nothing(store: &dyn Store) {
    let many = SCAN_MAX + 30;
    let mut expected: Vec<Key> = (0..many).map(|n| format!("page/{n:05}").into_bytes()).collect();
    // Neighbours that a careless bound would let in, or leave out.
    expected.push([b"page/".as_slice(), &[0xff, 0xff]].concat());
    expected.push([b"page/".as_slice(), &[0xff, 0xff, 0]].concat());
    expected.insert(0, b"page/".to_vec());
    let outside = [b"page".to_vec(), b"page.".to_vec(), b"page0".to_vec()];
    for keys in expected.iter().chain(&outside).cloned().collect::<Vec<_>>().chunks(500) {
        let puts = keys.iter().map(|key| put(key, 0, key)).collect();
        assert_eq!(store.commit(puts).await.unwrap(), Outcome::Durable);
    }
    for limit in [1, 7, SCAN_MAX, SCAN_MAX + 1, usize::MAX] {
        let found = keys(store, Range::prefix(b"page/", limit)).await;
        assert!(found == expected, "limit {limit}");
    }
    let page = store.scan(Range::prefix(b"page/", usize::MAX)).await.unwrap();
    assert_eq!(page.len(), SCAN_MAX, "a page has an end");
    assert!(page.iter().all(|(key, record)| *key == *record.value && record.stamp > 0));
}

async fn odd_ranges_are_empty_pages(store: &dyn Store) {
    let range = |from: &str, to: &str, limit| Range {
        from: from.as_bytes().to_vec(),
        to: to.as_bytes().to_vec(),
        limit,
    };
    for odd in [
        range("page/", "page0", 0),
        range("page/", "page/", 9),
        range("page0", "page/", 9),
        range("\u{7f}", "", 9),
    ] {
        assert!(store.scan(odd.clone()).await.unwrap().is_empty(), "{odd:?}");
    }
    let to_the_end = store.scan(range("page0", "page1", 9)).await.unwrap();
    assert_eq!(to_the_end.len(), 1, "from is within, to is not");
}

async fn values_of_every_length_come_back(store: &dyn Store) {
    let lens = [0, 1, 100_000, 65_536, 65_527, 65_528, 0, 200_000, 300_000, 5];
    let greatest = VALUE_LEN_MAX - VALUE_OVERHEAD;
    for len in lens.into_iter().chain([greatest, 1]) {
        let expected = stamp(store, "len").await;
        let bytes: Vec<u8> = (0..len).map(|n| u8::try_from((n + len) % 251).unwrap()).collect();
        let outcome = store.commit(vec![put("len", expected, &bytes)]).await.unwrap();
        assert_eq!(outcome, Outcome::Durable);
        assert!(value(store, "len").await.as_ref() == Some(&bytes), "{len} bytes");
        let page = store.scan(Range::prefix(b"len", 2)).await.unwrap();
        assert_eq!(page.len(), 1);
        assert!(*page[0].1.value == bytes, "{len} bytes, scanned");
    }
    let long = put("len", stamp(store, "len").await, vec![7; 150_000]);
    assert_eq!(store.commit(vec![long]).await.unwrap(), Outcome::Durable);
    let removed = remove("len", stamp(store, "len").await);
    assert_eq!(store.commit(vec![removed]).await.unwrap(), Outcome::Durable);
    assert_eq!(value(store, "len").await, None);
}

async fn what_no_engine_takes_is_refused(store: &dyn Store) {
    let long = vec![b'k'; KEY_LEN_MAX + 1];
    let many = (0..CHANGES_MAX).map(|n| put(format!("no/{n}"), 0, "")).collect();
    let large = (0..10).map(|n| put(format!("no/{n}"), 0, vec![0; VALUE_LEN_MAX - 64])).collect();
    let rows: [(Vec<Change>, &str); 8] = [
        (vec![put("", 0, "")], "a key is empty or begins as the store's own do"),
        (vec![put([0, 1], 0, "")], "a key is empty or begins as the store's own do"),
        (vec![put("\x01head", 0, "")], "a key is empty or begins as the store's own do"),
        (vec![put(&long, 0, "")], "a key of at most 512, and this is 513"),
        (many, "a count of changes of at most 1024, and this is 1025"),
        (vec![put("no/a", 0, vec![0; VALUE_LEN_MAX + 1])], "a value of at most 1048576"),
        (large, "values of one commit together of at most 8388608"),
        (vec![put("no/a", 0, ""), put("no/b", 0, ""), keep("no/a", 0)], "names a key twice"),
    ];
    for (changes, reason) in rows {
        let changes = changes.into_iter().chain([put("no/written", 0, "")]).collect();
        let error = store.commit(changes).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(matches!(error, StoreError::Limit { .. } | StoreError::Refused(_)));
    }
    let found = store.scan(Range::prefix(b"no/", 9)).await.unwrap();
    assert!(found.is_empty());
    assert_eq!(value(store, "").await, None);
    assert_eq!(value(store, [0, 0, 3, b'l', b'e', b'n', 0, 1]).await, None);
    assert_eq!(value(store, "\x01head").await, None);
}

async fn no_update_of_a_counter_is_lost(store: Arc<dyn Store>) {
    const TASKS: u64 = 16;
    const EACH: u64 = 25;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut done = 0;
                while done < EACH {
                    let (stamp, count) = match store.get(b"counter").await.unwrap() {
                        None => (0, 0),
                        Some(record) => {
                            let count: [u8; 8] = record.value.as_slice().try_into().unwrap();
                            (record.stamp, u64::from_be_bytes(count))
                        }
                    };
                    let next = put("counter", stamp, (count + 1).to_be_bytes());
                    if store.commit(vec![next]).await.unwrap() == Outcome::Durable {
                        done += 1;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let total = TASKS * EACH;
    assert_eq!(value(&*store, "counter").await, Some(total.to_be_bytes().to_vec()));
}

/// A sequence of numbers from one seed (Steele, Lea and Flood, "SplitMix").
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// Seed from the variable `STORE_SEED`, or a new one.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("STORE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::from(now.subsec_nanos()) ^ now.as_secs()
    });
    println!("STORE_SEED={seed}");
    seed
}

/// Stamp and value of each key.
type Model = BTreeMap<Key, (u64, Vec<u8>)>;

/// Random commits and pages over few keys, each compared with an ordered map.
async fn it_does_what_an_ordered_map_does(store: &dyn Store, seed: u64) {
    let mut random = Random(seed);
    let mut model = Model::new();
    let key = |random: &mut Random| format!("model/{}", random.below(24)).into_bytes();
    for step in 0..400 {
        if random.below(3) == 0 {
            let (from, to) = (key(&mut random), key(&mut random));
            let limit = usize::try_from(random.below(12)).unwrap();
            let range = Range { from, to, limit };
            let page = store.scan(range.clone()).await.unwrap();
            let page: Vec<_> =
                page.into_iter().map(|(key, r)| (key, (r.stamp, r.value.to_vec()))).collect();
            assert!(page == model_page(&model, &range), "seed {seed}, step {step}: {range:?}");
        } else {
            let changes = model_changes(&model, &mut random, key);
            let expected = model_outcome(&mut model, &changes);
            let text = format!("seed {seed}, step {step}: {changes:?}");
            let keys: Vec<Key> = changes.iter().map(|change| change.key.clone()).collect();
            assert_eq!(store.commit(changes).await.unwrap(), expected, "{text}");
            // Which stamps the commit gave, only the store knows.
            for key in keys {
                let now = stamp(store, &key).await;
                if let Some((stamp, _)) = model.get_mut(&key) {
                    assert!(*stamp == now || *stamp == NEW && now > 0, "{text}");
                    *stamp = now;
                }
            }
        }
    }
    for n in 0..24 {
        let key = format!("model/{n}");
        let held = store.get(key.as_bytes()).await.unwrap();
        let held = held.map(|record| (record.stamp, record.value.to_vec()));
        assert!(held == model.get(key.as_bytes()).cloned(), "seed {seed}");
    }
}

/// In the model, a stamp that the store has just given.
const NEW: u64 = u64::MAX;

fn model_changes(
    model: &Model,
    random: &mut Random,
    key: impl Fn(&mut Random) -> Key,
) -> Vec<Change> {
    let mut changes = BTreeMap::new();
    for _ in 0..=random.below(4) {
        let key = key(random);
        let now = model.get(&key).map_or(0, |(stamp, _)| *stamp);
        let expected = if random.below(12) == 0 { now + random.below(3) } else { now };
        let len =
            if random.below(20) == 0 { 70_000 + random.below(90_000) } else { random.below(80) };
        let fill = u8::try_from(random.below(256)).unwrap();
        let change = match random.below(8) {
            0 => keep(&key, expected),
            1 | 2 => remove(&key, expected),
            _ => put(&key, expected, vec![fill; usize::try_from(len).unwrap()]),
        };
        changes.insert(key, change);
    }
    changes.into_values().collect()
}

fn model_outcome(model: &mut Model, changes: &[Change]) -> Outcome {
    let now = |key: &Key| model.get(key).map_or(0, |(stamp, _)| *stamp);
    if let Some(change) = changes.iter().find(|change| now(&change.key) != change.expected) {
        return conflict(&change.key);
    }
    for change in changes {
        match &change.to {
            To::Put(value) => {
                model.insert(change.key.clone(), (NEW, value.to_vec()));
            }
            To::Remove => {
                model.remove(&change.key);
            }
            To::Keep => {}
        }
    }
    Outcome::Durable
}

fn model_page(model: &Model, range: &Range) -> Vec<(Key, (u64, Vec<u8>))> {
    let within = |key: &&Key| **key >= range.from && **key < range.to;
    let found = model.iter().filter(|(key, _)| within(key)).map(|(k, v)| (k.clone(), v.clone()));
    found.take(range.limit).collect()
}

/// Keys of a test's store.
fn seal() -> Seal {
    Seal::new(&KeyRing::generate().unwrap()).unwrap()
}

/// Starts a store on an empty engine, without a header; its head file is in the directory.
pub(crate) fn local_store(engine: Arc<dyn Engine>, directory: &TempDir) -> LocalStore {
    let integrity = Arc::new(super::integrity::tests::integrity(1));
    let path = directory.path().join("head");
    HeadFile::create(&path, &integrity, &Head::default()).unwrap();
    started(engine, integrity, &path)
}

fn started(
    engine: Arc<dyn Engine>,
    integrity: Arc<Integrity>,
    head_file: &std::path::Path,
) -> LocalStore {
    let space = FreeSpace::new(std::path::Path::new("/"), &head_file.with_file_name("reserve"), 0);
    let (head_file, head) = HeadFile::open(head_file, Arc::clone(&integrity)).unwrap();
    LocalStore::start(Rows { engine, head, head_file }, integrity, space).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_store_keeps_the_contract() {
    contract(Arc::new(MemoryStore::default())).await;
    contract(Arc::new(SealedStore::new(MemoryStore::default(), seal()))).await;
    contract(Arc::new(CachedStore::new(MemoryStore::default(), &[b""]))).await;
}

/// The contract on a local store, bare and sealed; at the end the rows are what the head says.
async fn local_stores_keep_the_contract(engine: impl Fn(&TempDir) -> Arc<dyn Engine>) {
    for is_sealed in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let engine = engine(&directory);
        let store = local_store(Arc::clone(&engine), &directory);
        match is_sealed {
            false => contract(Arc::new(store)).await,
            true => contract(Arc::new(SealedStore::new(store, seal()))).await,
        }
        let integrity = Arc::new(super::integrity::tests::integrity(1));
        let head_file = HeadFile::open(&directory.path().join("head"), Arc::clone(&integrity));
        let verdict = super::verify::verify(&*engine, &integrity, head_file.unwrap().1).unwrap();
        let whole = matches!(&verdict, super::verify::Verdict::Whole(head) if head.count > 1000);
        assert!(whole, "sealed: {is_sealed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn store_on_an_engine_in_memory_keeps_the_contract() {
    let engine = |_: &TempDir| -> Arc<dyn Engine> { Arc::new(FaultyEngine::default()) };
    local_stores_keep_the_contract(engine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn store_on_sled_keeps_the_contract() {
    local_stores_keep_the_contract(|directory| {
        open_engine(EngineName::Sled, &directory.path().join("records")).unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn store_on_redb_keeps_the_contract() {
    local_stores_keep_the_contract(|directory| {
        open_engine(EngineName::Redb, &directory.path().join("records")).unwrap()
    })
    .await;
}
