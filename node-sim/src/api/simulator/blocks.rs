//! Blocks of a drive, decrypted.

use super::answers::{done, finish, internal, refusal};
use super::request_parts::{self, PathNumbers, shortened};
use crate::api::api_state::ApiState;
use crate::config::limits::BLOCKS_MAX;
use crate::node::{BLOCK_LEN, BlockError};
use crate::state::key_ring::DriveId;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Answers blocks of a drive, as many as `count` says, from one on.
pub(super) async fn read(
    State(state): State<Arc<ApiState>>,
    PathNumbers([drive_id, lba]): PathNumbers<2>,
    uri: Uri,
) -> Response {
    let len = match read_count(&uri) {
        Ok(count) => count.saturating_mul(BLOCK_LEN),
        Err(reason) => return refusal(StatusCode::BAD_REQUEST, &reason),
    };
    let Some(drive_id) = known(&state, drive_id) else { return no_such_drive(drive_id) };
    match state.api.cluster.read_blocks(drive_id, lba, vec![0; len]).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        Err(error) => block_error(&error),
    }
}

/// Writes whole blocks of a drive from one on, and answers when they are durable.
pub(super) async fn write(
    State(state): State<Arc<ApiState>>,
    PathNumbers([drive_id, lba]): PathNumbers<2>,
    body: Body,
) -> Response {
    let bytes = match request_parts::read_body(body, &state).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    if bytes.is_empty() {
        let reason = format!("the body is empty; it must be 1 to {BLOCKS_MAX} whole blocks");
        return refusal(StatusCode::BAD_REQUEST, &reason);
    }
    let Some(drive_id) = known(&state, drive_id) else { return no_such_drive(drive_id) };
    let cluster = Arc::clone(&state.api.cluster);
    finish(async move {
        let written = async {
            cluster.write_blocks(drive_id, lba, bytes.to_vec()).await?;
            cluster.flush(drive_id).await
        };
        written.await.map_or_else(|error| block_error(&error), |()| done())
    })
    .await
}

/// Reads how many blocks are wanted: 1, unless the query says more.
fn read_count(uri: &Uri) -> Result<usize, String> {
    let allowed = || format!("count must be 1 to {BLOCKS_MAX}");
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| allowed())?;
    let mut count = 1;
    for (name, value) in pairs.0 {
        if name != "count" {
            return Err(format!("parameter {} is not known; allowed is count", shortened(&name)));
        }
        let number = value.parse::<u64>().ok().filter(|n| (1..=BLOCKS_MAX).contains(n));
        count = number.and_then(|n| usize::try_from(n).ok()).ok_or_else(allowed)?;
    }
    Ok(count)
}

/// The id of a drive of the cluster, present or absent.
fn known(state: &ApiState, drive_id: u64) -> Option<DriveId> {
    let drive_id = u32::try_from(drive_id).map(DriveId).ok()?;
    let exists = state
        .api
        .cluster
        .read(|ledger| ledger.drives().any(|(_, drive)| drive.drive_id == drive_id));
    exists.then_some(drive_id)
}

fn no_such_drive(drive_id: u64) -> Response {
    refusal(StatusCode::NOT_FOUND, &format!("drive {drive_id} does not exist"))
}

fn block_error(error: &BlockError) -> Response {
    match error {
        BlockError::OutOfRange { .. } | BlockError::Length { .. } => {
            refusal(StatusCode::BAD_REQUEST, error)
        }
        BlockError::Locked { .. } => refusal(StatusCode::LOCKED, error),
        BlockError::Damaged { .. } => refusal(StatusCode::INTERNAL_SERVER_ERROR, error),
        BlockError::Absent => refusal(StatusCode::SERVICE_UNAVAILABLE, error),
        BlockError::File(cause) => internal(cause),
    }
}
