//! One host of a key server, as a node's session reaches it.
//!
//! A key is found by its custom attribute `x-SolidFire-KeyID-<keyID>`, which is the cluster's name
//! for it, and by the server's Unique Identifier, once that is known. An object counts only if it
//! carries the attribute: there are servers that pass over a custom attribute in Locate and find
//! everything, and servers whose identifiers are small numbers. The Name of the key is made of the
//! same `keyID`, and a Name is unique at a server (1.4, 3.2): a Create that comes late, or twice,
//! is refused there, and Locate then finds the first.

use super::error::HostFailure;
use super::{DigestProof, FetchedKey, ShownKey, digest};
use crate::config::limits::{LOCATED_MAX, UNIQUE_IDENTIFIER_LEN_MAX};
use crate::crypto::master_key::MasterKey;
use crate::state::key_ring::{KeyId, KnownKey};
use kmip::attributes::{AttributeReference, AttributeValue, Attributes, VendorAttribute};
use kmip::client::{Client, Error};
use kmip::payload::{
    ActivateRequest, CreateRequest, Filter, GetAttributesRequest, GetRequest, GetResponse,
    LocateRequest, QueryRequest, Request,
};
use kmip::structures::{Digest, Name};
use kmip::vocabulary::{
    CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ObjectType, Operation,
    QueryFunction, ResultReason, State, StorageStatusMask,
};
use kmip::{Identifier, tags};

/// Bits of a master key: AES-256.
const MASTER_KEY_BITS: i32 = 256;

/// What a key server must be able to do, or it cannot keep master keys.
const OPERATIONS: &[Operation] = &[
    Operation::Create,
    Operation::Locate,
    Operation::Get,
    Operation::GetAttributes,
    Operation::Activate,
    Operation::Revoke,
    Operation::Destroy,
];

/// A node's session with one host.
pub(super) struct HostSession {
    /// The host, as `host:port`.
    pub(super) host: String,
    /// Client of this host only.
    pub(super) client: Client,
}

/// A key at a host: an object that carries the attribute of the `keyID`.
pub(super) struct FoundKey {
    /// The server's Unique Identifier.
    pub(super) identifier: String,
    /// Its State.
    pub(super) state: State,
    digests: Vec<Digest>,
}

impl FoundKey {
    /// Whether the host shows it as destroyed.
    pub(super) fn is_destroyed(&self) -> bool {
        is_destroyed(self.state)
    }
}

impl HostSession {
    /// Tests that the host is reached, trusted both ways, and offers the operations.
    pub(super) async fn test(&self) -> Result<(), HostFailure> {
        let query_functions = vec![QueryFunction::QueryOperations];
        let query = QueryRequest { query_functions, object_groups: None };
        let offered = self.ask(query).await?.operations;
        let missing: Vec<_> = OPERATIONS.iter().filter(|o| !offered.contains(o)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(HostFailure::permanent(format!("does not offer {missing:?}")))
    }

    /// Finds the key or creates it, and activates it.
    pub(super) async fn ensure(&self, key_id: KeyId) -> Result<(), HostFailure> {
        if self.find(key_id, None).await?.is_none() {
            self.create(key_id).await?;
        }
        self.activate(key_id).await.map_err(HostFailure::of_existing_key)
    }

    /// Creates the key. It may be done without an answer, or by an earlier Create that was given up
    /// for lost: what counts is what the host shows.
    async fn create(&self, key_id: KeyId) -> Result<(), HostFailure> {
        let created = self.client.request(create(key_id)).await;
        let exists = match &created {
            Ok(_) => true,
            Err(error) => error.reason() == Some(ResultReason::NonUniqueNameAttribute),
        };
        let shown = match (self.find(key_id, None).await, exists) {
            (Err(failure), true) => return Err(failure.of_existing_key()),
            (shown, _) => shown?,
        };
        match created {
            Ok(_) => Ok(()),
            Err(_) if shown.is_some() => Ok(()),
            Err(_) if exists => Err(HostFailure::server(format!(
                "refused Create because an object has the Name of master key {key_id}, and does \
                 not show that object in Locate; check the key server and what is between it and \
                 the cluster"
            ))
            .of_existing_key()),
            Err(error) => Err(error.into()),
        }
    }

    /// Activates the key, which the host must show.
    async fn activate(&self, key_id: KeyId) -> Result<(), HostFailure> {
        let mut key = self.find_existing(key_id, None).await?;
        if key.state == State::PreActive {
            let request = ActivateRequest { unique_identifier: identifier_of(&key.identifier) };
            let activated = self.ask(request).await;
            // The answer may be lost and the request repeated: what counts is the state.
            key = self.find_existing(key_id, None).await?;
            if key.state == State::PreActive {
                activated?;
                return Err(HostFailure::server(format!(
                    "answered Activate with success and shows master key {key_id} as Pre-Active"
                )));
            }
        }
        match key.state {
            State::Active => Ok(()),
            // A state that is left is never entered again (1.4, 3.22).
            state => Err(HostFailure::permanent(format!(
                "master key {key_id} is {state:?} there and cannot be used; give the rekey up and \
                 start another"
            ))),
        }
    }

    /// Fetches the key, and compares its bytes with the server's Digest and the check value.
    pub(super) async fn fetch(
        &self,
        key_id: KeyId,
        known: &KnownKey,
    ) -> Result<FetchedKey, HostFailure> {
        let found = self.find_existing(key_id, known.identifier.as_deref()).await?;
        if found.is_destroyed() {
            return Err(HostFailure::server(format!(
                "shows master key {key_id} as destroyed; restore the key"
            )));
        }
        let got = self.client.request(get(&found.identifier)).await?;
        let key = key_of(&got, &found.identifier, key_id)?;
        let digest = compare_digest(&found, &key, key_id)?;
        if known.check.as_ref().is_some_and(|check| *check != key.check_value(key_id)) {
            return Err(HostFailure::server(format!(
                "gives another key for master key {key_id} than it once made; restore the key \
                 server from a backup that has the right one"
            )));
        }
        Ok(FetchedKey { key, host: self.host.clone(), identifier: found.identifier, digest })
    }

    /// Returns what the host shows of the key, after the test of the host.
    pub(super) async fn survey(
        &self,
        key_id: KeyId,
        identifier: Option<&str>,
    ) -> Result<Option<ShownKey>, HostFailure> {
        self.test().await?;
        let found = self.find(key_id, identifier).await?;
        Ok(found.map(|FoundKey { identifier, state, .. }| ShownKey { identifier, state }))
    }

    /// Finds the key, which must be shown.
    async fn find_existing(
        &self,
        key_id: KeyId,
        identifier: Option<&str>,
    ) -> Result<FoundKey, HostFailure> {
        self.find(key_id, identifier).await?.ok_or_else(|| {
            HostFailure::server(format!(
                "has no master key {key_id}, or does not show it to this client; restore the key, \
                 or the certificate that it was made under"
            ))
        })
    }

    /// Finds the one key of this `keyID` that is not destroyed, or else one that is.
    async fn find(
        &self,
        key_id: KeyId,
        identifier: Option<&str>,
    ) -> Result<Option<FoundKey>, HostFailure> {
        let found = self.find_all(key_id, identifier).await?;
        let (mut destroyed, mut living): (Vec<_>, Vec<_>) =
            found.into_iter().partition(FoundKey::is_destroyed);
        match (living.pop(), living.len()) {
            (None, _) => Ok(destroyed.pop()),
            (only, 0) => Ok(only),
            (_, others) => Err(HostFailure::server(format!(
                "has {} objects with attribute {}, and only one of them can be the master key; \
                 remove the others",
                others.saturating_add(1),
                key_id.attribute_name()
            ))),
        }
    }

    /// Finds the objects that carry the attribute of this `keyID`, whatever their State: those that
    /// Locate finds, and the one of this identifier.
    pub(super) async fn find_all(
        &self,
        key_id: KeyId,
        identifier: Option<&str>,
    ) -> Result<Vec<FoundKey>, HostFailure> {
        let mut candidates = self.ask(locate(key_id, None)).await?.unique_identifiers;
        candidates.truncate(LOCATED_MAX);
        candidates.extend(identifier.map(str::to_owned));
        self.examine(candidates, key_id).await
    }

    /// Finds the objects of this `keyID` that the server keeps a record of after their destruction;
    /// none if it does not look for such objects.
    pub(super) async fn find_destroyed(&self, key_id: KeyId) -> Result<Vec<FoundKey>, HostFailure> {
        let destroyed = Some(StorageStatusMask::DestroyedStorage);
        let mut candidates = match self.client.request(locate(key_id, destroyed)).await {
            Ok(answer) => answer.unique_identifiers,
            Err(error) if error.reason().is_some() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        candidates.truncate(LOCATED_MAX);
        self.examine(candidates, key_id).await
    }

    /// Returns those that carry the attribute of this `keyID`.
    async fn examine(
        &self,
        mut candidates: Vec<String>,
        key_id: KeyId,
    ) -> Result<Vec<FoundKey>, HostFailure> {
        candidates.sort();
        candidates.dedup();
        let mut found = Vec::new();
        for identifier in candidates {
            if let Some(object) = self.object(&identifier, key_id).await?
                && object.has_key_id
            {
                let Object { state, digests, .. } = object;
                found.push(FoundKey { identifier, state, digests });
            }
        }
        Ok(found)
    }

    /// Returns the State of the object; none if the server does not show the object.
    pub(super) async fn state(
        &self,
        identifier: &str,
        key_id: KeyId,
    ) -> Result<Option<State>, HostFailure> {
        Ok(self.object(identifier, key_id).await?.map(|object| object.state))
    }

    /// Reads the attributes of the object; none if the server does not show the object.
    async fn object(&self, identifier: &str, key_id: KeyId) -> Result<Option<Object>, HostFailure> {
        if identifier.len() > UNIQUE_IDENTIFIER_LEN_MAX {
            return Err(HostFailure::server(format!(
                "answered a Unique Identifier of {} bytes, of which at most \
                 {UNIQUE_IDENTIFIER_LEN_MAX} are kept",
                identifier.len()
            )));
        }
        let expected = AttributeValue::Vendor(key_id_attribute(key_id));
        let request = GetAttributesRequest {
            unique_identifier: identifier_of(identifier),
            attributes: vec![
                AttributeReference::Standard(tags::State),
                AttributeReference::Standard(tags::Digest),
                expected.reference(),
            ],
        };
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            // Destroyed since it was located, or not shown to this client.
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        check_identifier(Operation::GetAttributes, identifier, &answer.unique_identifier)?;
        let (mut state, mut has_key_id, mut digests) = (None, false, Vec::new());
        for value in answer.attributes.0.into_iter().map(|attribute| attribute.value) {
            has_key_id |= value == expected;
            if let AttributeValue::State(value) = value {
                state = Some(value);
            } else if let AttributeValue::Digest(value) = value {
                digests.push(value);
            }
        }
        let no_state = || HostFailure::server("does not report the State of a key");
        Ok(Some(Object { state: state.ok_or_else(no_state)?, has_key_id, digests }))
    }

    /// Sends a request and waits for the answer.
    pub(super) async fn ask<R: Request>(&self, request: R) -> Result<R::Response, HostFailure> {
        Ok(self.client.request(request).await?)
    }
}

/// What a server reports of an object, which may be another one than the key.
struct Object {
    state: State,
    has_key_id: bool,
    digests: Vec<Digest>,
}

/// Refuses an answer that is about another object than the request.
fn check_identifier(
    operation: Operation,
    requested: &str,
    answered: &str,
) -> Result<(), HostFailure> {
    if answered.trim_end_matches('\0') == requested.trim_end_matches('\0') {
        return Ok(());
    }
    Err(HostFailure::server(format!("answered {operation:?} for another object than requested")))
}

/// Compares the bytes of the key with the Digest that the server keeps of it.
fn compare_digest(
    found: &FoundKey,
    key: &MasterKey,
    key_id: KeyId,
) -> Result<DigestProof, HostFailure> {
    digest::compare(&found.digests, key.bytes()).map_err(|digest::OtherDigest(algorithm)| {
        HostFailure::server(format!(
            "answered other bytes for master key {key_id} than those of its own {algorithm:?} \
             Digest; check the key server and what is between it and the cluster"
        ))
    })
}

/// Whether the key material does not exist any more in this State.
pub(super) fn is_destroyed(state: State) -> bool {
    matches!(state, State::Destroyed | State::DestroyedCompromised)
}

/// Whether the server says that there is no such object; 1.x and 2.x have their own words for it.
pub(super) fn is_absent(error: &Error) -> bool {
    matches!(
        error.reason(),
        Some(
            ResultReason::ItemNotFound
                | ResultReason::ObjectNotFound
                | ResultReason::ObjectDestroyed
        )
    )
}

pub(super) fn identifier_of(identifier: &str) -> Option<Identifier> {
    Some(Identifier::from(identifier))
}

/// The custom attribute with the `keyID`; 1.x writes it as `x-SolidFire-KeyID-<keyID>`.
fn key_id_attribute(key_id: KeyId) -> VendorAttribute {
    VendorAttribute::text(&name(key_id), &key_id.to_string())
}

fn name(key_id: KeyId) -> String {
    format!("SolidFire-KeyID-{key_id}")
}

/// Request for the objects with the attribute of this `keyID` that are in this storage, or on-line.
fn locate(key_id: KeyId, storage_status_mask: Option<StorageStatusMask>) -> LocateRequest {
    let attributes: Filter =
        [AttributeValue::Vendor(key_id_attribute(key_id))].into_iter().collect();
    let maximum_items = i32::try_from(LOCATED_MAX).ok();
    LocateRequest { attributes, maximum_items, storage_status_mask, ..LocateRequest::default() }
}

/// Request for the bytes of the key in the clear.
pub(super) fn get(identifier: &str) -> GetRequest {
    GetRequest {
        unique_identifier: identifier_of(identifier),
        key_format_type: Some(KeyFormatType::Raw),
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

/// The key in the answer to [`get`].
pub(super) fn key_of(
    answer: &GetResponse,
    identifier: &str,
    key_id: KeyId,
) -> Result<MasterKey, HostFailure> {
    check_identifier(Operation::Get, identifier, &answer.unique_identifier)?;
    let bytes = answer.object.key_block().and_then(|block| block.bytes());
    bytes.and_then(MasterKey::from_bytes).ok_or_else(|| {
        HostFailure::server(format!("does not give master key {key_id} as a raw AES-256 key"))
    })
}

fn create(key_id: KeyId) -> CreateRequest {
    // Wrapping is what it is for; a server that knows no wrapping asks for Encrypt and Decrypt.
    let mask = CryptographicUsageMask::Encrypt
        .union(CryptographicUsageMask::Decrypt)
        .union(CryptographicUsageMask::WrapKey)
        .union(CryptographicUsageMask::UnwrapKey);
    let attributes = Attributes::new([
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(MASTER_KEY_BITS),
        AttributeValue::CryptographicUsageMask(mask),
        AttributeValue::Name(Name::text(&name(key_id))),
        AttributeValue::Vendor(key_id_attribute(key_id)),
    ]);
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes,
        protection_storage_masks: None,
    }
}

#[cfg(test)]
mod tests {
    use super::{create, key_id_attribute};
    use crate::state::key_ring::KeyId;
    use kmip::attributes::AttributeValue;

    #[test]
    fn a_key_is_marked_as_element_marks_it() {
        let key_id = KeyId::random();
        let name = AttributeValue::Vendor(key_id_attribute(key_id)).name();
        assert_eq!(name, key_id.attribute_name());
        let names: Vec<_> = create(key_id).attributes.values().map(|v| v.name()).collect();
        assert!(names.contains(&name) && names.contains(&"Name".to_owned()), "{names:?}");
    }
}
