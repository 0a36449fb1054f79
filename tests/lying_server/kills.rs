//! Seeded rounds of rekeys while the proxies change answers at random, and the cluster and the key
//! servers are killed.
//!
//! ```text
//! settled --> rules on both proxies --> the cluster starts, to die at its n-th durable step
//!             --> a rekey; a key server dies at its m-th message, twice --> starts, rules removed
//!             --> settled: every block reads, one master key lives, and no other is anywhere
//! ```
//!
//! A sample by default, with `SOAK=1` 200 rounds. `KILLS_SEED` repeats a run.

use harness::{Random, rounds, seed};
use node_sim::testing::CRASH_VARIABLE;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use crate::case::{A, B, Location};
use crate::checks;
use crate::fixture::{Fixture, TIMEOUT};
use crate::quiet::current;

/// Rounds of a sample: what two cores do within half a minute.
const SAMPLE: usize = 12;
/// Rounds of a soak.
const SOAK: usize = 200;

/// A rekey has about so many durable steps.
const STEPS: usize = 160;
/// Messages at a key server during a rekey, with those that are repeated.
const MESSAGES: usize = 60;

/// Between two looks at a rekey.
const POLL: Duration = Duration::from_millis(5);
/// A rekey that waits longer than this, under faults, goes on when they are removed.
const UNDER_FAULTS: Duration = Duration::from_secs(3);

/// Name of the rule that changes nothing and counts all messages.
const COUNTING: &str = "count";

#[test]
fn kills_under_changed_answers_lose_no_block_and_leave_one_master_key() {
    let seed = seed("KILLS_SEED");
    let mut fixture = Fixture::new();
    let (mut died, mut killed, mut fired, mut ends) = (0, 0, 0, [0; 3]);
    for round in 0..rounds(SAMPLE, SOAK) {
        let mut plan = Plan::new(Random::new(seed, round), &fixture);
        let told = plan.run(&mut fixture);
        let wrong = checks::settled(&fixture);
        assert!(wrong.is_empty(), "KILLS_SEED={seed}, round {round}: {plan:?}\n{wrong:#?}");
        died += told.died;
        killed += told.killed;
        fired += told.fired;
        ends[usize::from(current(&fixture.state()).0 == plan.to)] += 1;
        ends[2] += usize::from(!told.accepted);
    }
    let [back, there, refused] = ends;
    println!(
        "KILLS_SEED={seed}: the cluster died {died} times and a key server {killed} times, {fired} \
         answers were changed; {there} rekeys were completed, {back} not, {refused} of these were \
         not accepted"
    );
    assert!(died > 0 && killed > 0 && fired > 0, "nothing was killed or changed");
    assert!(there > 0, "no rekey came to its end");
}

/// What a round does, all from its seed.
#[derive(Debug)]
struct Plan {
    to: Location,
    rules: Vec<(usize, Value)>,
    /// Durable steps of the cluster's lives at which it dies.
    deaths: Vec<usize>,
    /// Key servers that die, each at its so manyth message.
    kills: Vec<(usize, u64)>,
}

/// What came of a round.
#[derive(Default)]
struct Told {
    accepted: bool,
    died: usize,
    killed: usize,
    fired: u64,
}

impl Plan {
    fn new(mut random: Random, fixture: &Fixture) -> Self {
        let from = current(&fixture.state()).0;
        let places = [Location::Internal, Location::External(A), Location::External(B), from];
        let to = places[random.below(places.len())];
        let rules = (0..random.below(6)).map(|number| rule(&mut random, number)).collect();
        let deaths = (0..random.below(3)).map(|_| 1 + random.below(STEPS)).collect();
        let mut kill = || ([A, B][random.below(2)], 1 + random.below(MESSAGES));
        let kills = [kill(), kill()].map(|(server, message)| (server, message.try_into().unwrap()));
        Self { to, rules, deaths, kills: kills.into() }
    }

    fn run(&mut self, fixture: &mut Fixture) -> Told {
        let mut told = Told::default();
        for server in [A, B] {
            let never = json!({ "name": COUNTING, "from": u32::MAX, "action": { "reset": {} } });
            fixture.proxy(server).add_rule(&never);
        }
        for (server, rule) in &self.rules {
            fixture.proxy(*server).add_rule(rule);
        }
        let mut deaths = self.deaths.iter();
        let mut kills = self.kills.clone();
        let mut handle = None;
        loop {
            let alive = match deaths.next() {
                None => fixture.cluster.try_restart_with(|program| program),
                Some(step) => {
                    let step = step.to_string();
                    fixture.cluster.try_restart_with(|it| it.env(CRASH_VARIABLE, step.clone()))
                }
            };
            if alive && handle.is_none() {
                handle = fixture.try_start_rekey(self.to);
                told.accepted = handle.is_some();
            }
            let ended = alive && self.watch(fixture, handle.as_ref(), &mut kills, &mut told);
            if ended {
                break;
            }
            told.died += 1;
        }
        told.fired = self
            .rules
            .iter()
            .map(|(server, rule)| fixture.proxy(*server).fired(rule["name"].as_str().unwrap()))
            .sum();
        fixture.remove_rules();
        fixture.restart_cluster();
        told
    }

    /// Kills key servers at their messages, until the rekey has ended, has waited for long under
    /// faults, or the cluster has died; returns false if it died.
    fn watch(
        &self,
        fixture: &mut Fixture,
        handle: Option<&Value>,
        kills: &mut Vec<(usize, u64)>,
        told: &mut Told,
    ) -> bool {
        let begun = Instant::now();
        loop {
            while let Some(due) = kills
                .iter()
                .position(|(server, message)| fixture.proxy(*server).matched(COUNTING) >= *message)
            {
                let (server, _) = kills.swap_remove(due);
                fixture.kill_key_server(server);
                told.killed += 1;
            }
            let Some(handle) = handle else { return fixture.try_async_result(&json!(1)).is_some() };
            let Some(result) = fixture.try_async_result(handle) else {
                assert!(fixture.cluster.process().wait(TIMEOUT).is_some(), "silent, but alive");
                return false;
            };
            if result["result"]["status"] == json!("complete") || begun.elapsed() > UNDER_FAULTS {
                return true;
            }
            std::thread::sleep(POLL);
        }
    }
}

/// A rule of one of the proxies, at random.
fn rule(random: &mut Random, number: usize) -> (usize, Value) {
    let actions = [
        json!({ "delay": { "ms": 1 + random.below(400), "at": "response" } }),
        json!({ "delay": { "ms": 1 + random.below(400), "at": "request" } }),
        json!({ "drop": { "at": "request" } }),
        json!({ "drop": { "at": "response" } }),
        json!({ "reset": {} }),
        json!({ "fail": { "reason": "General Failure" } }),
        json!({ "fail": { "reason": "Item Not Found" } }),
        json!({ "fail": { "reason": "Permission Denied" } }),
        json!({ "key-bytes": { "how": "flip-bit" } }),
        json!({ "succeed": {} }),
    ];
    let operations =
        ["Create", "Activate", "Locate", "Get", "GetAttributes", "Revoke", "Destroy", "Query"];
    let action = &actions[random.below(actions.len())];
    let mut rule = json!({
        "name": format!("fault-{number}"),
        "times": 1 + random.below(6),
        "probability": 0.25 + 0.25 * f64::from(u8::try_from(random.below(4)).unwrap()),
        "seed": random.below(1 << 30),
        "action": action,
    });
    let operation = operations[random.below(operations.len())];
    if action.get("key-bytes").is_some() {
        rule["operation"] = json!("Get");
    } else if random.below(2) == 0 {
        rule["operation"] = json!(operation);
    }
    ([A, B][random.below(2)], rule)
}
