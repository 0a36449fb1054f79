//! Condition on an answer, in one line of text.
//!
//! ```text
//! succeeds | fails | fails with ItemNotFound or ObjectDestroyed
//! message under 8192 bytes
//! UniqueIdentifier = $uid            PATH is below the Response Payload of the first item
//! item 3 succeeds; item 3 PATH ...   of another item
//! /UniqueBatchItemID exists          PATH is below the Batch Item
//! header TimeStamp exists            PATH is below the Response Header
//! ```

use kmip::encoding::Element;

use super::message::{Answer, item_failure, item_text};
use super::path::{Path, list};
use super::values::{Values, names};

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// The message has fewer bytes.
    Size(usize),
    /// The item succeeds.
    Succeeds(usize),
    /// The item fails, with one of these reasons if there are any.
    Fails(usize, Vec<String>),
    /// Something is true of the elements that a path leads to.
    Path(Place, Path, Predicate),
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header,
    Item(usize),
    Payload(usize),
}

/// Predicate on the elements that a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    Exists,
    IsAbsent,
    Equals(String),
    Differs(String),
    /// A structure with these elements and no other.
    HoldsOnly(Vec<String>),
    /// Each of these is a value there, or a name in a mask.
    Includes(Vec<String>),
    /// So many elements are there.
    Occurs(usize),
    /// The value has so many bytes.
    HasBytes(usize),
    /// The value has at most so many bytes.
    HasBytesAtMost(usize),
    /// The value is not a number.
    IsNotNumeric,
}

impl Condition {
    /// Reads a condition.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |why: &str| format!("condition {text:?}: {why}");
        if let Some(size) = text.strip_prefix("message under ") {
            let size = size.strip_suffix(" bytes").and_then(|size| size.parse().ok());
            return size.map(Self::Size).ok_or_else(|| wrong("the size must be \"N bytes\""));
        }
        let (number, rest) = match text.strip_prefix("item ") {
            Some(rest) => {
                let (number, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let number = number.parse().ok().filter(|number| *number > 0);
                (number.ok_or_else(|| wrong("items are numbered from 1"))?, rest)
            }
            None => (1, text),
        };
        match rest {
            "succeeds" => return Ok(Self::Succeeds(number)),
            "fails" => return Ok(Self::Fails(number, Vec::new())),
            _ => {}
        }
        if let Some(reasons) = rest.strip_prefix("fails with ") {
            let reasons = reasons.split(" or ").map(|reason| reason.trim().to_owned());
            return Ok(Self::Fails(number, reasons.collect()));
        }
        let (place, rest) = match (rest.strip_prefix("header "), rest.strip_prefix('/')) {
            (Some(rest), _) => (Place::Header, rest),
            (None, Some(rest)) => (Place::Item(number), rest),
            (None, None) => (Place::Payload(number), rest),
        };
        let (path, predicate) = Path::parse(rest).map_err(|why| wrong(&why))?;
        let predicate = Predicate::parse(predicate).ok_or_else(|| {
            wrong(
                "after the path must be one of: exists, is absent, = VALUE, != VALUE, \
                 holds only NAMES, includes VALUES, occurs N times, has N bytes, \
                 has at most N bytes, is not numeric",
            )
        })?;
        Ok(Self::Path(place, path, predicate))
    }

    /// The item whose status the condition is about.
    pub(super) fn status_of(&self) -> Option<usize> {
        match self {
            Self::Succeeds(number) | Self::Fails(number, _) => Some(*number),
            Self::Size(_) | Self::Path(..) => None,
        }
    }

    /// Names of the values that the condition needs.
    pub(super) fn value_names(&self) -> Vec<&str> {
        match self {
            Self::Path(_, _, Predicate::Equals(value) | Predicate::Differs(value)) => {
                names(value).collect()
            }
            Self::Path(_, _, Predicate::Includes(values)) => {
                values.iter().flat_map(|value| names(value)).collect()
            }
            Self::Size(_) | Self::Succeeds(_) | Self::Fails(..) | Self::Path(..) => Vec::new(),
        }
    }

    /// Checks an answer. The error is what was found instead.
    pub(super) fn check(&self, answer: &Answer, values: &Values) -> Result<(), String> {
        match self {
            Self::Size(limit) if answer.len < *limit => Ok(()),
            Self::Size(_) => Err(format!("{} bytes", answer.len)),
            Self::Succeeds(number) => match item_failure(answer.item(*number)?) {
                None => Ok(()),
                Some(failure) => Err(failure),
            },
            Self::Fails(number, reasons) => {
                let item = answer.item(*number)?;
                let Some(failure) = item_failure(item) else {
                    return Err("Success".to_owned());
                };
                let reason = item_text(item, "ResultReason");
                let is_met = reasons.is_empty() || reasons.iter().any(|wanted| wanted == reason);
                if is_met { Ok(()) } else { Err(failure) }
            }
            Self::Path(place, path, predicate) => {
                let root = match place {
                    Place::Header => answer.message.child("ResponseHeader"),
                    Place::Item(number) => Some(answer.item(*number)?),
                    Place::Payload(number) => answer.item(*number)?.child("ResponsePayload"),
                };
                let found = root.map(|root| path.find(root)).unwrap_or_default();
                predicate.check(path, &found, values)
            }
        }
    }
}

impl Predicate {
    fn parse(text: &str) -> Option<Self> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let number = |text: &str, unit: &str| text.strip_suffix(unit)?.trim().parse().ok();
        match text {
            "exists" => return Some(Self::Exists),
            "is absent" => return Some(Self::IsAbsent),
            "is not numeric" => return Some(Self::IsNotNumeric),
            _ => {}
        }
        if let Some(value) = text.strip_prefix("= ") {
            Some(Self::Equals(value.to_owned()))
        } else if let Some(value) = text.strip_prefix("!= ") {
            Some(Self::Differs(value.to_owned()))
        } else if let Some(names) = text.strip_prefix("holds only ") {
            Some(Self::HoldsOnly(words(names)))
        } else if let Some(values) = text.strip_prefix("includes ") {
            Some(Self::Includes(words(values)))
        } else if let Some(count) = text.strip_prefix("occurs ") {
            number(count, "times").or_else(|| number(count, "time")).map(Self::Occurs)
        } else if let Some(most) = text.strip_prefix("has at most ") {
            number(most, "bytes").map(Self::HasBytesAtMost)
        } else {
            number(text.strip_prefix("has ")?, "bytes").map(Self::HasBytes)
        }
    }

    fn check(&self, path: &Path, found: &[&Element], values: &Values) -> Result<(), String> {
        let shown = || match found {
            [] => "nothing there".to_owned(),
            [one] => path.show(one),
            [first, ..] => format!("{} of {}", path.show(first), found.len()),
        };
        let text = found.first().and_then(|element| element.text());
        let is_met = match self {
            Self::Exists => !found.is_empty(),
            Self::IsAbsent => found.is_empty(),
            Self::Equals(wanted) => {
                let wanted = resolve(values, wanted)?;
                text.is_some_and(|text| text == wanted.as_str())
            }
            Self::Differs(unwanted) => {
                let unwanted = resolve(values, unwanted)?;
                text.is_some_and(|text| text != unwanted.as_str())
            }
            Self::HoldsOnly(names) => found.first().is_some_and(|element| {
                let children = element.children();
                let is_known = |child: &Element| names.iter().any(|name| child.name == *name);
                children.len() == names.len() && children.iter().all(is_known)
            }),
            Self::Includes(wanted) => {
                let words = || {
                    let texts = found.iter().filter_map(|element| element.text());
                    texts.flat_map(str::split_whitespace)
                };
                let mut missing = Vec::new();
                for name in wanted {
                    let wanted = resolve(values, name)?;
                    if !words().any(|word| word == wanted.as_str()) {
                        missing.push(name.as_str());
                    }
                }
                if !missing.is_empty() {
                    return Err(format!("without {}", list(&missing)));
                }
                true
            }
            Self::Occurs(count) if found.len() == *count => true,
            Self::Occurs(_) => return Err(format!("{} there", found.len())),
            Self::HasBytes(len) => byte_len(found) == Some(*len),
            Self::HasBytesAtMost(len) => byte_len(found).is_some_and(|found| found <= *len),
            Self::IsNotNumeric => {
                text.is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_digit()))
            }
        };
        if is_met { Ok(()) } else { Err(shown()) }
    }
}

fn resolve(values: &Values, text: &str) -> Result<zeroize::Zeroizing<String>, String> {
    values.resolve(text).map_err(|name| format!("no value for {name}"))
}

/// Length of the first value: bytes of a byte string, else of the text.
fn byte_len(found: &[&Element]) -> Option<usize> {
    let element = found.first()?;
    let text = element.text()?;
    let is_hex = matches!(element.ty(), ttlv::Type::ByteString | ttlv::Type::BigInteger);
    Some(if is_hex { text.len().div_euclid(2) } else { text.len() })
}

#[cfg(test)]
mod tests {
    use super::{Answer, Condition, Values};
    use kmip::encoding::xml;

    const ANSWER: &str = r#"<ResponseMessage><ResponseHeader>
        <TimeStamp type="DateTime" value="2024-01-01T00:00:00+00:00"/></ResponseHeader>
        <BatchItem><Operation type="Enumeration" value="Get"/>
        <UniqueBatchItemID type="ByteString" value="0102"/>
        <ResultStatus type="Enumeration" value="Success"/>
        <ResponsePayload><UniqueIdentifier type="TextString" value="7"/>
        <Operation type="Enumeration" value="Encrypt"/>
        <Operation type="Enumeration" value="Decrypt"/>
        <SymmetricKey><KeyBlock><KeyValue><KeyMaterial type="ByteString" value="00112233"/>
        </KeyValue></KeyBlock></SymmetricKey></ResponsePayload></BatchItem>
        <BatchItem><ResultStatus type="Enumeration" value="OperationFailed"/>
        <ResultReason type="Enumeration" value="ItemNotFound"/>
        <ResultMessage type="TextString" value="no object"/></BatchItem></ResponseMessage>"#;

    /// What was found instead; nothing if the condition is met.
    fn found(condition: &str) -> Option<String> {
        let answer = Answer { len: 512, message: xml::read(ANSWER).unwrap() };
        let mut values = Values::default();
        values.set("uid", "7");
        values.set("key", "00112233");
        Condition::parse(condition).unwrap().check(&answer, &values).err()
    }

    #[test]
    fn condition_is_met() {
        for condition in [
            "succeeds",
            "item 2 fails",
            "item 2 fails with InvalidField or ItemNotFound",
            "message under 513 bytes",
            "UniqueIdentifier = $uid",
            "UniqueIdentifier != 8",
            "UniqueIdentifier has at most 128 bytes",
            "/UniqueBatchItemID = 0102",
            "header TimeStamp exists",
            "header ServerCorrelationValue is absent",
            "Operation includes Encrypt Decrypt",
            "Operation occurs 2 times",
            "UniqueIdentifier includes $uid",
            "SymmetricKey/KeyBlock/KeyValue holds only KeyMaterial",
            "SymmetricKey/KeyBlock/KeyValue/KeyMaterial = $key",
            "SymmetricKey/KeyBlock/KeyValue/KeyMaterial has 4 bytes",
        ] {
            assert_eq!(found(condition), None, "{condition}");
        }
    }

    #[test]
    fn unmet_condition_names_what_was_found() {
        let rows = [
            ("fails", "Success"),
            ("item 2 succeeds", "OperationFailed, ItemNotFound: \"no object\""),
            ("item 2 fails with InvalidField", "OperationFailed, ItemNotFound: \"no object\""),
            ("item 3 succeeds", "no item 3 in the answer"),
            ("message under 512 bytes", "512 bytes"),
            ("UniqueIdentifier is not numeric", "\"7\""),
            ("UniqueIdentifier = 8", "\"7\""),
            ("header ServerCorrelationValue exists", "nothing there"),
            ("Operation includes Encrypt Sign", "without Sign"),
            ("UniqueIdentifier includes $key", "without $key"),
            ("Operation occurs 1 time", "2 there"),
            ("SymmetricKey/KeyBlock/KeyValue/KeyMaterial = 00", "4 bytes that are not shown"),
            ("SymmetricKey/KeyBlock/KeyValue holds only Attribute", "a structure of KeyMaterial"),
            ("UniqueIdentifier = $other", "no value for $other"),
        ];
        for (condition, expected) in rows {
            assert_eq!(found(condition).as_deref(), Some(expected), "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for wrong in [
            "",
            "UniqueIdentifier",
            "UniqueIdentifier is",
            "item 0 succeeds",
            "item x succeeds",
            "message under 5",
            "A has many bytes",
        ] {
            assert!(Condition::parse(wrong).is_err(), "{wrong}");
        }
    }
}
