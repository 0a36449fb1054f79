//! An answer beside the one that a case prints: what is not the same, and which rule says so.
//!
//! ```text
//! printed    $UNIQUE_IDENTIFIER_0, a name, a date in some zone
//! normal     the same through TTLV and back, so that one thing has one spelling
//! actual     what the server has answered, in the same spelling
//! ```
//!
//! Fields are compared in their order. Where [`rules`](crate::tolerances) lets a group of fields stand
//! in any order, each printed one is looked for among the answered ones.

mod finding;
mod item;
mod names;

use kmip::encoding::{Element, Error, Value};
use ttlv::Type;

use crate::bindings::Bindings;
use crate::case::{Case, items};
use crate::server_objects::Objects;
use finding::NO_OTHER;
use item::{Item, Scene};

pub use finding::Finding;

/// A printed message in both spellings, which have the same shape.
#[derive(Debug)]
pub struct Expected {
    printed: Element,
    normal: Element,
}

impl Expected {
    /// Spells a printed message as one that came over the wire would be spelt.
    pub fn new(printed: &Element) -> Result<Self, Error> {
        let normal = Element::from_ttlv(&placeheld(printed).to_ttlv()?)?;
        Ok(Self { printed: printed.clone(), normal })
    }

    /// The message, with anything of the right type where a case leaves something open.
    pub fn message(&self) -> &Element {
        &self.normal
    }
}

/// A copy in which no symbol keeps a value from being written.
fn placeheld(element: &Element) -> Element {
    let value = match &element.value {
        Value::Structure(children) => Value::Structure(children.iter().map(placeheld).collect()),
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

/// What was asked, by which an answer is judged.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The case.
    pub case: &'a Case,
    /// The request as it is printed.
    pub printed: &'a Element,
    /// The request as it was sent, in the spelling of [`Expected`].
    pub sent: &'a Element,
}

/// Compares an answer with the printed one. What the answer binds and what it tells of objects
/// is learnt on the way.
pub fn message(
    asked: &Asked<'_>,
    expected: &Expected,
    actual: &Element,
    bindings: &mut Bindings,
    objects: &mut Objects,
) -> Vec<Finding> {
    let version = asked.case.version;
    let (printed, normal) = (&expected.printed, &expected.normal);
    if normal.name != actual.name {
        return vec![Finding {
            path: normal.name.to_string(),
            what: format!("a {} came", actual.name),
            rule: NO_OTHER.to_owned(),
        }];
    }
    let outside = Item {
        case: asked.case,
        version,
        operation: "",
        payload: None,
        object: None,
        is_known: false,
        undecipherable: false,
    };
    let mut findings = Vec::new();
    let mut scene = Scene { item: outside, path: Vec::new(), findings: &mut findings, bindings };
    frame(&mut scene, expected, actual);

    let mut answers = items(actual);
    let mut asks = items(asked.printed).zip(items(asked.sent));
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
            object.change(operation, payload);
        }
        let foreign = data_of(ask_printed).is_some_and(|printed| Some(printed) == data_of(ask));
        let item = Item {
            operation,
            payload,
            object: Some(&object),
            is_known: known.is_some(),
            undecipherable: operation == "Decrypt" && object.generated && foreign,
            ..outside
        };
        let mut scene = Scene { item, path: Vec::new(), findings: &mut findings, bindings };
        let Some(answer) = answers.next() else {
            scene.missing(&format!("BatchItem {number}"));
            continue;
        };
        scene.element(printed, normal, answer);
        let done = answer.child("ResultStatus").and_then(Element::text) == Some("Success");
        if let (true, Some(payload), Some(given)) = (done, payload, answer.child("ResponsePayload"))
        {
            let made = ["UniqueIdentifier", "PrivateKeyUniqueIdentifier"];
            let made = made.iter().find_map(|name| given.child(name)?.text());
            objects.learn(operation, payload, given, made.unwrap_or(&id));
            if let Some(made) = made {
                made.clone_into(&mut current);
            }
        }
    }
    let mut scene = Scene { item: outside, path: Vec::new(), findings: &mut findings, bindings };
    for _ in answers {
        scene.unexpected("BatchItem");
    }
    findings
}

/// Compares what is around the items.
fn frame(scene: &mut Scene<'_, '_>, expected: &Expected, actual: &Element) {
    let header = |element: &Element| element.child("ResponseHeader").cloned();
    match (header(&expected.printed), header(&expected.normal), header(actual)) {
        (Some(printed), Some(normal), Some(actual)) => scene.element(&printed, &normal, &actual),
        (Some(_) | None, _, _) => scene.missing("ResponseHeader"),
    }
    let names = ["ResponseHeader", "BatchItem"];
    let places = actual.children().iter().map(|child| names.iter().position(|n| *n == child.name));
    let places: Vec<Option<usize>> = places.collect();
    if places.iter().filter(|place| **place == Some(0)).count() != 1 || !places.is_sorted() {
        scene.unexpected("anything but a ResponseHeader and BatchItems behind it");
    }
    for other in actual.children().iter().filter(|child| !names.contains(&child.name.as_ref())) {
        scene.unexpected(&other.name);
    }
}

/// The data of an item's payload.
fn data_of(item: Option<&Element>) -> Option<String> {
    item?.child("RequestPayload")?.child("Data")?.text().map(str::to_ascii_lowercase)
}
