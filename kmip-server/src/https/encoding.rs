//! The encodings of a body, each by its Content-Type (Additional Message Encodings 1.0, 2.5).
//!
//! Binary TTLV is the pivot: a key server sees nothing else.

use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use zeroize::Zeroizing;

/// The encoding of a message, in the request as in its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// TTLV itself.
    Binary,
}

impl Encoding {
    /// Every encoding.
    const ALL: [Self; 1] = [Self::Binary];

    /// Its media type.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Binary => "application/octet-stream",
        }
    }

    /// The encoding that a head names; a sentence if it names none of them.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, String> {
        if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return Err("a KMIP message is sent without a Content-Encoding".to_owned());
        }
        let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parts = told.unwrap_or_default().split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let found = Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name));
        let foreign = parts.filter_map(charset).find(|set| !set.eq_ignore_ascii_case("utf-8"));
        match (found, foreign) {
            (Some(encoding), None) => Ok(encoding),
            (Some(_), Some(_)) => Err("text is taken in UTF-8 alone".to_owned()),
            (None, _) => {
                let known = Self::ALL.map(Self::name).join(", ");
                Err(format!("the Content-Type must be one of {known}"))
            }
        }
    }

    /// The longest body, for a message of at most `frame_len_max` bytes of TTLV.
    pub(super) const fn len_max(self, frame_len_max: usize) -> usize {
        match self {
            Self::Binary => frame_len_max,
        }
    }

    /// The message as TTLV, of at most `frame_len_max` bytes; a sentence if it is none.
    pub(super) fn decode(
        self,
        body: Zeroizing<Vec<u8>>,
        _frame_len_max: usize,
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        match self {
            Self::Binary => Ok(body),
        }
    }

    /// The message in this encoding.
    pub(super) fn encode(self, message: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, String> {
        match self {
            Self::Binary => Ok(message),
        }
    }
}

/// The character set that a parameter of a media type names, without its quotes.
fn charset(parameter: &str) -> Option<&str> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
}
