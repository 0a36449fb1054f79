//! SIGKILL of the key server between any two messages of a rekey: requests that never came, and
//! answers of what was done that nobody got.

use serde_json::Value;

use crate::bench::{Bench, PATIENCE, Place};
use crate::relay::Relay;

/// A rekey has more turns than this, and fewer than that.
const TURNS: std::ops::Range<u64> = 30..300;

#[test]
fn sigkill_of_the_key_server_at_any_message_of_a_rekey_loses_nothing() {
    let relay = std::cell::OnceCell::new();
    let mut bench =
        Bench::reached(2, 1, |server| relay.get_or_init(|| Relay::before(server)).address());
    let relay = relay.get().unwrap();
    let place = Place::External(1);
    bench.rekey(place);
    for turn in 1..TURNS.end {
        relay.shut_after(turn);
        let handle = bench.start_rekey(place);
        let was_shut = bench.cluster.until("the rekey's end or the gate's", PATIENCE, |_| {
            let has_ended = bench.state()["rekey"] == Value::Null;
            // In this order: a gate that shut before the end has been seen to.
            match (relay.has_shut(), has_ended) {
                (true, _) => Some(true),
                (false, true) => Some(false),
                (false, false) => None,
            }
        });
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
