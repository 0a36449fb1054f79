//! Request messages of a persona, and answers.

use kmip::Version;
use kmip::encoding::{Element, Value};
use ttlv::Type;
use zeroize::Zeroizing;

use super::path::shown;

/// Bytes that TTLV pads a text to.
const PADDING: usize = 8;

/// Operations whose response names a new object, by all of these identifiers.
const CREATING: [&str; 11] = [
    "Certify",
    "Create",
    "CreateKeyPair",
    "CreateSplitKey",
    "DeriveKey",
    "Import",
    "JoinSplitKey",
    "ReCertify",
    "Register",
    "ReKey",
    "ReKeyKeyPair",
];

const IDENTIFIERS: [&str; 3] =
    ["UniqueIdentifier", "PrivateKeyUniqueIdentifier", "PublicKeyUniqueIdentifier"];

/// A response message.
pub(super) struct Answer {
    /// Its bytes.
    pub(super) len: usize,
    /// The message.
    pub(super) message: Element,
}

impl Answer {
    /// Reads a frame.
    pub(super) fn read(frame: &[u8]) -> Result<Self, String> {
        let message = Element::from_ttlv(frame)
            .map_err(|why| format!("an answer that cannot be read: {why}"))?;
        Ok(Self { len: frame.len(), message })
    }

    /// The item of this number, from 1.
    pub(super) fn item(&self, number: usize) -> Result<&Element, String> {
        let item = items(&self.message).nth(number.saturating_sub(1));
        item.ok_or_else(|| format!("no item {number} in the answer"))
    }

    /// Identifiers of objects that the answer says were created, and destroyed.
    pub(super) fn changes(&self) -> (Vec<&str>, Vec<&str>) {
        let (mut created, mut destroyed) = (Vec::new(), Vec::new());
        for item in items(&self.message).filter(|item| item_failure(item).is_none()) {
            let payload = item.child("ResponsePayload").map(Element::children).unwrap_or_default();
            let ids = payload.iter().filter(|child| IDENTIFIERS.contains(&child.name.as_ref()));
            let ids = ids.filter_map(Element::text);
            match item_text(item, "Operation") {
                "Destroy" => destroyed.extend(ids),
                operation if CREATING.contains(&operation) => created.extend(ids),
                _ => {}
            }
        }
        (created, destroyed)
    }
}

/// The batch items of a message.
pub(super) fn items(message: &Element) -> impl Iterator<Item = &Element> {
    message.children().iter().filter(|child| child.name == "BatchItem")
}

/// Text of an element of an item; empty if there is none.
pub(super) fn item_text<'a>(item: &'a Element, name: &str) -> &'a str {
    item.child(name).and_then(Element::text).unwrap_or_default()
}

/// Status, reason and message of an item that did not succeed.
pub(super) fn item_failure(item: &Element) -> Option<String> {
    let status = item_text(item, "ResultStatus");
    if status == "Success" {
        return None;
    }
    let reason = item_text(item, "ResultReason");
    let message = item_text(item, "ResultMessage");
    let status = if status.is_empty() { "no Result Status" } else { status };
    let reason = if reason.is_empty() { "no Result Reason" } else { reason };
    Some(match message {
        "" => format!("{status}, {reason}"),
        message => format!("{status}, {reason}: {}", shown(message)),
    })
}

/// Request of these items; `header` stands between Protocol Version and Batch Count.
pub(super) fn request(version: Version, header: &[Element], items: Vec<Element>) -> Element {
    let number =
        |name: &'static str, number: i32| Element::leaf(name, Type::Integer, number.to_string());
    let version = Element::structure(
        "ProtocolVersion",
        vec![
            number("ProtocolVersionMajor", version.major),
            number("ProtocolVersionMinor", version.minor),
        ],
    );
    let count = number("BatchCount", i32::try_from(items.len()).unwrap_or(i32::MAX));
    let header = [&[version], header, &[count]].concat();
    let mut message = vec![Element::structure("RequestHeader", header)];
    message.extend(items);
    Element::structure("RequestMessage", message)
}

/// Item of an operation.
pub(super) fn item(operation: &str, payload: Vec<Element>) -> Element {
    let operation = Element::leaf("Operation", Type::Enumeration, operation);
    Element::structure("BatchItem", vec![operation, Element::structure("RequestPayload", payload)])
}

/// Counts the padding into the length of the texts of these names, as some clients do.
pub(super) fn pad(element: &mut Element, names: &[String]) {
    let is_named = names.iter().any(|name| element.name == *name);
    match &mut element.value {
        Value::Structure(children) => children.iter_mut().for_each(|child| pad(child, names)),
        Value::Text(Type::TextString, text) if is_named => {
            let len = text.len().next_multiple_of(PADDING);
            let mut padded = Zeroizing::new(String::with_capacity(len));
            padded.push_str(text);
            padded.extend(core::iter::repeat_n('\0', len.saturating_sub(text.len())));
            *text = padded;
        }
        Value::Text(..) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, item, items, pad, request};
    use kmip::Version;
    use kmip::encoding::{Element, xml};
    use ttlv::Type;

    #[test]
    fn padding_is_counted_into_the_length() {
        let id = Element::leaf("UniqueIdentifier", Type::TextString, "AWMkskpiJTbZIso_0Xor");
        let mut message = request(Version::V1_0, &[], vec![item("Activate", vec![id])]);
        let len = message.to_ttlv().unwrap().len();
        pad(&mut message, &["UniqueIdentifier".to_owned()]);
        let bytes = message.to_ttlv().unwrap();
        assert_eq!(bytes.len(), len);
        let field = [&[0x42, 0, 0x94, 7, 0, 0, 0, 24], b"AWMkskpiJTbZIso_0Xor\0\0\0\0".as_slice()];
        assert!(bytes.ends_with(&field.concat()));
        assert_eq!(items(&message).count(), 1);
    }

    #[test]
    fn created_and_destroyed_objects_are_found() {
        let item = |operation: &str, name: &str, status: &str| {
            format!(
                r#"<BatchItem><Operation type="Enumeration" value="{operation}"/>
                <ResultStatus type="Enumeration" value="{status}"/><ResponsePayload>
                <{name} type="TextString" value="{operation}{status}"/></ResponsePayload>
                </BatchItem>"#
            )
        };
        let all = [
            item("Create", "UniqueIdentifier", "Success"),
            item("Register", "UniqueIdentifier", "OperationFailed"),
            item("CreateKeyPair", "PrivateKeyUniqueIdentifier", "Success"),
            item("Get", "UniqueIdentifier", "Success"),
            item("Destroy", "UniqueIdentifier", "Success"),
        ];
        let text = format!("<ResponseMessage>{}</ResponseMessage>", all.concat());
        let answer = Answer { len: 0, message: xml::read(&text).unwrap() };
        let (created, destroyed) = answer.changes();
        assert_eq!(created, ["CreateSuccess", "CreateKeyPairSuccess"]);
        assert_eq!(destroyed, ["DestroySuccess"]);
    }
}
