//! Comparison of an answer with that of the reference server, value by value.
//!
//! Two servers give other identifiers, random bytes and times. **A value that differs is paired
//! with that of the reference server, and the two stand for each other from then on**: a pair is
//! made once, where a new value may come, and each later answer must keep to it.

use std::collections::HashMap;

use kmip::encoding::{Element, Value};
use ttlv::Type;

/// Length of an identifier as the server makes them.
const ID_LEN: usize = 36;

/// A value of fewer letters may come twice by chance, and is no member of a pair.
const PAIRED_LEN: usize = 16;

/// How far the lengths of two drawn values may be from each other.
const LENGTHS_DIFFER_MAX: u64 = 8;

/// Items in which an identifier may come for the first time.
const NEW_IDENTIFIERS: &[&str] = &[
    "UniqueIdentifier",
    "PrivateKeyUniqueIdentifier",
    "PublicKeyUniqueIdentifier",
    "LinkedObjectIdentifier",
    "ServerCorrelationValue",
    // What the parts of one key share; a server's own attribute, in 1.x and in 2.x.
    "y-SplitIdentifier",
    "SplitIdentifier",
];

/// Item with bytes that follow from an identifier.
const SHORT_IDENTIFIER: &str = "ShortUniqueIdentifier";

/// How many values were compared, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Equal as they came.
    pub(crate) same: usize,
    /// Identifiers, or texts with identifiers, equal by pairs.
    pub(crate) identifiers: usize,
    /// Random values equal by an earlier pair.
    pub(crate) paired: usize,
    /// Random values of a new pair.
    pub(crate) random: usize,
    /// Times of the run.
    pub(crate) times: usize,
}

impl Counts {
    pub(crate) fn all(&self) -> usize {
        self.same + self.identifiers + self.paired + self.random + self.times
    }
}

/// The pairs of a server's values with those of the reference server.
#[derive(Default)]
pub(crate) struct Pairs {
    to_reference: HashMap<String, String>,
    from_reference: HashMap<String, String>,
}

/// What may differ in one answer.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// Items in which a random value may come for the first time.
    pub(crate) random: &'a [&'static str],
    /// The first second of the run, and the last one.
    pub(crate) run: (i64, i64),
}

impl Pairs {
    /// The values of a server in the place of those of the reference server.
    pub(crate) fn for_server(&self, element: &Element) -> Element {
        let mut other = element.clone();
        self.replace(&mut other);
        other
    }

    fn replace(&self, element: &mut Element) {
        match &mut element.value {
            Value::Structure(children) => {
                children.iter_mut().for_each(|child| self.replace(child));
            }
            Value::Text(Type::ByteString | Type::BigInteger | Type::TextString, text) => {
                let whole = self.from_reference.get(text.as_str()).cloned();
                let other = whole.unwrap_or_else(|| {
                    let own = |id: &str| self.from_reference.get(id).cloned();
                    with_identifiers(text, |id| own(id).unwrap_or_else(|| id.to_owned()))
                });
                *text = other.into();
            }
            Value::Text(..) => {}
        }
    }

    /// The answer of a server in the values of the reference server, whose answer it must be.
    pub(crate) fn aligned(
        &mut self,
        reference: &Element,
        own: &Element,
        rules: Rules<'_>,
        counts: &mut Counts,
    ) -> Result<Element, String> {
        self.aligned_as(&own.name, reference, own, rules, counts)
    }

    /// The same of an item that has this name: the value of an attribute has the attribute's.
    fn aligned_as(
        &mut self,
        name: &str,
        reference: &Element,
        own: &Element,
        rules: Rules<'_>,
        counts: &mut Counts,
    ) -> Result<Element, String> {
        if (&reference.name, reference.ty()) != (&own.name, own.ty()) {
            let found = (&own.name, own.ty());
            return Err(format!("{found:?} in the place of {:?}", reference.name));
        }
        let (expected, found) = (reference.children(), own.children());
        if expected.len() != found.len() {
            let names = |all: &[Element]| -> Vec<String> {
                all.iter().map(|child| child.name.to_string()).collect()
            };
            let (expected, found) = (names(expected), names(found));
            return Err(format!("{}: {found:?}, not {expected:?}", own.name));
        }
        let Value::Structure(children) = &own.value else {
            let aligned = self.value(name, (reference, own), own.ty(), rules, counts);
            aligned.map_err(|why| format!("{}: {why}", own.name))?;
            return Ok(reference.clone());
        };
        let attribute = reference.child("AttributeName").and_then(Element::text);
        let attribute = attribute.map(|name| name.replace([' ', '.'], ""));
        let mut aligned = Vec::with_capacity(children.len());
        for (child, expected) in children.iter().zip(expected) {
            let name = match &attribute {
                Some(name) if child.name == "AttributeValue" => name.as_str(),
                _ => &child.name,
            };
            let child = self.aligned_as(name, expected, child, rules, counts);
            aligned.push(child.map_err(|why| format!("{}, {why}", own.name))?);
        }
        Ok(Element::structure(own.name.clone(), aligned))
    }

    fn value(
        &mut self,
        name: &str,
        (reference, own): (&Element, &Element),
        ty: Type,
        rules: Rules<'_>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let expected = reference.text().unwrap_or_default();
        let found = own.text().unwrap_or_default();
        if expected == found {
            counts.same += 1;
            return Ok(());
        }
        let different = || Err(format!("{found:?}, not {expected:?}"));
        if matches!(ty, Type::DateTime | Type::DateTimeExtended) {
            let dates = (seconds(reference, ty), seconds(own, ty));
            counts.times += 1;
            return if is_same_time(dates, rules.run) { Ok(()) } else { different() };
        }
        if ty == Type::TextString && self.are_identifiers(name, expected, found)? {
            counts.identifiers += 1;
            return Ok(());
        }
        if self.to_reference.get(found).is_some_and(|known| known == expected) {
            counts.paired += 1;
            return Ok(());
        }
        if name == SHORT_IDENTIFIER {
            counts.identifiers += 1;
            return self.pair(expected, found);
        }
        if !rules.random.contains(&name) {
            return different();
        }
        counts.random += 1;
        match expected.len().min(found.len()) < PAIRED_LEN {
            true if is_near(expected, found) => Ok(()),
            true => different(),
            false => self.pair(expected, found),
        }
    }

    /// Whether two texts differ in nothing but identifiers of a pair.
    fn are_identifiers(&mut self, name: &str, expected: &str, found: &str) -> Result<bool, String> {
        let (there, here) = (identifiers(expected), identifiers(found));
        if there.is_empty() || there.len() != here.len() {
            return Ok(false);
        }
        for (there, here) in there.into_iter().zip(here).filter(|(there, here)| there != here) {
            if self.to_reference.get(here).is_none_or(|known| known != there) {
                if !NEW_IDENTIFIERS.contains(&name) {
                    return Ok(false);
                }
                self.pair(there, here)?;
            }
        }
        let reference = |id: &str| self.to_reference.get(id).cloned();
        Ok(with_identifiers(found, |id| reference(id).unwrap_or_else(|| id.to_owned())) == expected)
    }

    /// Makes a pair of two values that have none yet.
    fn pair(&mut self, expected: &str, found: &str) -> Result<(), String> {
        let (to, from) = (self.to_reference.get(found), self.from_reference.get(expected));
        if to.is_some() || from.is_some() {
            return Err(format!("{found:?} is paired with {to:?}, and {expected:?} with {from:?}"));
        }
        self.to_reference.insert(found.to_owned(), expected.to_owned());
        self.from_reference.insert(expected.to_owned(), found.to_owned());
        Ok(())
    }

    /// How many pairs there are.
    pub(crate) fn len(&self) -> usize {
        self.to_reference.len()
    }
}

/// Lengths of what is drawn: DER leaves leading zeros out.
fn is_near(expected: &str, found: &str) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    let far = number(expected).zip(number(found)).map(|(one, other)| one.abs_diff(other));
    far.is_some_and(|far| far <= LENGTHS_DIFFER_MAX)
}

/// The same moment of two runs of a request: both in the run or after it, and no further from each
/// other than the run is long.
fn is_same_time((one, other): (i64, i64), (first, last): (i64, i64)) -> bool {
    one >= first && other >= first && one.abs_diff(other) <= last.abs_diff(first)
}

/// Seconds since 1970.
fn seconds(element: &Element, ty: Type) -> i64 {
    let item = element.to_ttlv().expect("a date");
    let value = item.last_chunk::<8>().map_or(0, |bytes| i64::from_be_bytes(*bytes));
    if ty == Type::DateTimeExtended { value / 1_000_000 } else { value }
}

/// The identifiers in a text, in order.
pub(crate) fn identifiers(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0_usize;
    while let Some(end) = from.checked_add(ID_LEN).filter(|end| *end <= text.len()) {
        match text.get(from..end).filter(|window| is_identifier(window)) {
            Some(window) => {
                found.push(window);
                from = end;
            }
            None => from += 1,
        }
    }
    found
}

fn is_identifier(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// A text with another identifier in the place of each.
fn with_identifiers(text: &str, other: impl Fn(&str) -> String) -> String {
    let mut whole = String::new();
    let mut rest = text;
    for id in identifiers(text) {
        let (before, after) = rest.split_once(id).expect("it was found in the text");
        whole.push_str(before);
        whole.push_str(&other(id));
        rest = after;
    }
    whole.push_str(rest);
    whole
}

#[test]
fn value_outside_its_pair_is_a_difference() {
    let id = |last: u8| format!("01a22e84-aea4-74f2-bec5-9419772c0c{last:02x}");
    let answer = |id: &str, key: &str, state: &str| {
        let id = Element::leaf("UniqueIdentifier", Type::TextString, id);
        let key = Element::leaf("KeyMaterial", Type::ByteString, key);
        let state = Element::leaf("State", Type::Enumeration, state);
        Element::structure("ResponsePayload", vec![id, key, state])
    };
    let (one, other) = ("0f".repeat(16), "f0".repeat(16));
    let reference = answer(&id(1), &one, "Active");
    let rules = Rules { random: &["KeyMaterial"], run: (0, 1) };
    let mut pairs = Pairs::default();
    let mut counts = Counts::default();
    let mut check = |own: &Element, rules| pairs.aligned(&reference, own, rules, &mut counts);
    let own = answer(&id(2), &other, "Active");
    let none = Rules { random: &[], ..rules };
    assert!(check(&own, none).unwrap_err().contains("KeyMaterial"), "no value may be drawn");
    assert_eq!(check(&own, rules), Ok(reference.clone()));
    assert_eq!(check(&own, none), Ok(reference.clone()), "the pair is known");
    for wrong in [
        answer(&id(3), &other, "Active"),
        answer(&id(2), &one.replace('f', "e"), "Active"),
        answer(&id(2), &other, "PreActive"),
        answer(&id(2), &other[2..], "Active"),
    ] {
        assert!(check(&wrong, rules).is_err(), "{wrong:?}");
    }
    assert_eq!(pairs.for_server(&reference), own);
    assert_eq!(counts.paired, 2, "{counts:?}");
}
