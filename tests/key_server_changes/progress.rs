//! A rekey, brought to the moment of a case and on from there.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::{Case, Moment};
use crate::fixture::{Fixture, TIMEOUT, current};
use crate::hosts::Host;

/// Between two looks at a rekey.
const POLL: Duration = Duration::from_millis(10);

/// A rekey that says for so long that it waits, does: one that is refused is given up earlier.
const WAITS: Duration = Duration::from_millis(800);

/// A rekey under observation.
pub(crate) struct Rekey {
    /// Its asynchronous result, once it was asked for.
    pub(crate) handle: Option<Value>,
    /// The `keyID` of the key that it replaces.
    pub(crate) old_key: String,
    /// The event that was the last before it began.
    pub(crate) events_from: u64,
}

/// How a rekey ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The old key is destroyed.
    Success,
    /// The rekey is complete, with the warning that the destruction is not confirmed.
    NotConfirmed,
    /// The rekey was given up.
    Error,
    /// It waits, and says what for.
    Waits,
}

impl Outcome {
    /// The outcome of a rekey that has ended.
    pub(crate) fn of(result: &Value) -> Option<Self> {
        if result["status"] != json!("complete") {
            None
        } else if !result["error"].is_null() {
            Some(Self::Error)
        } else if result["result"]["warning"].is_null() {
            Some(Self::Success)
        } else {
            Some(Self::NotConfirmed)
        }
    }
}

impl Rekey {
    /// Begins the rekey of a case, and brings it to the moment of the case.
    pub(crate) fn begin(fixture: &mut Fixture, case: &Case) -> Self {
        let (_, old_key) = current(&fixture.state());
        let (_, events_from) = fixture.events_after(0);
        let mut rekey = Self { handle: None, old_key, events_from };
        let state = match case.moment {
            Moment::Before => return rekey,
            Moment::BeforeCreation => Some("CreateNewMasterKey"),
            Moment::AfterCreation => Some("RewrapDataEncryptionKeys"),
            Moment::AfterProof | Moment::BeforeDestruction => Some("DecommissionOldMasterKey"),
            Moment::After => None,
        };
        fixture.stop_rekeys_before(state);
        let handle = fixture.start_rekey(case.route.end);
        rekey.handle = Some(handle.clone());
        if state.is_none() {
            let ended = fixture.cluster.completed(&handle, TIMEOUT);
            assert_eq!(Outcome::of(&ended), Some(Outcome::Success), "{ended}");
            return rekey;
        }
        fixture.cluster.until("the rekey stops", TIMEOUT, |_| {
            (!fixture.async_result(&handle)["details"]["stoppedBefore"].is_null()).then_some(())
        });
        if case.moment == Moment::BeforeDestruction {
            fixture.hosts_mut(case.route.changed).0.stop(Host::First);
            fixture.stop_rekeys_before(None);
            fixture.until("the old key waits for its destruction", |state| {
                let keys = state["masterKeys"].as_array().unwrap().iter();
                let mut old = keys.filter(|key| key["keyID"] == json!(rekey.old_key));
                let is_retired = old.any(|key| key["state"] == json!("retired"));
                is_retired && !fixture.async_result(&handle)["details"]["waitingFor"].is_null()
            });
        }
        rekey
    }

    /// Lets the rekey go on, or begin, until it has ended or is seen to wait.
    pub(crate) fn go_on(&mut self, fixture: &Fixture, case: &Case) -> Outcome {
        fixture.stop_rekeys_before(None);
        let start = || fixture.start_rekey(case.route.end);
        let handle = self.handle.get_or_insert_with(start).clone();
        let (begun, mut waits_since) = (Instant::now(), None);
        loop {
            let result = fixture.async_result(&handle);
            if let Some(outcome) = Outcome::of(&result) {
                return outcome;
            }
            if result["details"]["waitingFor"].is_null() {
                waits_since = None;
            } else if waits_since.get_or_insert_with(Instant::now).elapsed() > WAITS {
                return Outcome::Waits;
            }
            assert!(begun.elapsed() < TIMEOUT, "the rekey neither ends nor waits: {result}");
            std::thread::sleep(POLL);
        }
    }
}
