//! Answers of the simulator's own API: JSON, also for errors.

use crate::api::http::error_pages::FOREIGN_ORIGIN;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(super) fn done() -> Response {
    json_text(StatusCode::OK, &json!({}))
}

pub(super) fn refusal(status: StatusCode, reason: &impl std::fmt::Display) -> Response {
    json_text(status, &json!({ "error": reason.to_string() }))
}

/// Answers a request that a page of another origin has started.
pub(crate) fn foreign_origin() -> Response {
    refusal(StatusCode::FORBIDDEN, &FOREIGN_ORIGIN)
}

/// The cause names files of the simulator: it goes to the log.
pub(super) fn internal(cause: &impl std::fmt::Display) -> Response {
    tracing::error!(%cause, "a request to the simulator's own API failed");
    refusal(StatusCode::INTERNAL_SERVER_ERROR, &"it could not be done; see the log")
}

pub(super) fn json_text(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// What was begun is finished also when the client goes away.
pub(super) async fn finish(act: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(act).await.unwrap_or_else(|error| internal(&error))
}
