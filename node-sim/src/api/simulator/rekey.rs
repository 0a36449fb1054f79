//! Giving up a rekey.

use super::answers::{finish, internal, json_text, refusal};
use crate::api::api_state::ApiState;
use crate::cluster::AbandonRekeyError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// Gives up the rekey that is running, while that is possible; answers its async result.
pub(super) async fn abandon(State(state): State<Arc<ApiState>>) -> Response {
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
