//! Agreement of drives, nodes, faults and events, in every state that the tests reach.

use super::lab::{
    Lab, SERVER_1, assert_pattern, faults, kmip_faults, rekey, rekeyed, unlocked, until,
};
use crate::cluster::fault_rules::{expected_faults, is_derived};
use crate::cluster::{Cluster, DriveState, RekeyTarget, drives_of};
use crate::key_server::KeyServerError;
use crate::state::events::EventFilter;
use crate::state::faults::{FaultPlace, FaultTypes};
use crate::state::key_ring::NodeId;
use crate::state::ledger::Ledger;
use serde_json::Value;
use std::collections::BTreeSet;

/// Everything that the API shows is one snapshot, and its parts agree. Holds at any moment.
pub(crate) fn assert_faults_agree(cluster: &Cluster) {
    let ledger = cluster.ledger();
    let faults = ledger.faults.list(FaultTypes::Current);
    let of = |code: &str| faults.iter().filter(|fault| fault["code"] == code).collect::<Vec<_>>();
    let drives = drives_of(&ledger);
    let failed = drives.iter().filter(|drive| match drive.state {
        DriveState::Active | DriveState::Starting => false,
        DriveState::Locked { .. } | DriveState::Absent => true,
    });
    let failed: Vec<_> = failed.map(|drive| (drive.drive_id.0, drive.node_id.0)).collect();
    let number = |fault: &Value, member: &str| u32::try_from(fault[member].as_u64().unwrap());
    let pair =
        |fault: &&Value| (number(fault, "driveID").unwrap(), number(fault, "nodeID").unwrap());
    let mut with_fault: Vec<_> = of("driveFailed").iter().map(pair).collect();
    with_fault.sort_unstable();
    assert_eq!(with_fault, failed, "drives that are failed, and faults driveFailed: {faults:?}");

    let off: Vec<_> = ledger.nodes.iter().filter(|(_, node)| !node.powered).collect();
    for (node_id, _) in &off {
        let offline = of("nodeOffline");
        let found = offline.iter().filter(|fault| fault["nodeID"] == node_id.0).count();
        assert_eq!(found, 1, "node {node_id} is off: {faults:?}");
    }
    let serves = drives.iter().any(|drive| drive.state == DriveState::Active);
    let starts = drives.iter().any(|drive| drive.state == DriveState::Starting);
    let severity = if serves || starts { "error" } else { "critical" };
    for fault in of("driveFailed").into_iter().chain(of("nodeOffline")) {
        assert_eq!(fault["severity"], severity, "{fault}");
    }
    for fault in of("kmipServerFault") {
        let server = fault["data"]["keyServerID"].as_u64();
        assert!(server.is_none_or(|id| ledger.is_key_server_in_use(id)), "{fault}");
    }
    for fault in &faults {
        let blocks = fault["severity"] == "error" || fault["severity"] == "critical";
        assert_eq!(fault["blocksUpgrade"], blocks, "{fault}");
        assert_eq!(fault["resolvedDate"], "", "{fault}");
    }
    assert_derived(&ledger);
    assert_events_agree(&ledger);
}

/// The faults in the ledger are those that its state has by the rules.
fn assert_derived(ledger: &Ledger) {
    let expected: BTreeSet<_> = expected_faults(ledger)
        .into_iter()
        .map(|((kind, _), (severity, details))| {
            (kind, format!("{severity:?}"), format!("{}: {details}", kind.title()))
        })
        .collect();
    let found: BTreeSet<_> = ledger
        .faults
        .current_faults()
        .filter(|f| is_derived(f.kind()))
        .map(|f| (f.kind(), format!("{:?}", f.severity()), f.details().to_owned()))
        .collect();
    assert_eq!(found, expected);
}

/// The latest event of a node about its switch and its drives says how they are.
fn assert_events_agree(ledger: &Ledger) {
    for (node_id, node) in &ledger.nodes {
        let filter = EventFilter { node_id: Some(node_id.0.into()), ..EventFilter::default() };
        let events = ledger.events.list(&filter);
        let switched =
            events.iter().find(|event| event["message"].as_str().unwrap().contains(" switched "));
        if let Some(event) = switched {
            let on = event["message"].as_str().unwrap().ends_with("switched on");
            assert_eq!(on, node.powered, "{event}");
        }
        if !node.powered {
            continue;
        }
        let counts = ledger.drive_counts_of(*node_id);
        let latest = events.iter().find(|event| !event["details"]["unlocked"].is_null());
        let since = switched.map_or(0, |event| event["eventID"].as_u64().unwrap());
        match latest.filter(|event| event["eventID"].as_u64().unwrap() > since) {
            Some(event) if counts.starting == 0 => {
                assert_eq!(event["details"]["unlocked"], counts.active, "{event}");
                assert_eq!(event["details"]["locked"], counts.locked, "{event}");
            }
            // The events of an earlier run.
            Some(_) => {}
            None => assert_eq!((counts.active, counts.locked), (0, 0), "node {node_id}"),
        }
    }
}

fn severities(cluster: &Cluster, code: &str) -> BTreeSet<String> {
    let list = cluster.read(|ledger| ledger.faults.list(FaultTypes::Current));
    let of = list.iter().filter(|fault| fault["code"] == code);
    of.map(|fault| fault["severity"].as_str().unwrap().to_owned()).collect()
}

fn messages(cluster: &Cluster) -> Vec<String> {
    let events = cluster.read(|ledger| ledger.events.list(&EventFilter::default()));
    events.iter().rev().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_io_is_critical_and_one_drive_that_serves_ends_that() {
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.stop_node(NodeId(1)).await.unwrap();
    assert_faults_agree(&cluster);
    assert_eq!(severities(&cluster, "driveFailed"), BTreeSet::from(["error".to_owned()]));
    cluster.stop_node(NodeId(2)).await.unwrap();
    assert_faults_agree(&cluster);
    for code in ["driveFailed", "nodeOffline"] {
        assert_eq!(severities(&cluster, code), BTreeSet::from(["critical".to_owned()]), "{code}");
    }
    lab.key_servers.switch_off(SERVER_1, KeyServerError::connection("Connection refused."));
    cluster.start_node(NodeId(2)).await.unwrap();
    until(&cluster, "the drives of node 2 cannot be unlocked", |c| {
        kmip_faults(c).len() == 1
            && faults(c).iter().any(|(_, details)| {
                details
                    .starts_with("Drive failed: The drive is locked: node 2: Connection refused.")
            })
    })
    .await;
    assert_eq!(severities(&cluster, "kmipServerFault"), BTreeSet::from(["critical".to_owned()]));
    lab.key_servers.switch_on(SERVER_1);
    unlocked(&cluster).await;
    until(&cluster, "node 1 is an error", |c| {
        severities(c, "nodeOffline") == BTreeSet::from(["error".to_owned()])
    })
    .await;
    cluster.start_node(NodeId(1)).await.unwrap();
    unlocked(&cluster).await;
    until(&cluster, "no fault is left", |c| faults(c).is_empty()).await;
    assert_pattern(&cluster).await;
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fault_of_a_node_at_a_key_server_ends_when_the_node_is_switched_off() {
    let lab = Lab::new(2, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.stop_node(NodeId(2)).await.unwrap();
    lab.key_servers.switch_off(SERVER_1, KeyServerError::connection("Connection refused."));
    cluster.start_node(NodeId(2)).await.unwrap();
    until(&cluster, "node 2 has its fault", |c| kmip_faults(c).len() == 1).await;
    cluster.stop_node(NodeId(2)).await.unwrap();
    let of_node_2 = |fault: &Value| fault["code"] == "kmipServerFault" && fault["nodeID"] == 2;
    let list = cluster.read(|ledger| ledger.faults.list(FaultTypes::Current));
    assert!(!list.iter().any(of_node_2), "no session of it fails any more: {list:?}");
    assert_faults_agree(&cluster);
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_an_earlier_run_end_when_the_cluster_is_opened() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.close().await;
    drop(cluster);
    lab.key_servers.switch_off(SERVER_1, KeyServerError::connection("Connection refused."));
    let cluster = lab.open().await;
    until(&cluster, "the fault is raised", |c| faults(c).len() == 2).await;
    cluster.close().await;
    drop(cluster);
    lab.key_servers.hang(SERVER_1);
    let cluster = lab.open().await;
    assert_eq!(faults(&cluster), [], "nothing has failed yet");
    assert_faults_agree(&cluster);
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fault_about_a_key_server_ends_with_the_server() {
    let lab = Lab::new(1, 1);
    let cluster = lab.create().await;
    let ca = cluster.read(|ledger| ledger.registry.server(SERVER_1).cloned()).unwrap();
    let id = cluster
        .change(|ledger| {
            let client_certificate = "not a certificate".to_owned();
            let server =
                crate::state::key_server_registry::KeyServerKmip { client_certificate, ..ca };
            ledger.registry.create_server(server)
        })
        .await
        .unwrap();
    assert_eq!(
        severities(&cluster, "kmipCertificateFault"),
        BTreeSet::from(["warning".to_owned()])
    );
    let place = FaultPlace::key_server(id);
    cluster
        .change(|ledger| ledger.registry.delete_server(place.key_server_id, &[].into()))
        .await
        .unwrap();
    assert_eq!(faults(&cluster), []);
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_say_what_unlocks_and_locks() {
    let lab = Lab::new(2, 2);
    let cluster = lab.create().await;
    assert!(messages(&cluster).contains(&"2 of 2 drives of node 1 unlocked".to_owned()));
    assert!(messages(&cluster).contains(&"Cluster unlocked".to_owned()));
    rekey(&cluster, RekeyTarget::External(1)).await;
    cluster.stop_node(NodeId(2)).await.unwrap();
    cluster.stop_node(NodeId(2)).await.unwrap();
    lab.key_servers.switch_off(SERVER_1, KeyServerError::connection("Connection refused."));
    cluster.start_node(NodeId(2)).await.unwrap();
    until(&cluster, "the drives are locked", |c| !kmip_faults(c).is_empty()).await;
    lab.key_servers.switch_on(SERVER_1);
    unlocked(&cluster).await;
    let messages = messages(&cluster);
    assert_eq!(
        messages[messages.len() - 5..],
        [
            "Node 2 switched off",
            "Node 2 switched on",
            "2 of 2 drives of node 2 are locked",
            "2 of 2 drives of node 2 unlocked",
            "Cluster unlocked",
        ]
    );
    rekeyed(&cluster).await;
    cluster.close().await;
}
