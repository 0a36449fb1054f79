//! Objects that a host shows to the cluster, and the destruction of one on an operator's word.

use super::error::HostFailure;
use super::host_session::{HostSession, identifier_of, is_absent, is_destroyed};
use super::object_inventory::{ListedObject, ObjectInventory};
use kmip::attributes::AttributeValue;
use kmip::payload::{DestroyRequest, GetAttributesRequest, LocateRequest, RevokeRequest};
use kmip::structures::RevocationReason;
use kmip::vocabulary::{RevocationReasonCode, State, StorageStatusMask};

/// Objects that are listed: each costs one request.
const OBJECTS_MAX: usize = 200;

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
        let state = answer.attributes.0.iter().find_map(|attribute| {
            let AttributeValue::State(state) = attribute.value else { return None };
            Some(state)
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
