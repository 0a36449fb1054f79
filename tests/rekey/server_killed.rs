//! SIGKILL of the key server between any two messages of a rekey: requests that never came, and
//! answers of what was done that nobody got. And a rekey that is given up there.

use serde_json::{Value, json};

use crate::fixture::{Fixture, KeyLocation, TIMEOUT};
use crate::relay::Relay;

/// A rekey has more turns than this, and fewer than that.
const TURNS: std::ops::Range<u64> = 30..300;

/// A bench with a relay before its key server.
fn relayed() -> (Fixture, Relay) {
    let mut relay = None;
    let fixture =
        Fixture::through_relay(2, 1, |server| relay.insert(Relay::before(server)).address());
    (fixture, relay.unwrap())
}

/// Whether the relay shuts before the rekey has ended.
fn is_cut(fixture: &Fixture, relay: &Relay) -> bool {
    fixture.cluster.until("the rekey's end or the relay's", TIMEOUT, |_| {
        // Asked in this order: what is shut before the end has told so by then.
        let has_ended = fixture.state()["rekey"] == Value::Null;
        match (relay.was_cut(), has_ended) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    })
}

#[test]
fn sigkill_of_the_key_server_at_any_message_of_a_rekey_loses_nothing() {
    let (mut fixture, relay) = relayed();
    let location = KeyLocation::External(1);
    fixture.rekey(location);
    for turn in 1..TURNS.end {
        relay.cut_after(turn);
        let handle = fixture.start_rekey(location);
        let was_shut = is_cut(&fixture, &relay);
        if was_shut {
            fixture.servers[0].kill();
            fixture.servers[0].restart();
        }
        relay.resume();
        fixture.finished(&handle);
        fixture.assert_settled(location);
        if !was_shut {
            assert!(TURNS.contains(&turn), "only {turn} turns");
            fixture.until_no_kmip_fault();
            return;
        }
    }
    panic!("no end after {} turns", TURNS.end);
}

#[test]
fn a_rekey_given_up_at_any_message_leaves_no_trace() {
    let (fixture, relay) = relayed();
    let old = fixture.key_id();
    let mut given_up = 0;
    for turn in 1..TURNS.end {
        relay.cut_after(turn);
        let handle = fixture.start_rekey(KeyLocation::External(1));
        assert!(is_cut(&fixture, &relay), "turn {turn}: it was never too late to give it up");
        let answer = fixture.cluster.send("POST", "/sim/v1/rekey/abandon", "").unwrap();
        relay.resume();
        if answer.status == 409 {
            // From here on the new key is in use.
            fixture.finished(&handle);
            fixture.assert_settled(KeyLocation::External(1));
            break;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
        let ended = fixture.cluster.completed(&handle, TIMEOUT);
        assert_eq!(ended["error"]["name"], json!("xRekeyAbandoned"), "turn {turn}: {ended}");
        fixture.until_no_kmip_fault();
        assert_eq!(fixture.assert_settled(KeyLocation::Internal), old, "turn {turn}");
        assert!(!fixture.provider_is_active(1), "turn {turn}");
        given_up += 1;
    }
    assert!(given_up > 10, "given up {given_up} times");
}
