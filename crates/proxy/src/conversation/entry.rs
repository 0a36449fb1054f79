//! One message of the conversation.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::SystemTime;

use kmip::message::{RequestMessage, ResponseMessage};
use kmip::redacted_text::public_prefix;
use kmip::vocabulary::{ResultReason, ResultStatus};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::message::{Envelope, Kind};

/// Longest text of a message that is written, in bytes.
const TEXT_MAX: usize = 64 << 10;
/// Most bytes of a message that are written as hex.
const HEX_MAX: usize = 64 << 10;
/// Longest name of a client that is written, in characters.
const CLIENT_MAX: usize = 256;

/// Direction of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Response,
    /// From the server to the client, without being asked (Notify, Put).
    ServerRequest,
    /// From the client to the server, to such a request.
    ClientResponse,
}

impl Way {
    const fn kind(self) -> Kind {
        match self {
            Self::Request | Self::ServerRequest => Kind::Request,
            Self::Response | Self::ClientResponse => Kind::Response,
        }
    }
}

/// What is written as hex.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HexPolicy {
    /// Every message, and not only those that cannot be read.
    pub(crate) hex: bool,
    /// Also after the first byte that may be of a key.
    pub(crate) key_material: bool,
}

/// A message on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage<'a> {
    pub(crate) connection: u64,
    pub(crate) client: &'a str,
    pub(crate) peer: SocketAddr,
    pub(crate) way: Way,
    /// The bytes that came; `None` if the proxy has made up the message.
    pub(crate) came: Option<&'a [u8]>,
    /// The bytes that are passed on, if they are others.
    pub(crate) sent: Option<&'a [u8]>,
    /// Names of the rules that acted.
    pub(crate) rules: &'a [String],
    /// What became of it, if it was not passed on.
    pub(crate) fate: Option<&'static str>,
}

/// A message as it is written. No text and no hex has key material.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    time: String,
    connection: u64,
    client: String,
    peer: SocketAddr,
    way: Way,
    #[serde(skip_serializing_if = "Option::is_none")]
    came: Option<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Described>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fate: Option<&'static str>,
}

/// Content of a message.
#[derive(Clone, Debug, Serialize)]
struct Described {
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    /// Bytes that are not in `hex`, because they may be of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<usize>,
}

/// One batch item.
#[derive(Clone, Debug, Serialize)]
struct ItemSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Entry {
    /// Describes a message.
    pub(crate) fn new(passage: &Passage<'_>, shown: HexPolicy) -> Self {
        let describe = |bytes| Described::new(bytes, passage.way.kind(), shown);
        let now = OffsetDateTime::from(SystemTime::now());
        Self {
            time: now.format(&Rfc3339).unwrap_or_default(),
            connection: passage.connection,
            client: passage.client.chars().take(CLIENT_MAX).collect(),
            peer: passage.peer,
            way: passage.way,
            came: passage.came.map(describe),
            sent: passage.sent.map(describe),
            rules: passage.rules.to_vec(),
            fate: passage.fate,
        }
    }

    /// Number of the connection.
    pub(crate) const fn connection(&self) -> u64 {
        self.connection
    }
}

impl Described {
    fn new(bytes: &[u8], kind: Kind, shown: HexPolicy) -> Self {
        let typed = match kind {
            Kind::Request => RequestMessage::decode(bytes).map(drop),
            Kind::Response => ResponseMessage::decode(bytes).map(drop),
        };
        let envelope = Envelope::parse(bytes, kind).ok();
        let items = envelope.as_ref().map(Envelope::batch_items).unwrap_or_default();
        let items = items.iter().map(|item| ItemSummary {
            operation: item.operation().map(|operation| format!("{operation:?}")),
            objects: item.identifiers(),
            status: item.status().map(|ResultStatus(status)| format!("{:?}", ResultStatus(status))),
            reason: item.reason().map(|reason| format!("{:?}", ResultReason(reason))),
        });
        let public = match shown.key_material {
            true => bytes,
            false => public_prefix(bytes),
        };
        let public = public.get(..HEX_MAX).unwrap_or(public);
        let in_hex = shown.hex || typed.is_err();
        let hidden = bytes.len().saturating_sub(public.len());
        Self {
            bytes: bytes.len(),
            version: envelope.as_ref().map(|envelope| envelope.version().to_string()),
            items: items.collect(),
            error: typed.err().map(|why| why.to_string()),
            text: text(bytes),
            hex: in_hex.then(|| hex(public)),
            hidden: (in_hex && hidden > 0).then_some(hidden),
        }
    }
}

/// The message with secrets hidden, as far as it is not too long.
fn text(bytes: &[u8]) -> String {
    let mut text = kmip::redacted_text(bytes).to_string();
    if text.len() > TEXT_MAX {
        text.truncate(text.floor_char_boundary(TEXT_MAX));
        text.push_str("...");
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{Entry, HexPolicy, Passage, Way};
    use crate::message::{Envelope, Item};
    use kmip::Version;
    use kmip::encoding::xml;
    use kmip::vocabulary::Operation;

    const KEY: &str = "00112233445566778899aabbccddeeff";

    fn get() -> Vec<u8> {
        let payload = format!(
            "<ResponsePayload><ObjectType type=\"Enumeration\" value=\"SymmetricKey\"/>\
             <UniqueIdentifier type=\"TextString\" value=\"a\"/><SymmetricKey><KeyBlock>\
             <KeyFormatType type=\"Enumeration\" value=\"Raw\"/><KeyValue>\
             <KeyMaterial type=\"ByteString\" value=\"{KEY}\"/></KeyValue>\
             <CryptographicAlgorithm type=\"Enumeration\" value=\"AES\"/>\
             <CryptographicLength type=\"Integer\" value=\"128\"/></KeyBlock></SymmetricKey>\
             </ResponsePayload>"
        );
        let payload = Item::parse(&xml::decode(&payload).unwrap()).unwrap();
        let item = crate::message::BatchItem::success(Operation::Get, None, payload);
        Envelope::response(Version::V1_4, 7, vec![item]).encode().to_vec()
    }

    fn entry(bytes: &[u8], shown: HexPolicy) -> String {
        let passage = Passage {
            connection: 1,
            client: "CN=alice\n",
            peer: SocketAddr::from(([127, 0, 0, 1], 9)),
            way: Way::Response,
            came: Some(bytes),
            sent: None,
            rules: &["a".to_owned()],
            fate: None,
        };
        serde_json::to_string(&Entry::new(&passage, shown)).unwrap()
    }

    #[test]
    fn entry_is_one_line_without_the_key() {
        let hex = HexPolicy { hex: true, key_material: false };
        for shown in [HexPolicy::default(), hex] {
            let line = entry(&get(), shown);
            assert!(!line.contains('\n') && !line.to_lowercase().contains("00112233"), "{line}");
            assert!(line.contains(r#""operation":"Get","objects":["a"],"status":"Success""#));
            assert_eq!(line.contains("\"hex\""), shown.hex);
        }
    }

    #[test]
    fn broken_message_is_hex_up_to_the_key_and_with_the_flag_whole() {
        let mut broken = get();
        // A type that no version has, in the first item after the key.
        let at = broken.windows(3).rposition(|bytes| bytes == [0x42, 0x00, 0x28]).unwrap();
        broken[at + 3] = 0x7F;
        let line = entry(&broken, HexPolicy::default());
        assert!(line.contains("there is no type 0x7F") && line.contains("\"hex\":\"42007b01"));
        assert!(line.contains("\"hidden\":") && !line.contains(KEY), "{line}");
        let line = entry(&broken, HexPolicy { hex: false, key_material: true });
        assert!(line.contains(KEY) && !line.contains("\"hidden\":"), "{line}");
    }
}
