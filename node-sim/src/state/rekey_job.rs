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

use crate::state::key_ring::KeyId;
use serde::{Deserialize, Serialize};

/// Where a rekey stands. The names are those of Element's `SearRekeyMasterKeyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RekeyState {
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
pub(crate) struct RekeyJob {
    state: RekeyState,
    new_key: KeyId,
    key_to_decommission: KeyId,
    /// The new key may have been made: from just before its place is first asked to make it.
    new_key_may_exist: bool,
    abandoned: bool,
}

/// One thing to do. Doing it twice is the same as doing it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
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
    pub(crate) const fn new(new_key: KeyId, key_to_decommission: KeyId) -> Self {
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
    pub(crate) const fn state(&self) -> RekeyState {
        self.state
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
    pub(crate) const fn advance(&mut self) {
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
    pub(crate) const fn abandon(&mut self) -> bool {
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

#[cfg(test)]
mod tests {
    use super::{Effect, RekeyJob, RekeyState};
    use crate::state::key_ring::{CreatedKey, DriveId, KeyId, KeyManagement, KeyRing};
    use std::collections::{BTreeMap, BTreeSet};

    const DRIVES: u32 = 3;
    /// More steps than any job takes.
    const FOREVER: u32 = 100;

    /// Where keys live: at a server, or in shares. A rekey cannot tell them apart, so the world
    /// keeps them by place.
    const INTERNAL: KeyManagement = KeyManagement::Internal;
    const PROVIDER_1: KeyManagement = KeyManagement::External { key_provider_id: 1 };
    const PROVIDER_2: KeyManagement = KeyManagement::External { key_provider_id: 2 };

    /// What outlives a crash: the ledger, the places of keys and the drives' headers.
    struct World {
        ledger: (Option<RekeyJob>, KeyRing),
        /// The keys that exist in their places.
        keys: BTreeSet<KeyId>,
        /// Every key that was ever made, in order.
        made: Vec<KeyId>,
        headers: BTreeMap<DriveId, KeyId>,
        steps_left: u32,
    }

    struct Crash;

    fn made() -> CreatedKey {
        CreatedKey { dealing: None, check: String::new(), identifier: None }
    }

    impl World {
        fn new(from: KeyManagement, to: KeyManagement) -> (Self, KeyId, KeyId) {
            let (old, new) = (KeyId::random(), KeyId::random());
            let mut ring = KeyRing::default();
            ring.plan(old, from, String::new());
            ring.put_in_use(old, made()).unwrap();
            let drives = (1..=DRIVES).map(DriveId);
            drives.clone().for_each(|drive| ring.note_wrapped(drive, old).unwrap());
            ring.make_current(old).unwrap();
            ring.plan(new, to, String::new());
            let world = Self {
                ledger: (Some(RekeyJob::new(new, old)), ring),
                keys: BTreeSet::from([old]),
                made: Vec::new(),
                headers: drives.map(|drive| (drive, old)).collect(),
                steps_left: FOREVER,
            };
            (world, old, new)
        }

        /// Every change that lasts passes here; the process dies when the steps run out.
        fn step(&mut self, change: impl FnOnce(&mut Self)) -> Result<(), Crash> {
            self.steps_left = self.steps_left.checked_sub(1).ok_or(Crash)?;
            change(self);
            for invariant in INVARIANTS {
                invariant(self);
            }
            Ok(())
        }

        fn perform(&mut self, effect: Effect) -> Result<(), Crash> {
            match effect {
                Effect::ReachKeyPlace(_) => Ok(()),
                Effect::EnsureMasterKey(id) => self.step(|w| {
                    if w.keys.insert(id) {
                        w.made.push(id);
                    }
                }),
                Effect::Rewrap { from: _, to } => (1..=DRIVES).map(DriveId).try_for_each(|drive| {
                    if self.headers[&drive] != to {
                        self.step(|w| w.headers.extend([(drive, to)]))?;
                    }
                    if self.ledger.1.wrapped_by(drive) != Some(to) {
                        self.step(|w| w.ledger.1.note_wrapped(drive, to).unwrap())?;
                    }
                    Ok(())
                }),
                Effect::DestroyMasterKey(id) => match self.ledger.1.retired(id) {
                    Some(key) => self.step(|w| w.keys.retain(|id| *id != key.key_id())),
                    None => Ok(()),
                },
            }
        }

        /// The ring's part of a step, as the worker writes it together with the job.
        fn commit(&mut self, effect: Effect) -> Result<(), Crash> {
            self.step(|w| {
                let (job, ring) = &mut w.ledger;
                match effect {
                    Effect::ReachKeyPlace(_) => {}
                    Effect::EnsureMasterKey(id) => ring.put_in_use(id, made()).unwrap(),
                    Effect::Rewrap { from, to } => {
                        ring.make_current(to).unwrap();
                        ring.retire(from).unwrap();
                    }
                    Effect::DestroyMasterKey(id) => {
                        let key = ring.retired(id).unwrap();
                        ring.remove(&key);
                    }
                }
                job.as_mut().unwrap().advance();
                if job.as_ref().unwrap().state() == RekeyState::Ready {
                    *job = None;
                }
            })
        }

        /// One life of the process: read the ledger, act, write, until done or dead.
        fn live(&mut self, steps: u32) -> Result<(), Crash> {
            self.steps_left = steps;
            while let Some(effect) = self.ledger.0.as_ref().and_then(RekeyJob::effect) {
                self.perform(effect)?;
                self.commit(effect)?;
            }
            Ok(())
        }

        /// Gives the rekey up, if that is possible now; a durable step of its own.
        fn abandon(&mut self) -> bool {
            self.steps_left = FOREVER;
            let Some(mut job) = self.ledger.0.clone() else { return false };
            if !job.abandon() {
                return false;
            }
            let done = self.step(|w| {
                let (slot, ring) = &mut w.ledger;
                ring.retire(job.new_key()).unwrap();
                if job.state() == RekeyState::Ready {
                    let key = ring.retired(job.new_key()).unwrap();
                    ring.remove(&key);
                    *slot = None;
                } else {
                    *slot = Some(job);
                }
            });
            done.is_ok()
        }
    }

    const INVARIANTS: &[fn(&World)] = &[
        no_drive_is_wrapped_by_a_key_that_is_gone,
        the_ring_knows_every_key_that_exists,
        the_ring_never_forgets_a_key_that_still_wraps,
        no_key_is_made_twice,
        the_current_key_exists,
    ];

    fn no_drive_is_wrapped_by_a_key_that_is_gone(world: &World) {
        for (drive, key) in &world.headers {
            assert!(world.keys.contains(key), "drive {drive} is lost: its key {key} is gone");
        }
    }

    fn the_ring_knows_every_key_that_exists(world: &World) {
        assert!(world.keys.iter().all(|key| world.ledger.1.key(*key).is_some()));
    }

    fn the_ring_never_forgets_a_key_that_still_wraps(world: &World) {
        for key in world.headers.values() {
            assert!(world.ledger.1.retired(*key).is_none());
        }
    }

    fn no_key_is_made_twice(world: &World) {
        let distinct: BTreeSet<_> = world.made.iter().collect();
        assert_eq!(distinct.len(), world.made.len());
    }

    fn the_current_key_exists(world: &World) {
        assert!(world.keys.contains(&world.ledger.1.current().unwrap()));
    }

    const DIRECTIONS: &[(KeyManagement, KeyManagement)] = &[
        (INTERNAL, PROVIDER_1),
        (PROVIDER_1, INTERNAL),
        (PROVIDER_1, PROVIDER_2),
        (INTERNAL, INTERNAL),
        (PROVIDER_1, PROVIDER_1),
    ];

    #[test]
    fn a_crash_after_any_step_of_two_lives_loses_nothing() {
        for (from, to) in DIRECTIONS {
            for first_life in 0..20 {
                for second_life in 0..20 {
                    let (mut world, old, new) = World::new(*from, *to);
                    let _ = world.live(first_life);
                    let _ = world.live(second_life);
                    assert!(world.live(FOREVER).is_ok(), "{first_life} {second_life}");
                    assert_eq!(world.ledger.0, None);
                    assert_eq!(world.keys, BTreeSet::from([new]));
                    assert!(world.headers.values().all(|key| *key == new));
                    assert_eq!(world.ledger.1.current(), Some(new));
                    assert!(world.ledger.1.key(old).is_none());
                }
            }
        }
    }

    #[test]
    fn a_rekey_given_up_after_any_step_leaves_no_trace_or_goes_on() {
        let mut given_up = 0;
        for first_life in 0..20 {
            for second_life in 0..20 {
                let (mut world, old, new) = World::new(INTERNAL, PROVIDER_1);
                let _ = world.live(first_life);
                let abandoned = world.abandon();
                let _ = world.live(second_life);
                assert!(world.live(FOREVER).is_ok());
                let left = if abandoned { old } else { new };
                given_up += u32::from(abandoned);
                assert_eq!(world.ledger.0, None);
                assert_eq!(world.keys, BTreeSet::from([left]));
                assert!(world.headers.values().all(|key| *key == left));
                assert_eq!(world.ledger.1.keys().count(), 1);
                assert!(abandoned || first_life > 2, "step {first_life} is early enough");
            }
        }
        assert_eq!(given_up, 3 * 20, "before reaching, before making, and when made");
    }

    #[test]
    fn the_states_are_those_of_element_in_their_order() {
        use RekeyState as S;
        let (new, old) = (KeyId::random(), KeyId::random());
        let mut job = RekeyJob::new(new, old);
        let table = [
            (S::CreateNewMasterKey, Some(Effect::ReachKeyPlace(new))),
            (S::CreateNewMasterKey, Some(Effect::EnsureMasterKey(new))),
            (S::RewrapDataEncryptionKeys, Some(Effect::Rewrap { from: old, to: new })),
            (S::DecommissionOldMasterKey, Some(Effect::DestroyMasterKey(old))),
            (S::Ready, None),
            (S::Ready, None),
        ];
        for (state, effect) in table {
            assert_eq!((job.state(), job.effect()), (state, effect));
            job.advance();
        }
    }

    #[test]
    fn it_can_be_given_up_only_before_anything_is_rewrapped() {
        let (new, old) = (KeyId::random(), KeyId::random());
        for (advances, expected) in [(0, true), (1, true), (2, false), (3, false), (4, false)] {
            let mut job = RekeyJob::new(new, old);
            (0..advances).for_each(|_| job.advance());
            assert_eq!(job.abandon(), expected, "after {advances} steps");
            assert_eq!(job.is_abandoned(), expected, "after {advances} steps");
        }
    }
}
