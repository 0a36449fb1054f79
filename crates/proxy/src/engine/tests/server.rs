//! A server in memory, with an engine before it.

use std::time::Duration;

use kmip::encoding::xml;
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::vocabulary::{BatchErrorContinuationOption, Operation};
use kmip::{Version, tags};

use crate::engine::{Clock, Connection, Engine, Outcome};
use crate::message::{BatchItem, Envelope, Item, Kind};
use crate::rules::parse_toml;

/// Longest response that is shown as text.
const TEXT_MAX: usize = 100_000;

/// An engine, and a server that does all that it is asked.
pub(super) struct Fixture {
    pub(super) engine: Engine,
    pub(super) version: Version,
    pub(super) now: Duration,
    /// Operations that the server performed, and objects that it made.
    pub(super) done: Vec<Operation>,
    pub(super) made: u32,
}

/// What a client has got.
pub(super) struct Answer {
    pub(super) request: Outcome,
    pub(super) response: Option<Outcome>,
    /// The response, if it can be read.
    pub(super) message: Option<ResponseMessage>,
    pub(super) text: String,
    /// Operations that the server performed for it.
    pub(super) done: Vec<Operation>,
}

impl Answer {
    /// Result Reasons, one an item; none where it succeeded.
    pub(super) fn reasons(&self) -> Vec<Option<&'static str>> {
        let items = self.message.iter().flat_map(|message| &message.items);
        items.map(|item| item.result_reason.and_then(|reason| reason.name())).collect()
    }
}

pub(super) fn connection(number: u64, client: &str) -> Connection {
    Connection { number, client: client.into() }
}

/// Payload of a request for one object.
pub(super) fn object(identifier: &str) -> String {
    format!("<UniqueIdentifier type=\"TextString\" value=\"{identifier}\"/>")
}

impl Fixture {
    pub(super) fn new(version: Version, rules: &str) -> Self {
        let engine = Engine::default();
        for rule in parse_toml(rules).unwrap() {
            engine.add(rule, Duration::ZERO).unwrap();
        }
        Self { engine, version, now: Duration::ZERO, done: Vec::new(), made: 0 }
    }

    /// With one rule, that has this condition and action.
    pub(super) fn with(version: Version, rule: &str) -> Self {
        Self::new(version, &format!("[[rule]]\nname = \"a\"\n{rule}\n"))
    }

    /// How often the first rule fired.
    pub(super) fn fired(&self) -> u64 {
        self.engine.counts()[0].fired
    }

    /// Sends one item as alice.
    pub(super) fn send(&mut self, operation: Operation, payload: &str) -> Answer {
        self.send_as(&connection(1, "CN=alice"), operation, payload)
    }

    pub(super) fn send_as(
        &mut self,
        connection: &Connection,
        operation: Operation,
        payload: &str,
    ) -> Answer {
        self.batch(connection, &[(operation, payload.to_owned())], None)
    }

    /// Sends a batch.
    pub(super) fn batch(
        &mut self,
        connection: &Connection,
        items: &[(Operation, String)],
        option: Option<BatchErrorContinuationOption>,
    ) -> Answer {
        let frame = request(self.version, items, option);
        self.exchange(connection, &frame)
    }

    pub(super) fn exchange(&mut self, connection: &Connection, frame: &[u8]) -> Answer {
        let clock = Clock { since_start: self.now, unix_seconds: 7 };
        let (request, exchange) = self.engine.request(frame, connection, clock);
        let sent = request.bytes.as_ref().map_or(frame, |bytes| bytes.as_slice()).to_vec();
        let before = self.done.len();
        let mut answer =
            Answer { request, response: None, message: None, text: String::new(), done: vec![] };
        let Some(exchange) = exchange else { return answer };
        let response = exchange.is_forwarded.then(|| self.serve(&sent));
        answer.done = self.done.get(before..).unwrap_or_default().to_vec();
        let outcome = self.engine.response(&exchange, response.as_deref(), clock);
        let bytes = outcome.bytes.as_ref().map(|bytes| bytes.to_vec()).or(response);
        let bytes = bytes.unwrap();
        answer.message = ResponseMessage::decode(&bytes).ok();
        if bytes.len() < TEXT_MAX {
            answer.text = xml::encode(&bytes).map(|text| text.to_string()).unwrap_or_default();
        }
        answer.response = Some(outcome);
        answer
    }

    /// Answers a request as a server does that has done it.
    fn serve(&mut self, frame: &[u8]) -> Vec<u8> {
        let Ok(envelope) = Envelope::parse(frame, Kind::Request) else {
            let item = BatchItem::failure(None, None, 4, "not a message");
            return Envelope::response(self.version, 7, vec![item]).encode().to_vec();
        };
        let items = envelope.batch_items();
        let items = items.iter().map(|item| self.perform(item)).collect();
        Envelope::response(envelope.version(), 7, items).encode().to_vec()
    }

    fn perform(&mut self, item: &BatchItem) -> BatchItem {
        let operation = item.operation().unwrap();
        self.done.push(operation);
        let named = item.identifiers().into_iter().next().unwrap_or_else(|| {
            self.made = self.made.saturating_add(1);
            format!("made-{}", self.made)
        });
        let payload = match operation {
            Operation::Create => format!("{OBJECT_TYPE}{}", object(&named)),
            Operation::Get => format!("{OBJECT_TYPE}{}{KEY}", object(&named)),
            Operation::Locate => {
                (1..=self.made.max(2)).map(|made| object(&format!("made-{made}"))).collect()
            }
            Operation::GetAttributes if self.version < Version::V2_0 => format!(
                "{}<Attribute><AttributeName type=\"TextString\" value=\"State\"/>\
                 <AttributeValue type=\"Enumeration\" value=\"0x00000005\"/></Attribute>",
                object(&named)
            ),
            Operation::GetAttributes => format!(
                "{}<Attributes><State type=\"Enumeration\" value=\"Destroyed\"/></Attributes>",
                object(&named)
            ),
            Operation::Query => ["Get", "ReKey", "ModifyAttribute", "Ping"]
                .map(|name| format!("<Operation type=\"Enumeration\" value=\"{name}\"/>"))
                .concat(),
            _ => object(&named),
        };
        let payload = format!("<ResponsePayload>{payload}</ResponsePayload>");
        let payload = Item::parse(&xml::decode(&payload).unwrap()).unwrap();
        BatchItem::success(operation, item.batch_id(), payload)
    }
}

const OBJECT_TYPE: &str = "<ObjectType type=\"Enumeration\" value=\"SymmetricKey\"/>";

pub(super) const KEY: &str = "<SymmetricKey><KeyBlock>\
    <KeyFormatType type=\"Enumeration\" value=\"Raw\"/><KeyValue>\
    <KeyMaterial type=\"ByteString\" value=\"00112233445566778899aabbccddeeff\"/></KeyValue>\
    <CryptographicAlgorithm type=\"Enumeration\" value=\"AES\"/>\
    <CryptographicLength type=\"Integer\" value=\"128\"/></KeyBlock></SymmetricKey>";

/// The payload that each operation of the tests is asked with.
pub(super) fn payload(operation: Operation, version: Version, named: &str) -> String {
    match operation {
        Operation::Create if version < Version::V2_0 => {
            format!("{OBJECT_TYPE}<TemplateAttribute></TemplateAttribute>")
        }
        Operation::Create => format!("{OBJECT_TYPE}<Attributes></Attributes>"),
        Operation::Revoke => format!(
            "{}<RevocationReason><RevocationReasonCode type=\"Enumeration\" value=\"Unspecified\"/>\
             </RevocationReason>",
            object(named)
        ),
        Operation::Query => {
            "<QueryFunction type=\"Enumeration\" value=\"QueryOperations\"/>".to_owned()
        }
        Operation::Locate | Operation::Ping | Operation::DiscoverVersions => String::new(),
        _ => object(named),
    }
}

/// A request message.
pub(super) fn request(
    version: Version,
    items: &[(Operation, String)],
    option: Option<BatchErrorContinuationOption>,
) -> Vec<u8> {
    let batch = |(number, (operation, payload)): (usize, &(Operation, String))| {
        let payload = format!("<RequestPayload>{payload}</RequestPayload>");
        let payload = Item::parse(&xml::decode(&payload).unwrap()).unwrap();
        Item::structure(
            tags::BatchItem,
            vec![
                Item::enumeration(tags::Operation, operation.0),
                Item::bytes(tags::UniqueBatchItemID, &[u8::try_from(number).unwrap()]),
                payload,
            ],
        )
    };
    let mut header = vec![Item::structure(
        tags::ProtocolVersion,
        vec![
            Item::integer(tags::ProtocolVersionMajor, version.major),
            Item::integer(tags::ProtocolVersionMinor, version.minor),
        ],
    )];
    header.extend(
        option.map(|option| Item::enumeration(tags::BatchErrorContinuationOption, option.0)),
    );
    header.push(Item::integer(tags::BatchCount, i32::try_from(items.len()).unwrap()));
    let mut message = vec![Item::structure(tags::RequestHeader, header)];
    message.extend(items.iter().enumerate().map(batch));
    let bytes = Item::structure(tags::RequestMessage, message).encode().to_vec();
    RequestMessage::decode(&bytes).unwrap();
    bytes
}
