//! KMIP messages of the cluster, and notes of lab tools.

use super::answers::{done, json_text, refusal};
use super::request_parts::{self, PathNumbers};
use crate::api::api_state::ApiState;
use crate::stream::event_log::EventKind;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Messages that are answered, if the request does not say how many.
const LAST_DEFAULT: usize = 100;

/// Longest note, in bytes.
const NOTE_LEN_MAX: usize = 4096;

/// Which messages are answered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    last: Option<usize>,
}

/// A note.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    source: String,
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    data: Map<String, Value>,
}

/// Answers the summaries of the last messages.
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Ok(Query(wanted)) = wanted else {
        return refusal(StatusCode::BAD_REQUEST, &"last must be a whole number");
    };
    let messages = state.api.stream.messages.last(wanted.last.unwrap_or(LAST_DEFAULT));
    json_text(StatusCode::OK, &json!({ "messages": messages }))
}

/// Answers a message with its tree and its bytes.
pub(super) async fn show(
    State(state): State<Arc<ApiState>>,
    PathNumbers([number]): PathNumbers<1>,
) -> Response {
    match state.api.stream.messages.whole(number) {
        Some(message) => json_text(StatusCode::OK, &message),
        None => refusal(StatusCode::NOT_FOUND, &format!("message {number} is not kept")),
    }
}

/// Adds a note to the stream of events.
pub(super) async fn add_note(State(state): State<Arc<ApiState>>, body: Body) -> Response {
    let body = match request_parts::read_body(body, &state).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    if body.len() > NOTE_LEN_MAX {
        let reason = format!("a note has at most {NOTE_LEN_MAX} bytes");
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, &reason);
    }
    let Ok(Note { source, title, text, data }) = serde_json::from_slice(&body) else {
        let reason = "the body must be a JSON object with the texts source and title, and if \
                      wanted text and the object data";
        return refusal(StatusCode::BAD_REQUEST, &reason);
    };
    let note = Map::from_iter([
        ("data".to_owned(), Value::Object(data)),
        ("source".to_owned(), source.into()),
        ("text".to_owned(), text.into()),
        ("title".to_owned(), title.into()),
    ]);
    state.api.stream.log.publish(EventKind::Note, note);
    done()
}
