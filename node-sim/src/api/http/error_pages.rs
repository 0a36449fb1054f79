//! The answers that are not JSON: what a client sees when it did not get as far as a method.
//!
//! Official clients read these texts: the Python SDK looks for `401 Unauthorized.` and
//! `404 Not Found`, the Java SDK for what stands between `<p> ` and `</p>`.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// The name of the realm: .NET and browsers send credentials only after they were asked to.
const REALM: HeaderValue = HeaderValue::from_static("Basic realm=\"Element\", charset=\"UTF-8\"");

/// Why a request that a foreign page started is refused.
pub(crate) const FOREIGN_ORIGIN: &str =
    "A web page of another origin has started this request; use a client, or a page of this host.";

/// In seconds: longer than an answer is held back.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// The credentials are absent or wrong.
#[must_use]
pub(crate) fn unauthorized() -> Response {
    let page = page(StatusCode::UNAUTHORIZED, "401 Unauthorized.", "Log in as a cluster admin.");
    ([(header::WWW_AUTHENTICATE, REALM)], page).into_response()
}

/// The credentials are absent or wrong, and the client is a script of a page: without the header
/// its browser does not ask its user.
#[must_use]
pub(crate) fn unauthorized_script() -> Response {
    page(StatusCode::UNAUTHORIZED, "401 Unauthorized.", "Log in as a cluster admin.")
}

/// The request was started by a page of another origin.
#[must_use]
pub(crate) fn foreign_origin() -> Response {
    page(StatusCode::FORBIDDEN, "403 Forbidden", FOREIGN_ORIGIN)
}

/// Too many wrong passwords came from the client's address.
#[must_use]
pub(crate) fn too_many_attempts() -> Response {
    let page = page(
        StatusCode::TOO_MANY_REQUESTS,
        "429 Too Many Requests",
        "Too many wrong passwords came from this address. Wait a few seconds.",
    );
    ([(header::RETRY_AFTER, RETRY_AFTER)], page).into_response()
}

/// There is no such endpoint.
#[must_use]
pub(crate) fn not_found(reason: &str) -> Response {
    page(StatusCode::NOT_FOUND, "404 Not Found", reason)
}

/// The path is there, but not with this verb.
#[must_use]
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response {
    let allow: (HeaderName, HeaderValue) = (header::ALLOW, HeaderValue::from_static(allowed));
    let reason = format!("Use {allowed}.");
    let page = page(StatusCode::METHOD_NOT_ALLOWED, "405 Method Not Allowed", &reason);
    ([allow], page).into_response()
}

/// The body or the query is longer than it may be.
#[must_use]
pub(crate) fn too_large(reason: &str) -> Response {
    page(StatusCode::PAYLOAD_TOO_LARGE, "413 Content Too Large", reason)
}

/// The body did not come in time.
#[must_use]
pub(crate) fn timeout(reason: &str) -> Response {
    page(StatusCode::REQUEST_TIMEOUT, "408 Request Timeout", reason)
}

/// The body broke off.
#[must_use]
pub(crate) fn bad_request(reason: &str) -> Response {
    page(StatusCode::BAD_REQUEST, "400 Bad Request", reason)
}

/// The reasons are our own sentences; none of them repeats what a client sent.
fn page(status: StatusCode, title: &str, reason: &str) -> Response {
    let body = format!(
        "<!DOCTYPE html><html><head><title>{title}</title></head>\
         <body><h1>{title}</h1><p> {reason}</p></body></html>\n"
    );
    (status, Html(body)).into_response()
}
