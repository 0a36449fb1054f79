//! HTTP requests that are rejected before they are KMIP.

use hyper::StatusCode;

/// Rejection of an HTTP request that carries no KMIP message: a status and its reason.
pub(crate) struct Rejection {
    pub(crate) status: StatusCode,
    pub(crate) why: String,
}

impl Rejection {
    pub(crate) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }
}
