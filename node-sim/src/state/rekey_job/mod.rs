//! The rekey of the master key: what is to be done next, and what was done.
//!
//! ```text
//!   CreateNewMasterKey        ReachKeyPlace        the place of the new key answers
//!                             CreateNewKey         it is created there, and proved
//!   RewrapDataEncryptionKeys  AddWrappings         every drive has a second wrapping, by it
//!                             ProveNewKey          every node has fetched it anew, and opened its
//!                                                  drives' headers, as they are on disk, with it
//!   ------------------------- until here it can be given up -----------------------------------
//!   DecommissionOldMasterKey  RemoveOldWrappings   no header names the old key
//!                             DestroyOldKey        it is destroyed, and that was read back
//!   Ready                     Done
//! ```
//!
//! A rekey that is given up goes back: `RemoveNewWrappings`, `DestroyNewKey`, `Done`. The current
//! master key changes after `ProveNewKey`; a key is retired after its last wrapping was removed.
//!
//! This file decides; it does not act. It holds no socket, no file and no clock. The first run and
//! the run after a crash are the same loop, so there is no recovery code.

use crate::state::key_ring::{CreatedKey, KeyId, KeyOrigin, KeyRing, KeyRingError};
use serde::{Deserialize, Serialize};

/// State of a rekey. The names are those of Element's `SearRekeyMasterKeyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RekeyState {
    /// No rekey is running, or this one is over.
    Ready,
    /// The new master key is being created in its place.
    CreateNewMasterKey,
    /// The data encryption keys are being wrapped anew, one drive after another.
    RewrapDataEncryptionKeys,
    /// The old master key is being given up.
    DecommissionOldMasterKey,
}

/// Step of a rekey: what is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RekeyStep {
    ReachKeyPlace,
    /// The new key may exist from here on.
    CreateNewKey,
    AddWrappings,
    ProveNewKey,
    /// From here on the rekey cannot be given up.
    RemoveOldWrappings,
    DestroyOldKey,
    /// Given up: the wrappings by the new key are removed.
    RemoveNewWrappings,
    /// Given up: the new key wraps nothing.
    DestroyNewKey,
    Done,
}

/// A rekey, as it is written to the ledger before anything is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RekeyJob {
    step: RekeyStep,
    new_key: KeyId,
    key_to_decommission: KeyId,
    abandoned: bool,
}

/// One thing to do. Doing it twice is the same as doing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Prove that the place where the key will be kept answers. Nothing is created.
    ReachKeyPlace(KeyId),
    /// Find the key by its id in its place, or create it, and prove it.
    EnsureMasterKey(KeyId),
    /// Add to every drive's header a wrapping by this key.
    AddWrappings(KeyId),
    /// Fetch the key anew on every node, and open every drive's header on disk with it.
    ProveMasterKey(KeyId),
    /// Remove from every drive's header the wrapping by one key, after the other was proved to
    /// open it.
    RemoveWrappings {
        /// The key whose wrappings are removed.
        removed: KeyId,
        /// The key whose wrappings stay.
        kept: KeyId,
    },
    /// Revoke and destroy the key, and read back that it is destroyed.
    DestroyMasterKey(KeyId),
}

/// What performing an effect gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// The place of the key answers: for an external key, where it will be created.
    Reached(Option<KeyOrigin>),
    /// The key exists and was proved.
    Created(CreatedKey),
    /// Nothing proves that the key is destroyed.
    NotConfirmed(String),
}

impl RekeyJob {
    /// Begins a rekey. Nothing is done until the job is in the ledger.
    #[must_use]
    pub(crate) const fn new(new_key: KeyId, key_to_decommission: KeyId) -> Self {
        Self { step: RekeyStep::ReachKeyPlace, new_key, key_to_decommission, abandoned: false }
    }

    /// The state that Element's API shows.
    #[must_use]
    pub(crate) const fn state(&self) -> RekeyState {
        match self.step {
            RekeyStep::ReachKeyPlace | RekeyStep::CreateNewKey | RekeyStep::DestroyNewKey => {
                RekeyState::CreateNewMasterKey
            }
            RekeyStep::AddWrappings | RekeyStep::ProveNewKey | RekeyStep::RemoveNewWrappings => {
                RekeyState::RewrapDataEncryptionKeys
            }
            RekeyStep::RemoveOldWrappings | RekeyStep::DestroyOldKey => {
                RekeyState::DecommissionOldMasterKey
            }
            RekeyStep::Done => RekeyState::Ready,
        }
    }

    /// The key that wraps every data encryption key when the job is done.
    #[must_use]
    pub(crate) const fn new_key(&self) -> KeyId {
        self.new_key
    }

    /// The key that wrapped them when it began.
    #[must_use]
    pub(crate) const fn key_to_decommission(&self) -> KeyId {
        self.key_to_decommission
    }

    /// Whether it was given up.
    #[must_use]
    pub(crate) const fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// What is to be done now; nothing, when the job is over.
    #[must_use]
    pub(crate) const fn effect(&self) -> Option<Effect> {
        let (new, old) = (self.new_key, self.key_to_decommission);
        match self.step {
            RekeyStep::ReachKeyPlace => Some(Effect::ReachKeyPlace(new)),
            RekeyStep::CreateNewKey => Some(Effect::EnsureMasterKey(new)),
            RekeyStep::AddWrappings => Some(Effect::AddWrappings(new)),
            RekeyStep::ProveNewKey => Some(Effect::ProveMasterKey(new)),
            RekeyStep::RemoveOldWrappings => {
                Some(Effect::RemoveWrappings { removed: old, kept: new })
            }
            RekeyStep::DestroyOldKey => Some(Effect::DestroyMasterKey(old)),
            RekeyStep::RemoveNewWrappings => {
                Some(Effect::RemoveWrappings { removed: new, kept: old })
            }
            RekeyStep::DestroyNewKey => Some(Effect::DestroyMasterKey(new)),
            RekeyStep::Done => None,
        }
    }

    /// The effect is done: the ring and the job move on together. The caller writes both before it
    /// acts again.
    ///
    /// A key whose destruction is not confirmed stays on the ring, retired.
    ///
    /// # Errors
    /// The ring forbids it: a key that is needed would be retired.
    pub(crate) fn commit(
        &mut self,
        ring: &mut KeyRing,
        outcome: &Outcome,
    ) -> Result<(), KeyRingError> {
        match (self.effect(), outcome) {
            (Some(Effect::ReachKeyPlace(key_id)), Outcome::Reached(Some(origin))) => {
                ring.set_origin(key_id, origin.clone())?;
            }
            (Some(Effect::EnsureMasterKey(key_id)), Outcome::Created(created)) => {
                ring.put_in_use(key_id, created.clone())?;
            }
            (Some(Effect::EnsureMasterKey(key_id)), _) => {
                return Err(KeyRingError::NotInUse(key_id));
            }
            (Some(Effect::ProveMasterKey(key_id)), _) => ring.make_current(key_id)?,
            (Some(Effect::RemoveWrappings { removed, .. }), _) => ring.retire(removed)?,
            (Some(Effect::DestroyMasterKey(key_id)), Outcome::Done) => {
                if let Some(key) = ring.retired(key_id) {
                    ring.remove(&key);
                }
            }
            (
                Some(
                    Effect::ReachKeyPlace(_)
                    | Effect::AddWrappings(_)
                    | Effect::DestroyMasterKey(_),
                )
                | None,
                _,
            ) => {}
        }
        self.advance();
        Ok(())
    }

    /// Gives the rekey up, if it still can be, in the job and in the ring; returns whether it was.
    ///
    /// # Errors
    /// The ring forbids it. It should never be seen.
    pub(crate) fn give_up(&mut self, ring: &mut KeyRing) -> Result<bool, KeyRingError> {
        if !self.abandon() {
            return Ok(false);
        }
        match self.effect() {
            // The wrappings by the new key are removed first.
            Some(Effect::RemoveWrappings { .. }) => {}
            Some(_) => ring.retire(self.new_key)?,
            None => {
                ring.retire(self.new_key)?;
                // Nothing was ever asked to create it.
                if let Some(key) = ring.retired(self.new_key) {
                    ring.remove(&key);
                }
            }
        }
        Ok(true)
    }

    /// State after the effect is done.
    #[must_use]
    pub(crate) const fn next_state(&self) -> RekeyState {
        let mut next = Self { ..*self };
        next.advance();
        next.state()
    }

    const fn advance(&mut self) {
        self.step = match self.step {
            RekeyStep::ReachKeyPlace => RekeyStep::CreateNewKey,
            RekeyStep::CreateNewKey => RekeyStep::AddWrappings,
            RekeyStep::AddWrappings => RekeyStep::ProveNewKey,
            RekeyStep::ProveNewKey => RekeyStep::RemoveOldWrappings,
            RekeyStep::RemoveOldWrappings => RekeyStep::DestroyOldKey,
            RekeyStep::RemoveNewWrappings => RekeyStep::DestroyNewKey,
            RekeyStep::DestroyOldKey | RekeyStep::DestroyNewKey | RekeyStep::Done => {
                RekeyStep::Done
            }
        }
    }

    /// Whether it can still be given up: no old wrapping can have been removed yet.
    #[must_use]
    pub(crate) const fn can_be_abandoned(&self) -> bool {
        match self.step {
            RekeyStep::ReachKeyPlace
            | RekeyStep::CreateNewKey
            | RekeyStep::AddWrappings
            | RekeyStep::ProveNewKey => true,
            RekeyStep::RemoveOldWrappings
            | RekeyStep::DestroyOldKey
            | RekeyStep::RemoveNewWrappings
            | RekeyStep::DestroyNewKey
            | RekeyStep::Done => false,
        }
    }

    #[must_use]
    const fn abandon(&mut self) -> bool {
        self.step = match self.step {
            RekeyStep::ReachKeyPlace => RekeyStep::Done,
            RekeyStep::CreateNewKey => RekeyStep::DestroyNewKey,
            RekeyStep::AddWrappings | RekeyStep::ProveNewKey => RekeyStep::RemoveNewWrappings,
            RekeyStep::RemoveOldWrappings
            | RekeyStep::DestroyOldKey
            | RekeyStep::RemoveNewWrappings
            | RekeyStep::DestroyNewKey
            | RekeyStep::Done => return false,
        };
        self.abandoned = true;
        true
    }
}

#[cfg(test)]
mod tests;
