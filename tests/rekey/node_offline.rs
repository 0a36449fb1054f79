//! Offline peers: a key server at the start of a rekey or of the cluster, a node during a rekey.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::fixture::{Fixture, KeyLocation, TIMEOUT, drives};

/// How the `details` of the fault begin.
const CONNECTION_FAILURE: &str = "KMIP key server connection failure";

#[test]
fn a_rekey_waits_for_a_key_server_that_is_away() {
    let mut fixture = Fixture::new(2, 1);
    fixture.servers[0].kill();
    let handle = fixture.start_rekey(KeyLocation::External(1));
    fixture.until_kmip_fault(CONNECTION_FAILURE);
    let waiting = fixture
        .cluster
        .call("GetAsyncResult", json!({ "asyncHandle": handle, "keepResult": true }));
    assert_eq!(waiting["status"], json!("running"));
    assert_eq!(waiting["details"]["state"], json!("CreateNewMasterKey"));
    fixture.assert_data(&drives(&fixture.state()));
    fixture.servers[0].restart();
    fixture.finished(&handle);
    fixture.until_no_kmip_fault();
    fixture.assert_settled(KeyLocation::External(1));
}

#[test]
fn a_rekey_that_is_given_up_before_the_new_key_leaves_no_trace() {
    let mut fixture = Fixture::new(2, 1);
    let old = fixture.key_id();
    fixture.servers[0].kill();
    let handle = fixture.start_rekey(KeyLocation::External(1));
    fixture.until_kmip_fault(CONNECTION_FAILURE);
    let answer = fixture.cluster.send("POST", "/sim/v1/rekey/abandon", "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let ended = fixture.cluster.completed(&handle, TIMEOUT);
    assert_eq!(ended["error"]["name"], json!("xRekeyAbandoned"), "{ended}");
    fixture.servers[0].restart();
    fixture.until_no_kmip_fault();
    assert_eq!(fixture.key_id(), old);
    assert!(!fixture.provider_is_active(1));
    fixture.assert_settled(KeyLocation::Internal);
    // The provider is as good as new: it can be used, or taken away.
    fixture.rekey(KeyLocation::External(1));
    fixture.assert_settled(KeyLocation::External(1));
}

#[test]
fn a_rekey_that_waits_for_a_node_can_be_given_up() {
    let fixture = Fixture::new(3, 1);
    let old = fixture.key_id();
    fixture.power(3, "stop");
    let handle = fixture.start_rekey(KeyLocation::External(1));
    until_rewrapping(&fixture, 2);
    let answer = fixture.cluster.send("POST", "/sim/v1/rekey/abandon", "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let ended = fixture.cluster.completed(&handle, TIMEOUT);
    assert_eq!(ended["error"]["name"], json!("xRekeyAbandoned"), "{ended}");
    fixture.power(3, "start");
    assert_eq!(fixture.assert_settled(KeyLocation::Internal), old);
}

/// Waits until so many drives are under the new key and the rest is waited for.
fn until_rewrapping(fixture: &Fixture, rewrapped: u64) {
    fixture.cluster.until("the rekey waits for a node", TIMEOUT, |_| {
        let rekey = &fixture.state()["rekey"];
        let here = rekey["state"] == json!("RewrapDataEncryptionKeys");
        (here && rekey["drivesRewrapped"] == json!(rewrapped)).then_some(())
    });
    fixture.cluster.assert_agreement();
}

#[test]
fn a_node_that_was_off_during_a_rekey_gets_its_data_and_keeps_the_old_key_alive() {
    let mut fixture = Fixture::new(3, 1);
    for (to, old_is_internal) in
        [(KeyLocation::External(1), true), (KeyLocation::External(1), false)]
    {
        let old = fixture.key_id();
        fixture.power(3, "stop");
        let handle = fixture.start_rekey(to);
        until_rewrapping(&fixture, 2);
        // The rekey of a cluster that is started anew waits as well.
        fixture.cluster.restart();
        until_rewrapping(&fixture, 2);
        let new = fixture.state()["rekey"]["newKey"].as_str().unwrap().to_owned();
        let name = |key_id: &str| format!("SolidFire-KeyID-{key_id}");
        let keys_at_server: BTreeSet<_> = fixture.keys_at_server(1).into_keys().collect();
        if old_is_internal {
            assert_eq!(keys_at_server, BTreeSet::from([name(&new)]));
            for node in 1..=3 {
                let share = BTreeSet::from([format!("{old}.json")]);
                assert_eq!(fixture.shares(node), share, "node {node}");
            }
        } else {
            assert_eq!(keys_at_server, BTreeSet::from([name(&old), name(&new)]));
        }
        fixture.power(3, "start");
        fixture.finished(&handle);
        fixture.assert_settled(to);
    }
}

#[test]
fn a_cluster_without_its_key_server_is_locked_and_unlocks_by_itself() {
    let mut fixture = Fixture::new(2, 1);
    fixture.rekey(KeyLocation::External(1));
    fixture.cluster.kill();
    fixture.servers[0].kill();
    fixture.cluster.restart();
    fixture.cluster.until("a fault for each node", TIMEOUT, |_| {
        (fixture.kmip_faults().len() == 2).then_some(())
    });
    fixture.until_kmip_fault(CONNECTION_FAILURE);
    let state = fixture.state();
    assert_eq!(state["unlocked"], json!(false), "{state}");
    for drive in drives(&state) {
        let path = format!("/sim/v1/drives/{drive}/blocks/0");
        let answer = fixture.cluster.send("GET", &path, "").unwrap();
        assert_eq!(answer.status, 423, "drive {drive}: {}", answer.body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(error["error"].as_str().unwrap().contains("locked"), "{error}");
    }
    fixture.servers[0].restart();
    fixture.assert_settled(KeyLocation::External(1));
    fixture.until_no_kmip_fault();
    for location in [KeyLocation::External(1), KeyLocation::Internal] {
        fixture.rekey(location);
        fixture.assert_settled(location);
    }
}
