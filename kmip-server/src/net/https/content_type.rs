//! The encodings of a body, each by its Content-Type (Additional Message Encodings 1.0, 2.5).
//!
//! Binary TTLV is the pivot: a key server sees nothing else.

use crate::secret::SecretBuffer;
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use kmip::Version;
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
        if headers.get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity") {
            return Err("a KMIP message is sent without a Content-Encoding".to_owned());
        }
        // Which of two is meant, nobody knows (RFC 9110, 5.3 and 8.3).
        if headers.get_all(CONTENT_TYPE).iter().count() > 1 {
            return Err("a request has one Content-Type header".to_owned());
        }
        let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parts = told.unwrap_or_default().split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let found = Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name));
        // Bytes are in none: some clients say so.
        let own = |set: &&str| {
            set.eq_ignore_ascii_case("utf-8")
                || found == Some(Self::Binary) && set.eq_ignore_ascii_case("binary")
        };
        let foreign = parts.filter_map(charset).find(|set| !own(set));
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

    /// The message as TTLV, of at most `frame_len_max` bytes.
    pub(super) fn decode(
        self,
        body: &SecretBuffer,
        frame_len_max: usize,
    ) -> Result<SecretBuffer, Unreadable> {
        let read = match self {
            Self::Binary => return Ok(body.clone()),
            Self::Xml => xml::read,
            Self::Json => json::read,
        };
        let unreadable = |version, why: String| Unreadable { version, why };
        let text = str::from_utf8(body)
            .map_err(|_| unreadable(None, "the text is not UTF-8".to_owned()))?;
        let no_message =
            |version, why| unreadable(version, format!("the text is no message: {why}"));
        let element = read(text).map_err(|why| no_message(None, why))?;
        let version = element.request_version();
        let message = element.to_ttlv().map_err(|why| no_message(version, why))?;
        if message.len() > frame_len_max {
            let why = format!(
                "a Request Message of {} bytes is too long: at most {frame_len_max} are taken",
                message.len()
            );
            return Err(unreadable(version, why));
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

/// A text that cannot be taken as a message.
pub(super) struct Unreadable {
    /// The version that it names, where it does so.
    pub(super) version: Option<Version>,
    /// Why, in a sentence.
    pub(super) why: String,
}

/// The character set that a parameter of a media type names, without its quotes.
fn charset(parameter: &str) -> Option<&str> {
    let (name, value) = parameter.split_once('=')?;
    name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::header::{CONTENT_TYPE, HeaderValue};

    use super::*;

    /// One row a Content-Type: the encoding that it names, if it names one.
    #[test]
    fn content_types() {
        let rows = [
            ("application/octet-stream", Some(Encoding::Binary)),
            ("application/octet-stream; charset=binary", Some(Encoding::Binary)),
            ("application/octet-stream; charset=utf-8", Some(Encoding::Binary)),
            ("Text/XML ; charset=\"UTF-8\"", Some(Encoding::Xml)),
            ("application/octet-stream; charset=utf-16", None),
            ("text/xml; charset=iso-8859-1", None),
            ("application/json", Some(Encoding::Json)),
            ("application/json; charset=binary", None),
            ("text/plain", None),
            ("", None),
        ];
        for (value, expected) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(Encoding::of(&headers).ok(), expected, "{value:?}");
        }
    }

    /// A header that is there once cannot be there twice, be it with the same value.
    #[test]
    fn second_header_of_a_body_is_refused() {
        let names = [(CONTENT_TYPE, "text/xml"), (CONTENT_ENCODING, "gzip")];
        for (name, other) in names {
            let mut headers = HeaderMap::new();
            headers.append(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            headers.append(CONTENT_ENCODING, HeaderValue::from_static("identity"));
            assert!(Encoding::of(&headers).is_ok());
            headers.append(&name, HeaderValue::from_static(other));
            assert!(Encoding::of(&headers).is_err(), "{name}");
        }
    }

    /// What a message of a version that is not served says cannot be read; its version can.
    #[test]
    fn version_of_a_text_that_cannot_be_read_is_known() {
        let xml = r#"<RequestMessage><RequestHeader><ProtocolVersion>
            <ProtocolVersionMajor type="Integer" value="3"/>
            <ProtocolVersionMinor type="Integer" value="0"/>
            </ProtocolVersion></RequestHeader>
            <BatchItem><Operation type="Enumeration" value="Unheard"/></BatchItem>
            </RequestMessage>"#;
        let json = r#"{"tag": "RequestMessage", "value": [
            {"tag": "RequestHeader", "value": [{"tag": "ProtocolVersion", "value": [
                {"tag": "ProtocolVersionMajor", "type": "Integer", "value": 3},
                {"tag": "ProtocolVersionMinor", "type": "Integer", "value": 0}]}]},
            {"tag": "BatchItem", "value": [
                {"tag": "Operation", "type": "Enumeration", "value": "Unheard"}]}]}"#;
        for (encoding, text) in [(Encoding::Xml, xml), (Encoding::Json, json)] {
            let body = SecretBuffer::new(text.as_bytes().to_vec());
            let Err(Unreadable { version, .. }) = encoding.decode(&body, 1 << 20) else {
                panic!("{encoding:?}: it has an unknown operation")
            };
            assert_eq!(version, Some(Version::V3_0), "{encoding:?}");
        }
    }
}
