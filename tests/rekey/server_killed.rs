//! SIGKILL of the key server at any message of a rekey: requests that never came, and answers of
//! what was done that nobody got. And a rekey that is given up there.
//!
//! A proxy before the server resets every connection from one message on; then the server is
//! killed.

use serde_json::{Value, json};

use crate::fixture::{Fixture, KeyLocation, TIMEOUT};

/// A rekey has more requests and responses than this, and fewer than that.
const MESSAGES: std::ops::Range<u64> = 30..300;

/// A cluster of two nodes, with a proxy before its key server.
fn proxied() -> Fixture {
    Fixture::through_proxies(2, 1)
}

/// Resets the connection in place of this message and all after it; the first request is number 1,
/// its response number 2.
fn cut_at(fixture: &Fixture, message: u64) {
    let at = if message.is_multiple_of(2) { "response" } else { "request" };
    let from = message.div_ceil(2);
    let rule = json!({ "name": "cut", "from": from, "action": { "reset": { "at": at } } });
    fixture.proxies[0].add_rule(&rule);
}

/// Whether the connection is cut before the rekey has ended.
fn is_cut(fixture: &Fixture) -> bool {
    fixture.cluster.until("the rekey's end or a cut connection", TIMEOUT, |_| {
        // In this order: what was cut before the end is counted by then.
        let has_ended = fixture.state()["rekey"] == Value::Null;
        match (fixture.proxies[0].fired("cut") > 0, has_ended) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    })
}

#[test]
fn sigkill_of_the_key_server_at_any_message_of_a_rekey_loses_nothing() {
    let mut fixture = proxied();
    let location = KeyLocation::External(1);
    fixture.rekey(location);
    for message in 1..MESSAGES.end {
        cut_at(&fixture, message);
        let handle = fixture.start_rekey(location);
        let was_cut = is_cut(&fixture);
        if was_cut {
            fixture.servers[0].kill();
            fixture.servers[0].restart();
        }
        fixture.proxies[0].remove_rules();
        fixture.finished(&handle);
        fixture.assert_settled(location);
        if !was_cut {
            assert!(MESSAGES.contains(&message), "only {message} messages");
            fixture.until_no_kmip_fault();
            return;
        }
    }
    panic!("no end after {} messages", MESSAGES.end);
}

#[test]
fn a_rekey_given_up_at_any_message_leaves_no_trace() {
    let fixture = proxied();
    let old = fixture.key_id();
    let mut given_up = 0;
    for message in 1..MESSAGES.end {
        cut_at(&fixture, message);
        let handle = fixture.start_rekey(KeyLocation::External(1));
        assert!(is_cut(&fixture), "message {message}: it was never too late to give it up");
        let answer = fixture.cluster.send("POST", "/sim/v1/rekey/abandon", "").unwrap();
        fixture.proxies[0].remove_rules();
        if answer.status == 409 {
            // From here on the new key is in use.
            fixture.finished(&handle);
            fixture.assert_settled(KeyLocation::External(1));
            break;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
        let ended = fixture.cluster.completed(&handle, TIMEOUT);
        assert_eq!(ended["error"]["name"], json!("xRekeyAbandoned"), "message {message}: {ended}");
        fixture.until_no_kmip_fault();
        assert_eq!(fixture.assert_settled(KeyLocation::Internal), old, "message {message}");
        assert!(!fixture.provider_is_active(1), "message {message}");
        given_up += 1;
    }
    assert!(given_up > 10, "given up {given_up} times");
}
