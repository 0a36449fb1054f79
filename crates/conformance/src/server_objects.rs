//! Objects on the server, as far as requests and responses show them.
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
pub(crate) struct ServerObject {
    /// Did the server make its key?
    pub(crate) generated: bool,
    /// Has it been destroyed?
    pub(crate) destroyed: bool,
    algorithm: Option<String>,
    padding: Option<String>,
    random_iv: bool,
    grouped: bool,
    /// The dates that requests have fixed, by attribute.
    dates: BTreeMap<String, String>,
}

/// All known objects on the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerObjects(BTreeMap<String, ServerObject>);

/// An attribute in a message: its name in the spelling of 2.x, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Attribute<'a> {
    /// `ActivationDate`; `x-ID` for a vendor's or a client's own.
    pub(crate) name: String,
    /// The value: the element itself in 2.x, its Attribute Value in 1.x.
    pub(crate) value: &'a Element,
}

/// Structures of 2.x that hold attributes.
const ATTRIBUTE_STRUCTURES: &[&str] = &[
    "Attributes",
    "CommonAttributes",
    "PrivateKeyAttributes",
    "PublicKeyAttributes",
    "NewAttribute",
];

/// Operations that create objects, and whether the server generates their keys.
const CREATING_OPERATIONS: &[(&str, bool)] = &[
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
    pub(crate) fn from_element(element: &Element) -> Option<Attribute<'_>> {
        if element.name != "Attribute" {
            return Some(Attribute { name: element.name.to_string(), value: element });
        }
        let name = element.child("AttributeName")?.text()?;
        let value = element.child("AttributeValue")?;
        let vendor = element.child("VendorIdentification").and_then(Element::text);
        let name = match vendor {
            Some(vendor) => format!("{vendor}-{name}"),
            None => attribute_name(name),
        };
        Some(Attribute { name, value })
    }
}

/// The name of an attribute of 1.x as 2.x spells it.
pub(crate) fn attribute_name(name: &str) -> String {
    match AttributeReference::from_name(name) {
        AttributeReference::Standard(tag) => tags::name(tag).unwrap_or(name).to_owned(),
        AttributeReference::Vendor { .. } | AttributeReference::Unknown(_) => name.to_owned(),
    }
}

/// Collects every attribute in a payload, however deep; of a key pair, those of one half.
fn collect_attributes<'a>(payload: &'a Element, key_half: &str, all: &mut Vec<Attribute<'a>>) {
    for child in payload.children() {
        let name = child.name.as_ref();
        let others = if key_half == "Private" { "Public" } else { "Private" };
        if !key_half.is_empty() && name.starts_with(others) && name.contains("Attribute") {
            continue;
        }
        if name == "Attribute" {
            all.extend(Attribute::from_element(child));
        } else if ATTRIBUTE_STRUCTURES.contains(&name) {
            all.extend(child.children().iter().filter_map(Attribute::from_element));
        } else {
            collect_attributes(child, key_half, all);
        }
    }
}

/// The first element of this name, however deep it stands.
pub(crate) fn find_descendant<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element.children().iter().find_map(|child| match child.name == name {
        true => Some(child),
        false => find_descendant(child, name),
    })
}

impl ServerObjects {
    /// An object, by its identifier.
    pub(crate) fn get(&self, id: &str) -> Option<&ServerObject> {
        self.0.get(id)
    }

    /// Identifiers of the objects that are not destroyed.
    pub(crate) fn live_identifiers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, object)| !object.destroyed).map(|(id, _)| id.as_str())
    }

    /// Removes an object that is gone.
    pub(crate) fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Records an item that succeeded. `id` is the object that it was about.
    pub(crate) fn record_response(
        &mut self,
        operation: &str,
        request: &Element,
        response: &Element,
        id: &str,
    ) {
        if let Some((_, generated)) =
            CREATING_OPERATIONS.iter().find(|(name, _)| *name == operation)
        {
            for (tag, key_half) in [
                ("UniqueIdentifier", ""),
                ("PrivateKeyUniqueIdentifier", "Private"),
                ("PublicKeyUniqueIdentifier", "Public"),
            ] {
                let ids = response.children().iter().filter(|child| child.name == tag);
                for made in ids.filter_map(Element::text) {
                    let mut object =
                        ServerObject { generated: *generated, ..ServerObject::default() };
                    object.record_attributes(request, key_half);
                    self.0.insert(made.to_owned(), object);
                }
            }
            return;
        }
        let Some(object) = self.0.get_mut(id) else { return };
        object.destroyed |= operation == "Destroy";
        object.record_request(operation, request);
    }
}

impl ServerObject {
    /// The date that a request has given to an attribute.
    pub(crate) fn fixed_date(&self, attribute: &str) -> Option<&str> {
        self.dates.get(attribute).map(String::as_str)
    }

    /// Was it put into a group by its client?
    pub(crate) const fn is_grouped(&self) -> bool {
        self.grouped
    }

    /// Records what a request changes, if it succeeds.
    pub(crate) fn record_request(&mut self, operation: &str, request: &Element) {
        match operation {
            "AddAttribute" | "ModifyAttribute" | "SetAttribute" => {
                self.record_attributes(request, "")
            }
            "Revoke" => {
                let date = request.child("CompromiseOccurrenceDate");
                if let Some(date) = date.and_then(Element::text) {
                    self.dates.insert("CompromiseOccurrenceDate".to_owned(), date.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Records the attributes in a request.
    fn record_attributes(&mut self, request: &Element, key_half: &str) {
        let mut all = Vec::new();
        collect_attributes(request, key_half, &mut all);
        for attribute in &all {
            let text = attribute.value.text();
            match (attribute.name.as_str(), text) {
                ("ObjectGroup", _) => self.grouped = true,
                ("CryptographicAlgorithm", Some(text)) => self.algorithm = Some(text.to_owned()),
                ("CryptographicParameters", _) => {
                    let padding =
                        find_descendant(attribute.value, "PaddingMethod").and_then(Element::text);
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
            && let Some(block) = find_descendant(request, "KeyBlock")
        {
            let algorithm = block.child("CryptographicAlgorithm").and_then(Element::text);
            self.algorithm = algorithm.map(str::to_owned);
        }
    }

    /// Whether the output of an operation with it is different each time.
    pub(crate) fn has_varying_output(&self, operation: &str, request: &Element) -> bool {
        let asked = find_descendant(request, "PaddingMethod").and_then(Element::text);
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
    find_descendant(element, name).and_then(Element::text) == Some("true")
}
