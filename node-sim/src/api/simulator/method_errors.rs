//! Errors that are set for methods of Element: `/sim/v1/method-errors`.

use super::answers::{done, json_text, refusal};
use super::request_parts::{self, shortened};
use crate::api::api_state::ApiState;
use crate::api::methods::method_errors::{METHOD_ERRORS_MAX, MethodError};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Longest name of an error, in characters.
const NAME_LEN_MAX: usize = 64;

/// Longest message of an error, in characters.
const MESSAGE_LEN_MAX: usize = 1024;

/// An error as it is set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    method: String,
    name: String,
    message: String,
    times: Option<u64>,
}

/// Answers the errors that are set.
pub(super) async fn list(State(state): State<Arc<ApiState>>) -> Response {
    json_text(StatusCode::OK, &json!({ "methodErrors": state.api.method_errors.all() }))
}

/// Sets the error of a method.
pub(super) async fn set(State(state): State<Arc<ApiState>>, body: Body) -> Response {
    let body = match request_parts::read_body(body, &state).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match read(&body, &state) {
        Ok(error) if state.api.method_errors.set(error.clone()) => {
            json_text(StatusCode::OK, &json!(error))
        }
        Ok(_) => {
            let reason = format!("at most {METHOD_ERRORS_MAX} methods can have an error");
            refusal(StatusCode::CONFLICT, &reason)
        }
        Err(reason) => refusal(StatusCode::BAD_REQUEST, &reason),
    }
}

/// Removes all errors.
pub(super) async fn clear(State(state): State<Arc<ApiState>>) -> Response {
    state.api.method_errors.clear();
    done()
}

/// Removes the error of one method.
pub(super) async fn remove(
    State(state): State<Arc<ApiState>>,
    Path(method): Path<String>,
) -> Response {
    if state.api.method_errors.remove(&method) {
        return done();
    }
    refusal(StatusCode::NOT_FOUND, &format!("method {} has no error", shortened(&method)))
}

/// Reads an error; the reason if it is not allowed.
fn read(body: &[u8], state: &ApiState) -> Result<MethodError, String> {
    let Given { method, name, message, times } = serde_json::from_slice(body).map_err(|_| {
        "the body must be a JSON object with the texts method, name and message, and if wanted \
         the whole number times"
            .to_owned()
    })?;
    let known = state.api.methods().find(|known| known.name.eq_ignore_ascii_case(&method));
    let method = known.ok_or_else(|| format!("method {} does not exist", shortened(&method)))?;
    let is_name = name.starts_with('x')
        && name.len() <= NAME_LEN_MAX
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    if !is_name {
        return Err(format!("name must be x and at most {NAME_LEN_MAX} letters and digits"));
    }
    if message.chars().count() > MESSAGE_LEN_MAX {
        return Err(format!("message must have at most {MESSAGE_LEN_MAX} characters"));
    }
    Ok(MethodError { method: method.name.to_owned(), name, message, times, fired: 0 })
}
