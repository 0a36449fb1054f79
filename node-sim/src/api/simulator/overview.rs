//! Overview of the cluster, with what a page needs besides.

use super::answers::json_text;
use crate::api::api_state::ApiState;
use crate::stream::overview::overview;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Answers the overview.
pub(super) async fn show(State(state): State<Arc<ApiState>>) -> Response {
    let mut overview = overview(&state.api.cluster, &state.api.stream);
    overview.insert("lastEventID".to_owned(), state.api.stream.log.last_id().into());
    json_text(StatusCode::OK, &overview.into())
}
