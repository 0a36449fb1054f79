//! Comparison of a response with the one that a case prints: each difference, and the rule that it
//! breaks.
//!
//! ```text
//! printed    $UNIQUE_IDENTIFIER_0, a name, a date in some zone
//! normal     the same through TTLV and back, so that one thing has one spelling
//! actual     what the server has answered, in the same spelling
//! ```
//!
//! Fields are compared in their order. Where the [`tolerances`](crate::tolerances) permit any order
//! of a group of fields, each printed one is matched with one of the answered ones.

mod finding;
mod item;
mod names;
#[cfg(test)]
mod tests;

use kmip::encoding::{Element, Error, Value};
use ttlv::Type;

use crate::bindings::Bindings;
use crate::case::{Case, items};
use crate::server_objects::ServerObjects;
use finding::UNLISTED_VARIATION;
use item::{Comparison, ItemContext};

pub(crate) use finding::Finding;

/// A printed response in both spellings, which have the same shape.
#[derive(Debug)]
pub(crate) struct ExpectedResponse {
    printed: Element,
    normal: Element,
}

impl ExpectedResponse {
    /// Spells a printed message as one that came over the wire would be spelt.
    pub(crate) fn new(printed: &Element) -> Result<Self, Error> {
        let normal = Element::from_ttlv(&with_placeholders(printed).to_ttlv()?)?;
        Ok(Self { printed: printed.clone(), normal })
    }

    /// The message, with anything of the right type where a case leaves something open.
    pub(crate) fn message(&self) -> &Element {
        &self.normal
    }
}

/// A copy with a valid value in place of each symbol.
fn with_placeholders(element: &Element) -> Element {
    let value = match &element.value {
        Value::Structure(children) => {
            Value::Structure(children.iter().map(with_placeholders).collect())
        }
        Value::Text(ty, text) if text.starts_with('$') => {
            let anything = match *ty {
                Type::ByteString => "00",
                Type::DateTime => "0x0000000000000000",
                Type::Structure
                | Type::Integer
                | Type::LongInteger
                | Type::BigInteger
                | Type::Enumeration
                | Type::Boolean
                | Type::TextString
                | Type::Interval
                | Type::DateTimeExtended => text.as_str(),
            };
            return Element::leaf(element.name.clone(), *ty, anything);
        }
        Value::Text(..) => element.value.clone(),
    };
    Element { name: element.name.clone(), value }
}

/// Request that a response belongs to.
#[derive(Debug)]
pub(crate) struct SentRequest<'a> {
    /// The case.
    pub(crate) case: &'a Case,
    /// The request as it is printed.
    pub(crate) printed: &'a Element,
    /// The request as it was sent, in the spelling of [`ExpectedResponse`].
    pub(crate) sent: &'a Element,
}

/// Compares a response with the printed one, and records its symbols and its objects.
pub(crate) fn compare_response(
    request: &SentRequest<'_>,
    expected: &ExpectedResponse,
    actual: &Element,
    bindings: &mut Bindings,
    objects: &mut ServerObjects,
) -> Vec<Finding> {
    let version = request.case.version;
    let (printed, normal) = (&expected.printed, &expected.normal);
    if normal.name != actual.name {
        return vec![Finding {
            path: normal.name.to_string(),
            what: format!("a {} came", actual.name),
            rule: UNLISTED_VARIATION.to_owned(),
        }];
    }
    let outside = ItemContext {
        case: request.case,
        version,
        operation: "",
        payload: None,
        object: None,
        is_known: false,
        undecipherable: false,
    };
    let mut findings = Vec::new();
    let mut comparison =
        Comparison { item: outside, path: Vec::new(), findings: &mut findings, bindings };
    compare_header(&mut comparison, expected, actual);

    let mut answers = items(actual);
    let mut asks = items(request.printed).zip(items(request.sent));
    let mut current = String::new();
    for (number, (printed, normal)) in items(printed).zip(items(normal)).enumerate() {
        let (ask_printed, ask) = asks.next().unzip();
        let operation = normal.child("Operation").and_then(Element::text).unwrap_or_default();
        let payload = ask.and_then(|ask| ask.child("RequestPayload"));
        let named = payload.and_then(|payload| payload.child("UniqueIdentifier"));
        let id = named.and_then(Element::text).unwrap_or(&current).to_owned();
        let known = objects.get(&id);
        let mut object = known.cloned().unwrap_or_default();
        if let Some(payload) = payload {
            object.record_request(operation, payload);
        }
        let foreign = data_of(ask_printed).is_some_and(|printed| Some(printed) == data_of(ask));
        let item = ItemContext {
            operation,
            payload,
            object: Some(&object),
            is_known: known.is_some(),
            undecipherable: operation == "Decrypt" && object.generated && foreign,
            ..outside
        };
        let mut comparison =
            Comparison { item, path: Vec::new(), findings: &mut findings, bindings };
        let Some(answer) = answers.next() else {
            comparison.missing(&format!("BatchItem {number}"));
            continue;
        };
        comparison.compare_element(printed, normal, answer);
        let done = answer.child("ResultStatus").and_then(Element::text) == Some("Success");
        if let (true, Some(payload), Some(given)) = (done, payload, answer.child("ResponsePayload"))
        {
            let made = ["UniqueIdentifier", "PrivateKeyUniqueIdentifier"];
            let made = made.iter().find_map(|name| given.child(name)?.text());
            objects.record_response(operation, payload, given, made.unwrap_or(&id));
            if let Some(made) = made {
                made.clone_into(&mut current);
            }
        }
    }
    let mut comparison =
        Comparison { item: outside, path: Vec::new(), findings: &mut findings, bindings };
    for _ in answers {
        comparison.unexpected("BatchItem");
    }
    findings
}

/// Compares the header, and the order of header and items.
fn compare_header(
    comparison: &mut Comparison<'_, '_>,
    expected: &ExpectedResponse,
    actual: &Element,
) {
    let header = |element: &Element| element.child("ResponseHeader").cloned();
    match (header(&expected.printed), header(&expected.normal), header(actual)) {
        (Some(printed), Some(normal), Some(actual)) => {
            comparison.compare_element(&printed, &normal, &actual)
        }
        (Some(_) | None, _, _) => comparison.missing("ResponseHeader"),
    }
    let names = ["ResponseHeader", "BatchItem"];
    let places = actual.children().iter().map(|child| names.iter().position(|n| *n == child.name));
    let places: Vec<Option<usize>> = places.collect();
    if places.iter().filter(|place| **place == Some(0)).count() != 1 || !places.is_sorted() {
        comparison.unexpected("anything but a ResponseHeader and BatchItems behind it");
    }
    for other in actual.children().iter().filter(|child| !names.contains(&child.name.as_ref())) {
        comparison.unexpected(&other.name);
    }
}

/// The data of an item's payload.
fn data_of(item: Option<&Element>) -> Option<String> {
    item?.child("RequestPayload")?.child("Data")?.text().map(str::to_ascii_lowercase)
}
