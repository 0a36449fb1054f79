//! The rekey of the master key: what is to be done next, and what was done.
//!
//! ```text
//!   Ready <-----------------------------------------------------------+
//!     |  start                            abandoned: the new key, if  |
//!     v                                   it may exist, is destroyed  |
//!   CreateNewMasterKey -----------------------------------------------+
//!     |  the key's place answers, the key is there                    |
//!     v                                                               |
//!   RewrapDataEncryptionKeys                                          |
//!     |  every drive of every node is under the new                   |
//!     v                                                               |
//!   DecommissionOldMasterKey -----------------------------------------+
//!                                         the old key is gone
//! ```
//!
//! This file decides; it does not act. It holds no socket, no file and no clock. The first run and
//! the run after a crash are the same loop, so there is no recovery code.

use crate::ring::KeyId;
use serde::{Deserialize, Serialize};

/// Where a rekey stands. The names are those of Element's `SearRekeyMasterKeyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RekeyState {
    /// No rekey is running, or this one is over.
    Ready,
    /// The new master key is being made in its place.
    CreateNewMasterKey,
    /// The data encryption keys are being wrapped anew, one drive after another.
    RewrapDataEncryptionKeys,
    /// The old master key is being given up.
    DecommissionOldMasterKey,
}

/// A rekey, as it is written to the ledger before anything is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RekeyJob {
    state: RekeyState,
    new_key: KeyId,
    key_to_decommission: KeyId,
    /// The new key may have been made: from just before its place is first asked to make it.
    new_key_may_exist: bool,
    abandoned: bool,
}

/// One thing to do. Doing it twice is the same as doing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Prove that the place where the key shall live answers. Nothing is made.
    ReachKeyPlace(KeyId),
    /// Find the key by its id in its place, or make it.
    EnsureMasterKey(KeyId),
    /// Wrap with the new key every data encryption key that the old one still wraps.
    Rewrap {
        /// The old key.
        from: KeyId,
        /// The new key.
        to: KeyId,
    },
    /// Revoke and destroy the key, if it is still there.
    DestroyMasterKey(KeyId),
}

impl RekeyJob {
    /// Begins a rekey. Nothing is done until the job is in the ledger.
    #[must_use]
    pub const fn new(new_key: KeyId, key_to_decommission: KeyId) -> Self {
        Self {
            state: RekeyState::CreateNewMasterKey,
            new_key,
            key_to_decommission,
            new_key_may_exist: false,
            abandoned: false,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> RekeyState {
        self.state
    }

    /// The key that wraps every data encryption key when the job is done.
    #[must_use]
    pub const fn new_key(&self) -> KeyId {
        self.new_key
    }

    /// The key that wrapped them when it began.
    #[must_use]
    pub const fn key_to_decommission(&self) -> KeyId {
        self.key_to_decommission
    }

    /// Whether it was given up.
    #[must_use]
    pub const fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// What is to be done now; nothing, when the job is over.
    #[must_use]
    pub const fn effect(&self) -> Option<Effect> {
        match (self.state, self.abandoned, self.new_key_may_exist) {
            (RekeyState::CreateNewMasterKey, false, false) => {
                Some(Effect::ReachKeyPlace(self.new_key))
            }
            (RekeyState::CreateNewMasterKey, false, true) => {
                Some(Effect::EnsureMasterKey(self.new_key))
            }
            (RekeyState::CreateNewMasterKey, true, _) => {
                Some(Effect::DestroyMasterKey(self.new_key))
            }
            (RekeyState::RewrapDataEncryptionKeys, _, _) => {
                Some(Effect::Rewrap { from: self.key_to_decommission, to: self.new_key })
            }
            (RekeyState::DecommissionOldMasterKey, _, _) => {
                Some(Effect::DestroyMasterKey(self.key_to_decommission))
            }
            (RekeyState::Ready, _, _) => None,
        }
    }

    /// The effect is done: the next state. The caller writes it before it acts again.
    pub const fn advance(&mut self) {
        match (self.state, self.abandoned, self.new_key_may_exist) {
            (RekeyState::CreateNewMasterKey, false, false) => self.new_key_may_exist = true,
            (RekeyState::CreateNewMasterKey, false, true) => {
                self.state = RekeyState::RewrapDataEncryptionKeys;
            }
            (RekeyState::RewrapDataEncryptionKeys, _, _) => {
                self.state = RekeyState::DecommissionOldMasterKey;
            }
            (RekeyState::CreateNewMasterKey, true, _)
            | (RekeyState::DecommissionOldMasterKey | RekeyState::Ready, _, _) => {
                self.state = RekeyState::Ready;
            }
        }
    }

    /// Gives the rekey up, which is possible only before the first data encryption key may have
    /// been wrapped anew; says whether it was. A key that surely was not made needs no destroying.
    #[must_use]
    pub const fn abandon(&mut self) -> bool {
        match self.state {
            RekeyState::CreateNewMasterKey => {
                self.abandoned = true;
                if !self.new_key_may_exist {
                    self.state = RekeyState::Ready;
                }
                true
            }
            RekeyState::RewrapDataEncryptionKeys
            | RekeyState::DecommissionOldMasterKey
            | RekeyState::Ready => false,
        }
    }
}
