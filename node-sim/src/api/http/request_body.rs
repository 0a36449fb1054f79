//! The body of a request, within its limits.

use super::error_pages;
use crate::config::limits::{BODY_DEADLINE, BODY_LEN_MAX};
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::response::Response;

/// The whole body, within its length and its deadline, or the error page.
pub(crate) async fn read(body: Body) -> Result<Bytes, Response> {
    let max = u64::try_from(BODY_LEN_MAX).unwrap_or(u64::MAX);
    if body.size_hint().lower() > max {
        return Err(error_pages::too_large(&format!("A body has at most {BODY_LEN_MAX} bytes.")));
    }
    match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, BODY_LEN_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let reason = format!("The body broke off, or has more than {BODY_LEN_MAX} bytes.");
            Err(error_pages::bad_request(&reason))
        }
        Err(_) => Err(error_pages::timeout()),
    }
}
