//! Pace and stop of a rekey: `/sim/v1/rekey/control` and `/sim/v1/rekey/continue`.

use super::answers::{json_text, refusal};
use super::request_parts::{self, shortened};
use crate::api::api_state::ApiState;
use crate::cluster::{MILLISECONDS_PER_DRIVE_MAX, RekeyControlChange, STOPS, stop_by_name};
use crate::stream::overview::control_json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// Answers what is set, and what a rekey is stopped before now.
pub(super) async fn show(State(state): State<Arc<ApiState>>) -> Response {
    json_text(StatusCode::OK, &control_json(&state.api.cluster))
}

/// Changes what the body has, and answers as [`show`] does.
pub(super) async fn change(State(state): State<Arc<ApiState>>, body: Body) -> Response {
    let body = match request_parts::read_body(body, &state).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match read_change(&body) {
        Ok(change) => {
            state.api.cluster.rekey_control().change(change);
            state.api.cluster.changed();
            json_text(StatusCode::OK, &control_json(&state.api.cluster))
        }
        Err(reason) => refusal(StatusCode::BAD_REQUEST, &reason),
    }
}

/// Lets the rekey that is stopped go on, once.
pub(super) async fn release(State(state): State<Arc<ApiState>>) -> Response {
    match state.api.cluster.rekey_control().release() {
        Ok(next) => json_text(StatusCode::OK, &json!({ "released": next })),
        Err(error) => refusal(StatusCode::CONFLICT, &error),
    }
}

/// Reads a change; the error says what is allowed.
fn read_change(body: &[u8]) -> Result<RekeyControlChange, String> {
    let members = serde_json::from_slice::<Value>(body).ok();
    let Some(Value::Object(members)) = members else {
        return Err("the body must be a JSON object with the members millisecondsPerDrive, \
                    stopBefore, or both"
            .to_owned());
    };
    let mut change = RekeyControlChange::default();
    for (name, value) in &members {
        match name.as_str() {
            "millisecondsPerDrive" => {
                let milliseconds = value.as_u64().filter(|ms| *ms <= MILLISECONDS_PER_DRIVE_MAX);
                change.milliseconds_per_drive = Some(milliseconds.ok_or_else(|| {
                    format!(
                        "millisecondsPerDrive must be a whole number from 0 to \
                         {MILLISECONDS_PER_DRIVE_MAX}"
                    )
                })?);
            }
            "stopBefore" => change.stop_before = Some(read_stop(value)?),
            _ => {
                return Err(format!(
                    "member {} is not known; allowed are millisecondsPerDrive and stopBefore",
                    shortened(name)
                ));
            }
        }
    }
    Ok(change)
}

fn read_stop(value: &Value) -> Result<Option<crate::state::rekey_job::RekeyState>, String> {
    if value.is_null() {
        return Ok(None);
    }
    value.as_str().and_then(stop_by_name).map(Some).ok_or_else(|| {
        format!("stopBefore must be null or one of {}", STOPS.map(|(name, _)| name).join(", "))
    })
}
