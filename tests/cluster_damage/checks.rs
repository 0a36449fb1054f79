//! What holds of a cluster with a damaged file, and what holds when the file was put back.

use std::time::{Duration, Instant};

use kmip::vocabulary::State as KeyState;
use serde_json::{Value, json};

use crate::contents::{self, BLOCKS, Version, WRITTEN};
use crate::damage::Plan;
use crate::fixture::{Fixture, NODES, TIMEOUT, current, drives};
use crate::state::{A, B, Location};

/// Between two looks at the cluster.
const POLL: Duration = Duration::from_millis(20);
/// A rekey that waits shows no progress for as long as this: several attempts.
const STEADY: Duration = Duration::from_millis(250);
/// How long what is wrong may last after the file was put back.
const PASSING: Duration = Duration::from_secs(20);

/// A cluster that changes no more by itself.
pub(crate) struct Quiet {
    /// The drives that are locked, and why.
    pub(crate) locked: Vec<(u64, String)>,
    /// What the rekey waits for, if one does.
    pub(crate) waiting_for: Option<String>,
}

/// Waits until each drive serves or has failed, and the rekey has ended or waits.
pub(crate) fn until_quiet(fixture: &Fixture) -> Result<Quiet, String> {
    let (begun, mut since) = (Instant::now(), Instant::now());
    let mut generation = Value::Null;
    loop {
        let state = fixture.state();
        if state["generation"] != generation {
            generation = state["generation"].clone();
            since = Instant::now();
        }
        let list = fixture.cluster.call("ListDrives", json!({}));
        let starting = list["drives"].as_array().unwrap().iter();
        let starting = starting.filter(|drive| drive["status"] == json!("available")).count();
        let waiting_for = fixture.waiting_for(&state);
        let ended = state["rekey"] == Value::Null;
        let locked = drives(&state).into_iter().filter_map(|(id, why)| Some((id, why?)));
        let locked: Vec<_> = locked.collect();
        let is_steady = (ended && locked.is_empty()) || since.elapsed() > STEADY;
        if starting == 0 && (ended || waiting_for.is_some()) && is_steady {
            return Ok(Quiet { locked, waiting_for });
        }
        if begun.elapsed() > TIMEOUT {
            return Err(format!("never quiet: {waiting_for:?}, {:?}, {state}", fixture.faults()));
        }
        std::thread::sleep(POLL);
    }
}

/// Reads all blocks of the drives that serve. Returns how many blocks could not be read, and what
/// is wrong: other content, or a block that cannot be read and that the damage does not explain.
pub(crate) fn read(fixture: &Fixture, plan: &Plan, quiet: &Quiet) -> (usize, Vec<String>) {
    let (mut unreadable, mut wrong) = (0, Vec::new());
    let suspects = plan.suspects();
    for (drive, _) in drives(&fixture.state()) {
        if quiet.locked.iter().any(|(locked, _)| *locked == drive) {
            continue;
        }
        if read_blocks(fixture, drive, 0..BLOCKS).is_ok() {
            continue;
        }
        let suspect = suspects.get(&drive).cloned().unwrap_or(0..0);
        for range in [0..suspect.start, suspect.end..BLOCKS] {
            wrong.extend(read_blocks(fixture, drive, range).err());
        }
        let written = WRITTEN.into_iter().flatten();
        let looked = suspect.clone().take(3).chain(suspect.clone().skip(3).step_by(50));
        let mut looked: Vec<u64> =
            looked.chain(written).filter(|lba| suspect.contains(lba)).collect();
        looked.sort_unstable();
        looked.dedup();
        for lba in looked {
            match read_blocks(fixture, drive, lba..lba + 1) {
                Ok(()) => {}
                Err(error) if error.contains(OTHER) => wrong.push(error),
                Err(_) => unreadable += 1,
            }
        }
        if unreadable == 0 && wrong.is_empty() {
            wrong.push(format!("drive {drive} cannot be read as a whole, and each block can"));
        }
    }
    (unreadable, wrong)
}

const OTHER: &str = "other data";

/// Whether these blocks read as they were written last.
fn read_blocks(fixture: &Fixture, drive: u64, range: std::ops::Range<u64>) -> Result<(), String> {
    if range.is_empty() {
        return Ok(());
    }
    let (from, count) = (range.start, range.end - range.start);
    let path = format!("/sim/v1/drives/{drive}/blocks/{from}?count={count}");
    let answer = fixture.cluster.send("GET", &path, "").map_err(|error| {
        format!("drive {drive}, {count} blocks from {from}: {OTHER}, or no answer: {error}")
    })?;
    match answer.status {
        200 if answer.body == contents::blocks(drive, range, Version::Last) => Ok(()),
        200 => Err(format!("drive {drive} has {OTHER} in {count} blocks from {from}")),
        status => Err(format!("drive {drive} answers {status} from {from}: {}", answer.body)),
    }
}

/// Whether a fault names one of the files.
pub(crate) fn is_named(texts: &[String], plan: &Plan) -> bool {
    let files = plan.files();
    files.iter().any(|file| texts.iter().any(|text| text.contains(file.to_str().unwrap())))
}

/// The keys that are in use are where they should be, and active.
pub(crate) fn keys_in_use(fixture: &Fixture) -> Vec<String> {
    let state = fixture.state();
    let keys = state["masterKeys"].as_array().unwrap();
    let mut wrong = Vec::new();
    for key in keys.iter().filter(|key| key["state"] == json!("inUse")) {
        let key_id = key["keyID"].as_str().unwrap();
        let Some(server) = key["keyProviderID"].as_u64() else { continue };
        let living = fixture.living(usize::try_from(server).unwrap());
        if living.get(key_id) != Some(&KeyState::Active) {
            wrong.push(format!("master key {key_id} is in use, and {living:?} at its server"));
        }
    }
    wrong
}

/// What is not as it must be once nothing is damaged: no drive is locked, no rekey runs, no fault
/// is left, all data reads, and one master key lives.
pub(crate) fn settled(fixture: &Fixture) -> Vec<String> {
    let mut wrong = until_none(|| {
        let (state, faults) = (fixture.state(), fixture.faults());
        let is_settled = state["unlocked"] == json!(true)
            && state["rekey"] == Value::Null
            && state["masterKeys"].as_array().unwrap().len() == 1
            && faults.is_empty();
        if is_settled { Vec::new() } else { vec![format!("not settled: {faults:?}, {state}")] }
    });
    for (drive, _) in drives(&fixture.state()) {
        wrong.extend(read_blocks(fixture, drive, 0..BLOCKS).err());
    }
    let (location, key_id) = current(&fixture.state());
    for server in [A, B] {
        let here = location == Location::External(server);
        let expected = here.then(|| (key_id.clone(), KeyState::Active)).into_iter().collect();
        let living = fixture.living(server);
        if living != expected {
            wrong.push(format!("server {server} has {living:?} in place of {expected:?}"));
        }
    }
    let expected = if location == Location::Internal { NODES } else { 0 };
    wrong.extend(until_none(|| {
        let shares: usize = (1..=NODES).map(|node| shares(fixture, node)).sum();
        let found = || format!("{shares} shares in place of {expected}");
        if shares == expected { Vec::new() } else { vec![found()] }
    }));
    wrong
}

fn shares(fixture: &Fixture, node: usize) -> usize {
    let folder = fixture.cluster.data().join(format!("node-{node}/shares"));
    folder.read_dir().map_or(0, Iterator::count)
}

/// Looks until nothing is wrong, for a limited time.
pub(crate) fn until_none(look: impl Fn() -> Vec<String>) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let wrong = look();
        if wrong.is_empty() || begun.elapsed() > PASSING {
            return wrong;
        }
        std::thread::sleep(POLL);
    }
}
