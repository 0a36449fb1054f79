//! The simulator's own API: what an operator does to a real cluster by hand.
//!
//! It is apart from Element's API: other paths, plain HTTP methods and statuses, and errors of the
//! form `{"error":"..."}`. All paths but the health check need the same credentials.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /sim/v1/health` | answers `ok` (no credentials) |
//! | `GET /sim/v1/state` | nodes, drives, which master key wraps what, locked or not, the rekey |
//! | `POST /sim/v1/nodes/{nodeID}/stop` | cuts the power: drives gone, keys in memory lost |
//! | `POST /sim/v1/nodes/{nodeID}/start` | switches on; the drives unlock as soon as they can |
//! | `GET /sim/v1/drives/{driveID}/blocks/{lba}?count=N` | N (or 1) blocks of 4 KiB, decrypted |
//! | `PUT /sim/v1/drives/{driveID}/blocks/{lba}` | writes the body, whole blocks, durably |
//! | `POST /sim/v1/rekey/abandon` | gives up the rekey, while the new key wraps nothing |
//! | `GET /sim/v1/rekey/control` | pace of a rekey, and the state that it stops before |
//! | `PUT /sim/v1/rekey/control` | changes them |
//! | `POST /sim/v1/rekey/continue` | lets a rekey that is stopped go on, once |
//! | `POST /sim/v1/retry` | asks key servers that were away again, at once |
//!
//! A drive that is locked or whose node is stopped answers 423 or 503; it is never read around.

mod answers;
mod rekey_control;

use self::answers::{done, internal, json_text, refusal};
use crate::api::api_state::ApiState;
use crate::api::http::request_body;
use crate::cluster::{AbandonRekeyError, Cluster, DriveState, DriveStatus, PowerError};
use crate::config::limits::BLOCKS_MAX;
use crate::node::{BLOCK_LEN, BlockError};
use crate::state::key_ring::{DriveId, KeyManagement, NodeId};
use crate::state::ledger::{Ledger, RunningRekey};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Routes that need credentials.
pub(crate) fn router() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/sim/v1/state", get(state))
        .route("/sim/v1/nodes/{node_id}/stop", post(stop_node))
        .route("/sim/v1/nodes/{node_id}/start", post(start_node))
        .route("/sim/v1/drives/{drive_id}/blocks/{lba}", get(read_blocks).put(write_blocks))
        .route("/sim/v1/rekey/abandon", post(abandon_rekey))
        .route("/sim/v1/rekey/control", get(rekey_control::show).put(rekey_control::change))
        .route("/sim/v1/rekey/continue", post(rekey_control::release))
        .route("/sim/v1/retry", post(retry))
}

/// Route that needs no credentials: the health check.
pub(crate) fn open_router() -> Router<Arc<ApiState>> {
    Router::new().route("/sim/v1/health", get(|| async { "ok\n" }))
}

async fn state(State(state): State<Arc<ApiState>>) -> Response {
    json_text(StatusCode::OK, &overview(&state.api.cluster))
}

async fn stop_node(State(state): State<Arc<ApiState>>, Path(node_id): Path<u32>) -> Response {
    let cluster = Arc::clone(&state.api.cluster);
    finish(async move { power(cluster.stop_node(NodeId(node_id)).await) }).await
}

async fn start_node(State(state): State<Arc<ApiState>>, Path(node_id): Path<u32>) -> Response {
    let cluster = Arc::clone(&state.api.cluster);
    finish(async move { power(cluster.start_node(NodeId(node_id)).await) }).await
}

async fn abandon_rekey(State(state): State<Arc<ApiState>>) -> Response {
    let cluster = Arc::clone(&state.api.cluster);
    finish(async move {
        match cluster.abandon_rekey().await {
            Ok(handle) => json_text(StatusCode::OK, &json!({ "asyncHandle": handle })),
            Err(AbandonRekeyError::Ledger(error)) => internal(&error),
            Err(
                error @ (AbandonRekeyError::NotRunning
                | AbandonRekeyError::TooLate(_)
                | AbandonRekeyError::Ring(_)),
            ) => refusal(StatusCode::CONFLICT, &error),
        }
    })
    .await
}

async fn retry(State(state): State<Arc<ApiState>>) -> Response {
    state.api.cluster.retry_now();
    done()
}

/// How many blocks are to be read.
#[derive(Deserialize)]
struct Count {
    count: Option<u64>,
}

async fn read_blocks(
    State(state): State<Arc<ApiState>>,
    Path((drive_id, lba)): Path<(u32, u64)>,
    Query(Count { count }): Query<Count>,
) -> Response {
    let count = count.unwrap_or(1);
    let len = usize::try_from(count).ok().and_then(|count| count.checked_mul(BLOCK_LEN));
    let Some(len) = len.filter(|_| (1..=BLOCKS_MAX).contains(&count)) else {
        let reason = format!("count must be 1 to {BLOCKS_MAX}");
        return refusal(StatusCode::BAD_REQUEST, &reason);
    };
    match state.api.cluster.read_blocks(DriveId(drive_id), lba, vec![0; len]).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        Err(error) => block_error(&error),
    }
}

async fn write_blocks(
    State(state): State<Arc<ApiState>>,
    Path((drive_id, lba)): Path<(u32, u64)>,
    body: Body,
) -> Response {
    let bytes = match request_body::read(body).await {
        Ok(bytes) => bytes,
        Err(page) => return page,
    };
    let cluster = Arc::clone(&state.api.cluster);
    finish(async move {
        let drive_id = DriveId(drive_id);
        let written = async {
            cluster.write_blocks(drive_id, lba, bytes.to_vec()).await?;
            cluster.flush(drive_id).await
        };
        written.await.map_or_else(|error| block_error(&error), |()| done())
    })
    .await
}

/// What was begun is finished also when the client goes away.
async fn finish(act: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(act).await.unwrap_or_else(|error| internal(&error))
}

fn overview(cluster: &Cluster) -> Value {
    let ledger = cluster.ledger();
    let drives = cluster.drives();
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
        "rekey": ledger.rekey.as_ref().map(|running| rekey_json(&ledger, running)),
        "unlocked": cluster.is_unlocked(),
    })
}

fn drive_json(drive: &DriveStatus) -> Value {
    let (state, reason) = match &drive.state {
        DriveState::Active => ("active", None),
        DriveState::Locked { reason } => ("locked", Some(reason)),
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

fn rekey_json(ledger: &Ledger, running: &RunningRekey) -> Value {
    json!({
        "asyncHandle": running.async_handle,
        "drivesRewrapped": ledger.ring.wraps(running.job.new_key()),
        "drivesTotal": ledger.drives().count(),
        "keyToDecommission": running.job.key_to_decommission(),
        "newKey": running.job.new_key(),
        "operation": running.operation,
        "state": running.job.state(),
    })
}

fn power(outcome: Result<(), PowerError>) -> Response {
    match outcome {
        Ok(()) => done(),
        Err(error @ PowerError::NoSuchNode(_)) => refusal(StatusCode::NOT_FOUND, &error),
        Err(PowerError::Ledger(error)) => internal(&error),
    }
}

fn block_error(error: &BlockError) -> Response {
    match error {
        BlockError::OutOfRange { .. } | BlockError::Length { .. } => {
            refusal(StatusCode::BAD_REQUEST, error)
        }
        BlockError::Locked { .. } => refusal(StatusCode::LOCKED, error),
        BlockError::Absent => refusal(StatusCode::SERVICE_UNAVAILABLE, error),
        BlockError::File(cause) => internal(cause),
    }
}
