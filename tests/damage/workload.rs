//! What is written to the store that is damaged later, and what must be there of it.
//!
//! One writer, whose plan depends on the number of the step only. Each step is one commit and is
//! noted when it was acknowledged, so that what the store must hold follows from the last number.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use kmip_server::SecretBuffer;
use kmip_server::config::Engine;
use kmip_server::store::{Change, Outcome, Store, StoreSettings, To, open};

/// Steps of one life of the process; there are two.
pub(crate) const STEPS: usize = 60;

/// Rows that one step writes.
const ROWS: usize = 12;

/// Values of what is stored, by key.
pub(crate) type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn value(step: usize, row: usize) -> Vec<u8> {
    // Most are long, so that the store has many segments; some are above the engine's row limit.
    let len = match row {
        0 => 0,
        1 => 90_000,
        2..6 => 300,
        _ => 24_000,
    };
    (0..len).map(|n| u8::try_from((n * 7 + step * 31 + row * 101) % 251).unwrap()).collect()
}

fn key(step: usize, row: usize) -> Vec<u8> {
    format!("row/{step:05}/{row:02}").into_bytes()
}

/// Writes and removals of a step: new rows, some of earlier steps overwritten, some removed.
pub(crate) fn plan(step: usize) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut wanted: Vec<_> =
        (0..ROWS).map(|row| (key(step, row), Some(value(step, row)))).collect();
    if step >= 8 {
        wanted.push((key(step - 8, 3), Some(value(step, 3))));
        wanted.push((key(step - 8, 7), Some(value(step, 8))));
        wanted.push((key(step - 8, 8), Some(value(step, 9))));
        wanted.push((key(step - 8, 4), None));
        wanted.push((key(step - 8, 9), None));
        wanted.push((key(step - 8, 10), None));
    }
    wanted
}

/// Contents of a store after so many steps.
pub(crate) fn model(steps: usize) -> Model {
    let mut model = Model::new();
    for (key, value) in (0..steps).flat_map(plan) {
        match value {
            Some(value) => drop(model.insert(key, value)),
            None => drop(model.remove(&key)),
        }
    }
    model
}

/// Settings of the store in a folder, without a reserve: the tests' folders are small.
pub(crate) fn settings(folder: &Path, engine: Engine) -> StoreSettings {
    StoreSettings { engine, free_space_reserve: 0, ..StoreSettings::new(folder) }
}

/// Carries the plan on from where the acknowledgements end, step by step.
pub(crate) async fn run(folder: &Path, engine: Engine, acks: &Path, steps: usize) {
    let opened = open(settings(folder, engine)).await.unwrap();
    let mut noted = std::fs::OpenOptions::new().create(true).append(true).open(acks).unwrap();
    let from = acknowledged(acks);
    for step in from..from + steps {
        let mut changes = Vec::new();
        for (key, value) in plan(step) {
            let expected = opened.store.get(&key).await.unwrap().map_or(0, |record| record.stamp);
            let to = value.map_or(To::Remove, |value| To::Put(SecretBuffer::new(value)));
            changes.push(Change { key, expected, to });
        }
        assert_eq!(opened.store.commit(changes).await.unwrap(), Outcome::Durable);
        noted.write_all(b".").unwrap();
    }
}

/// Steps that were acknowledged: one byte each.
pub(crate) fn acknowledged(acks: &Path) -> usize {
    std::fs::read(acks).map_or(0, |bytes| bytes.len())
}
