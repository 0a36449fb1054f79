//! The drives as the cluster sees them.
//!
//! `keyID` and `keyProviderID` of a drive are those of hardware encryption, which these drives do
//! not have: they are zero, as on a real cluster without it. The master key of software encryption
//! is told by `GetSoftwareEncryptionAtRestInfo`.

use super::{Act, Element, Method, Scope};
use crate::cluster::{DriveState, DriveStatus};
use crate::node::BLOCK_LEN;
use crate::rpc::version::version;
use serde_json::{Value, json};
use uuid::Uuid;

/// The rows of the table.
pub const METHODS: &[Method] = &[Method {
    name: "ListDrives",
    since: version(1, 0),
    scope: Scope::Cluster,
    parameters: &[],
    act: Act::Tell(|element, _| Ok(json!({ "drives": drives(element) }))),
}];

fn drives(element: &Element) -> Vec<Value> {
    element.cluster.drives().iter().map(drive_json).collect()
}

fn drive_json(drive: &DriveStatus) -> Value {
    let block_len = u64::try_from(BLOCK_LEN).unwrap_or(u64::MAX);
    let capacity = drive.blocks.saturating_mul(block_len);
    let (status, detail) = match &drive.state {
        DriveState::Active => ("active", "None".to_owned()),
        DriveState::Locked { reason } => ("failed", format!("The drive is locked: {reason}")),
        DriveState::Absent => ("failed", "The node of the drive is offline.".to_owned()),
    };
    json!({
        "attributes": {},
        "capacity": capacity,
        "chassisSlot": drive.slot.to_string(),
        "driveFailureDetail": detail,
        "driveID": drive.drive_id,
        "driveSecurityFaultReason": "None",
        "keyID": Uuid::nil().to_string(),
        "keyProviderID": 0,
        "nodeID": drive.node_id,
        "segmentFileSize": 0,
        "serial": drive.serial,
        "slot": drive.slot,
        "status": status,
        "type": "block",
        "usableCapacity": capacity,
    })
}
