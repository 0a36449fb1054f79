//! The encodings of a body, each by its Content-Type (Additional Message Encodings 1.0, 2.5).
//!
//! Binary TTLV is the pivot: a key server sees nothing else.

use crate::secret::SecretBuffer;
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use kmip::encoding::{TEXT_LEN_MAX, json, xml};

/// The encoding of a message, in the request as in its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// TTLV itself.
    Binary,
    /// XML (6; Profiles 2.1, 5.4).
    Xml,
    /// JSON (4; Profiles 2.1, 5.5).
    Json,
}

/// How much longer than its TTLV a text may be: JSON takes some 120 bytes for an item of sixteen,
/// and more where structures are deep.
const TEXT_FACTOR: usize = 16;

impl Encoding {
    /// Every encoding.
    const ALL: [Self; 3] = [Self::Binary, Self::Xml, Self::Json];

    /// Its media type.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Binary => "application/octet-stream",
            Self::Xml => "text/xml",
            Self::Json => "application/json",
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
    pub(super) fn len_max(self, frame_len_max: usize) -> usize {
        match self {
            Self::Binary => frame_len_max,
            Self::Xml | Self::Json => frame_len_max.saturating_mul(TEXT_FACTOR).min(TEXT_LEN_MAX),
        }
    }

    /// The message as TTLV, of at most `frame_len_max` bytes; a sentence if it is none.
    pub(super) fn decode(
        self,
        body: &SecretBuffer,
        frame_len_max: usize,
    ) -> Result<SecretBuffer, String> {
        let decode = match self {
            Self::Binary => return Ok(body.clone()),
            Self::Xml => xml::decode,
            Self::Json => json::decode,
        };
        let text = str::from_utf8(body).map_err(|_| "the text is not UTF-8".to_owned())?;
        let message = decode(text).map_err(|why| format!("the text is no message: {why}"))?;
        if message.len() > frame_len_max {
            return Err(format!(
                "a Request Message of {} bytes is too long: at most {frame_len_max} are taken",
                message.len()
            ));
        }
        Ok(SecretBuffer::from(message))
    }

    /// The message in this encoding.
    pub(super) fn encode(self, message: SecretBuffer) -> Result<SecretBuffer, String> {
        let encode = match self {
            Self::Binary => return Ok(message),
            Self::Xml => xml::encode,
            Self::Json => json::encode,
        };
        let mut text = encode(&message).map_err(|why| why.to_string())?;
        Ok(SecretBuffer::new(std::mem::take(&mut *text).into_bytes()))
    }
}

/// The character set that a parameter of a media type names, without its quotes.
fn charset(parameter: &str) -> Option<&str> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
}
