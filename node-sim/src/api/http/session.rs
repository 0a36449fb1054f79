//! Sessions of web pages: a random token in a cookie in place of the password.
//!
//! The cookie cannot be read by scripts, is sent over TLS only, and to requests of this origin only
//! (RFC 6265bis, 4.1.2). A session ends when nothing was asked with it for a time. Only digests of
//! the tokens are kept, in memory.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Name of the cookie. Browsers take a name of this beginning only with `Secure`, for the whole
/// host, and not from other hosts (RFC 6265bis, 4.1.3.2).
const COOKIE: &str = "__Host-node-sim";

/// Bytes of a token.
const TOKEN_LEN: usize = 32;

/// Sessions at once; the one that was unused the longest ends first.
const SESSIONS_MAX: usize = 256;

/// Where a browser says for what it fetches.
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Where a browser says from where it fetches.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

type TokenDigest = Vec<u8>;

/// The sessions.
pub(crate) struct Sessions {
    idle_max: Duration,
    ends: Mutex<BTreeMap<TokenDigest, Instant>>,
}

/// A session that a request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session(TokenDigest);

impl Sessions {
    /// No sessions yet; each ends after this time without a request.
    pub(crate) fn new(idle_max: Duration) -> Self {
        Self { idle_max, ends: Mutex::default() }
    }

    /// How long a session lasts without a request.
    pub(crate) const fn idle_max(&self) -> Duration {
        self.idle_max
    }

    /// Begins a session, and returns the header that sets its cookie; none if the system gives no
    /// random bytes.
    pub(crate) fn begin(&self, now: Instant) -> Option<HeaderValue> {
        let mut token = Zeroizing::new([0; TOKEN_LEN]);
        rand::fill(token.as_mut_slice()).ok()?;
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(token.as_slice()));
        let mut ends = self.ends(now);
        if ends.len() >= SESSIONS_MAX {
            let oldest = ends.iter().min_by_key(|(_, end)| **end).map(|(token, _)| token.clone());
            oldest.map(|oldest| ends.remove(&oldest));
        }
        ends.insert(digest_of(&text), now.checked_add(self.idle_max)?);
        cookie(&text, "")
    }

    /// The session of a request, if it has a cookie of one that lasts.
    pub(crate) fn of(&self, headers: &HeaderMap, now: Instant) -> Option<Session> {
        let cookies =
            headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).map(str::trim);
        let token = pairs.find_map(|pair| pair.strip_prefix(COOKIE)?.strip_prefix('='))?;
        let session = Session(digest_of(token));
        self.ends(now).contains_key(&session.0).then_some(session)
    }

    /// Lets the session last from now on.
    pub(crate) fn extend(&self, session: &Session, now: Instant) {
        let mut ends = self.ends(now);
        if let Some(end) = ends.get_mut(&session.0) {
            *end = now.checked_add(self.idle_max).unwrap_or(now);
        }
    }

    /// How long the session lasts without a further request; none if it has ended.
    pub(crate) fn left(&self, session: &Session, now: Instant) -> Option<Duration> {
        let ends = self.ends(now);
        ends.get(&session.0).map(|end| end.saturating_duration_since(now))
    }

    /// Ends a session, and returns the header that removes its cookie.
    pub(crate) fn end(&self, session: &Session, now: Instant) -> Option<HeaderValue> {
        self.ends(now).remove(&session.0);
        cookie("", "; Max-Age=0")
    }

    /// The sessions that last.
    fn ends(&self, now: Instant) -> MutexGuard<'_, BTreeMap<TokenDigest, Instant>> {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.retain(|_, end| *end > now);
        ends
    }
}

fn digest_of(token: &str) -> TokenDigest {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

fn cookie(token: &str, more: &str) -> Option<HeaderValue> {
    let text = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict{more}");
    HeaderValue::from_str(&text).ok()
}

/// Whether a browser says that the request comes from a page of this origin. `Origin` was compared
/// before: if it is there, it is the own one.
pub(crate) fn is_from_own_page(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE);
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site == "same-origin")
}

/// Whether a script of a page sent the request: a browser would ask its user for a password if the
/// answer asked for one.
pub(crate) fn is_from_script(headers: &HeaderMap) -> bool {
    headers.get(SEC_FETCH_DEST).is_some_and(|dest| dest == "empty")
}

#[cfg(test)]
mod tests {
    use super::{SESSIONS_MAX, Sessions};
    use axum::http::{HeaderMap, header};
    use std::time::{Duration, Instant};

    const SECOND: Duration = Duration::from_secs(1);

    fn headers(set: &axum::http::HeaderValue) -> HeaderMap {
        let pair = set.to_str().unwrap().split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("a=b; {pair}").parse().unwrap());
        headers
    }

    #[test]
    fn session_lasts_while_it_is_used_and_until_it_is_ended() {
        let (sessions, begun) = (Sessions::new(10 * SECOND), Instant::now());
        let cookie = sessions.begin(begun).unwrap();
        let text = cookie.to_str().unwrap();
        assert!(text.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{text}");
        let headers = headers(&cookie);
        let session = sessions.of(&headers, begun + 9 * SECOND).unwrap();
        sessions.extend(&session, begun + 9 * SECOND);
        assert_eq!(sessions.left(&session, begun + 18 * SECOND), Some(SECOND));
        assert_eq!(sessions.of(&headers, begun + 19 * SECOND), None);
        sessions.extend(&session, begun + 19 * SECOND);
        assert_eq!(sessions.left(&session, begun + 19 * SECOND), None, "an ended one stays ended");

        let cookie = sessions.begin(begun).unwrap();
        let headers = self::headers(&cookie);
        let session = sessions.of(&headers, begun).unwrap();
        assert!(sessions.end(&session, begun).unwrap().to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(sessions.of(&headers, begun), None);
        assert_eq!(sessions.of(&HeaderMap::new(), begun), None);
    }

    #[test]
    fn sessions_are_bounded_and_the_oldest_ends_first() {
        let (sessions, begun) = (Sessions::new(1000 * SECOND), Instant::now());
        let first = headers(&sessions.begin(begun).unwrap());
        let second = headers(&sessions.begin(begun + SECOND).unwrap());
        for _ in 1..SESSIONS_MAX {
            sessions.begin(begun + 2 * SECOND).unwrap();
        }
        assert_eq!(sessions.of(&first, begun + 2 * SECOND), None);
        assert!(sessions.of(&second, begun + 2 * SECOND).is_some());
    }
}
