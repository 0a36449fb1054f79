//! Requests that a web page of another origin lets a browser send.
//!
//! A browser adds the credentials that it knows to any request to the cluster, also to one that a
//! foreign page starts, and it sends such a request without asking first if it is a GET, or a POST
//! with a simple content type. It says where the request comes from, though: in `Origin` (RFC 6454,
//! 7) and in `Sec-Fetch-Site` (Fetch Metadata Request Headers, 2.3). Clients that are not browsers
//! send neither.

use axum::http::{HeaderMap, HeaderName, Uri, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The scheme of every listener.
const SCHEME: &str = "https://";

/// The port that an origin of this scheme has if it names none.
const DEFAULT_PORT: &str = ":443";

/// Whether a browser says that the request comes from a page of another origin. A page of another
/// port of the same host is foreign, too.
#[must_use]
pub(crate) fn is_foreign(headers: &HeaderMap, uri: &Uri) -> bool {
    let sites = headers.get_all(SEC_FETCH_SITE);
    if sites.iter().any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return true;
    }
    let own = own_authority(headers, uri);
    let is_own = |origin: &str| {
        let authority = origin.strip_prefix(SCHEME).map(normalized);
        authority.is_some() && authority == own
    };
    let origins = headers.get_all(header::ORIGIN);
    origins.iter().any(|origin| !origin.to_str().is_ok_and(is_own))
}

/// Host and port that the client has asked for.
fn own_authority(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let of_uri = uri.authority().map(|authority| normalized(authority.as_str()));
    let of_header = || headers.get(header::HOST)?.to_str().ok().map(normalized);
    of_uri.or_else(of_header)
}

fn normalized(authority: &str) -> String {
    authority.to_ascii_lowercase().trim_end_matches(DEFAULT_PORT).to_owned()
}

#[cfg(test)]
mod tests {
    use super::is_foreign;
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_request_is_foreign_if_a_browser_says_so() {
        let host = ("host", "Cluster:8443");
        let table: &[(&[(&str, &str)], bool)] = &[
            // Not a browser: Python SDK, .NET, Trident, curl, health checks without a Host.
            (&[host], false),
            (&[host, ("content-type", "text/plain; charset=utf-8")], false),
            (&[host, ("content-type", "json-rpc")], false),
            (&[], false),
            // Typed by a user, or by a page of the cluster itself.
            (&[host, ("sec-fetch-site", "none")], false),
            (&[host, ("sec-fetch-site", "same-origin"), ("origin", "https://cluster:8443")], false),
            (&[host, ("origin", "https://CLUSTER:8443")], false),
            (&[("host", "cluster"), ("origin", "https://cluster:443")], false),
            (&[("host", "cluster:443"), ("origin", "https://cluster")], false),
            (&[("host", "[::1]:8443"), ("origin", "https://[::1]:8443")], false),
            // By a page of anybody else.
            (&[host, ("sec-fetch-site", "cross-site")], true),
            (&[host, ("sec-fetch-site", "same-site")], true),
            (&[host, ("sec-fetch-site", "unheard-of")], true),
            (&[host, ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], true),
            (&[host, ("origin", "https://evil.example")], true),
            (&[host, ("origin", "http://cluster:8443")], true),
            (&[host, ("origin", "https://cluster:9443")], true),
            (&[host, ("origin", "https://cluster:8443.evil.example")], true),
            (&[host, ("origin", "https://cluster")], true),
            (&[host, ("origin", "null")], true),
            (&[host, ("origin", "")], true),
            (&[host, ("origin", "https://cluster:8443"), ("origin", "https://evil")], true),
            (&[("origin", "https://cluster:8443")], true),
            (&[host, ("sec-fetch-site", "same-origin"), ("origin", "https://evil")], true),
        ];
        let path = Uri::from_static("/json-rpc/12.3");
        for (pairs, expected) in table {
            assert_eq!(is_foreign(&headers(pairs), &path), *expected, "{pairs:?}");
        }
        let absolute = Uri::from_static("https://cluster:8443/json-rpc/12.3");
        assert!(!is_foreign(&headers(&[("origin", "https://cluster:8443")]), &absolute));
    }
}
