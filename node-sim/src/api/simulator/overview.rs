//! Overview of the cluster: nodes, drives, master keys and the rekey.

use super::answers::json_text;
use super::rekey_control::control_json;
use crate::api::api_state::ApiState;
use crate::cluster::{Cluster, DriveState, DriveStatus, drives_of};
use crate::state::key_ring::KeyManagement;
use crate::state::ledger::{Ledger, RunningRekey};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Reason of a drive whose key is being acquired.
const STARTING: &str = "the node is starting";

/// Answers the overview.
pub(super) async fn show(State(state): State<Arc<ApiState>>) -> Response {
    json_text(StatusCode::OK, &overview(&state.api.cluster))
}

fn overview(cluster: &Cluster) -> Value {
    let ledger = cluster.ledger();
    let drives = drives_of(&ledger);
    let nodes: Vec<_> = cluster
        .nodes()
        .into_iter()
        .map(|node| {
            let own = drives.iter().filter(|drive| drive.node_id == node.node_id);
            json!({
                "drives": own.map(drive_json).collect::<Vec<_>>(),
                "name": node.name,
                "nodeID": node.node_id,
                "powered": node.powered,
            })
        })
        .collect();
    json!({
        "cluster": { "name": ledger.identity.name, "uuid": ledger.identity.uuid },
        "generation": ledger.generation(),
        "masterKeys": master_keys(&ledger),
        "nodes": nodes,
        "rekey": ledger.rekey.as_ref().map(|running| rekey_json(cluster, &ledger, running)),
        "unlocked": ledger.is_unlocked(),
    })
}

fn drive_json(drive: &DriveStatus) -> Value {
    let (state, reason) = match &drive.state {
        DriveState::Active => ("active", None),
        DriveState::Starting => ("locked", Some(STARTING)),
        DriveState::Locked { reason } => ("locked", Some(reason.as_str())),
        DriveState::Absent => ("absent", None),
    };
    json!({
        "blocks": drive.blocks,
        "driveID": drive.drive_id,
        "reason": reason,
        "serial": drive.serial,
        "slot": drive.slot,
        "state": state,
        "wrappedBy": drive.wrapped_by,
        "wrappings": drive.wrappings,
    })
}

fn master_keys(ledger: &Ledger) -> Vec<Value> {
    let current = ledger.ring.current();
    let key = |(key_id, record): (_, &crate::state::key_ring::MasterKeyRecord)| {
        json!({
            "current": current == Some(key_id),
            "keyCreatedTime": record.created_time,
            "keyID": key_id,
            "keyManagementType": match record.management {
                KeyManagement::Internal => "internal",
                KeyManagement::External { .. } => "external",
            },
            "keyProviderID": record.management.key_provider_id(),
            "state": record.state,
            "wraps": ledger.ring.wraps(key_id),
        })
    };
    ledger.ring.keys().map(key).collect()
}

fn rekey_json(cluster: &Cluster, ledger: &Ledger, running: &RunningRekey) -> Value {
    json!({
        "asyncHandle": running.async_handle,
        "control": control_json(cluster),
        "drivesRewrapped": ledger.ring.wraps(running.job.new_key()),
        "drivesTotal": ledger.drives().count(),
        "keyToDecommission": running.job.key_to_decommission(),
        "newKey": running.job.new_key(),
        "operation": running.operation,
        "state": running.job.state(),
    })
}
