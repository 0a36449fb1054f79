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

/// What a request says of who sends it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// Nothing: clients may wait to be asked.
    Absent,
    /// Name and password are right.
    Right {
        /// The name.
        account: String,
    },
    /// Name or password is wrong, or the header is malformed.
    Wrong {
        /// The name as the client wrote it, or an empty one.
        account: String,
    },
}

impl Credentials {
    /// The administrator of this name and password.
    #[must_use]
    pub(crate) fn new(username: &str, password: &str) -> Self {
        let pair = Zeroizing::new(format!("{username}:{password}"));
        let digest = digest(&SHA256, pair.as_bytes()).as_ref().to_vec();
        Self { digest }
    }

    /// Whether name and password are right.
    #[must_use]
    pub(crate) fn is_right(&self, username: &str, password: &str) -> bool {
        // The administrator's name has no colon: with one, another pair would be the same text.
        let given = Self::new(username, password);
        let is_same = verify_slices_are_equal(&given.digest, &self.digest).is_ok();
        is_same && !username.contains(':')
    }

    /// Reads and checks the request's `Authorization` (RFC 7617). The administrator's name has no
    /// colon, so name and password can be compared as one text.
    #[must_use]
    pub(crate) fn check(&self, headers: &HeaderMap) -> Login {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Login::Absent };
        let pair = value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"))
            .and_then(|(_, pair)| STANDARD.decode(pair.trim()).ok())
            .map(Zeroizing::new)
            .unwrap_or_default();
        let name = pair.split(|byte| *byte == b':').next().unwrap_or_default();
        let account = String::from_utf8_lossy(name).into_owned();
        let given = digest(&SHA256, &pair);
        if verify_slices_are_equal(given.as_ref(), &self.digest).is_ok() {
            Login::Right { account }
        } else {
            Login::Wrong { account }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Login};
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn only_the_administrator_is_admitted() {
        let admin = Credentials::new("admin", "sécret:0");
        let right = |account: &str| Login::Right { account: account.to_owned() };
        let wrong = |account: &str| Login::Wrong { account: account.to_owned() };
        let table = [
            (Some("Basic YWRtaW46c8OpY3JldDow"), right("admin")),
            (Some("basic YWRtaW46c8OpY3JldDow"), right("admin")),
            (Some("Basic  YWRtaW46c8OpY3JldDow"), right("admin")),
            (Some("Basic YWRtaW46c2VjcmV0"), wrong("admin")),
            (Some("Basic YWRtaW46"), wrong("admin")),
            (Some("Basic YWRtaW4="), wrong("admin")),
            (Some("Basic !"), wrong("")),
            (Some("Basic"), wrong("")),
            (Some("Bearer YWRtaW46c8OpY3JldDow"), wrong("")),
            (Some(""), wrong("")),
            (None, Login::Absent),
        ];
        for (value, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(admin.check(&headers), expected, "{value:?}");
        }
    }
}
