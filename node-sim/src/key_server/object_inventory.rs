//! Objects of a key server as their attributes describe them, without their bytes.

use kmip::DateTime;
use kmip::attributes::AttributeValue;
use kmip::{Identifier, attributes::VendorAttribute};
use serde::Serialize;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Longest text of an attribute that is shown, in characters.
const TEXT_MAX: usize = 256;

/// Objects of a key server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObjectInventory {
    /// The objects, as the server has located them.
    pub objects: Vec<ListedObject>,
    /// Whether the server may have more.
    pub truncated: bool,
}

/// An object as its attributes describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedObject {
    /// Its Unique Identifier.
    pub unique_identifier: String,
    /// Object Type.
    pub object_type: Option<String>,
    /// State.
    pub state: Option<String>,
    /// Names.
    pub names: Vec<String>,
    /// Cryptographic Algorithm.
    pub cryptographic_algorithm: Option<String>,
    /// Cryptographic Length, in bits.
    pub cryptographic_length: Option<i32>,
    /// Initial Date.
    pub initial_date: Option<String>,
    /// Activation Date.
    pub activation_date: Option<String>,
    /// Deactivation Date.
    pub deactivation_date: Option<String>,
    /// Destroy Date.
    pub destroy_date: Option<String>,
    /// Links to other objects.
    pub links: Vec<ListedLink>,
    /// Custom attributes that are texts, by name.
    pub custom: BTreeMap<String, String>,
}

/// A link to another object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedLink {
    /// Link Type.
    #[serde(rename = "type")]
    pub link_type: String,
    /// Unique Identifier of the other object.
    pub to: String,
}

impl ListedObject {
    pub(super) fn new(
        unique_identifier: String,
        values: impl Iterator<Item = AttributeValue>,
    ) -> Self {
        let mut object = Self { unique_identifier, ..Self::default() };
        for value in values {
            object.note(value);
        }
        object
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "only what a list shows is of interest")]
    fn note(&mut self, value: AttributeValue) {
        match value {
            AttributeValue::ObjectType(value) => self.object_type = Some(format!("{value:?}")),
            AttributeValue::State(value) => self.state = Some(format!("{value:?}")),
            AttributeValue::CryptographicAlgorithm(value) => {
                self.cryptographic_algorithm = Some(format!("{value:?}"));
            }
            AttributeValue::CryptographicLength(bits) => self.cryptographic_length = Some(bits),
            AttributeValue::Name(name) => self.names.push(shortened(&name.value)),
            AttributeValue::InitialDate(date) => self.initial_date = date_text(date),
            AttributeValue::ActivationDate(date) => self.activation_date = date_text(date),
            AttributeValue::DeactivationDate(date) => self.deactivation_date = date_text(date),
            AttributeValue::DestroyDate(date) => self.destroy_date = date_text(date),
            AttributeValue::Link(link) => self.links.push(ListedLink {
                link_type: format!("{:?}", link.link_type),
                to: match link.linked_object_identifier {
                    Identifier::Text(text) => shortened(&text),
                    Identifier::Enumeration(_) | Identifier::Index(_) => String::new(),
                },
            }),
            AttributeValue::Vendor(vendor) => self.note_custom(&vendor),
            _ => {}
        }
    }

    fn note_custom(&mut self, vendor: &VendorAttribute) {
        if let Some(text) = vendor.as_text() {
            let name = format!("{}-{}", vendor.vendor, vendor.name);
            self.custom.insert(shortened(&name), shortened(text));
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

fn date_text(date: DateTime) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(date.0).ok()?;
    Some(crate::state::timestamps::format_seconds(date))
}
