//! The key ring: which master keys there are, and which drives' data encryption keys each wraps.
//!
//! ```text
//!            plan                use                  retire               removed
//!   (none) -------> Planned ----------> InUse -------------------> Retired -------> (none)
//!                      |       retire (the rekey was given up)        ^
//!                      +----------------------------------------------+
//! ```
//!
//! **A master key is given up only when nothing on any node is wrapped by it.** [`RetiredKey`] is
//! that sentence as a type: only this file makes one, only for a key that wraps nothing by the
//! ledger's durable knowledge, and the functions that destroy a key take nothing else.
//!
//! During a rekey a drive has two wrappings. The ring lists a wrapping before the drive's header
//! has it, and until after the header has lost it: what the ring does not list is in no header.
//! No key bytes are here.

use crate::state::key_server_registry::{ActiveProviders, KeyProviderId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use crate::state::ids::DriveId;
pub use crate::state::ids::{KeyId, NodeId};
pub use crate::state::key_origin::KeyOrigin;

/// Where a master key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "keyManagementType")]
pub(crate) enum KeyManagement {
    /// In shares on the cluster's nodes.
    Internal,
    /// At the key servers of a provider.
    #[serde(rename_all = "camelCase")]
    External {
        /// The provider.
        #[serde(rename = "keyProviderID")]
        key_provider_id: KeyProviderId,
    },
}

impl KeyManagement {
    /// The provider, if the key is external.
    #[must_use]
    pub(crate) const fn key_provider_id(self) -> Option<KeyProviderId> {
        match self {
            Self::Internal => None,
            Self::External { key_provider_id } => Some(key_provider_id),
        }
    }
}

/// What the ring lets be done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum KeyState {
    /// Its name is chosen; it may or may not have been made. Nothing is wrapped by it.
    Planned,
    /// It was made, and data encryption keys may be wrapped by it.
    InUse,
    /// Nothing is wrapped by it and nothing will be: it is being given up.
    Retired,
}

/// A master key as the ring knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MasterKeyRecord {
    /// Where it lives.
    #[serde(flatten)]
    pub(crate) management: KeyManagement,
    /// When the cluster chose its name.
    pub(crate) created_time: String,
    /// What may be done with it.
    pub(crate) state: KeyState,
    /// For an external key, where it is created.
    #[serde(flatten)]
    pub(crate) origin: Option<KeyOrigin>,
    /// For an external key that is planned: the host has answered that it created the key, or shown
    /// it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(crate) created: bool,
    /// For an external key, the key server's Unique Identifier of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) identifier: Option<String>,
    /// For an internal key, which of possibly several attempts to share it out counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) dealing: Option<String>,
    /// What tells the key's bytes from all others without telling them, from when it was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) check: Option<String>,
}

/// What the ledger knows of a key at a key server. What is unknown is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownKey {
    /// Where it was to be created.
    pub origin: Option<KeyOrigin>,
    /// The Unique Identifier that the key server gave it.
    pub identifier: Option<String>,
    /// The key's check value; absent if the key was never fetched.
    pub check: Option<String>,
}

/// Data of a key that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreatedKey {
    /// For an internal key, the dealing that counts.
    pub(crate) dealing: Option<String>,
    /// For an external key, the key server's Unique Identifier of it.
    pub(crate) identifier: Option<String>,
    /// See [`MasterKeyRecord::check`].
    pub(crate) check: String,
}

/// Key ring, a section of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyRing {
    keys: BTreeMap<KeyId, MasterKeyRecord>,
    /// The key that software encryption at rest is under; none before the cluster was made.
    current: Option<KeyId>,
    /// The keys that may wrap each drive's data encryption key: written before a wrapping is added
    /// to the drive's header, and after one was removed from it.
    wrappings: BTreeMap<DriveId, BTreeSet<KeyId>>,
}

/// Permission to destroy one master key: nothing on any node is wrapped by it, and nothing will be.
#[derive(Debug)]
pub struct RetiredKey {
    key_id: KeyId,
    management: KeyManagement,
    created: bool,
    known: KnownKey,
}

impl RetiredKey {
    /// The key.
    #[must_use]
    pub(crate) const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Where it lives.
    #[must_use]
    pub(crate) const fn management(&self) -> KeyManagement {
        self.management
    }

    /// Where it was to be created.
    #[must_use]
    pub(crate) const fn origin(&self) -> Option<&KeyOrigin> {
        self.known.origin.as_ref()
    }

    /// The Unique Identifier that the key server gave it.
    #[must_use]
    pub(crate) fn identifier(&self) -> Option<&str> {
        self.known.identifier.as_deref()
    }

    /// Its check value; none if the key was never fetched.
    #[must_use]
    pub(crate) fn check(&self) -> Option<&str> {
        self.known.check.as_deref()
    }

    /// Whether it is known that it was created: it was in use, or its host said so.
    #[must_use]
    pub(crate) const fn was_created(&self) -> bool {
        self.created || self.known.check.is_some()
    }
}

impl MasterKeyRecord {
    /// What is known of the key at its key server.
    #[must_use]
    pub(crate) fn known(&self) -> KnownKey {
        let Self { origin, identifier, check, .. } = self.clone();
        KnownKey { origin, identifier, check }
    }
}

/// Refusal of the key ring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyRingError {
    /// The key is not on the ring.
    #[error("master key {0} is not on the ring")]
    UnknownKey(KeyId),
    /// The key cannot be given up: drives need it.
    #[error("master key {key_id} is needed: {drives} drives are wrapped by it")]
    StillWraps {
        /// The key.
        key_id: KeyId,
        /// How many drives it wraps.
        drives: usize,
    },
    /// The key cannot be given up: the cluster is under it.
    #[error("master key {0} is the cluster's current master key")]
    Current(KeyId),
    /// The key is not in use, so nothing may be wrapped by it.
    #[error("master key {0} is not in use")]
    NotInUse(KeyId),
    /// The key may exist already.
    #[error("master key {0} is not planned any more")]
    NotPlanned(KeyId),
    /// The drive would be left without a wrapping.
    #[error("drive {drive_id} is wrapped by no other master key than {key_id}")]
    OnlyWrapping {
        /// The drive.
        drive_id: DriveId,
        /// The key.
        key_id: KeyId,
    },
}

impl KeyRing {
    /// The keys that are on the ring.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (KeyId, &MasterKeyRecord)> {
        self.keys.iter().map(|(id, record)| (*id, record))
    }

    /// One key.
    #[must_use]
    pub(crate) fn key(&self, key_id: KeyId) -> Option<&MasterKeyRecord> {
        self.keys.get(&key_id)
    }

    /// The key that the cluster is under.
    #[must_use]
    pub(crate) const fn current(&self) -> Option<KeyId> {
        self.current
    }

    /// The keys that may wrap this drive's data encryption key.
    pub(crate) fn wrappings(&self, drive_id: DriveId) -> impl Iterator<Item = KeyId> + '_ {
        self.wrappings.get(&drive_id).into_iter().flatten().copied()
    }

    /// Whether this key may wrap the drive's data encryption key.
    #[must_use]
    pub(crate) fn may_wrap(&self, drive_id: DriveId, key_id: KeyId) -> bool {
        self.wrappings.get(&drive_id).is_some_and(|keys| keys.contains(&key_id))
    }

    /// The key that opens this drive: the current one if it wraps it, else the one that does.
    #[must_use]
    pub(crate) fn wrapped_by(&self, drive_id: DriveId) -> Option<KeyId> {
        let keys = self.wrappings.get(&drive_id)?;
        let current = self.current.filter(|key_id| keys.contains(key_id));
        current.or_else(|| keys.first().copied())
    }

    /// How many drives this key may wrap.
    #[must_use]
    pub(crate) fn wraps(&self, key_id: KeyId) -> usize {
        self.wrappings.values().filter(|keys| keys.contains(&key_id)).count()
    }

    /// The providers that hold a key of the ring: from the moment its name is chosen, because a key
    /// server may have made it without our knowing, until it is known to be destroyed.
    #[must_use]
    pub(crate) fn active_providers(&self) -> ActiveProviders {
        self.keys.values().filter_map(|record| record.management.key_provider_id()).collect()
    }

    /// Puts the name of a key to be made on the ring.
    pub(crate) fn plan(&mut self, key_id: KeyId, management: KeyManagement, created_time: String) {
        let record = MasterKeyRecord {
            management,
            created_time,
            state: KeyState::Planned,
            origin: None,
            created: false,
            identifier: None,
            dealing: None,
            check: None,
        };
        self.keys.insert(key_id, record);
    }

    /// Notes where the planned key is created, before anybody is asked to.
    ///
    /// # Errors
    /// It was not planned, or may have been created already.
    pub(crate) fn set_origin(
        &mut self,
        key_id: KeyId,
        origin: KeyOrigin,
    ) -> Result<(), KeyRingError> {
        let record = self.record_mut(key_id)?;
        match record.state {
            KeyState::Planned => {
                record.origin = Some(origin);
                Ok(())
            }
            KeyState::InUse | KeyState::Retired => Err(KeyRingError::NotPlanned(key_id)),
        }
    }

    /// Notes that the host of the planned key has answered that it created the key, or shown it.
    ///
    /// # Errors
    /// The key is not on the ring.
    pub(crate) fn note_created(&mut self, key_id: KeyId) -> Result<(), KeyRingError> {
        self.record_mut(key_id)?.created = true;
        Ok(())
    }

    /// The key was made: data encryption keys may be wrapped by it from now on.
    ///
    /// # Errors
    /// It was not planned.
    pub(crate) fn put_in_use(
        &mut self,
        key_id: KeyId,
        made: CreatedKey,
    ) -> Result<(), KeyRingError> {
        let record = self.record_mut(key_id)?;
        match record.state {
            KeyState::Planned => {
                record.state = KeyState::InUse;
                record.identifier = made.identifier;
                record.dealing = made.dealing;
                record.check = Some(made.check);
                Ok(())
            }
            KeyState::InUse => Ok(()),
            KeyState::Retired => Err(KeyRingError::NotInUse(key_id)),
        }
    }

    /// Notes that the drive's header is about to get a wrapping by this key.
    ///
    /// # Errors
    /// The key is not in use.
    pub(crate) fn note_wrapped(
        &mut self,
        drive_id: DriveId,
        key_id: KeyId,
    ) -> Result<(), KeyRingError> {
        match self.record_mut(key_id)?.state {
            KeyState::InUse => {
                self.wrappings.entry(drive_id).or_default().insert(key_id);
                Ok(())
            }
            KeyState::Planned | KeyState::Retired => Err(KeyRingError::NotInUse(key_id)),
        }
    }

    /// Notes that the drive's header, as it is on disk, has no wrapping by this key any more.
    ///
    /// # Errors
    /// The drive has no other wrapping.
    pub(crate) fn note_unwrapped(
        &mut self,
        drive_id: DriveId,
        key_id: KeyId,
    ) -> Result<(), KeyRingError> {
        let Some(keys) = self.wrappings.get_mut(&drive_id) else { return Ok(()) };
        if keys.len() == 1 && keys.contains(&key_id) {
            return Err(KeyRingError::OnlyWrapping { drive_id, key_id });
        }
        keys.remove(&key_id);
        Ok(())
    }

    /// From now on the cluster is under this key.
    ///
    /// # Errors
    /// The key is not in use.
    pub(crate) fn make_current(&mut self, key_id: KeyId) -> Result<(), KeyRingError> {
        match self.record_mut(key_id)?.state {
            KeyState::InUse => {
                self.current = Some(key_id);
                Ok(())
            }
            KeyState::Planned | KeyState::Retired => Err(KeyRingError::NotInUse(key_id)),
        }
    }

    /// Marks a key as one that wraps nothing and never will again.
    ///
    /// # Errors
    /// A drive of some node, present or not, is wrapped by it, or the cluster is under it.
    pub(crate) fn retire(&mut self, key_id: KeyId) -> Result<(), KeyRingError> {
        if self.current == Some(key_id) {
            return Err(KeyRingError::Current(key_id));
        }
        let drives = self.wraps(key_id);
        if drives > 0 {
            return Err(KeyRingError::StillWraps { key_id, drives });
        }
        self.record_mut(key_id)?.state = KeyState::Retired;
        Ok(())
    }

    /// The permissions to destroy the keys that were retired and are not yet known to be destroyed.
    pub(crate) fn all_retired(&self) -> impl Iterator<Item = RetiredKey> + '_ {
        self.keys.keys().filter_map(|key_id| self.retired(*key_id))
    }

    /// Returns the permission to destroy this key, if it was retired.
    #[must_use]
    pub(crate) fn retired(&self, key_id: KeyId) -> Option<RetiredKey> {
        let record = self.keys.get(&key_id)?;
        match record.state {
            KeyState::Retired => {
                let MasterKeyRecord { management, created, .. } = *record;
                Some(RetiredKey { key_id, management, created, known: record.known() })
            }
            KeyState::Planned | KeyState::InUse => None,
        }
    }

    /// Takes a key that was destroyed off the ring.
    pub(crate) fn remove(&mut self, key: &RetiredKey) {
        self.keys.remove(&key.key_id);
    }

    fn record_mut(&mut self, key_id: KeyId) -> Result<&mut MasterKeyRecord, KeyRingError> {
        self.keys.get_mut(&key_id).ok_or(KeyRingError::UnknownKey(key_id))
    }
}

#[cfg(test)]
mod tests {
    use super::{CreatedKey, DriveId, KeyId, KeyManagement, KeyRing, KeyRingError};

    fn made() -> CreatedKey {
        CreatedKey { dealing: None, check: "check".to_owned(), identifier: None }
    }

    fn ring_under(key_id: KeyId) -> KeyRing {
        let mut ring = KeyRing::default();
        ring.plan(key_id, KeyManagement::Internal, String::new());
        ring.put_in_use(key_id, made()).unwrap();
        ring.note_wrapped(DriveId(1), key_id).unwrap();
        ring.note_wrapped(DriveId(2), key_id).unwrap();
        ring.make_current(key_id).unwrap();
        ring
    }

    #[test]
    fn a_key_is_given_up_only_when_it_wraps_nothing() {
        let (old, new) = (KeyId::random(), KeyId::random());
        let mut ring = ring_under(old);
        assert_eq!(ring.retire(old), Err(KeyRingError::Current(old)));
        let external = KeyManagement::External { key_provider_id: 7 };
        ring.plan(new, external, String::new());
        assert!(ring.active_providers().contains(&7));
        assert_eq!(ring.note_wrapped(DriveId(1), new), Err(KeyRingError::NotInUse(new)));
        ring.put_in_use(new, made()).unwrap();
        ring.note_wrapped(DriveId(1), new).unwrap();
        ring.make_current(new).unwrap();
        assert_eq!(ring.retire(old), Err(KeyRingError::StillWraps { key_id: old, drives: 2 }));
        assert_eq!(ring.wrapped_by(DriveId(1)), Some(new));
        ring.note_unwrapped(DriveId(1), old).unwrap();
        assert_eq!(ring.retire(old), Err(KeyRingError::StillWraps { key_id: old, drives: 1 }));
        assert!(ring.retired(old).is_none());
        let only = KeyRingError::OnlyWrapping { drive_id: DriveId(2), key_id: old };
        assert_eq!(ring.note_unwrapped(DriveId(2), old), Err(only));
        ring.note_wrapped(DriveId(2), new).unwrap();
        ring.note_unwrapped(DriveId(2), old).unwrap();
        ring.retire(old).unwrap();
        assert_eq!(ring.all_retired().count(), 1);
        assert_eq!(ring.note_wrapped(DriveId(2), old), Err(KeyRingError::NotInUse(old)));
        let retired = ring.retired(old).unwrap();
        ring.remove(&retired);
        assert!(ring.key(old).is_none());
    }

    #[test]
    fn a_planned_key_can_be_given_up_and_its_provider_is_then_inactive() {
        let (old, new) = (KeyId::random(), KeyId::random());
        let mut ring = ring_under(old);
        let external = KeyManagement::External { key_provider_id: 7 };
        ring.plan(new, external, String::new());
        ring.retire(new).unwrap();
        assert!(ring.active_providers().contains(&7));
        let retired = ring.retired(new).unwrap();
        ring.remove(&retired);
        assert!(ring.active_providers().is_empty());
        assert_eq!(ring, ring_under(old));
    }

    #[test]
    fn the_ring_reads_back_as_it_was_written() {
        let mut ring = ring_under(KeyId::random());
        let external = KeyManagement::External { key_provider_id: 7 };
        ring.plan(KeyId::random(), external, "2026-01-01T00:00:00Z".to_owned());
        let text = serde_json::to_string(&ring).unwrap();
        assert_eq!(serde_json::from_str::<KeyRing>(&text).unwrap(), ring);
    }
}
