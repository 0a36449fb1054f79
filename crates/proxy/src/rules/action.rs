//! Actions of rules.

use kmip::Version;
use kmip::vocabulary::{Operation, ResultReason, State};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::names::name;
use crate::message::Item;

name! {
    /// Operation in a rule.
    OperationName, "operation", Operation
}
name! {
    /// Result Reason in a rule.
    Reason, "reason", ResultReason
}
name! {
    /// State in a rule.
    StateName, "state", State
}

/// The message that an action changes: the request on its way to the server, or the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Direction {
    Request,
    Response,
}

const fn request() -> Direction {
    Direction::Request
}

const fn response() -> Direction {
    Direction::Response
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub(crate) enum Action {
    /// Holds the message back for so long.
    Delay {
        ms: u64,
        #[serde(default = "request")]
        at: Direction,
    },
    /// Does not pass the message on; the connection stays open.
    Drop {
        #[serde(default = "response")]
        at: Direction,
    },
    /// Resets the client's connection in place of passing the message on.
    Reset {
        #[serde(default = "response")]
        at: Direction,
    },
    /// Passes on the first bytes of the message and closes that connection.
    Truncate {
        bytes: usize,
        #[serde(default = "response")]
        at: Direction,
    },
    /// Adds `by` to the length of the message, or of the first item with this tag.
    CorruptLength {
        by: i64,
        #[serde(default)]
        tag: Option<TagName>,
        #[serde(default = "response")]
        at: Direction,
    },
    /// Closes the client's connection in good order once it was idle for so long.
    CloseWhenIdle { ms: u64 },
    /// Answers with this reason. The item is not passed on, unless `forward` is set.
    Fail {
        reason: Reason,
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        forward: bool,
    },
    /// Answers with success. The item is not passed on.
    Succeed {
        #[serde(default)]
        payload: Option<Template>,
    },
    /// Answers that nothing is there. The item is not passed on.
    NotFound,
    /// Answers with another State.
    State { state: StateName },
    /// Answers with another identifier.
    Identifier {
        #[serde(default)]
        with: Option<String>,
    },
    /// Answers with other key bytes.
    KeyBytes {
        #[serde(default)]
        how: KeyChange,
    },
    /// Puts another version into the header.
    Version {
        version: VersionText,
        #[serde(default = "response")]
        at: Direction,
    },
    /// Makes the response so long.
    TooLarge { bytes: usize },
    /// Refuses what would change something on the server.
    ReadOnly,
    /// Answers from then on that the object was not found.
    Forget,
    /// Shows changes to others later.
    ReplicaLag {
        #[serde(default)]
        ms: Option<u64>,
        #[serde(default)]
        messages: Option<u64>,
        #[serde(default)]
        seen_by: LagScope,
    },
    /// Refuses what servers of this kind refuse.
    Personality(Personality),
}

/// How key bytes are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyChange {
    /// The last bit is inverted.
    #[default]
    FlipBit,
    /// All bytes are zero.
    Zero,
    /// All bytes are random.
    Random,
    /// The last byte is missing.
    Shorter,
    /// One byte more.
    Longer,
}

/// Who sees a change at once when replicas lag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LagScope {
    /// The connection that made it.
    #[default]
    Connection,
    /// The client, by its certificate, on all its connections.
    Client,
    /// Nobody.
    Nobody,
}

/// Kinds of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Personality {
    #[serde(rename = "only-1.0")]
    Only10,
    #[serde(rename = "only-1.4")]
    Only14,
    #[serde(rename = "only-2.1")]
    Only21,
    #[serde(rename = "no-re-key")]
    NoReKey,
    #[serde(rename = "no-modify-attribute")]
    NoModifyAttribute,
    #[serde(rename = "locate-returns-one")]
    LocateReturnsOne,
}

/// Version in a rule, such as `1.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VersionText(pub(crate) Version);

impl<'de> Deserialize<'de> for VersionText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let numbers = text.split_once('.').and_then(|(major, minor)| {
            Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()? })
        });
        numbers
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is not a version, such as \"1.4\"")))
    }
}

impl Serialize for VersionText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

/// Tag in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TagName(pub(crate) ttlv::Tag);

impl<'de> Deserialize<'de> for TagName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let row = kmip::vocabulary::row_by_name(kmip::tags::ROWS, &text);
        row.map(|row| Self(ttlv::Tag(row.value)))
            .ok_or_else(|| de::Error::custom(format!("unknown tag {text:?}, such as KeyMaterial")))
    }
}

impl Serialize for TagName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(kmip::tags::name(self.0).unwrap_or_default())
    }
}

/// Response Payload of an answer that is made up, in the XML of the standard.
#[derive(Clone, PartialEq)]
pub(crate) struct Template {
    xml: String,
    pub(crate) item: Item,
}

impl core::fmt::Debug for Template {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Template({:?})", self.item)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let xml = String::deserialize(from)?;
        let bytes = kmip::encoding::xml::decode(&xml)
            .map_err(|why| de::Error::custom(format!("payload cannot be read: {why}")))?;
        let item = Item::parse(&bytes)
            .map_err(|why| de::Error::custom(format!("payload cannot be read: {why}")))?;
        match item.tag == kmip::tags::ResponsePayload {
            true => Ok(Self { xml, item }),
            false => Err(de::Error::custom("payload must be an element <ResponsePayload>")),
        }
    }
}

impl Serialize for Template {
    /// A payload may hold a key, which `GET /rules` does not show.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("<hidden, {} characters>", self.xml.len()))
    }
}
