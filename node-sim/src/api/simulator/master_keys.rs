//! Master keys whose destruction could not be confirmed.

use super::answers::{done, finish, internal, refusal};
use super::request_parts::PathKeyId;
use crate::api::api_state::ApiState;
use crate::cluster::ForgetKeyError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Takes a key off the ledger: an operator has seen at the key server that it is gone.
pub(super) async fn forget(
    State(state): State<Arc<ApiState>>,
    PathKeyId(key_id): PathKeyId,
) -> Response {
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
