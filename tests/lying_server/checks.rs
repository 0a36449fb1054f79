//! What holds whatever a key server answers, and what holds when its answers are true again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::{A, B, Case, Location};
use crate::fixture::{Fixture, TIMEOUT, drives};
use crate::outcome::Outcome;
use crate::quiet::current;

/// How long what is wrong may last: a rekey goes on, a key is destroyed in the background.
const PASSING: Duration = Duration::from_secs(20);

/// Between two looks at the cluster.
const POLL: Duration = Duration::from_millis(20);

/// A rekey under observation.
pub(crate) struct Rekey {
    /// Its asynchronous result.
    pub(crate) handle: Value,
    /// The `keyID` of the key that it replaces.
    pub(crate) old_key: String,
    /// The event that was the last before it began.
    pub(crate) events_from: u64,
}

/// What is not as it must be, while the answers may be changed.
pub(crate) fn invariants(fixture: &Fixture, case: &Case, rekey: &Rekey) -> Vec<String> {
    let mut wrong = Vec::new();
    wrong.extend(data(fixture));
    wrong.extend(claims(fixture, case, rekey));
    // A rekey that goes on changes what is compared here.
    wrong.extend(until_none(|| keys(fixture)));
    // Under changed answers as well: a rekey that waits, or drives that are locked.
    wrong.extend(fixture.cluster.disagreements());
    wrong
}

/// Every drive that serves reads as it was written.
fn data(fixture: &Fixture) -> Vec<String> {
    let serving = drives(&fixture.state()).into_iter().filter(|(_, locked)| locked.is_none());
    serving.filter_map(|(drive, _)| fixture.reads_right(drive).err()).collect()
}

/// What the result and the events report as destroyed, or as not created, is so.
fn claims(fixture: &Fixture, case: &Case, rekey: &Rekey) -> Vec<String> {
    let mut wrong = Vec::new();
    let result = fixture.async_result(&rekey.handle);
    if matches!(Outcome::of(&result), Some((Outcome::Success, _)))
        && !is_destroyed(fixture, case.direction.start(), &rekey.old_key)
    {
        wrong.push(format!("the rekey says that {} is destroyed; it is not", rekey.old_key));
    }
    let (events, _) = fixture.events_after(rekey.events_from);
    let named = |message: &str, end: &str| {
        let key_id = message.strip_prefix("Master key ")?.strip_suffix(end)?;
        Some(key_id.to_owned())
    };
    for message in events {
        let gone = named(&message, " is destroyed");
        let never = named(&message, " was not created");
        if let Some(key_id) = gone.or(never)
            && [A, B]
                .iter()
                .any(|server| fixture.key_server(*server).living().contains_key(&key_id))
        {
            wrong.push(format!("an event says {message:?}; the key lives"));
        }
    }
    wrong
}

/// Whether a key that was here is destroyed.
fn is_destroyed(fixture: &Fixture, location: Location, key_id: &str) -> bool {
    match location {
        Location::External(server) => {
            let server = fixture.key_server(server);
            !server.living().contains_key(key_id) && server.has_destroyed(key_id)
        }
        Location::Internal => (1..=2).all(|node| {
            let share = format!("node-{node}/shares/{key_id}.json");
            !fixture.cluster.data().join(share).exists()
        }),
    }
}

/// Keys that are needed live, and the cluster knows of every key that lives, by a fault or a rekey.
fn keys(fixture: &Fixture) -> Vec<String> {
    let (state, faults) = (fixture.state(), fixture.faults());
    let known = state["masterKeys"].as_array().unwrap();
    let mut wrong = Vec::new();
    for server in [A, B] {
        let living = fixture.key_server(server).living();
        let here = |key: &&Value| key["keyProviderID"] == json!(server);
        for key in known.iter().filter(here).filter(|key| key["state"] == json!("inUse")) {
            let key_id = key["keyID"].as_str().unwrap();
            if !living.contains_key(key_id) {
                wrong.push(format!("master key {key_id} is in use, and is not at server {server}"));
            }
        }
        for key_id in living.keys() {
            let record = known.iter().filter(here).find(|key| key["keyID"] == json!(key_id));
            let is_reported = state["rekey"] != Value::Null
                || faults.iter().any(|fault| fault.contains(key_id.as_str()));
            match record {
                None => {
                    wrong.push(format!("master key {key_id} lives at server {server}, unknown"))
                }
                Some(key) if key["current"] != json!(true) && !is_reported => {
                    wrong.push(format!("{key_id} lives at server {server}, without a fault"));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}

/// Waits, after a restart under changed answers, until every drive serves or is locked with a
/// fault; returns the number of locked drives and the faults.
pub(crate) fn settled_under_lies(fixture: &Fixture) -> Result<(usize, Vec<String>), String> {
    let begun = Instant::now();
    loop {
        let drives = drives(&fixture.state());
        let locked: Vec<_> = drives.iter().filter_map(|(_, reason)| reason.as_deref()).collect();
        let faults = fixture.faults();
        let is_starting = locked.iter().any(|reason| !reason.starts_with("node "));
        if locked.is_empty() || (!is_starting && !faults.is_empty()) {
            return Ok((locked.len(), faults));
        }
        if begun.elapsed() > TIMEOUT {
            return Err(format!("locked without a fault: {locked:?}, {faults:?}"));
        }
        std::thread::sleep(POLL);
    }
}

/// What is not as it must be once all answers are true: no drive is locked, no rekey runs, no fault
/// is left, and one master key lives, which is the current one.
pub(crate) fn settled(fixture: &Fixture) -> Vec<String> {
    let mut wrong = until_none(|| {
        let (state, faults) = (fixture.state(), fixture.faults());
        let is_settled = state["unlocked"] == json!(true)
            && state["rekey"] == Value::Null
            && state["masterKeys"].as_array().unwrap().len() == 1
            && faults.is_empty();
        let unsettled = || format!("not settled: {faults:?}, {state}");
        if is_settled { Vec::new() } else { vec![unsettled()] }
    });
    wrong.extend(drives(&fixture.state()).into_iter().filter_map(|(drive, locked)| {
        let locked = locked.map(|reason| format!("drive {drive} is locked: {reason}"));
        locked.or_else(|| fixture.reads_right(drive).err())
    }));
    let (location, key_id) = current(&fixture.state());
    for server in [A, B] {
        let here = location == Location::External(server);
        let expected: Vec<_> = here.then(|| key_id.clone()).into_iter().collect();
        let living: Vec<_> = fixture.key_server(server).living().into_keys().collect();
        if living != expected {
            wrong.push(format!("server {server} has {living:?} in place of {expected:?}"));
        }
    }
    wrong.extend(fixture.cluster.disagreements());
    wrong
}

/// Looks until nothing is wrong, for a limited time.
fn until_none(look: impl Fn() -> Vec<String>) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let wrong = look();
        if wrong.is_empty() || begun.elapsed() > PASSING {
            return wrong;
        }
        std::thread::sleep(POLL);
    }
}
