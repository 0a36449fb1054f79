//! What waits for a key server tries again with the new values, as soon as they are durable.

use std::time::Duration;

use serde_json::json;

use crate::case::{A, Location};
use crate::fixture::{Fixture, TIMEOUT};
use crate::hosts::Host;

/// The wait between two attempts, in milliseconds.
const RETRY_MS: u64 = 120_000;

/// Well below the wait.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn drives_that_wait_unlock_when_a_change_is_taken_back() {
    let fixture = Fixture::new([RETRY_MS, RETRY_MS]);
    let rekeyed = fixture.cluster.completed(&fixture.start_rekey(Location::External(A)), TIMEOUT);
    assert_eq!(rekeyed["result"]["state"], json!("Ready"), "{rekeyed}");
    for _ in 0..3 {
        fixture.sim("POST", &format!("/sim/v1/key-servers/{A}/skip-check"), "");
        let names = |host: Host| json!({ "kmipKeyServerHostnames": [host.name()] });
        fixture.modify(A, &names(Host::Empty)).unwrap();
        fixture.power_cycle();
        fixture.until("all drives are locked", |state| {
            let drives = crate::fixture::drives(state);
            let reasons = drives.iter().filter_map(|(_, drive)| drive["reason"].as_str());
            reasons.filter(|reason| reason.contains(Host::Empty.name())).count() == drives.len()
        });
        fixture.cluster.assert_agreement();
        fixture.modify(A, &names(Host::First)).unwrap();
        fixture.cluster.until("all drives unlock", SOON, |_| {
            (fixture.state()["unlocked"] == json!(true)).then_some(())
        });
        fixture.cluster.assert_agreement();
    }
}
