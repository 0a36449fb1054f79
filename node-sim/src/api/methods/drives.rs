//! The drives as the cluster sees them.
//!
//! `keyID` and `keyProviderID` of a drive are those of hardware encryption, which these drives do
//! not have: they are zero, as on a real cluster without it. The master key of software encryption
//! is told by `GetSoftwareEncryptionAtRestInfo`.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::Params;
use crate::api::api_version::version;
use crate::cluster::{DriveState, DriveStatus};
use crate::state::timestamps;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

/// Bytes of a block, as the drives have them.
const BLOCK_BYTES: u64 = 4096;
const _: () = assert!(crate::node::BLOCK_LEN == 4096);

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "ListDrives",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(|api, _| Ok(json!({ "drives": drives(api) }))),
    },
    Method {
        name: "GetClusterCapacity",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[],
        action: Action::Read(get_cluster_capacity),
    },
];

/// What is counted for volumes and their clients: there are none yet, so nothing was counted.
const OF_VOLUMES: &[&str] = &[
    "activeSessions",
    "averageIOPS",
    "clusterRecentIOSize",
    "currentIOPS",
    "maxIOPS",
    "maxUsedMetadataSpace",
    "peakActiveSessions",
    "peakIOPS",
    "provisionedSpace",
    "snapshotNonZeroBlocks",
    "totalOps",
    "usedMetadataSpace",
    "usedMetadataSpaceInSnapshots",
    "zeroBlocks",
];

/// Blocks are neither shared nor compressed, and no more can be provisioned than there is. Drives
/// of nodes that are switched off do not count.
fn get_cluster_capacity(api: &ElementApi, _: &Params) -> MethodResult {
    let drives = api.cluster.drives();
    let present = drives.iter().filter(|drive| drive.state != DriveState::Absent);
    let total = present.map(capacity).fold(0, u64::saturating_add);
    let used = api.cluster.used_bytes();
    let used_blocks = used / BLOCK_BYTES;
    let mut capacity = json!({
        "activeBlockSpace": used,
        "maxOverProvisionableSpace": total,
        "maxProvisionedSpace": total,
        "maxUsedSpace": total,
        "nonZeroBlocks": used_blocks,
        "timestamp": timestamps::format_seconds(OffsetDateTime::now_utc()),
        "uniqueBlocks": used_blocks,
        "uniqueBlocksUsedSpace": used,
        "usedSpace": used,
    });
    if let Some(members) = capacity.as_object_mut() {
        members.extend(OF_VOLUMES.iter().map(|name| ((*name).to_owned(), 0.into())));
    }
    Ok(json!({ "clusterCapacity": capacity }))
}

const fn capacity(drive: &DriveStatus) -> u64 {
    drive.blocks.saturating_mul(BLOCK_BYTES)
}

fn drives(api: &ElementApi) -> Vec<Value> {
    api.cluster.drives().iter().map(drive_json).collect()
}

fn drive_json(drive: &DriveStatus) -> Value {
    let capacity = capacity(drive);
    // A drive is failed as long as it has the fault driveFailed; until the first attempt to acquire
    // its key has ended, it is there and does not serve.
    let (status, detail) = match &drive.state {
        DriveState::Active => ("active", "None".to_owned()),
        DriveState::Starting => ("available", "None".to_owned()),
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
