//! Master keys whose destruction could not be confirmed.

use super::answers::{done, finish, internal, refusal};
use super::request_parts::shortened;
use crate::api::api_state::ApiState;
use crate::cluster::ForgetKeyError;
use crate::state::key_ring::KeyId;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Takes a key off the ledger: an operator has seen at the key server that it is gone.
pub(super) async fn forget(
    State(state): State<Arc<ApiState>>,
    Path(key_id): Path<String>,
) -> Response {
    let Ok(key_id) = key_id.parse::<KeyId>() else {
        let reason = format!("keyID is {}; it must be a UUID", shortened(&key_id));
        return refusal(StatusCode::BAD_REQUEST, &reason);
    };
    let cluster = Arc::clone(&state.api.cluster);
    finish(async move {
        match cluster.forget_master_key(key_id).await {
            Ok(()) => done(),
            Err(error @ ForgetKeyError::Unknown(_)) => refusal(StatusCode::NOT_FOUND, &error),
            Err(error @ ForgetKeyError::Needed(_)) => refusal(StatusCode::CONFLICT, &error),
            Err(ForgetKeyError::Ledger(error)) => internal(&error),
        }
    })
    .await
}
