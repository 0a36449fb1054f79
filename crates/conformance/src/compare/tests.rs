//! The comparison is strict: right answers are changed in one place at a time, and each change is
//! caught, but for those that OASIS's rules permit.
//!
//! The cases are OASIS's and stay outside this repository: in the folder `shared` beside it, or
//! where `KMIP_CASES` or `KMIP_TESTCASES` says. Where they are missing the test says so and passes,
//! except under CI.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kmip::encoding::{Element, Value};
use ttlv::Type;

use super::{ExpectedResponse, Finding, SentRequest, compare_response};
use crate::bindings::{Bindings, Symbol};
use crate::case::{self, Case, items};
use crate::server_objects::{self, ServerObjects};

/// Seconds since 1970, in all of these tests.
const NOW: i64 = 1_790_000_000;

/// A case of our own, with something of everything.
const CASE: &str = include_str!("tests.xml");

/// Changes of its answers: the step, what is changed, how, and whether a rule permits it.
const CHANGES: &[(usize, &str, Change, bool)] = &[
    (0, "ResultStatus", Change::Set("OperationFailed"), false),
    (0, "ResultStatus", Change::Remove, false),
    (0, "ProtocolVersionMinor", Change::Set("0"), false),
    (0, "BatchCount", Change::Set("2"), false),
    (0, "BatchCount", Change::Remove, false),
    (0, "TimeStamp", Change::Set("2001-01-01T00:00:00+00:00"), true),
    (0, "TimeStamp", Change::Remove, false),
    (0, "UniqueIdentifier", Change::Set("another"), true),
    (0, "UniqueIdentifier", Change::Set(""), false),
    (0, "UniqueIdentifier", Change::Remove, false),
    (0, "UniqueIdentifier", Change::Twice, false),
    (0, "BatchItem", Change::Twice, false),
    (0, "ResponsePayload", Change::Remove, false),
    // The key was registered, so that it and its digest are known.
    (1, "UniqueIdentifier", Change::Set("another"), false),
    (1, "ObjectType", Change::Set("SecretData"), false),
    (1, "KeyMaterial", Change::Set("0123456789abcdef0123456789abcdee"), false),
    (1, "KeyMaterial", Change::Set("0123456789abcdef0123456789abcd"), false),
    (1, "KeyFormatType", Change::Set("Opaque"), false),
    (1, "CryptographicLength", Change::Set("256"), false),
    (1, "CryptographicLength", Change::Remove, false),
    (1, "CryptographicAlgorithm", Change::Last, false),
    (2, "State", Change::Set("PreActive"), false),
    (2, "State", Change::Last, true),
    (2, "State", Change::Remove, false),
    (2, "State", Change::Twice, true),
    (2, "ActivationDate", Change::Set("2001-01-01T00:00:00+00:00"), false),
    (2, "InitialDate", Change::Set("2001-01-01T00:00:00+00:00"), true),
    (2, "InitialDate", Change::Remove, false),
    (2, "DigestValue", Change::Set("00"), false),
    (2, "LeaseTime", Change::Set("3601"), false),
    (2, "CryptographicUsageMask", Change::Set("Encrypt"), false),
    // A cipher with a key that is known: every byte counts.
    (3, "Data", Change::Set("d9bcce11b0b437b90239552df3a360c8"), false),
    (3, "Data", Change::Set("d9bcce11b0b437b90239552df3a3"), false),
    (4, "ResultStatus", Change::Set("Success"), false),
    (4, "ResultReason", Change::Set("PermissionDenied"), false),
    (4, "ResultReason", Change::Remove, false),
    (4, "ResultMessage", Change::Set("anything else"), true),
    (4, "ResultMessage", Change::Remove, true),
    (4, "Operation", Change::Set("Encrypt"), false),
    // A search finds what is there, and nothing else.
    (5, "UniqueIdentifier", Change::Remove, false),
    (5, "UniqueIdentifier", Change::Twice, false),
    // The names of a library, but neither the version of PKCS#11, nor flags, nor a length.
    (7, "PKCS_11OutputParameters", Change::Info("0228", "43", "00"), true),
    (7, "PKCS_11OutputParameters", Change::Info("0300", "41", "00"), false),
    (7, "PKCS_11OutputParameters", Change::Info("0228", "41", "01"), false),
    (7, "PKCS_11OutputParameters", Change::Set("0228"), false),
];

#[derive(Clone, Copy, Debug)]
enum Change {
    Set(&'static str),
    /// Another CK_INFO: the version, a byte of the first name, a byte of the flags.
    Info(&'static str, &'static str, &'static str),
    Remove,
    /// There are two of it.
    Twice,
    /// It stands behind its siblings.
    Last,
}

#[test]
fn every_change_of_a_right_answer_is_caught() {
    let case = case::parse("STRICT-M-1-21", true, CASE).unwrap();
    let run = CorrectRun::of(&case);
    for (number, step) in run.0.iter().enumerate() {
        let findings = step.compare(&case, &step.answer);
        assert!(findings.is_empty(), "step {number} as printed: {findings:?}");
    }
    for (step, name, change, permitted) in CHANGES {
        let step = &run.0[*step];
        let mut answer = step.answer.clone();
        assert!(change_one(&mut answer, name, *change), "nothing is called {name}");
        let findings = step.compare(&case, &answer);
        assert_eq!(findings.is_empty(), *permitted, "{name} {change:?}: {findings:?}");
    }
}

/// What may be changed in the answers of OASIS's cases without being caught, in one case at least:
/// the operation, the field, and the change. Worked out by hand from the rules, beside the table.
const UNCAUGHT: &[(&str, &str, &str)] = &[
    ("", "TimeStamp", "value"),
    ("", "ServerCorrelationValue", "value"),
    ("*", "ResultMessage", "value remove"),
    // What a server chooses the first time that it is answered.
    ("Register Create Locate", "UniqueIdentifier", "value"),
    ("CreateKeyPair", "PrivateKeyUniqueIdentifier", "value"),
    ("CreateKeyPair", "PublicKeyUniqueIdentifier", "value"),
    ("GetAttributes", "ShortUniqueIdentifier", "value"),
    ("Encrypt PKCS_11", "CorrelationValue", "value"),
    // What it makes itself, and what is random.
    ("Get", "KeyMaterial", "value"),
    ("Get", "KeyValue", "value"),
    ("Get GetAttributes", "KeyFormatType", "value"),
    ("GetAttributes", "DigestValue", "value"),
    ("Encrypt Decrypt RNGRetrieve", "Data", "value"),
    ("Encrypt", "IVCounterNonce", "value"),
    ("Encrypt", "AuthenticatedEncryptionTag", "value"),
    ("Sign", "SignatureData", "value"),
    // Dates that no request has fixed.
    ("GetAttributes", "ActivationDate", "value"),
    ("GetAttributes", "CompromiseDate", "value"),
    ("GetAttributes", "DestroyDate", "value"),
    ("GetAttributes", "InitialDate", "value"),
    ("GetAttributes", "LastChangeDate", "value"),
    ("GetAttributes", "OriginalCreationDate", "value"),
    ("GetAttributes", "x-VendorAttribute3", "value"),
    // Lists that may be longer, and stand in any order.
    ("Query", "Operation ObjectType", "value remove twice order"),
    ("Query", "VendorIdentification", "value remove"),
    ("GetAttributes", "*", "twice order"),
    ("GetAttributeList", "*", "twice order"),
    ("GetAttributeList", "Object Group", "value remove"),
    // What the rules and the cases leave to the server altogether.
    ("GetAttributes", "in RandomNumberGenerator", "*"),
    ("PKCS_11", "PKCS_11OutputParameters", "value"),
];

#[test]
fn every_field_of_every_case_is_looked_at() {
    let Some(folder) = oasis_cases() else { return };
    let cases = case::read_all(&folder).unwrap().all;
    let (mut steps, mut changes) = (0_usize, 0_usize);
    let mut missed: BTreeMap<(String, String, &str), String> = BTreeMap::new();
    for case in &cases {
        for step in &CorrectRun::of(case).0 {
            let findings = step.compare(case, &step.answer);
            assert!(findings.is_empty(), "{} as printed: {findings:?}", case.name);
            steps += 1;
            let mut count = 0;
            number_of(&step.answer, &mut count);
            for at in 1..count {
                for (kind, changed) in changed_at(&step.answer, at) {
                    changes += 1;
                    let (answer, name, operation) = changed;
                    if step.compare(case, &answer).is_empty() {
                        let key = (operation, name, kind);
                        missed.entry(key).or_insert_with(|| case.name.clone());
                    }
                }
            }
        }
    }
    assert!(steps > 2_000 && changes > 50_000, "{steps} steps, {changes} changes");
    missed.retain(|(operation, name, kind), _| !is_permitted(operation, name, kind));
    assert!(missed.is_empty(), "{} of {changes} changes are not caught: {missed:#?}", missed.len());
}

fn is_permitted(operation: &str, name: &str, kind: &str) -> bool {
    let like = |pattern: &str, text: &str| {
        pattern == "*" || pattern == text || pattern.split(' ').any(|one| one == text)
    };
    UNCAUGHT.iter().any(|(o, n, k)| like(o, operation) && like(n, name) && like(k, kind))
}

/// A case as a correct server answers it.
struct CorrectRun(Vec<CorrectStep>);

/// A step of a run: the request, the answer, and the state before it.
struct CorrectStep {
    printed: Element,
    sent: Element,
    expected: ExpectedResponse,
    answer: Element,
    bindings: Bindings,
    objects: ServerObjects,
}

impl CorrectRun {
    fn of(case: &Case) -> Self {
        let (mut bindings, mut objects) = (Bindings::default(), ServerObjects::default());
        bindings.set_now(NOW);
        let mut steps = Vec::new();
        for step in &case.steps {
            let expected = ExpectedResponse::new(&step.response).unwrap();
            let Ok(sent) = bindings.resolve(&step.request) else {
                break;
            };
            let sent = Element::from_ttlv(&sent.to_ttlv().unwrap()).unwrap();
            let answer = answered(&step.response, expected.message(), &bindings);
            let answer = Element::from_ttlv(&answer.to_ttlv().unwrap()).unwrap();
            let step = CorrectStep {
                printed: step.request.clone(),
                sent,
                expected,
                answer,
                bindings: bindings.clone(),
                objects: objects.clone(),
            };
            let request = SentRequest { case, printed: &step.printed, sent: &step.sent };
            compare_response(&request, &step.expected, &step.answer, &mut bindings, &mut objects);
            steps.push(step);
        }
        Self(steps)
    }
}

impl CorrectStep {
    fn compare(&self, case: &Case, answer: &Element) -> Vec<Finding> {
        let request = SentRequest { case, printed: &self.printed, sent: &self.sent };
        let (mut bindings, mut objects) = (self.bindings.clone(), self.objects.clone());
        compare_response(&request, &self.expected, answer, &mut bindings, &mut objects)
    }
}

/// The printed answer with a value for each symbol.
fn answered(printed: &Element, normal: &Element, bindings: &Bindings) -> Element {
    match (&printed.value, &normal.value) {
        (Value::Structure(printed_inside), Value::Structure(inside)) => {
            let pairs = printed_inside.iter().zip(inside);
            let inside = pairs.map(|(printed, normal)| answered(printed, normal, bindings));
            Element::structure(normal.name.clone(), inside.collect())
        }
        (Value::Text(_, text), Value::Text(ty, _)) => match Symbol::parse(text) {
            Some(Symbol::Now(offset)) => {
                Element::leaf(normal.name.clone(), *ty, format!("0x{:016x}", NOW + offset))
            }
            Some(Symbol::Name(name)) => {
                let own = match ty {
                    Type::ByteString => name.bytes().map(|b| format!("{b:02x}")).collect(),
                    _ => name.to_owned(),
                };
                let value = bindings.get(name).map_or(own, str::to_owned);
                Element::leaf(normal.name.clone(), *ty, value)
            }
            None => normal.clone(),
        },
        _ => normal.clone(),
    }
}

/// Changes the first element of this name.
fn change_one(element: &mut Element, name: &str, change: Change) -> bool {
    let Value::Structure(children) = &mut element.value else { return false };
    let Some(at) = children.iter().position(|child| child.name == name) else {
        return children.iter_mut().any(|child| change_one(child, name, change));
    };
    match change {
        Change::Set(text) => {
            let ty = children[at].ty();
            children[at] = Element::leaf(name.to_owned(), ty, text);
        }
        Change::Info(version, name, flags) => {
            let names = (name.repeat(32), "42".repeat(32));
            let text = format!("{version}{}{}{}0203", names.0, flags.repeat(8), names.1);
            children[at] =
                Element::leaf("PKCS_11OutputParameters".to_owned(), Type::ByteString, &text);
        }
        Change::Remove => drop(children.remove(at)),
        Change::Twice => children.insert(at, children[at].clone()),
        Change::Last => {
            let moved = children.remove(at);
            children.push(moved);
        }
    }
    true
}

fn number_of(element: &Element, count: &mut usize) {
    *count += 1;
    element.children().iter().for_each(|child| number_of(child, count));
}

type Changed = (Element, String, String);

/// The answer with its `at`th element changed in each way: the answer, the element's name, and the
/// operation it belongs to.
fn changed_at(answer: &Element, at: usize) -> Vec<(&'static str, Changed)> {
    let mut all = Vec::new();
    for kind in ["value", "remove", "twice", "order"] {
        let mut copy = answer.clone();
        let (mut count, mut place) = (0, Place::default());
        if change_at(&mut copy, at, kind, &mut count, &mut place) && copy != *answer {
            all.push((kind, (copy, place.name, place.operation)));
        }
    }
    all
}

/// Where a change was made: for what is in an attribute, the attribute.
#[derive(Default)]
struct Place {
    name: String,
    operation: String,
}

fn change_at(
    element: &mut Element,
    at: usize,
    kind: &str,
    count: &mut usize,
    place: &mut Place,
) -> bool {
    if element.name == "BatchItem" {
        let operation = element.child("Operation").and_then(Element::text);
        place.operation = operation.unwrap_or_default().to_owned();
    }
    let Value::Structure(children) = &mut element.value else { return false };
    for index in 0..children.len() {
        *count += 1;
        if *count == at {
            place.name = name_of(children, index);
            return change_child(children, index, kind);
        }
        let name = name_of(children, index);
        if change_at(&mut children[index], at, kind, count, place) {
            if name == "RandomNumberGenerator" {
                place.name = format!("in {name}");
            }
            return true;
        }
        if *count >= at {
            return false;
        }
    }
    false
}

/// What an element is: the value of an attribute of 1.x is the attribute, a name what it says.
fn name_of(children: &[Element], index: usize) -> String {
    let child = &children[index];
    let attribute = children.iter().find(|child| child.name == "AttributeName");
    match child.name.as_ref() {
        "AttributeValue" => {
            let name = attribute.and_then(Element::text).unwrap_or_default();
            let vendor = children[0].text().filter(|_| children[0].name == "VendorIdentification");
            let vendor = vendor.map(|vendor| format!("{vendor}-")).unwrap_or_default();
            format!("{vendor}{}", server_objects::attribute_name(name))
        }
        "AttributeName" => child.text().unwrap_or_default().to_owned(),
        name => name.to_owned(),
    }
}

fn change_child(children: &mut Vec<Element>, index: usize, kind: &str) -> bool {
    match kind {
        "remove" => drop(children.remove(index)),
        "twice" => children.insert(index, children[index].clone()),
        "order" if index + 1 < children.len() => children.swap(index, index + 1),
        "value" => {
            let child = &children[index];
            let Some(text) = child.text() else { return false };
            let other = match child.ty() {
                Type::Boolean if text == "true" => "false".to_owned(),
                Type::Boolean => "true".to_owned(),
                Type::Integer | Type::LongInteger | Type::Interval => "77".to_owned(),
                Type::Enumeration => "0x8000beef".to_owned(),
                Type::TextString => format!("{text}!"),
                Type::DateTime => "2001-01-01T00:00:00+00:00".to_owned(),
                // The last digit is another.
                Type::ByteString | Type::BigInteger => {
                    let last = if text.ends_with('0') { "1" } else { "0" };
                    format!("{}{last}", &text[..text.len().saturating_sub(1)])
                }
                _ => return false,
            };
            children[index] = Element::leaf(child.name.clone(), child.ty(), other);
        }
        _ => return false,
    }
    true
}

/// Where OASIS's cases are, if they are there.
fn oasis_cases() -> Option<PathBuf> {
    let named = ["KMIP_CASES", "KMIP_TESTCASES"].iter().find_map(std::env::var_os);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/kmip/testcases");
    let path = named.map_or_else(beside, PathBuf::from);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing; set KMIP_CASES", path.display());
    println!("SKIPPED: {} is missing; KMIP_CASES can say where it is", path.display());
    None
}

#[test]
fn a_batch_is_compared_item_by_item() {
    let case = case::parse("STRICT-M-1-21", true, CASE).unwrap();
    let run = CorrectRun::of(&case);
    let batch = run.0.iter().find(|step| items(&step.answer).count() == 2).unwrap();
    let mut answer = batch.answer.clone();
    let Value::Structure(children) = &mut answer.value else { panic!("a message") };
    children.swap(1, 2);
    assert!(!batch.compare(&case, &answer).is_empty());
}
