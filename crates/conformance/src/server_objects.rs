//! What is known of the objects on the server: who made them, and what the client said of them.
//!
//! Several variations are permitted only of what the server made itself, or of a date that no
//! request has fixed, or where an operation's output is different each time. What decides that
//! is gathered here out of the messages that were sent and answered.

use std::collections::BTreeMap;

use kmip::attributes::AttributeReference;
use kmip::encoding::Element;
use kmip::vocabulary::tags;
use ttlv::Type;

/// An object on the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// Did the server make its key?
    pub generated: bool,
    /// Has it been destroyed?
    pub destroyed: bool,
    algorithm: Option<String>,
    padding: Option<String>,
    random_iv: bool,
    grouped: bool,
    /// The dates that requests have fixed, by attribute.
    dates: BTreeMap<String, String>,
}

/// All objects that have been met.
#[derive(Clone, Debug, Default)]
pub struct Objects(BTreeMap<String, Object>);

/// An attribute in a message: its name in the spelling of 2.x, and its value.
#[derive(Clone, Debug)]
pub struct Attribute<'a> {
    /// `ActivationDate`; `x-ID` for a vendor's or a client's own.
    pub name: String,
    /// The value: the element itself in 2.x, its Attribute Value in 1.x.
    pub value: &'a Element,
}

/// Structures of 2.x that hold attributes.
const HOLDERS: &[&str] = &[
    "Attributes",
    "CommonAttributes",
    "PrivateKeyAttributes",
    "PublicKeyAttributes",
    "NewAttribute",
];

/// Operations that make objects, and whether the server makes their keys.
const MAKERS: &[(&str, bool)] = &[
    ("Create", true),
    ("CreateKeyPair", true),
    ("CreateSplitKey", true),
    ("DeriveKey", true),
    ("ReKey", true),
    ("ReKeyKeyPair", true),
    ("Certify", true),
    ("ReCertify", true),
    ("JoinSplitKey", true),
    ("Register", false),
    ("Import", false),
];

impl Attribute<'_> {
    /// The attribute that an element is, if it is one.
    pub fn of(element: &Element) -> Option<Attribute<'_>> {
        if element.name != "Attribute" {
            return Some(Attribute { name: element.name.to_string(), value: element });
        }
        let name = element.child("AttributeName")?.text()?;
        let value = element.child("AttributeValue")?;
        let vendor = element.child("VendorIdentification").and_then(Element::text);
        let name = match vendor {
            Some(vendor) => format!("{vendor}-{name}"),
            None => name_of(name),
        };
        Some(Attribute { name, value })
    }
}

/// The name of an attribute of 1.x as 2.x spells it.
pub fn name_of(name: &str) -> String {
    match AttributeReference::from_name(name) {
        AttributeReference::Standard(tag) => tags::name(tag).unwrap_or(name).to_owned(),
        AttributeReference::Vendor { .. } | AttributeReference::Unknown(_) => name.to_owned(),
    }
}

/// Every attribute that a payload gives, however deep it stands; key pairs' by whose they are.
fn given<'a>(payload: &'a Element, half: &str, all: &mut Vec<Attribute<'a>>) {
    for child in payload.children() {
        let name = child.name.as_ref();
        let others = if half == "Private" { "Public" } else { "Private" };
        if !half.is_empty() && name.starts_with(others) && name.contains("Attribute") {
            continue;
        }
        if name == "Attribute" {
            all.extend(Attribute::of(child));
        } else if HOLDERS.contains(&name) {
            all.extend(child.children().iter().filter_map(Attribute::of));
        } else {
            given(child, half, all);
        }
    }
}

/// The first element of this name, however deep it stands.
pub fn find<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element.children().iter().find_map(|child| match child.name == name {
        true => Some(child),
        false => find(child, name),
    })
}

impl Objects {
    /// An object, by its identifier.
    pub fn get(&self, id: &str) -> Option<&Object> {
        self.0.get(id)
    }

    /// The objects that are not destroyed, as far as is known.
    pub fn alive(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, object)| !object.destroyed).map(|(id, _)| id.as_str())
    }

    /// Forgets an object that is gone.
    pub fn forget(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Learns from an item that succeeded. `id` is the object that it was about.
    pub fn learn(&mut self, operation: &str, request: &Element, response: &Element, id: &str) {
        if let Some((_, generated)) = MAKERS.iter().find(|(name, _)| *name == operation) {
            for (tag, half) in [
                ("UniqueIdentifier", ""),
                ("PrivateKeyUniqueIdentifier", "Private"),
                ("PublicKeyUniqueIdentifier", "Public"),
            ] {
                let ids = response.children().iter().filter(|child| child.name == tag);
                for made in ids.filter_map(Element::text) {
                    let mut object = Object { generated: *generated, ..Object::default() };
                    object.hear(request, half);
                    self.0.insert(made.to_owned(), object);
                }
            }
            return;
        }
        let Some(object) = self.0.get_mut(id) else { return };
        object.destroyed |= operation == "Destroy";
        object.change(operation, request);
    }
}

impl Object {
    /// The date that a request has given to an attribute.
    pub fn fixed(&self, attribute: &str) -> Option<&str> {
        self.dates.get(attribute).map(String::as_str)
    }

    /// Was it put into a group by its client?
    pub const fn is_grouped(&self) -> bool {
        self.grouped
    }

    /// Notes what a request changes of it, if it succeeds.
    pub fn change(&mut self, operation: &str, request: &Element) {
        match operation {
            "AddAttribute" | "ModifyAttribute" | "SetAttribute" => self.hear(request, ""),
            "Revoke" => {
                let date = request.child("CompromiseOccurrenceDate");
                if let Some(date) = date.and_then(Element::text) {
                    self.dates.insert("CompromiseOccurrenceDate".to_owned(), date.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Notes what a request says of it.
    fn hear(&mut self, request: &Element, half: &str) {
        let mut all = Vec::new();
        given(request, half, &mut all);
        for attribute in &all {
            let text = attribute.value.text();
            match (attribute.name.as_str(), text) {
                ("ObjectGroup", _) => self.grouped = true,
                ("CryptographicAlgorithm", Some(text)) => self.algorithm = Some(text.to_owned()),
                ("CryptographicParameters", _) => {
                    let padding = find(attribute.value, "PaddingMethod").and_then(Element::text);
                    self.padding = padding.map(str::to_owned);
                    self.random_iv = is_true(attribute.value, "RandomIV");
                }
                (name, Some(text)) if attribute.value.ty() == Type::DateTime => {
                    self.dates.insert(name.to_owned(), text.to_owned());
                }
                _ => {}
            }
        }
        if self.algorithm.is_none()
            && let Some(block) = find(request, "KeyBlock")
        {
            let algorithm = block.child("CryptographicAlgorithm").and_then(Element::text);
            self.algorithm = algorithm.map(str::to_owned);
        }
    }

    /// Is the output of an operation with it different each time?
    pub fn varies(&self, operation: &str, request: &Element) -> bool {
        let asked = find(request, "PaddingMethod").and_then(Element::text);
        let padding = asked.or(self.padding.as_deref()).unwrap_or_default();
        match (operation, self.algorithm.as_deref().unwrap_or_default()) {
            // Both paddings of RSA encryption begin with random bytes (RFC 8017, 7).
            ("Encrypt", "RSA") => padding != "None",
            // The salt of PSS (RFC 8017, 9.1).
            ("Sign", "RSA") => padding == "PSS",
            // A number used once (FIPS 186-4, 4.5 and 6.3).
            ("Sign", "EC" | "ECDSA" | "DSA") => true,
            // The server is asked to choose the initialization vector (1.4, 3.6).
            ("Encrypt", _) => self.random_iv || is_true(request, "RandomIV"),
            _ => false,
        }
    }
}

fn is_true(element: &Element, name: &str) -> bool {
    find(element, name).and_then(Element::text) == Some("true")
}
