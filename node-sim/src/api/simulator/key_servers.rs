//! Changes of key servers that an operator insists on.

use super::answers::{done, refusal};
use super::request_parts::PathNumbers;
use crate::api::api_state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Lets the next `ModifyKeyServerKmip` of the key server be made without contacting it, also when
/// it locks the drives at the next power cycle.
pub(super) async fn skip_check(
    State(state): State<Arc<ApiState>>,
    PathNumbers([id]): PathNumbers<1>,
) -> Response {
    match state.api.cluster.allow_unchecked_change(id) {
        Ok(()) => done(),
        Err(error) => refusal(StatusCode::NOT_FOUND, &error.message),
    }
}
