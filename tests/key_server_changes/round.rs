//! One case: a rekey, the change at its moment, a power cycle, the way back, and the checks.

use crate::case::{Case, Change, Location};
use crate::change::ChangedServer;
use crate::checks;
use crate::fixture::{Fixture, TIMEOUT, current};
use crate::progress::{Outcome, Rekey};

/// What was seen in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    /// A change was refused.
    Refused,
    /// Drives were locked after a power cycle.
    Locked,
    /// The rekey was complete, and the destruction of the old key not confirmed.
    NotConfirmed,
    /// The rekey was given up.
    GivenUp,
    /// The rekey waited.
    Waited,
    /// The master key had to be moved before the change could be taken back.
    KeyMoved,
}

impl Seen {
    pub(crate) const ALL: [Self; 6] = [
        Self::Refused,
        Self::Locked,
        Self::NotConfirmed,
        Self::GivenUp,
        Self::Waited,
        Self::KeyMoved,
    ];
}

/// What came of a case.
pub(crate) struct Round {
    pub(crate) case: Case,
    pub(crate) seen: Vec<Seen>,
    wrong: Vec<String>,
}

impl Round {
    /// A case whose test stopped, with what it said.
    pub(crate) fn stopped(case: Case, reason: String) -> Self {
        Self { case, seen: Vec::new(), wrong: vec![reason] }
    }

    /// What was not as it must be, each with the name of the case.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.wrong.iter().map(|wrong| format!("{}: {wrong}", self.case)).collect()
    }

    /// Whether everything was as it must be.
    pub(crate) fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }

    fn see(&mut self, seen: Seen, is_seen: bool) {
        if is_seen {
            self.seen.push(seen);
        }
    }

    /// All steps of the case, up to the first at which something is not as it must be.
    fn steps(&mut self, fixture: &mut Fixture) -> Result<(), Vec<String>> {
        let case = self.case;
        bring_to(fixture, case.route.start);
        let mut server = ChangedServer::new(fixture, case.route.changed);
        server.prepare(fixture, case.change);
        let mut rekey = Rekey::begin(fixture, &case);
        none(fixture.cluster.disagreements())?;
        server.apply(fixture, case.change);
        none(server.take_wrong())?;
        none(checks::invariants(fixture, &case, &rekey))?;
        let outcome = rekey.go_on(fixture, &case);
        self.see(Seen::NotConfirmed, outcome == Outcome::NotConfirmed);
        self.see(Seen::GivenUp, outcome == Outcome::Error);
        self.see(Seen::Waited, outcome == Outcome::Waits);
        if shows_all(case.change) && outcome != Outcome::Success {
            return Err(vec![format!("all keys are shown, and the rekey ends as {outcome:?}")]);
        }
        none(checks::invariants(fixture, &case, &rekey))?;
        self.cycle_power(fixture, &server)?;
        none(checks::invariants(fixture, &case, &rekey))?;
        let is_moved = server.take_back(fixture, case.change);
        self.see(Seen::KeyMoved, is_moved);
        self.see(Seen::Refused, server.refused > 0);
        none(server.take_wrong())?;
        none(checks::settled(fixture))?;
        if outcome == Outcome::NotConfirmed {
            none(checks::confirmed(fixture, &rekey))?;
        }
        none(checks::invariants(fixture, &case, &rekey))?;
        if !is_moved {
            none(check_location(fixture, &case, &rekey, outcome))?;
        }
        self.cycle_power(fixture, &server)?;
        none(checks::settled(fixture))
    }

    /// Cuts the power, and looks which drives come back.
    fn cycle_power(
        &mut self,
        fixture: &Fixture,
        server: &ChangedServer,
    ) -> Result<(), Vec<String>> {
        fixture.power_cycle();
        let locked = checks::locked(fixture, self.case.route.changed, &server.access)?;
        self.see(Seen::Locked, locked > 0);
        Ok(())
    }
}

fn none(wrong: Vec<String>) -> Result<(), Vec<String>> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The current key is where the result says.
fn check_location(fixture: &Fixture, case: &Case, rekey: &Rekey, outcome: Outcome) -> Vec<String> {
    let Some(handle) = &rekey.handle else { return Vec::new() };
    let result = fixture.async_result(handle);
    let Some(ended) = Outcome::of(&result) else {
        return vec![format!("the rekey does not end: {result}")];
    };
    let mut wrong = Vec::new();
    if outcome != Outcome::Waits && outcome != ended {
        wrong.push(format!("the result changed from {outcome:?} to {ended:?}"));
    }
    let is_old = ended == Outcome::Error;
    let expected = if is_old { case.route.start } else { case.route.end };
    let (location, key_id) = current(&fixture.state());
    if (location, key_id == rekey.old_key) != (expected, is_old) {
        wrong.push(format!("{ended:?}, and the current key is {key_id} at {location:?}"));
    }
    wrong
}

/// Runs a case on a settled cluster, which is settled again afterwards if the case is right.
pub(crate) fn run(fixture: &mut Fixture, case: Case) -> Round {
    let mut round = Round { case, seen: Vec::new(), wrong: Vec::new() };
    if let Err(wrong) = round.steps(fixture) {
        round.wrong = wrong;
    }
    round
}

/// Whether the changed server shows the keys that are there.
fn shows_all(change: Change) -> bool {
    matches!(change, Change::OtherName | Change::Moved | Change::SameClient)
}

/// Moves the master key to this location, if it is elsewhere.
fn bring_to(fixture: &Fixture, location: Location) {
    if current(&fixture.state()).0 != location {
        let ended = fixture.cluster.completed(&fixture.start_rekey(location), TIMEOUT);
        assert_eq!(Outcome::of(&ended), Some(Outcome::Success), "{ended}");
    }
}
