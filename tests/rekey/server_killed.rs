//! SIGKILL of the key server between any two messages of a rekey: requests that never came, and
//! answers of what was done that nobody got. And a rekey that is given up there.

use serde_json::{Value, json};

use crate::bench::{Bench, PATIENCE, Place};
use crate::relay::Relay;

/// A rekey has more turns than this, and fewer than that.
const TURNS: std::ops::Range<u64> = 30..300;

/// A bench with a relay before its key server.
fn relayed() -> (Bench, Relay) {
    let mut relay = None;
    let bench = Bench::reached(2, 1, |server| relay.insert(Relay::before(server)).address());
    (bench, relay.unwrap())
}

/// Whether the relay shuts before the rekey has ended.
fn shuts(bench: &Bench, relay: &Relay) -> bool {
    bench.cluster.until("the rekey's end or the relay's", PATIENCE, |_| {
        // Asked in this order: what is shut before the end has told so by then.
        let has_ended = bench.state()["rekey"] == Value::Null;
        match (relay.has_shut(), has_ended) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    })
}

#[test]
fn sigkill_of_the_key_server_at_any_message_of_a_rekey_loses_nothing() {
    let (mut bench, relay) = relayed();
    let place = Place::External(1);
    bench.rekey(place);
    for turn in 1..TURNS.end {
        relay.shut_after(turn);
        let handle = bench.start_rekey(place);
        let was_shut = shuts(&bench, &relay);
        if was_shut {
            bench.servers[0].kill();
            bench.servers[0].restart();
        }
        relay.open();
        bench.finished(&handle);
        bench.assert_settled(place);
        if !was_shut {
            assert!(TURNS.contains(&turn), "only {turn} turns");
            bench.until_no_kmip_fault();
            return;
        }
    }
    panic!("no end after {} turns", TURNS.end);
}

#[test]
fn a_rekey_given_up_at_any_message_leaves_no_trace() {
    let (bench, relay) = relayed();
    let old = bench.key_id();
    let mut given_up = 0;
    for turn in 1..TURNS.end {
        relay.shut_after(turn);
        let handle = bench.start_rekey(Place::External(1));
        assert!(shuts(&bench, &relay), "turn {turn}: it was never too late to give it up");
        let answer = bench.cluster.send("POST", "/sim/v1/rekey/abandon", "").unwrap();
        relay.open();
        if answer.status == 409 {
            // From here on the new key is in use.
            bench.finished(&handle);
            bench.assert_settled(Place::External(1));
            break;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
        let ended = bench.cluster.completed(&handle, PATIENCE);
        assert_eq!(ended["error"]["name"], json!("xRekeyAbandoned"), "turn {turn}: {ended}");
        bench.until_no_kmip_fault();
        assert_eq!(bench.assert_settled(Place::Internal), old, "turn {turn}");
        assert!(!bench.provider_is_active(1), "turn {turn}");
        given_up += 1;
    }
    assert!(given_up > 10, "given up {given_up} times");
}
