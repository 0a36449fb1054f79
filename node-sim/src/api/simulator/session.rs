//! Sessions of web pages: `/sim/v1/session`.

use super::answers::{done, foreign_origin, internal, json_text, refusal};
use super::request_parts;
use crate::api::api_state::ApiState;
use crate::api::http::listener::ClientAddress;
use crate::api::http::login_throttle::Verdict;
use crate::api::http::origin;
use crate::api::http::session::Session;
use crate::state::timestamps::format_microseconds;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Name and password of the administrator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    user: String,
    password: String,
}

/// Begins a session for the right name and password. A wrong one is held back, as at `/json-rpc`.
pub(super) async fn begin(
    State(state): State<Arc<ApiState>>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Response {
    if origin::is_foreign(&headers, &uri) {
        return foreign_origin();
    }
    let body = match request_parts::read_body(body, &state).await {
        Ok(body) => Zeroizing::new(body.to_vec()),
        Err(refusal) => return refusal,
    };
    let Ok(Login { user, password }) = serde_json::from_slice::<Login>(&body) else {
        let reason = "the body must be a JSON object with the members user and password";
        return refusal(StatusCode::BAD_REQUEST, &reason);
    };
    let password = Zeroizing::new(password);
    let is_right = state.credentials.is_right(&user, &password);
    match state.login_throttle.judge(client, &user, is_right, Instant::now()) {
        Verdict::Admit => {}
        Verdict::RefuseAfter(delay, held_back) => {
            tracing::info!(%client, "refused credentials");
            tokio::time::sleep(delay).await;
            drop(held_back);
            return refusal(StatusCode::UNAUTHORIZED, &"the user name or the password is wrong");
        }
        Verdict::Busy => {
            let reason = "too many wrong passwords came from this address; wait a few seconds";
            return refusal(StatusCode::TOO_MANY_REQUESTS, &reason);
        }
    }
    match state.sessions.begin(Instant::now()) {
        Some(cookie) => with_cookie(cookie, shown(&state, state.sessions.idle_max())),
        None => internal(&"no random bytes"),
    }
}

/// Answers the session of the request.
pub(super) async fn show(
    State(state): State<Arc<ApiState>>,
    session: Option<Extension<Session>>,
) -> Response {
    let left = session.and_then(|Extension(s)| state.sessions.left(&s, Instant::now()));
    match left {
        Some(left) => shown(&state, left),
        None => refusal(StatusCode::NOT_FOUND, &"the request has no session"),
    }
}

/// Ends the session of the request.
pub(super) async fn end(
    State(state): State<Arc<ApiState>>,
    session: Option<Extension<Session>>,
) -> Response {
    let ended = session.and_then(|Extension(s)| state.sessions.end(&s, Instant::now()));
    ended.map_or_else(done, |cookie| with_cookie(cookie, done()))
}

fn shown(state: &ApiState, left: Duration) -> Response {
    let expires = OffsetDateTime::now_utc().saturating_add(left.try_into().unwrap_or_default());
    let session: Value = json!({
        "expires": format_microseconds(expires),
        "idleSeconds": state.sessions.idle_max().as_secs(),
        "user": state.api.admin,
    });
    json_text(StatusCode::OK, &session)
}

fn with_cookie(cookie: HeaderValue, answer: Response) -> Response {
    ([(header::SET_COOKIE, cookie)], answer).into_response()
}
