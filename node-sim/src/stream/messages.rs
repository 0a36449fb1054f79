//! The KMIP messages of the cluster, with the bytes of keys taken out before they are kept.

use super::event_log::{EventKind, EventLog};
use crate::key_server::message_trace::{MessageSink, Passage};
use crate::state::timestamps;
use kmip::client::Direction;
use kmip::redacted_text::{TreeItem, redacted_tree};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;
use zeroize::Zeroize;

/// Messages that are kept.
const MESSAGES_MAX: usize = 2000;

/// Bytes of the messages that are kept.
const BYTES_MAX: usize = 8 << 20;

/// Longest message that is kept whole; of a longer one only the summary is.
const MESSAGE_LEN_MAX: usize = 256 << 10;

/// Objects of which it is remembered which master key they are.
const OBJECTS_MAX: usize = 4096;

/// Items and objects of a message that its summary names.
const SUMMARY_MAX: usize = 16;

/// Beginning of the attribute that names a master key at a key server.
pub(crate) const KEY_ID_ATTRIBUTE: &str = "x-SolidFire-KeyID-";

/// The same in a message: since KMIP 2.0, `x` is the vendor and not in the name.
const KEY_ID_NAME: &str = "SolidFire-KeyID-";

/// The messages that are kept.
pub(crate) struct MessageLog {
    log: Arc<EventLog>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    last: u64,
    last_exchange: u64,
    messages: VecDeque<Message>,
    bytes: usize,
    /// The exchange that is under way in each session.
    exchanges: BTreeMap<(u32, u64, String), (u64, Option<String>)>,
    /// The master keys that objects are, as messages said it.
    key_ids: BTreeMap<String, String>,
}

/// A message without its secrets.
struct Message {
    number: u64,
    summary: Map<String, Value>,
    /// Zeros in the place of what is hidden.
    bytes: Vec<u8>,
    hidden: Vec<Range<usize>>,
}

impl MessageSink for MessageLog {
    fn message(&self, passage: &Passage<'_>) {
        let tree = redacted_tree(passage.frame);
        let mut bytes = passage.frame.get(..MESSAGE_LEN_MAX).unwrap_or(passage.frame).to_vec();
        for range in &tree.hidden {
            let end = range.end.min(bytes.len());
            if let Some(hidden) = bytes.get_mut(range.start.min(end)..end) {
                hidden.zeroize();
            }
        }
        let summary = Summary::new(&tree.items);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (exchange, key_id) = kept.exchange(passage, &summary);
        kept.last = kept.last.saturating_add(1);
        let number = kept.last;
        let summary = summary.json(passage, (number, exchange), key_id.as_deref());
        kept.keep(Message { number, summary: summary.clone(), bytes, hidden: tree.hidden });
        // Within the lock, so that the numbers of messages go up in the stream.
        self.log.publish(EventKind::Message, summary);
    }
}

impl MessageLog {
    /// A log that publishes what it keeps.
    pub(crate) fn new(log: Arc<EventLog>) -> Self {
        Self { log, kept: Mutex::default() }
    }

    /// The summaries of the last messages, the oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<Value> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = kept.messages.len().saturating_sub(count);
        let messages = kept.messages.iter().skip(skipped);
        messages.map(|message| Value::Object(message.summary.clone())).collect()
    }

    /// The message of this number, with its tree and its bytes; none if it is not kept.
    pub(crate) fn whole(&self, number: u64) -> Option<Value> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let message = kept.messages.iter().find(|message| message.number == number)?;
        let mut answer = message.summary.clone();
        let tree = redacted_tree(&message.bytes);
        let items: Vec<_> = tree.items.iter().map(item_json).collect();
        answer.insert("tree".to_owned(), items.into());
        answer.insert("hex".to_owned(), message.hex().into());
        let hidden: Vec<_> = message.hidden.iter().map(|r| json!([r.start, r.end])).collect();
        answer.insert("hidden".to_owned(), hidden.into());
        answer.insert("error".to_owned(), json!(tree.error));
        Some(Value::Object(answer))
    }
}

impl Kept {
    /// The exchange that the message belongs to, and the master key that it is about. A session
    /// has one request under way at a time.
    fn exchange(&mut self, passage: &Passage<'_>, summary: &Summary) -> (u64, Option<String>) {
        let session = (passage.node_id.0, passage.key_server_id, passage.server.to_owned());
        let known = summary.objects().find_map(|object| self.key_ids.get(object).cloned());
        let named = summary.key_id.clone().or(known);
        let (exchange, key_id) = match passage.direction {
            Direction::Sent => {
                self.last_exchange = self.last_exchange.saturating_add(1);
                (self.last_exchange, named)
            }
            Direction::Received => {
                let asked = self.exchanges.get(&session).cloned().unwrap_or_default();
                (asked.0, named.or(asked.1))
            }
        };
        self.exchanges.insert(session, (exchange, key_id.clone()));
        if let Some(key_id) = &key_id {
            for object in summary.objects() {
                if self.key_ids.len() < OBJECTS_MAX {
                    self.key_ids.insert(object.to_owned(), key_id.clone());
                }
            }
        }
        (exchange, key_id)
    }

    fn keep(&mut self, message: Message) {
        self.bytes = self.bytes.saturating_add(message.bytes.len());
        self.messages.push_back(message);
        while self.messages.len() > MESSAGES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.bytes.len());
        }
    }
}

impl Message {
    /// The bytes in hexadecimal, two middle dots for each that is hidden.
    fn hex(&self) -> String {
        let mut text = String::with_capacity(self.bytes.len().saturating_mul(2));
        let mut hidden = self.hidden.iter().peekable();
        for (at, byte) in self.bytes.iter().enumerate() {
            while hidden.next_if(|range| range.end <= at).is_some() {}
            if hidden.peek().is_some_and(|range| range.contains(&at)) {
                text.push_str("\u{b7}\u{b7}");
            } else {
                let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
                text.push(digit(byte >> 4));
                text.push(digit(byte & 15));
            }
        }
        text
    }
}

/// What a message is about.
#[derive(Default)]
struct Summary {
    version: Option<String>,
    items: Vec<(Map<String, Value>, Vec<String>)>,
    key_id: Option<String>,
}

impl Summary {
    fn new(tree: &[TreeItem]) -> Self {
        let Some(message) = tree.first() else { return Self::default() };
        let version = message.find("ProtocolVersion").map(|version| {
            let part = |tag| version.value_of(tag).unwrap_or("?");
            format!("{}.{}", part("ProtocolVersionMajor"), part("ProtocolVersionMinor"))
        });
        let items = message.items.iter().filter(|item| item.tag == "BatchItem");
        let items = items.take(SUMMARY_MAX).map(|item| {
            let text = |tag| json!(item.value_of(tag));
            let mut objects = Vec::new();
            identifiers(item, &mut objects);
            let members = Map::from_iter([
                ("operation".to_owned(), text("Operation")),
                ("status".to_owned(), text("ResultStatus")),
                ("reason".to_owned(), text("ResultReason")),
                ("objects".to_owned(), json!(objects)),
            ]);
            (members, objects)
        });
        Self { version, items: items.collect(), key_id: key_id(message) }
    }

    fn objects(&self) -> impl Iterator<Item = &str> {
        self.items.iter().flat_map(|(_, objects)| objects.iter().map(String::as_str))
    }

    fn json(
        self,
        passage: &Passage<'_>,
        (number, exchange): (u64, u64),
        key_id: Option<&str>,
    ) -> Map<String, Value> {
        let direction = match passage.direction {
            Direction::Sent => "request",
            Direction::Received => "response",
        };
        let items: Vec<_> = self.items.into_iter().map(|(item, _)| Value::Object(item)).collect();
        let time = timestamps::format_microseconds(OffsetDateTime::now_utc());
        Map::from_iter([
            ("bytes".to_owned(), json!(passage.frame.len())),
            ("direction".to_owned(), json!(direction)),
            ("exchange".to_owned(), json!(exchange)),
            ("items".to_owned(), items.into()),
            ("keyID".to_owned(), json!(key_id)),
            ("keyServerID".to_owned(), json!(passage.key_server_id)),
            ("nodeID".to_owned(), json!(passage.node_id)),
            ("number".to_owned(), json!(number)),
            ("server".to_owned(), json!(passage.server)),
            ("time".to_owned(), json!(time)),
            ("version".to_owned(), json!(self.version)),
        ])
    }
}

/// The Unique Identifiers in an item.
fn identifiers(item: &TreeItem, found: &mut Vec<String>) {
    if item.tag == "UniqueIdentifier"
        && let Some(quoted) = &item.value
    {
        let text = unquoted(quoted);
        if found.len() < SUMMARY_MAX && !found.contains(&text) {
            found.push(text);
        }
    }
    item.items.iter().for_each(|inner| identifiers(inner, found));
}

/// The master key whose attribute the message names.
fn key_id(item: &TreeItem) -> Option<String> {
    let own = item.value.as_deref().and_then(|value| {
        let (_, rest) = value.split_once(KEY_ID_NAME)?;
        Some(rest.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect::<String>())
    });
    own.or_else(|| item.items.iter().find_map(key_id))
}

/// The text of a value, without its quotes and escapes.
fn unquoted(value: &str) -> String {
    serde_json::from_str(value).unwrap_or_else(|_| value.trim_matches('"').to_owned())
}

fn item_json(item: &TreeItem) -> Value {
    json!({
        "tag": item.tag,
        "type": item.type_name,
        "offset": item.bytes.start,
        "length": item.bytes.len(),
        "value": item.value,
        "secret": item.is_hidden,
        "error": item.error,
        "children": item.items.iter().map(item_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::MessageLog;
    use crate::key_server::message_trace::{MessageSink, Passage};
    use crate::state::key_ring::NodeId;
    use crate::stream::event_log::{EventLog, Next};
    use kmip::client::Direction;
    use kmip::encoding::xml;
    use std::sync::Arc;

    const KEY: &str = "00112233445566778899aabbccddeeff";

    fn message(kind: &str, item: &str) -> Vec<u8> {
        let text = format!(
            "<{kind}Message><{kind}Header><ProtocolVersion>\
             <ProtocolVersionMajor type=\"Integer\" value=\"1\"/>\
             <ProtocolVersionMinor type=\"Integer\" value=\"4\"/></ProtocolVersion>\
             <BatchCount type=\"Integer\" value=\"1\"/></{kind}Header>\
             <BatchItem><Operation type=\"Enumeration\" value=\"Get\"/>{item}</BatchItem>\
             </{kind}Message>"
        );
        xml::decode(&text).unwrap().to_vec()
    }

    fn add(log: &MessageLog, direction: Direction, frame: &[u8]) {
        log.message(&Passage {
            node_id: NodeId(2),
            key_server_id: 1,
            server: "kms:5696",
            direction,
            frame,
        });
    }

    #[test]
    fn key_id_is_found_in_attributes_of_both_generations_of_kmip() {
        let log = MessageLog::new(Arc::new(EventLog::new()));
        let id = "654fdfc8-0000-4000-8000-000000000000";
        let old = format!(
            "<Attribute><AttributeName type=\"TextString\" value=\"x-SolidFire-KeyID-{id}\"/>\
             </Attribute>"
        );
        let new = format!(
            "<Attributes><Attribute><VendorIdentification type=\"TextString\" value=\"x\"/>\
             <AttributeName type=\"TextString\" value=\"SolidFire-KeyID-{id}\"/></Attribute>\
             </Attributes>"
        );
        for payload in [old, new] {
            let payload = format!("<RequestPayload>{payload}</RequestPayload>");
            add(&log, Direction::Sent, &message("Request", &payload));
            assert_eq!(log.last(1)[0]["keyID"], id, "{payload}");
        }
    }

    #[test]
    fn exchange_is_kept_without_the_key_and_named_by_its_key_id() {
        let events = Arc::new(EventLog::new());
        let log = MessageLog::new(Arc::clone(&events));
        let id = "<UniqueIdentifier type=\"TextString\" value=\"u-1\"/>";
        let attribute = "<Attribute><AttributeName type=\"TextString\" \
             value=\"x-SolidFire-KeyID-654fdfc8-0000-4000-8000-000000000000\"/></Attribute>";
        let request =
            message("Request", &format!("<RequestPayload>{id}{attribute}</RequestPayload>"));
        add(&log, Direction::Sent, &request);
        let response = format!(
            "<ResultStatus type=\"Enumeration\" value=\"Success\"/><ResponsePayload>\
             <ObjectType type=\"Enumeration\" value=\"SymmetricKey\"/>{id}<SymmetricKey><KeyBlock>\
             <KeyFormatType type=\"Enumeration\" value=\"Raw\"/><KeyValue>\
             <KeyMaterial type=\"ByteString\" value=\"{KEY}\"/></KeyValue></KeyBlock>\
             </SymmetricKey></ResponsePayload>"
        );
        add(&log, Direction::Received, &message("Response", &response));
        let [sent, received] = log.last(9).try_into().unwrap();
        for (summary, direction) in [(&sent, "request"), (&received, "response")] {
            assert_eq!(summary["exchange"], 1);
            assert_eq!(summary["keyID"], "654fdfc8-0000-4000-8000-000000000000");
            assert_eq!(summary["direction"], direction);
            assert_eq!(summary["version"], "1.4");
            assert_eq!(summary["items"][0]["objects"][0], "u-1");
        }
        assert_eq!(received["items"][0]["status"], "Success");
        let whole = log.whole(2).unwrap();
        let hex = whole["hex"].as_str().unwrap();
        assert!(!hex.contains(&KEY[..6]) && hex.contains(&"\u{b7}".repeat(32)), "{hex}");
        assert!(!whole.to_string().to_lowercase().contains("00112233"));
        let bytes = received["bytes"].as_u64().unwrap();
        assert_eq!(u64::try_from(hex.chars().count()).unwrap(), bytes * 2);
        assert!(log.whole(3).is_none());
        let Next::Events(events, 2) = events.after(0) else { panic!() };
        assert!(events.iter().all(|text| !text.to_lowercase().contains(&KEY[..6])));
    }
}
