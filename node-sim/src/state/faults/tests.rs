//! Faults are raised once, resolved once, and kept up to a number.

use super::{FaultKind, FaultPlace, FaultTypes, Faults, KmipServerFault, RESOLVED_MAX};
use crate::state::timestamps::parse;
use serde_json::json;

const AWAY: FaultKind = FaultKind::KmipServer(KmipServerFault::ConnectionFailure);

#[test]
fn a_fault_is_raised_once_resolved_once_and_raised_anew() {
    let now = parse("2021-04-13T04:54:37.797859Z").unwrap();
    let mut faults = Faults::default();
    let place = FaultPlace::key_server_of_node(7, 2);
    assert!(faults.raise(AWAY, place, "no route to kms", now));
    assert!(!faults.raise(AWAY, place, "no route to kms", now));
    assert_eq!(
        faults.list(FaultTypes::Current),
        [json!({
            "blocksUpgrade": true, "clusterFaultID": 1, "code": "kmipServerFault",
            "data": {"keyServerID": 7}, "date": "2021-04-13T04:54:37.797859Z",
            "details": "KMIP key server connection failure: no route to kms",
            "driveID": 0, "driveIDs": [], "externalSource": "", "networkInterface": "",
            "nodeHardwareFaultID": 0, "nodeID": 2, "resolved": false, "resolvedDate": "",
            "serviceID": 0, "severity": "error", "type": "node"
        })]
    );
    assert!(faults.resolve(AWAY, place, now));
    assert!(!faults.resolve(AWAY, place, now));
    assert!(faults.raise(AWAY, place, "again", now));
    let ids: Vec<_> =
        faults.list(FaultTypes::All).iter().map(|f| f["clusterFaultID"].clone()).collect();
    assert_eq!(ids, [json!(1), json!(2)]);
    faults.clear(FaultTypes::Resolved);
    assert_eq!(faults.list(FaultTypes::All).len(), 1);
}

#[test]
fn resolved_faults_do_not_pile_up() {
    let now = parse("2021-04-13T04:54:37.797859Z").unwrap();
    let mut faults = Faults::default();
    for _ in 0..RESOLVED_MAX + 5 {
        faults.raise(AWAY, FaultPlace::CLUSTER, "x", now);
        faults.resolve(AWAY, FaultPlace::CLUSTER, now);
    }
    let left = faults.list(FaultTypes::All);
    assert_eq!(left.len(), RESOLVED_MAX);
    assert_eq!(left[0]["clusterFaultID"], json!(6));
}
