//! Who is away: a key server at the start of a rekey or of the cluster, a node during a rekey.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::bench::{Bench, PATIENCE, Place, drives};

/// How the `details` of the fault begin.
const CONNECTION_FAILURE: &str = "KMIP key server connection failure";

#[test]
fn a_rekey_waits_for_a_key_server_that_is_away() {
    let mut bench = Bench::new(2, 1);
    bench.servers[0].kill();
    let handle = bench.start_rekey(Place::External(1));
    bench.until_kmip_fault(CONNECTION_FAILURE);
    let waiting =
        bench.cluster.call("GetAsyncResult", json!({ "asyncHandle": handle, "keepResult": true }));
    assert_eq!(waiting["status"], json!("running"));
    assert_eq!(waiting["details"]["state"], json!("CreateNewMasterKey"));
    bench.assert_data(&drives(&bench.state()));
    bench.servers[0].restart();
    bench.finished(&handle);
    bench.until_no_kmip_fault();
    bench.assert_settled(Place::External(1));
}

#[test]
fn a_rekey_that_is_given_up_before_the_new_key_leaves_no_trace() {
    let mut bench = Bench::new(2, 1);
    let old = bench.key_id();
    bench.servers[0].kill();
    let handle = bench.start_rekey(Place::External(1));
    bench.until_kmip_fault(CONNECTION_FAILURE);
    let answer = bench.cluster.send("POST", "/sim/v1/rekey/abandon", "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let ended = bench.cluster.completed(&handle, PATIENCE);
    assert_eq!(ended["error"]["name"], json!("xRekeyAbandoned"), "{ended}");
    bench.servers[0].restart();
    bench.until_no_kmip_fault();
    assert_eq!(bench.key_id(), old);
    assert!(!bench.provider_is_active(1));
    bench.assert_settled(Place::Internal);
    // The provider is as good as new: it can be used, or taken away.
    bench.rekey(Place::External(1));
    bench.assert_settled(Place::External(1));
}

#[test]
fn a_rekey_cannot_be_given_up_once_the_new_key_is_in_use() {
    let bench = Bench::new(3, 1);
    bench.power(3, "stop");
    let handle = bench.start_rekey(Place::External(1));
    until_rewrapping(&bench, 2);
    let answer = bench.cluster.send("POST", "/sim/v1/rekey/abandon", "").unwrap();
    assert_eq!(answer.status, 409, "{}", answer.body);
    bench.power(3, "start");
    bench.finished(&handle);
    bench.assert_settled(Place::External(1));
}

/// Waits until so many drives are under the new key and the rest is waited for.
fn until_rewrapping(bench: &Bench, rewrapped: u64) {
    bench.cluster.until("the rekey waits for a node", PATIENCE, |_| {
        let rekey = &bench.state()["rekey"];
        let here = rekey["state"] == json!("RewrapDataEncryptionKeys");
        (here && rekey["drivesRewrapped"] == json!(rewrapped)).then_some(())
    });
}

#[test]
fn a_node_that_was_off_during_a_rekey_gets_its_data_and_keeps_the_old_key_alive() {
    let mut bench = Bench::new(3, 1);
    for (to, old_is_internal) in [(Place::External(1), true), (Place::External(1), false)] {
        let old = bench.key_id();
        bench.power(3, "stop");
        let handle = bench.start_rekey(to);
        until_rewrapping(&bench, 2);
        // The rekey of a cluster that is started anew waits as well.
        bench.cluster.restart();
        until_rewrapping(&bench, 2);
        let new = bench.state()["rekey"]["newKey"].as_str().unwrap().to_owned();
        let name = |key_id: &str| format!("SolidFire-KeyID-{key_id}");
        let at_server: BTreeSet<_> = bench.at_server(1).into_keys().collect();
        if old_is_internal {
            assert_eq!(at_server, BTreeSet::from([name(&new)]));
            for node in 1..=3 {
                let share = BTreeSet::from([format!("{old}.json")]);
                assert_eq!(bench.shares(node), share, "node {node}");
            }
        } else {
            assert_eq!(at_server, BTreeSet::from([name(&old), name(&new)]));
        }
        bench.power(3, "start");
        bench.finished(&handle);
        bench.assert_settled(to);
    }
}

#[test]
fn a_cluster_without_its_key_server_is_locked_and_unlocks_by_itself() {
    let mut bench = Bench::new(2, 1);
    bench.rekey(Place::External(1));
    bench.cluster.kill();
    bench.servers[0].kill();
    bench.cluster.restart();
    bench.cluster.until("a fault for each node", PATIENCE, |_| {
        (bench.kmip_faults().len() == 2).then_some(())
    });
    bench.until_kmip_fault(CONNECTION_FAILURE);
    let state = bench.state();
    assert_eq!(state["unlocked"], json!(false), "{state}");
    for drive in drives(&state) {
        let path = format!("/sim/v1/drives/{drive}/blocks/0");
        let answer = bench.cluster.send("GET", &path, "").unwrap();
        assert_eq!(answer.status, 423, "drive {drive}: {}", answer.body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(error["error"].as_str().unwrap().contains("locked"), "{error}");
    }
    bench.servers[0].restart();
    bench.assert_settled(Place::External(1));
    bench.until_no_kmip_fault();
    for place in [Place::External(1), Place::Internal] {
        bench.rekey(place);
        bench.assert_settled(place);
    }
}
