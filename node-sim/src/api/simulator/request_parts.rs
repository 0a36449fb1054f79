//! Parts of a request, or the refusal that says which part is wrong.

use super::answers::refusal;
use crate::api::api_state::ApiState;
use crate::api::http::request_body::{self, BodyError};
use crate::state::key_ring::KeyId;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

/// Longest part of what a client chose that an error repeats, in characters.
const REPEATED_LEN_MAX: usize = 64;

/// The numbers in the path, in their order.
pub(super) struct PathNumbers<const N: usize>(pub(super) [u64; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for PathNumbers<N> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let bad = |reason: String| refusal(StatusCode::BAD_REQUEST, &reason);
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| bad("the path is not UTF-8".to_owned()))?;
        let mut numbers = [0; N];
        for (number, (name, text)) in numbers.iter_mut().zip(&params) {
            *number = text.parse().map_err(|_| {
                bad(format!("{name} is {}; it must be a whole number", shortened(text)))
            })?;
        }
        Ok(Self(numbers))
    }
}

/// The id of a master key, the only parameter of the path.
pub(super) struct PathKeyId(pub(super) KeyId);

impl<S: Send + Sync> FromRequestParts<S> for PathKeyId {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let bad = |reason: String| refusal(StatusCode::BAD_REQUEST, &reason);
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| bad("the path is not UTF-8".to_owned()))?;
        let text = params.iter().next().map_or("", |(_, text)| text);
        text.parse()
            .map(Self)
            .map_err(|_| bad(format!("keyID is {}; it must be a UUID", shortened(text))))
    }
}

/// Reads the body, or returns the refusal.
pub(super) async fn read_body(body: Body, state: &ApiState) -> Result<Bytes, Response> {
    request_body::read(body, state.body_deadline).await.map_err(|error| {
        let status = match error {
            BodyError::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Incomplete => StatusCode::BAD_REQUEST,
            BodyError::Late => StatusCode::REQUEST_TIMEOUT,
        };
        refusal(status, &error)
    })
}

/// The beginning of what a client chose, quoted and escaped.
pub(super) fn shortened(text: &str) -> String {
    let mut beginning = text.chars();
    let text: String = beginning.by_ref().take(REPEATED_LEN_MAX).collect();
    let rest = if beginning.next().is_some() { "..." } else { "" };
    format!("{text:?}{rest}")
}
