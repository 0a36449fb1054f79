//! Objects that a key server shows to the cluster, without their bytes; and the destruction of one
//! on an operator's word.

use super::error::HostFailure;
use super::host_session::{HostSession, identifier_of, is_absent, is_destroyed};
use kmip::DateTime;
use kmip::attributes::AttributeValue;
use kmip::payload::{DestroyRequest, GetAttributesRequest, LocateRequest, RevokeRequest};
use kmip::structures::RevocationReason;
use kmip::vocabulary::{RevocationReasonCode, State, StorageStatusMask};
use kmip::{Identifier, attributes::VendorAttribute};
use serde::Serialize;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Objects that are listed: each costs one request.
const OBJECTS_MAX: usize = 200;

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

impl HostSession {
    /// Lists the objects that the host shows, living ones and, where it looks for them, destroyed
    /// ones.
    pub(super) async fn inventory(&self) -> Result<ObjectInventory, HostFailure> {
        let mut found = self.locate_all(None).await?;
        // Servers of 1.x do not know the mask's destroyed objects, and may refuse it.
        if let Ok(destroyed) = self.locate_all(Some(StorageStatusMask::DestroyedStorage)).await {
            found.extend(destroyed);
        }
        found.sort();
        found.dedup();
        let truncated = found.len() > OBJECTS_MAX;
        found.truncate(OBJECTS_MAX);
        let mut objects = Vec::new();
        for identifier in found {
            objects.extend(self.listed(identifier).await?);
        }
        Ok(ObjectInventory { objects, truncated })
    }

    async fn locate_all(
        &self,
        storage_status_mask: Option<StorageStatusMask>,
    ) -> Result<Vec<String>, HostFailure> {
        let maximum_items = i32::try_from(OBJECTS_MAX.saturating_add(1)).ok();
        let locate =
            LocateRequest { maximum_items, storage_status_mask, ..LocateRequest::default() };
        let mut found = self.ask(locate).await?.unique_identifiers;
        found.truncate(OBJECTS_MAX.saturating_add(1));
        Ok(found)
    }

    /// Attributes of an object; none if it is gone since it was located.
    async fn listed(&self, identifier: String) -> Result<Option<ListedObject>, HostFailure> {
        let unique_identifier = identifier_of(&identifier);
        let request = GetAttributesRequest { unique_identifier, attributes: Vec::new() };
        match self.client.request(request).await {
            Ok(answer) => {
                let values = answer.attributes.0.into_iter().map(|attribute| attribute.value);
                Ok(Some(ListedObject::new(identifier, values)))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Revokes the object if it is Active, and destroys it.
    pub(super) async fn destroy_by_identifier(&self, identifier: &str) -> Result<(), HostFailure> {
        let unique_identifier = identifier_of(identifier);
        let request = GetAttributesRequest { unique_identifier, attributes: Vec::new() };
        let answer = self.ask(request).await?;
        let state = answer.attributes.0.iter().find_map(|attribute| match attribute.value {
            AttributeValue::State(state) => Some(state),
            _ => None,
        });
        if state.is_some_and(is_destroyed) {
            return Ok(());
        }
        if state == Some(State::Active) {
            self.ask(RevokeRequest {
                unique_identifier: identifier_of(identifier),
                revocation_reason: RevocationReason {
                    code: RevocationReasonCode::CessationOfOperation,
                    message: Some("Destroyed by an operator.".to_owned()),
                },
                compromise_occurrence_date: None,
            })
            .await?;
        }
        self.ask(DestroyRequest { unique_identifier: identifier_of(identifier) }).await?;
        Ok(())
    }
}

impl ListedObject {
    fn new(unique_identifier: String, values: impl Iterator<Item = AttributeValue>) -> Self {
        let mut object = Self { unique_identifier, ..Self::default() };
        for value in values {
            object.note(value);
        }
        object
    }

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
