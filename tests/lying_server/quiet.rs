//! Rekeys without a changed answer: how many calls of each operation they make, and how many of
//! them before every node has proved the new key.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::case::{Case, Direction, Frequency, Location, Operation, Phase};
use crate::fixture::{Fixture, TIMEOUT};
use crate::lie::{Lie, counting_rule};

/// Calls of an operation at a key server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Calls {
    /// Those before the last proof of the new key.
    before_proof: u64,
    /// All of the rekey.
    total: u64,
}

/// Calls of each direction, key server and operation.
pub(crate) type Counts = BTreeMap<(Direction, usize, Operation), Calls>;

/// Moves the master key to this location, if it is elsewhere.
pub(crate) fn bring_to(fixture: &Fixture, location: Location) {
    if current(&fixture.state()).0 != location {
        finish(fixture, &fixture.start_rekey(location));
    }
}

/// Location and `keyID` of the current master key.
pub(crate) fn current(state: &Value) -> (Location, String) {
    let keys = state["masterKeys"].as_array().unwrap().iter();
    let current: Vec<_> = keys.filter(|key| key["current"] == json!(true)).collect();
    assert_eq!(current.len(), 1, "{state}");
    let location = match current[0]["keyProviderID"].as_u64() {
        None => Location::Internal,
        Some(id) => Location::External(usize::try_from(id).unwrap()),
    };
    (location, current[0]["keyID"].as_str().unwrap().to_owned())
}

fn finish(fixture: &Fixture, handle: &Value) {
    let ended = fixture.cluster.completed(handle, TIMEOUT);
    assert_eq!(ended["result"]["state"], json!("Ready"), "{ended}");
    assert_eq!(ended["result"]["warning"], Value::Null, "{ended}");
}

/// Counts the calls of every direction. On a busy machine an answer may come too late, and be asked
/// for again; the smaller number of two rekeys is taken.
pub(crate) fn count(fixture: &Fixture) -> Counts {
    let mut counts = Counts::new();
    for direction in Direction::ALL {
        let (first, second) = (one_rekey(fixture, direction), one_rekey(fixture, direction));
        for (place, calls) in first {
            let other = second[&place];
            let fewer = if other.total < calls.total { other } else { calls };
            counts.insert(place, fewer);
        }
    }
    counts
}

fn one_rekey(fixture: &Fixture, direction: Direction) -> Counts {
    bring_to(fixture, direction.start());
    let places = || {
        let servers = direction.servers().iter();
        servers.flat_map(|server| Operation::ALL.map(|operation| (*server, operation)))
    };
    for (server, operation) in places() {
        fixture.proxy(server).add_rule(&counting_rule(operation));
    }
    let matched = || -> Vec<u64> {
        let count = |(server, operation): (usize, Operation)| {
            fixture.proxy(server).matched(operation.name())
        };
        places().map(count).collect()
    };
    fixture.stop_rekeys_before(&json!("DecommissionOldMasterKey"));
    let handle = fixture.start_rekey(direction.end());
    fixture.cluster.until("the rekey stops", TIMEOUT, |_| {
        let details = &fixture.async_result(&handle)["details"];
        (details["stoppedBefore"] != Value::Null).then_some(())
    });
    let before_proof = matched();
    fixture.stop_rekeys_before(&Value::Null);
    finish(fixture, &handle);
    let total = matched();
    fixture.remove_rules();
    let calls = before_proof.into_iter().zip(total);
    let calls = calls.map(|(before_proof, total)| Calls { before_proof, total });
    let places = places().map(|(server, operation)| (direction, server, operation));
    places.zip(calls).filter(|(_, calls)| calls.total > 0).collect()
}

/// Every case: each call of a quiet rekey, and one more than there are.
pub(crate) fn all_cases(counts: &Counts) -> Vec<Case> {
    let mut cases = Vec::new();
    for ((direction, server, operation), calls) in counts {
        for lie in Lie::ALL.into_iter().filter(|lie| lie.concerns(*operation)) {
            for frequency in Frequency::ALL {
                cases.extend((1..=calls.total + 1).map(|k| Case {
                    direction: *direction,
                    server: *server,
                    operation: *operation,
                    lie,
                    frequency,
                    k,
                    phase: match k {
                        _ if k <= calls.before_proof => Phase::BeforeProof,
                        _ if k <= calls.total => Phase::AfterProof,
                        _ => Phase::AfterEnd,
                    },
                }));
            }
        }
    }
    cases
}
