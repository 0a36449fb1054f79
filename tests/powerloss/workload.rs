//! What the recorded process does, and what must be there of it.
//!
//! Each writer has keys of its own, and a plan that depends on nothing but its number. It counts
//! its steps in the value of a record that each step writes too. So what a store holds of a writer
//! must be the plan up to the last step that was acknowledged, or one step further: it waits for
//! each answer before it goes on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kmip_server::SecretBuffer;
use kmip_server::config::Engine;
use kmip_server::store::{Change, Outcome, Range, Store, StoreSettings, To, open};

use super::record::Entry;

pub(crate) const WRITERS: usize = 16;

/// What a writer has: the value of each key.
type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// Keys as alike as those of an index are.
fn key(kind: &str, writer: usize, step: usize) -> Vec<u8> {
    format!("{kind}/{writer:02}/of-one-client/{step:06}").into_bytes()
}

/// Carries the plan of a writer one step further, and gives the keys that this step changes.
fn advance(state: &mut State, writer: usize, step: usize) -> Vec<Vec<u8>> {
    let fill = u8::try_from((writer * 31 + step) % 255).unwrap() + 1;
    // Long ones too, which sled has in parts.
    let len = if step % 16 == 8 { 150_000 } else { 100 + (step * 37 + writer * 101) % 300 };
    let mut wanted = Vec::new();
    match step % 4 {
        // An object with its index rows is made, changed, made again, and some go.
        0 | 2 => {
            wanted.push((key("object", writer, step), Some(len)));
            wanted.push((key("name", writer, step), Some(0)));
            wanted.push((key("owner", writer, step), Some(0)));
        }
        1 => wanted.push((key("object", writer, step - 1), Some(len))),
        _ if step % 8 == 3 => {
            wanted.push((key("object", writer, step - 1), None));
            wanted.push((key("name", writer, step - 1), None));
            wanted.push((key("owner", writer, step - 1), None));
        }
        // One that was made long ago.
        _ if step % 16 == 7 => wanted.push((key("object", writer, step / 16 * 8), Some(len))),
        _ => {
            for kind in ["object", "name", "owner"] {
                wanted.push((key(kind, writer, step / 16 * 8 + 6), None));
            }
        }
    }
    let count = key("count", writer, 0);
    state.insert(count.clone(), (step + 1).to_le_bytes().to_vec());
    let mut changed = vec![count];
    for (key, len) in wanted {
        match len {
            Some(len) => drop(state.insert(key.clone(), vec![fill; len])),
            None => drop(state.remove(&key)),
        }
        changed.push(key);
    }
    changed
}

/// How many steps a writer has counted.
fn count(value: Option<&[u8]>) -> usize {
    value.map_or(0, |value| usize::from_le_bytes(value.try_into().unwrap()))
}

/// The changes that make these keys what the state has.
async fn changes(store: &dyn Store, state: &State, keys: Vec<Vec<u8>>) -> Vec<Change> {
    let mut changes = Vec::new();
    for key in keys {
        let expected = store.get(&key).await.unwrap().map_or(0, |record| record.stamp);
        let value = state.get(&key).map(|value| To::Put(SecretBuffer::new(value.clone())));
        changes.push(Change { key, expected, to: value.unwrap_or(To::Remove) });
    }
    changes
}

/// Writes until so many steps were acknowledged, and ends the process there and then.
pub(crate) async fn run(data: &Path, engine: Engine, acks: &Path, steps: usize) {
    let settings = StoreSettings { engine, free_space_reserve: 0, ..StoreSettings::new(data) };
    let store = open(settings).await.unwrap().store;
    let acks = Arc::new(std::fs::File::create(acks).unwrap());
    let (left, end) = (Arc::new(AtomicUsize::new(steps)), Arc::new(tokio::sync::Notify::new()));
    for writer in 0..WRITERS {
        let (store, acks) = (Arc::clone(&store), Arc::clone(&acks));
        let (left, end) = (Arc::clone(&left), Arc::clone(&end));
        tokio::spawn(async move {
            let mut state = State::new();
            let known = store.get(&key("count", writer, 0)).await.unwrap();
            let known = count(known.as_ref().map(|record| record.value.as_slice()));
            for step in 0..known {
                advance(&mut state, writer, step);
            }
            for step in known.. {
                let keys = advance(&mut state, writer, step);
                let changes = changes(&*store, &state, keys).await;
                assert_eq!(store.commit(changes).await.unwrap(), Outcome::Durable);
                // One call, so that the record has it as one entry.
                (&*acks).write_all(format!("{writer} {}", step + 1).as_bytes()).unwrap();
                if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                    end.notify_one();
                    std::future::pending::<()>().await;
                }
            }
        });
    }
    end.notified().await;
    // As a kill does it: nothing is closed, and the other writers are in the middle of something.
    std::process::exit(0);
}

/// How many steps of a writer must be there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steps {
    /// So many were acknowledged.
    acknowledged: usize,
    /// So many more may be there: the one that waits for its answer, and for each process that was
    /// killed since, the one that waited then.
    ahead: usize,
}

/// What must be there of each writer after these entries.
pub(crate) fn steps(entries: &[Entry<'_>]) -> [Steps; WRITERS] {
    let mut steps = [Steps::default(); WRITERS];
    for entry in entries {
        if let Entry::Life = entry {
            for writer in &mut steps {
                writer.ahead += 1;
            }
        }
        if let Entry::Acknowledged(ack) = entry {
            let (writer, step) = ack.split_once(' ').unwrap();
            let acknowledged = step.parse().unwrap();
            steps[writer.parse::<usize>().unwrap()] = Steps { acknowledged, ahead: 1 };
        }
    }
    steps
}

/// What is wrong with the store in `data`, if these steps were acknowledged.
pub(crate) async fn verify(
    data: &Path,
    engine: Engine,
    steps: &[Steps; WRITERS],
) -> Result<(), String> {
    let settings = StoreSettings { engine, free_space_reserve: 0, ..StoreSettings::new(data) };
    let store = open(settings).await.map_err(|error| format!("it does not open: {error}"))?.store;
    let found = read_all(&*store).await?;
    for (writer, (steps, found)) in steps.iter().zip(found).enumerate() {
        let mut state = State::new();
        for step in 0..steps.acknowledged {
            advance(&mut state, writer, step);
        }
        let mut holds = found == state;
        for step in steps.acknowledged..steps.acknowledged + steps.ahead {
            advance(&mut state, writer, step);
            holds |= found == state;
        }
        if !holds {
            let count = count(found.get(&key("count", writer, 0)).map(Vec::as_slice));
            let records = found.len();
            return Err(format!("writer {writer}: {count} steps, {records} records; {steps:?}"));
        }
    }
    Ok(())
}

async fn read_all(store: &dyn Store) -> Result<Vec<State>, String> {
    let mut found = vec![State::new(); WRITERS];
    let mut range = Range { from: vec![], to: vec![], limit: 500 };
    loop {
        let page = store.scan(range.clone()).await.map_err(|error| error.to_string())?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        range = range.beyond(last);
        for (key, record) in page {
            let text = std::str::from_utf8(&key).map_err(|error| error.to_string())?;
            let writer: usize = text.split('/').nth(1).and_then(|n| n.parse().ok()).unwrap();
            found[writer].insert(key, record.value.to_vec());
        }
    }
}
