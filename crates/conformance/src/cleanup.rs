//! Cleanup: destroys the objects that cases have created, and finds objects of earlier runs.
//!
//! A case "may omit the clean-up … provided there is a separate mechanism to remove the created
//! objects" (2.1 profiles, 4.1.2): this is it. Other objects are destroyed only on request.

use std::borrow::Cow;

use kmip::Version;
use kmip::encoding::{Element, Value};
use ttlv::Type;

use crate::case::{Case, Step, items};
use crate::server_objects::{Attribute, ServerObjects, find_descendant};
use crate::transport::{Connection, Server};

/// Destroys every object of the cases that is still there.
pub(crate) fn destroy_created(server: &Server, version: Version, objects: &mut ServerObjects) {
    let alive: Vec<String> = objects.live_identifiers().map(str::to_owned).collect();
    destroy(server, version, &alive);
    for id in alive {
        objects.remove(&id);
    }
}

/// Destroys objects; an active one is revoked before.
pub(crate) fn destroy(server: &Server, version: Version, ids: &[String]) {
    if ids.is_empty() {
        return;
    }
    let Ok(mut connection) = server.open(None) else { return };
    for id in ids {
        // What cannot be destroyed at once may be in use, or in an archive.
        let identifier_payload =
            || vec![Element::leaf("UniqueIdentifier", Type::TextString, id.as_str())];
        let execute = |operation: &str, payload: Vec<Element>, connection: &mut Connection| {
            let answer = connection.exchange(&request_message(version, operation, payload));
            answer.is_ok_and(|answer| success_payload(&answer).is_some())
        };
        if execute("Destroy", identifier_payload(), &mut connection) {
            continue;
        }
        execute("Recover", identifier_payload(), &mut connection);
        let mut revoke = identifier_payload();
        let code = Element::leaf("RevocationReasonCode", Type::Enumeration, "CessationOfOperation");
        revoke.push(Element::structure("RevocationReason", vec![code]));
        execute("Revoke", revoke, &mut connection);
        execute("Destroy", identifier_payload(), &mut connection);
    }
}

/// The objects that the searches of a case would find, and those that have its names, before it
/// has made any.
pub(crate) fn leftovers(server: &Server, case: &Case) -> Vec<String> {
    let mut searches: Vec<Vec<Element>> = Vec::new();
    for item in case.steps.iter().flat_map(|step| items(&step.request)) {
        let operation = item.child("Operation").and_then(Element::text).unwrap_or_default();
        let Some(payload) = item.child("RequestPayload") else { continue };
        match operation {
            "Locate" if !has_symbols(payload) => searches.push(payload.children().to_vec()),
            "Create" | "CreateKeyPair" | "Register" => {
                name_searches(payload, case.version, &mut searches)
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    let Ok(mut connection) = server.open(None) else { return found };
    for search in searches {
        let answer = connection.exchange(&request_message(case.version, "Locate", search));
        let Ok(answer) = answer else { return found };
        let ids = success_payload(&answer).map(|payload| payload.children()).unwrap_or_default();
        for id in ids.iter().filter(|child| child.name == "UniqueIdentifier") {
            let id = id.text().unwrap_or_default().to_owned();
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}

/// A search for each Name that a payload gives.
fn name_searches(payload: &Element, version: Version, searches: &mut Vec<Vec<Element>>) {
    for child in payload.children() {
        let attribute = Attribute::from_element(child).filter(|attribute| attribute.name == "Name");
        match attribute {
            Some(attribute) if find_descendant(attribute.value, "NameType").is_some() => {
                searches.push(match version >= Version::V2_0 {
                    true => vec![Element::structure("Attributes", vec![child.clone()])],
                    false => vec![child.clone()],
                });
            }
            Some(_) | None => name_searches(child, version, searches),
        }
    }
}

fn has_symbols(element: &Element) -> bool {
    let own = element.text().is_some_and(|text| text.starts_with('$'));
    own || element.children().iter().any(has_symbols)
}

/// Request of one item.
pub(crate) fn request_message(version: Version, operation: &str, payload: Vec<Element>) -> Element {
    let number =
        |name: &'static str, number: i32| Element::leaf(name, Type::Integer, number.to_string());
    let version = vec![
        number("ProtocolVersionMajor", version.major),
        number("ProtocolVersionMinor", version.minor),
    ];
    let header = vec![Element::structure("ProtocolVersion", version), number("BatchCount", 1)];
    let item = vec![
        Element::leaf("Operation", Type::Enumeration, operation),
        Element::structure("RequestPayload", payload),
    ];
    let message =
        vec![Element::structure("RequestHeader", header), Element::structure("BatchItem", item)];
    Element::structure("RequestMessage", message)
}

/// Payload of a response whose only item succeeded.
pub(crate) fn success_payload(answer: &Element) -> Option<&Element> {
    let item = items(answer).next()?;
    (item.child("ResultStatus")?.text()? == "Success").then_some(())?;
    item.child("ResponsePayload")
}

/// The case with `prefix` before each of its test identifiers (V18).
pub(crate) fn prefix_identifiers(case: &Case, prefix: &str) -> Case {
    let marks = [format!("{}-M-", case.profile), format!("{}-O-", case.profile)];
    let steps = case.steps.iter().map(|step| Step {
        request: prefix_element(&step.request, prefix, &marks),
        response: prefix_element(&step.response, prefix, &marks),
    });
    Case { steps: steps.collect(), ..case.clone() }
}

fn prefix_element(element: &Element, prefix: &str, marks: &[String]) -> Element {
    let value = match &element.value {
        Value::Structure(children) => {
            let children = children.iter().map(|child| prefix_element(child, prefix, marks));
            Value::Structure(children.collect())
        }
        Value::Text(Type::TextString, text)
            if element.name != "InteropIdentifier"
                && marks.iter().any(|mark| text.contains(mark.as_str())) =>
        {
            return Element::leaf(
                Cow::clone(&element.name),
                Type::TextString,
                format!("{prefix}{}", text.as_str()),
            );
        }
        Value::Text(..) => element.value.clone(),
    };
    Element { name: element.name.clone(), value }
}
