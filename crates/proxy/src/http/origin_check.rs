//! Refusal of what a web page from elsewhere could send through a browser on this machine.
//!
//! A page can post text to any address, and can reach a loopback address under a name of its own
//! (DNS rebinding). It cannot choose the Host header, hide its Origin, or post JSON unasked.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Method, header};

/// Returns why a request is refused, if it is. `address` is where the interface listens, and
/// `hosts` are names under which it is reached besides.
pub(super) fn refusal(
    method: &Method,
    headers: &HeaderMap,
    address: SocketAddr,
    hosts: &[String],
) -> Option<&'static str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !text(header::HOST).is_some_and(|host| is_own(host, address, hosts)) {
        return Some("Host must be the address where this interface listens");
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        if !host.is_some_and(|host| is_own(host, address, hosts)) {
            return Some("requests of pages from elsewhere are refused");
        }
    }
    if text(header::HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| !matches!(site, "same-origin" | "none"))
    {
        return Some("requests of pages from elsewhere are refused");
    }
    let is_json = text(header::CONTENT_TYPE).is_some_and(|ty| {
        ty.split(';').next().is_some_and(|ty| ty.trim().eq_ignore_ascii_case("application/json"))
    });
    let changes = *method != Method::GET && *method != Method::HEAD;
    (changes && !is_json).then_some("Content-Type must be application/json")
}

/// Returns whether `host` is this interface: `localhost`, an address or one of its names, with the
/// port.
fn is_own(host: &str, address: SocketAddr, hosts: &[String]) -> bool {
    let Some((name, port)) = host.rsplit_once(':') else { return false };
    if port.parse() != Ok(address.port()) {
        return false;
    }
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = |named: IpAddr| {
        named == address.ip() || named.is_loopback() || address.ip().is_unspecified()
    };
    let is_named = |own: &String| name.eq_ignore_ascii_case(own);
    name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(is_named)
        || name.parse().is_ok_and(is_address)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::refusal;

    fn is_refused(method: &Method, lines: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 81));
        refusal(method, &headers, address, &["kmip-proxy".to_owned()]).is_some()
    }

    #[test]
    fn page_from_elsewhere_is_refused() {
        let (get, post, delete) = (&Method::GET, &Method::POST, &Method::DELETE);
        let own = ("host", "127.0.0.1:81");
        let json = ("content-type", "application/json; charset=utf-8");
        assert!(!is_refused(get, &[own]));
        assert!(!is_refused(get, &[("host", "localhost:81")]));
        assert!(!is_refused(get, &[("host", "kmip-proxy:81")]));
        assert!(is_refused(get, &[("host", "kmip-proxy:82")]));
        assert!(!is_refused(get, &[("host", "[::1]:81")]));
        assert!(!is_refused(post, &[own, json]));
        assert!(!is_refused(post, &[own, json, ("origin", "http://localhost:81")]));
        for lines in [
            &[][..],
            &[("host", "127.0.0.1")],
            &[("host", "127.0.0.1:82")],
            &[("host", "attacker.example:81")],
            &[("host", "192.0.2.1:81")],
            &[own, ("origin", "http://attacker.example")],
            &[own, ("origin", "https://127.0.0.1:81")],
            &[own, ("origin", "null")],
            &[own, ("sec-fetch-site", "cross-site")],
        ] {
            assert!(is_refused(get, lines), "{lines:?}");
        }
        for method in [post, delete] {
            assert!(is_refused(method, &[own]));
            assert!(is_refused(method, &[own, ("content-type", "text/plain")]));
        }
    }
}
