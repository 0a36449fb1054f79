//! One case: a rekey under changed answers, the checks, and the way back to true answers.

use serde_json::json;

use crate::case::{Case, Frequency, Location};
use crate::checks::{self, Rekey};
use crate::fixture::{Fixture, TIMEOUT};
use crate::lie::{self, RULE};
use crate::outcome::{self, Outcome};
use crate::quiet::{bring_to, current};

/// What came of a case.
pub(crate) struct Round {
    pub(crate) case: Case,
    /// How the rekey ended; none if the case could not be brought to an end.
    pub(crate) outcome: Option<Outcome>,
    /// Drives that were locked after a restart under changed answers.
    pub(crate) locked: usize,
    wrong: Vec<String>,
}

impl Round {
    /// A case whose test stopped, with what it said.
    pub(crate) fn stopped(case: Case, reason: String) -> Self {
        Self { case, outcome: None, locked: 0, wrong: vec![reason] }
    }

    /// What was not as it must be, each with the name of the case.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.wrong.iter().map(|wrong| format!("{}: {wrong}", self.case)).collect()
    }

    /// Whether everything was as it must be.
    pub(crate) fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// Runs a case on a settled cluster, which is settled again afterwards if the case is right.
pub(crate) fn run(fixture: &mut Fixture, case: Case) -> Round {
    bring_to(fixture, case.direction.start());
    let (_, old_key) = current(&fixture.state());
    let (_, events_from) = fixture.events_after(0);
    fixture.proxy(case.server).add_rule(&lie::rule(&case));
    let handle = fixture.start_rekey(case.direction.end());
    let rekey = Rekey { handle, old_key, events_from };
    let mut round = Round { case, outcome: None, locked: 0, wrong: Vec::new() };
    match outcome::wait_for(fixture, &case, &rekey.handle) {
        Err(wrong) => round.wrong.push(wrong),
        Ok((outcome, text)) => {
            round.outcome = Some(outcome);
            round.check_text(outcome, &text);
        }
    }
    if case.must_fire() && fixture.proxy(case.server).fired(RULE) == 0 {
        round.wrong.push("no answer was changed".to_owned());
    }
    round.wrong.extend(checks::invariants(fixture, &case, &rekey));
    if case.frequency == Frequency::Always {
        round.restart_under_lies(fixture, &rekey);
    }
    fixture.remove_rules();
    fixture.restart_cluster();
    if case.needs_operator() {
        forget_new_key(fixture);
    }
    round.wrong.extend(checks::settled(fixture));
    round.wrong.extend(checks::invariants(fixture, &case, &rekey));
    round.check_location(fixture, &rekey);
    round
}

/// Takes the key that was never created off the ledger, as an operator does who has looked at the
/// key server.
fn forget_new_key(fixture: &Fixture) {
    let key_id = fixture.cluster.until("the fault of the new key", TIMEOUT, |_| {
        let state = fixture.state();
        let keys = state["masterKeys"].as_array().unwrap().iter();
        let retired: Vec<_> = keys.filter(|key| key["state"] == json!("retired")).collect();
        let key_id = retired.first()?["keyID"].as_str()?.to_owned();
        fixture.faults().iter().any(|fault| fault.contains(&key_id)).then_some(key_id)
    });
    let path = format!("/sim/v1/master-keys/{key_id}/forget");
    let answer = fixture.cluster.send("POST", &path, "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

impl Round {
    /// What explains the outcome names the cause.
    fn check_text(&mut self, outcome: Outcome, text: &str) {
        if outcome != Outcome::Success && !self.case.lie.is_named_in(text) {
            self.wrong.push(format!("{} does not name the cause: {text:?}", outcome.name()));
        }
    }

    /// Drives that cannot be unlocked under the changed answers are locked, with a fault that names
    /// the cause.
    fn restart_under_lies(&mut self, fixture: &mut Fixture, rekey: &Rekey) {
        fixture.restart_cluster();
        match checks::settled_under_lies(fixture) {
            Err(wrong) => self.wrong.push(wrong),
            Ok((locked, faults)) => {
                self.locked = locked;
                if locked > 0 && !faults.iter().any(|fault| self.case.lie.is_named_in(fault)) {
                    self.wrong.push(format!("no fault names the cause: {faults:?}"));
                }
            }
        }
        self.wrong.extend(checks::invariants(fixture, &self.case, rekey));
    }

    /// The current key is where the result says.
    fn check_location(&mut self, fixture: &Fixture, rekey: &Rekey) {
        let (location, key_id) = current(&fixture.state());
        let direction = self.case.direction;
        let ended = Outcome::of(&fixture.async_result(&rekey.handle)).map(|(outcome, _)| outcome);
        let before = self.outcome.filter(|outcome| *outcome != Outcome::Waits);
        if before.is_some() && before != ended {
            self.wrong.push(format!("the result changed from {before:?} to {ended:?}"));
        }
        let (expected, is_old): (Location, bool) = match ended {
            Some(Outcome::Error) => (direction.start(), true),
            Some(Outcome::Success | Outcome::NotConfirmed) => (direction.end(), false),
            Some(Outcome::Waits) | None => {
                self.wrong.push("the rekey does not end when all answers are true".to_owned());
                return;
            }
        };
        if (location, key_id == rekey.old_key) != (expected, is_old) {
            self.wrong.push(format!("{ended:?}, and the current key is {key_id} at {location:?}"));
        }
    }
}
