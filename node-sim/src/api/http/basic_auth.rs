//! Authentication: HTTP Basic, on every request.
//!
//! Only digests of the name and the password are kept, and they are compared in constant time, so
//! that neither a dump nor a clock tells how much of a guess was right.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The cluster's primary administrator.
pub(crate) struct Credentials {
    digest: Vec<u8>,
}

impl Credentials {
    /// The administrator of this name and password.
    #[must_use]
    pub(crate) fn new(username: &str, password: &str) -> Self {
        let pair = Zeroizing::new(format!("{username}:{password}"));
        let digest = digest(&SHA256, pair.as_bytes()).as_ref().to_vec();
        Self { digest }
    }

    /// Returns whether the request carries the right `Authorization` (RFC 7617). The name has no
    /// colon, so name and password can be compared as one text.
    #[must_use]
    pub(crate) fn verify(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"))
            .and_then(|(_, pair)| STANDARD.decode(pair.trim()).ok())
            .map(Zeroizing::new);
        given.is_some_and(|pair| {
            verify_slices_are_equal(digest(&SHA256, &pair).as_ref(), &self.digest).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Credentials;
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn only_the_administrator_is_admitted() {
        let admin = Credentials::new("admin", "sécret:0");
        let table = [
            (Some("Basic YWRtaW46c8OpY3JldDow"), true),
            (Some("basic YWRtaW46c8OpY3JldDow"), true),
            (Some("Basic  YWRtaW46c8OpY3JldDow"), true),
            (Some("Basic YWRtaW46c2VjcmV0"), false),
            (Some("Basic YWRtaW46"), false),
            (Some("Basic YWRtaW4="), false),
            (Some("Basic !"), false),
            (Some("Basic"), false),
            (Some("Bearer YWRtaW46c8OpY3JldDow"), false),
            (Some(""), false),
            (None, false),
        ];
        for (value, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(admin.verify(&headers), expected, "{value:?}");
        }
    }
}
