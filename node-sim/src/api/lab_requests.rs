//! Requests of `/lab/v1`, which are passed on to the lab controller.

use super::api_state::ApiState;
use super::http::error_pages::FOREIGN_ORIGIN;
use super::http::listener::ClientAddress;
use super::http::request_body::{self, BodyError};
use super::lab_controller::PassError;
use crate::stream::calls::AnsweredCall;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// Beginning of the paths that are passed on.
pub(crate) const BASE_PATH: &str = "/lab/v1/";

/// Passes a request on, and its answer back.
pub(super) async fn pass(
    State(state): State<Arc<ApiState>>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    method: Method,
    uri: Uri,
    body: Body,
) -> Response {
    let body = match request_body::read(body, state.body_deadline).await {
        Ok(body) => body,
        Err(error) => return refusal(status_of(error), &error),
    };
    let Some(lab) = &state.lab else { return refusal(StatusCode::NOT_FOUND, &PassError::None) };
    let (begun, reads) = (Instant::now(), method == Method::GET);
    let params = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let name = format!("{method} {}", uri.path());
    let passed = lab.pass(method, &uri, body).await;
    let outcome = match &passed {
        Ok(answer) if answer.status().is_success() => Ok(&Value::Null),
        Ok(answer) => Err(json!({ "status": answer.status().as_u16() })),
        Err(error) => Err(json!({ "message": error.to_string() })),
    };
    if !reads {
        state.api.stream.calls.publish(AnsweredCall {
            endpoint: "lab/v1".to_owned(),
            method: &name,
            params,
            outcome,
            reads,
            took: begun.elapsed(),
            client,
        });
    }
    passed.unwrap_or_else(|error| refusal(StatusCode::BAD_GATEWAY, &error))
}

fn status_of(error: BodyError) -> StatusCode {
    match error {
        BodyError::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::Incomplete => StatusCode::BAD_REQUEST,
        BodyError::Late => StatusCode::REQUEST_TIMEOUT,
    }
}

/// Answers a request that a page of another origin has started.
pub(super) fn foreign_origin() -> Response {
    refusal(StatusCode::FORBIDDEN, &FOREIGN_ORIGIN)
}

fn refusal(status: StatusCode, reason: &impl std::fmt::Display) -> Response {
    let body = json!({ "error": reason.to_string() }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
