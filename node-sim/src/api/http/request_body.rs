//! The body of a request, within its limits.

use super::error_pages;
use crate::config::limits::BODY_LEN_MAX;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::response::Response;
use std::time::Duration;

/// Error of reading a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is longer than it may be.
    #[error("A body has at most {BODY_LEN_MAX} bytes.")]
    TooLong,
    /// It ended too early, or became too long on its way.
    #[error("The body broke off, or has more than {BODY_LEN_MAX} bytes.")]
    Incomplete,
    /// It did not come within the deadline.
    #[error("The body did not come in time.")]
    Late,
}

impl BodyError {
    /// The error's page, as the JSON-RPC API answers it.
    pub(crate) fn page(self) -> Response {
        let reason = self.to_string();
        match self {
            Self::TooLong => error_pages::too_large(&reason),
            Self::Incomplete => error_pages::bad_request(&reason),
            Self::Late => error_pages::timeout(&reason),
        }
    }
}

/// Reads the whole body, within its length and this deadline.
///
/// # Errors
/// It is too long, ends too early or comes too late.
pub(crate) async fn read(body: Body, deadline: Duration) -> Result<Bytes, BodyError> {
    let max = u64::try_from(BODY_LEN_MAX).unwrap_or(u64::MAX);
    if body.size_hint().lower() > max {
        return Err(BodyError::TooLong);
    }
    match tokio::time::timeout(deadline, to_bytes(body, BODY_LEN_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(BodyError::Incomplete),
        Err(_) => Err(BodyError::Late),
    }
}
