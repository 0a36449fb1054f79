//! What holds whatever was changed, and what holds when the change is taken back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::{A, B, Case, Location};
use crate::change::Access;
use crate::fixture::{Fixture, current, drives};
use crate::progress::{Outcome, Rekey};

/// How long what is wrong may last: a rekey goes on, a key is destroyed in the background.
const PASSING: Duration = Duration::from_secs(20);

/// Between two looks at the cluster.
const POLL: Duration = Duration::from_millis(20);

/// What is not as it must be at a halt.
pub(crate) fn invariants(fixture: &Fixture, case: &Case, rekey: &Rekey) -> Vec<String> {
    let mut wrong = data(fixture);
    wrong.extend(claims(fixture, case, rekey));
    // A rekey that goes on changes what is compared here.
    wrong.extend(until_none(|| keys(fixture)));
    fixture.cluster.assert_agreement();
    wrong
}

/// Every drive that serves reads as it was written.
fn data(fixture: &Fixture) -> Vec<String> {
    let state = fixture.state();
    let serving = drives(&state).into_iter().filter(|(_, drive)| drive["state"] == json!("active"));
    serving.filter_map(|(drive, _)| fixture.reads_right(drive).err()).collect()
}

/// What the result and the events report as destroyed, or as not created, is so.
fn claims(fixture: &Fixture, case: &Case, rekey: &Rekey) -> Vec<String> {
    let mut wrong = Vec::new();
    let outcome = rekey.handle.as_ref().and_then(|it| Outcome::of(&fixture.async_result(it)));
    let (events, _) = fixture.events_after(rekey.events_from);
    // Another rekey may have followed, to take the change back.
    let complete = events.iter().find(|event| event.starts_with("The rekey of the master key is"));
    let says_destroyed = complete.is_some_and(|it| it.ends_with("old master key is destroyed."));
    if outcome.is_some() && outcome != Some(Outcome::Error) && complete.is_none() {
        wrong.push("the rekey is complete, without an event".to_owned());
    }
    if (outcome == Some(Outcome::Success) || says_destroyed)
        && !is_destroyed(fixture, case.route.start, &rekey.old_key)
    {
        wrong.push(format!("the rekey says that {} is destroyed; it is not", rekey.old_key));
    }
    let says_not_confirmed = complete.is_some_and(|it| it.contains("is not confirmed"));
    if (outcome == Some(Outcome::NotConfirmed)) != says_not_confirmed {
        wrong.push(format!("the result says {outcome:?}, and the event {complete:?}"));
    }
    let living: BTreeSet<_> = [A, B].iter().flat_map(|it| fixture.hosts(*it).living()).collect();
    for message in events {
        let ends = [" is destroyed", " was not created"];
        let key_id = message.strip_prefix("Master key ");
        let key_id = key_id.and_then(|rest| ends.iter().find_map(|end| rest.strip_suffix(end)));
        if key_id.is_some_and(|key_id| living.contains(key_id)) {
            wrong.push(format!("an event says {message:?}; the key lives"));
        }
    }
    wrong
}

/// Whether a key that was here is destroyed.
fn is_destroyed(fixture: &Fixture, location: Location, key_id: &str) -> bool {
    match location {
        Location::External(provider) => {
            let hosts = fixture.hosts(provider);
            !hosts.living().iter().any(|living| living == key_id) && hosts.has_destroyed(key_id)
        }
        Location::Internal => (1..=crate::fixture::NODES).all(|node| {
            let share = format!("node-{node}/shares/{key_id}.json");
            !fixture.cluster.data().join(share).exists()
        }),
    }
}

/// Keys that are in use live, and the cluster knows of every key that lives, by a fault or a rekey.
fn keys(fixture: &Fixture) -> Vec<String> {
    let (state, faults) = (fixture.state(), fixture.faults());
    let known = state["masterKeys"].as_array().unwrap();
    let mut wrong = Vec::new();
    for provider in [A, B] {
        let living = fixture.hosts(provider).living();
        let here = |key: &&Value| key["keyProviderID"] == json!(provider);
        for key in known.iter().filter(here).filter(|key| key["state"] == json!("inUse")) {
            let key_id = key["keyID"].as_str().unwrap();
            if !living.iter().any(|living| living == key_id) {
                wrong.push(format!("{key_id} is in use, and is not at provider {provider}"));
            }
        }
        for key_id in &living {
            let record = known.iter().filter(here).find(|key| key["keyID"] == json!(key_id));
            let is_reported = !state["rekey"].is_null()
                || faults.iter().any(|fault| fault.contains(key_id.as_str()));
            match record {
                None => wrong.push(format!("{key_id} lives at provider {provider}, unknown")),
                Some(key) if key["current"] != json!(true) && !is_reported => {
                    wrong.push(format!("{key_id} lives at provider {provider}, without a fault"));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}

/// After a power cycle: a drive is locked exactly if no key that wraps it is shown to the cluster.
/// Returns how many are, and what is not as it must be.
pub(crate) fn locked(
    fixture: &Fixture,
    changed: usize,
    access: &Access,
) -> Result<usize, Vec<String>> {
    let mut count = 0;
    let wrong = until_none(|| {
        let (wrong, locked) = look_at_locks(fixture, changed, access);
        count = locked;
        wrong
    });
    if wrong.is_empty() { Ok(count) } else { Err(wrong) }
}

fn look_at_locks(fixture: &Fixture, changed: usize, access: &Access) -> (Vec<String>, usize) {
    let (state, original) = (fixture.state(), Access::original());
    let opens = |key_id: &Value| {
        let mut keys = state["masterKeys"].as_array().unwrap().iter();
        let key = keys.find(|key| key["keyID"] == *key_id);
        let provider = key.map(|key| key["keyProviderID"].as_u64());
        provider.is_some_and(|provider| {
            let Some(provider) = provider.and_then(|id| usize::try_from(id).ok()) else {
                return true;
            };
            let used = if provider == changed { access } else { &original };
            let shown = used.shown(fixture.hosts(provider));
            shown.iter().flatten().any(|shown| *key_id == json!(shown))
        })
    };
    let (mut wrong, mut locked) = (Vec::new(), 0);
    for (drive, shown) in drives(&state) {
        let can_open = shown["wrappings"].as_array().unwrap().iter().any(opens);
        let is_right = match (shown["state"].as_str().unwrap(), can_open) {
            ("active", true) => true,
            ("locked", false) => shown["reason"].as_str().is_some_and(|it| it.starts_with("node ")),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("drive {drive} can be opened: {can_open}; it is {shown}"));
        }
        locked += usize::from(!can_open);
    }
    if locked > 0 {
        // Every host is named with its cause.
        let (port, faults) = (fixture.hosts(changed).port(), fixture.faults());
        let names_all = |fault: &String| {
            fault.starts_with("kmipServerFault")
                && access.names.iter().all(|name| fault.contains(&format!("{name}:{port}: ")))
        };
        if !faults.iter().any(names_all) {
            wrong.push(format!("no fault names all of {:?}: {faults:?}", access.names));
        }
    }
    (wrong, locked)
}

/// Once all hosts are there, a destruction that was not confirmed is.
pub(crate) fn confirmed(fixture: &Fixture, rekey: &Rekey) -> Vec<String> {
    let message = format!("Master key {} is destroyed", rekey.old_key);
    let (events, _) = fixture.events_after(rekey.events_from);
    let said = events.iter().filter(|event| **event == message).count();
    if said == 1 { Vec::new() } else { vec![format!("{said} events say: {message}")] }
}

/// What is not as it must be at the end: no drive is locked, no rekey runs, no fault is left, and
/// one master key lives, which is the current one.
pub(crate) fn settled(fixture: &Fixture) -> Vec<String> {
    let mut wrong = until_none(|| {
        let (state, faults) = (fixture.state(), fixture.faults());
        let is_settled = state["unlocked"] == json!(true)
            && state["rekey"].is_null()
            && state["masterKeys"].as_array().unwrap().len() == 1
            && faults.is_empty();
        if is_settled { Vec::new() } else { vec![format!("not settled: {faults:?}, {state}")] }
    });
    let state = fixture.state();
    wrong.extend(drives(&state).into_iter().filter_map(|(it, _)| fixture.reads_right(it).err()));
    let (location, key_id) = current(&state);
    for provider in [A, B] {
        let here = location == Location::External(provider);
        let expected: Vec<_> = here.then(|| key_id.clone()).into_iter().collect();
        let living = fixture.hosts(provider).living();
        if living != expected {
            wrong.push(format!("provider {provider} has {living:?} in place of {expected:?}"));
        }
    }
    if wrong.is_empty() {
        fixture.cluster.assert_agreement();
    }
    wrong
}

/// Looks until nothing is wrong, for a limited time.
fn until_none(mut look: impl FnMut() -> Vec<String>) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let wrong = look();
        if wrong.is_empty() || begun.elapsed() > PASSING {
            return wrong;
        }
        std::thread::sleep(POLL);
    }
}
