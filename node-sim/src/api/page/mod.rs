//! The web page at `/ui/`: static files that are a part of the program.
//!
//! They need no credentials and have nothing of the cluster in them: the page logs in, and reads
//! what it shows from the APIs. Its policy allows no request outside of this origin, and no markup
//! that is made from text.

mod files;

#[cfg(test)]
mod tests;

use super::http::error_pages;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use files::{Encoding, StaticFile};

/// File of the path `/ui/`.
const INDEX: &str = "index.html";

/// What the page may load and do: files and requests of this origin, nothing inline, no frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Routes of the page. They need no credentials.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(to_page))
        .route("/ui", get(to_page))
        .route("/ui/", get(async |headers: HeaderMap| answer(INDEX, &headers)))
        .route("/ui/{*path}", get(file))
}

async fn to_page() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/ui/")]).into_response()
}

async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    answer(&path, &headers)
}

fn answer(path: &str, request: &HeaderMap) -> Response {
    let Some(file) = StaticFile::of(path) else {
        return error_pages::not_found("There is no such file of the page.");
    };
    let mut headers = headers(file);
    if has_tag(request, &file.tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let (encoding, bytes) = file.body(accepts_deflate(request));
    if encoding == Encoding::Deflate {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("deflate"));
    }
    (headers, bytes).into_response()
}

fn headers(file: &StaticFile) -> HeaderMap {
    let fixed = [
        (header::CONTENT_TYPE, file.content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept-encoding"),
    ];
    let fixed = fixed.map(|(name, value)| (name, HeaderValue::from_static(value)));
    let mut headers = HeaderMap::from_iter(fixed);
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(header::ETAG, tag);
    }
    headers
}

/// Whether the client has the file already (RFC 9110, 13.1.2).
fn has_tag(request: &HeaderMap, tag: &str) -> bool {
    let known = request.get_all(header::IF_NONE_MATCH);
    let mut known = known.iter().filter_map(|value| value.to_str().ok());
    known.any(|tags| tags.split(',').map(str::trim).any(|one| one == tag || one == "*"))
}

/// Whether the client takes a compressed body (RFC 9110, 12.5.3).
fn accepts_deflate(request: &HeaderMap) -> bool {
    let accepted = request.get_all(header::ACCEPT_ENCODING);
    let mut accepted = accepted.iter().filter_map(|value| value.to_str().ok());
    accepted.any(|codings| {
        codings.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case("deflate") && weight != Some(0.0)
        })
    })
}
