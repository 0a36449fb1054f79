//! SIGKILL of the cluster at each durable step of a rekey, from its start to its end.
//!
//! ```text
//! step 1       step 2       step 3       ...       step n
//! start, die   start, die   start, die             start, rekey, at rest: no n-th step is left
//! start        start        start
//! at rest      at rest      at rest
//! ```
//!
//! Each round begins where the last ended: at rest, so it needs no preparation of its own.

use node_sim::testing::CRASH_VARIABLE;
use serde_json::{Value, json};
use std::time::Duration;

use crate::fixture::{Fixture, KeyLocation, TIMEOUT, params};

/// Who kills itself is gone within this.
const DEATH: Duration = Duration::from_secs(10);

/// A rekey has more durable steps than this, and fewer than that.
const STEPS: std::ops::Range<u32> = 20..200;

#[test]
fn sigkill_at_any_step_from_internal_to_external_and_back_loses_nothing() {
    every_step(&[KeyLocation::External(1), KeyLocation::Internal], 2);
}

#[test]
fn sigkill_at_any_step_from_one_key_server_to_the_other_loses_nothing() {
    every_step(&[KeyLocation::External(2), KeyLocation::External(1)], 1);
}

/// Leads the cluster round these places, dying at step 1, at step 2, until no step is left; with
/// each step so many times.
fn every_step(places: &[KeyLocation], rekeys_per_step: usize) {
    let mut fixture = Fixture::new(2, 2);
    let home = *places.last().unwrap();
    if home != KeyLocation::Internal {
        fixture.rekey(home);
    }
    let mut key_id = fixture.assert_settled(home);
    let mut round = places.iter().cycle();
    for step in 1..STEPS.end {
        let mut deaths = 0;
        for location in round.by_ref().take(rekeys_per_step) {
            let died;
            (died, key_id) = dies_and_recovers(&mut fixture, &key_id, *location, step);
            deaths += u32::from(died);
        }
        if deaths == 0 {
            assert!(STEPS.contains(&step), "only {step} steps");
            return;
        }
    }
    panic!("no end after {} steps", STEPS.end);
}

/// Starts the cluster so that it dies at this step, and a rekey; then starts it once more. Whether
/// it died, and the new key.
fn dies_and_recovers(
    fixture: &mut Fixture,
    old: &str,
    to: KeyLocation,
    step: u32,
) -> (bool, String) {
    let ready = fixture.cluster.try_restart_with(|it| it.env(CRASH_VARIABLE, step.to_string()));
    let accepted = if ready { try_rekey(fixture, to) } else { None };
    let died = accepted.as_ref().is_none_or(|handle| dies_before(fixture, handle));
    if died && ready {
        assert!(
            fixture.cluster.process().wait(DEATH).is_some(),
            "step {step}: no answer, but alive"
        );
    }
    // Also when it did not die: what lasts is on the disk and not in memory.
    fixture.cluster.restart();
    let state = fixture.state();
    let begun = state["rekey"] != Value::Null || current(&state) != old;
    assert!(begun || accepted.is_none(), "step {step}: a rekey that was accepted is forgotten");
    if !begun {
        fixture.start_rekey(to);
    }
    fixture.cluster.until("the rekey goes on by itself and ends", TIMEOUT, |_| {
        (fixture.state()["rekey"] == Value::Null).then_some(())
    });
    if let Some(handle) = &accepted {
        fixture.finished(handle);
    }
    let new = fixture.assert_settled(to);
    assert_ne!(new, old, "step {step}");
    (died, new)
}

/// The id of the present master key in this state.
fn current(state: &Value) -> &str {
    let mut keys = state["masterKeys"].as_array().unwrap().iter();
    let current = keys.find(|key| key["current"] == json!(true)).unwrap();
    current["keyID"].as_str().unwrap()
}

/// Asks for a rekey; nothing, when nobody answers any more.
fn try_rekey(fixture: &Fixture, to: KeyLocation) -> Option<Value> {
    let answer =
        fixture.cluster.post("RekeySoftwareEncryptionAtRestMasterKey", &params(to)).ok()?;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert!(answer.get("error").is_none(), "{answer}");
    Some(answer["result"]["asyncHandle"].clone())
}

/// Whether the cluster goes silent before the rekey has ended.
fn dies_before(fixture: &Fixture, handle: &Value) -> bool {
    let params = json!({ "asyncHandle": handle, "keepResult": true });
    fixture.cluster.until("the rekey's end or the cluster's", TIMEOUT, |cluster| {
        let Ok(answer) = cluster.post("GetAsyncResult", &params) else { return Some(true) };
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        (answer["result"]["status"] == json!("complete")).then_some(false)
    })
}
