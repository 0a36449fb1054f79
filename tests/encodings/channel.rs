//! The ways in which a message reaches a key server: its TTLV port, and its HTTPS port with a body
//! in one of three encodings.

use harness::{FrameConnection, HttpsConnection};
use kmip::encoding::{json, xml};

use crate::foreign_reader;

/// Encoding of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Encoding {
    Ttlv,
    Xml,
    Json,
}

/// Port and encoding of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Channel {
    /// TTLV over TLS.
    Port,
    /// HTTPS.
    Https(Encoding),
}

impl Channel {
    pub(crate) const ALL: [Self; 4] = [
        Self::Port,
        Self::Https(Encoding::Ttlv),
        Self::Https(Encoding::Xml),
        Self::Https(Encoding::Json),
    ];

    /// Encoding of the messages.
    pub(crate) fn encoding(self) -> Encoding {
        match self {
            Self::Port => Encoding::Ttlv,
            Self::Https(encoding) => encoding,
        }
    }
}

impl Encoding {
    /// The Content-Type of a body.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Ttlv => "application/octet-stream",
            Self::Xml => "text/xml",
            Self::Json => "application/json",
        }
    }

    /// A message in this encoding, from TTLV.
    pub(crate) fn encode(self, ttlv: &[u8]) -> Vec<u8> {
        let body = match self {
            Self::Ttlv => return ttlv.to_vec(),
            Self::Xml => xml::encode(ttlv),
            Self::Json => json::encode(ttlv),
        };
        body.expect("a message that every encoding carries").as_bytes().to_vec()
    }

    /// As [`Self::encode`], of a request, which must say the same in every encoding.
    pub(crate) fn encode_request(self, ttlv: &[u8]) -> Vec<u8> {
        let body = self.encode(ttlv);
        assert_eq!(self.read(&body), ttlv, "no message of every encoding");
        body
    }

    /// TTLV of a message in this encoding.
    fn read(self, body: &[u8]) -> Vec<u8> {
        let text = || str::from_utf8(body).expect("a text is UTF-8");
        let ttlv = match self {
            Self::Ttlv => return body.to_vec(),
            Self::Xml => xml::decode(text()),
            Self::Json => json::decode(text()),
        };
        ttlv.unwrap_or_else(|why| panic!("{why}: {}", text())).to_vec()
    }

    /// TTLV of an answer in this encoding. A text must say the same to a reader that shares no code
    /// with the server, and must be the one text of that message.
    pub(crate) fn decode(self, body: &[u8]) -> Vec<u8> {
        let ttlv = self.read(body);
        match self {
            Self::Ttlv => return ttlv,
            Self::Xml => foreign_reader::check_xml(body, &ttlv),
            Self::Json => foreign_reader::check_json(body, &ttlv),
        }
        assert_eq!(self.encode(&ttlv), body, "not the text of its TTLV");
        ttlv
    }
}

/// An open connection for messages of one client.
pub(crate) enum Connection {
    Port(FrameConnection),
    Https(HttpsConnection),
}

/// What a server answered to one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A Response Message as it was sent.
    Message(Vec<u8>),
    /// An HTTP status other than 200.
    Status(u16),
    /// Nothing: the connection was closed.
    Closed,
}

impl Connection {
    /// Sends a message, and returns the answer in the encoding of the message.
    pub(crate) fn exchange(&mut self, encoding: Encoding, body: &[u8]) -> Answer {
        match self {
            Self::Port(connection) => {
                connection.exchange(body).map_or(Answer::Closed, Answer::Message)
            }
            Self::Https(connection) => {
                match connection.post("/kmip", encoding.media_type(), body) {
                    None => Answer::Closed,
                    Some(response) if response.status == 200 => {
                        let ty = response.header("Content-Type");
                        assert_eq!(ty, Some(encoding.media_type()));
                        Answer::Message(response.body)
                    }
                    Some(response) => Answer::Status(response.status),
                }
            }
        }
    }
}
