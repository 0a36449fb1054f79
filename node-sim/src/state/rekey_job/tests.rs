//! The rekey in a world that dies at every step: what it may lose, and what it may leave.

use super::{Effect, Outcome, RekeyJob, RekeyState};
use crate::state::key_ring::{CreatedKey, DriveId, KeyId, KeyManagement, KeyOrigin, KeyRing};
use std::collections::{BTreeMap, BTreeSet};

const DRIVES: u32 = 3;
/// More steps than any job takes.
const FOREVER: u32 = 100;
/// More steps than the longest life that a test cuts short.
const LIFE: u32 = 40;

const INTERNAL: KeyManagement = KeyManagement::Internal;
const PROVIDER_1: KeyManagement = KeyManagement::External { key_provider_id: 1 };
const PROVIDER_2: KeyManagement = KeyManagement::External { key_provider_id: 2 };

const DIRECTIONS: &[(KeyManagement, KeyManagement)] = &[
    (INTERNAL, PROVIDER_1),
    (PROVIDER_1, INTERNAL),
    (PROVIDER_1, PROVIDER_2),
    (INTERNAL, INTERNAL),
    (PROVIDER_1, PROVIDER_1),
];

/// What outlives a crash: the ledger, the places of keys and the drives' headers.
struct World {
    ledger: (Option<RekeyJob>, KeyRing),
    /// The keys that exist in their places.
    keys: BTreeSet<KeyId>,
    /// Every key that was ever created, in order.
    created: Vec<KeyId>,
    headers: BTreeMap<DriveId, BTreeSet<KeyId>>,
    /// Whether a destruction can be proved.
    confirms: bool,
    steps_left: u32,
}

struct Crash;

fn created() -> CreatedKey {
    CreatedKey { dealing: None, identifier: None, check: String::new() }
}

fn origin() -> KeyOrigin {
    KeyOrigin { host: "host".to_owned(), client_certificate: None }
}

fn drives() -> impl Iterator<Item = DriveId> {
    (1..=DRIVES).map(DriveId)
}

impl World {
    fn new(from: KeyManagement, to: KeyManagement) -> (Self, KeyId, KeyId) {
        let (old, new) = (KeyId::random(), KeyId::random());
        let mut ring = KeyRing::default();
        ring.plan(old, from, String::new());
        ring.put_in_use(old, created()).unwrap();
        drives().for_each(|drive| ring.note_wrapped(drive, old).unwrap());
        ring.make_current(old).unwrap();
        ring.plan(new, to, String::new());
        let world = Self {
            ledger: (Some(RekeyJob::new(new, old)), ring),
            keys: BTreeSet::from([old]),
            created: Vec::new(),
            headers: drives().map(|drive| (drive, BTreeSet::from([old]))).collect(),
            confirms: true,
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

    fn perform(&mut self, effect: Effect) -> Result<Outcome, Crash> {
        match effect {
            Effect::ReachKeyPlace(_) => return Ok(Outcome::Reached(Some(origin()))),
            Effect::EnsureMasterKey(id) => {
                self.step(|w| {
                    if w.keys.insert(id) {
                        w.created.push(id);
                    }
                })?;
                return Ok(Outcome::Created(created()));
            }
            Effect::AddWrappings(id) => {
                for drive in drives() {
                    if !self.ledger.1.may_wrap(drive, id) {
                        self.step(|w| w.ledger.1.note_wrapped(drive, id).unwrap())?;
                    }
                    if !self.headers[&drive].contains(&id) {
                        self.step(|w| w.headers.get_mut(&drive).unwrap().extend([id]))?;
                    }
                }
            }
            Effect::ProveMasterKey(id) => {
                assert!(self.headers.values().all(|keys| keys.contains(&id)));
            }
            Effect::RemoveWrappings { removed, kept } => {
                for drive in drives() {
                    if self.headers[&drive].contains(&removed) {
                        assert!(self.headers[&drive].contains(&kept), "{drive} opens with {kept}");
                        self.step(|w| {
                            w.headers.get_mut(&drive).unwrap().retain(|key| *key != removed)
                        })?;
                    }
                    if self.ledger.1.may_wrap(drive, removed) {
                        self.step(|w| w.ledger.1.note_unwrapped(drive, removed).unwrap())?;
                    }
                }
            }
            Effect::DestroyMasterKey(id) => {
                if let Some(key) = self.ledger.1.retired(id) {
                    if !self.confirms {
                        return Ok(Outcome::NotConfirmed("it is not shown".to_owned()));
                    }
                    self.step(|w| w.keys.retain(|id| *id != key.key_id()))?;
                }
            }
        }
        Ok(Outcome::Done)
    }

    fn commit(&mut self, outcome: &Outcome) -> Result<(), Crash> {
        self.step(|w| {
            let (job, ring) = &mut w.ledger;
            let mut next = job.clone().unwrap();
            next.commit(ring, outcome).unwrap();
            *job = (next.state() != RekeyState::Ready).then_some(next);
        })
    }

    /// One life of the process: read the ledger, act, write, until done or dead.
    fn live(&mut self, steps: u32) -> Result<(), Crash> {
        self.steps_left = steps;
        while let Some(effect) = self.ledger.0.as_ref().and_then(RekeyJob::effect) {
            let outcome = self.perform(effect)?;
            self.commit(&outcome)?;
        }
        Ok(())
    }

    /// Gives the rekey up, if that is possible now; a durable step of its own.
    fn give_up(&mut self) -> bool {
        self.steps_left = FOREVER;
        let Some(mut job) = self.ledger.0.clone() else { return false };
        let mut ring = self.ledger.1.clone();
        if !job.give_up(&mut ring).unwrap() {
            return false;
        }
        let done = self.step(|w| {
            let running = job.state() != RekeyState::Ready;
            w.ledger = (running.then_some(job), ring);
        });
        done.is_ok()
    }
}

const INVARIANTS: &[fn(&World)] = &[
    no_header_names_a_key_that_is_gone,
    every_drive_opens_with_the_current_key,
    the_ring_knows_every_key_that_exists,
    the_ring_lists_every_wrapping_of_a_header,
    a_retired_key_is_in_no_header,
    no_key_is_created_twice,
];

fn no_header_names_a_key_that_is_gone(world: &World) {
    for (drive, keys) in &world.headers {
        assert!(!keys.is_empty());
        assert!(keys.is_subset(&world.keys), "drive {drive}: a key of {keys:?} is gone");
    }
}

fn every_drive_opens_with_the_current_key(world: &World) {
    let current = world.ledger.1.current().unwrap();
    assert!(world.headers.values().all(|keys| keys.contains(&current)));
}

fn the_ring_knows_every_key_that_exists(world: &World) {
    assert!(world.keys.iter().all(|key| world.ledger.1.key(*key).is_some()));
}

fn the_ring_lists_every_wrapping_of_a_header(world: &World) {
    for (drive, keys) in &world.headers {
        assert!(keys.iter().all(|key| world.ledger.1.may_wrap(*drive, *key)), "drive {drive}");
    }
}

fn a_retired_key_is_in_no_header(world: &World) {
    for key in world.headers.values().flatten() {
        assert!(world.ledger.1.retired(*key).is_none());
    }
}

fn no_key_is_created_twice(world: &World) {
    let distinct: BTreeSet<_> = world.created.iter().collect();
    assert_eq!(distinct.len(), world.created.len());
}

#[test]
fn a_crash_after_any_step_of_two_lives_loses_nothing() {
    for (from, to) in DIRECTIONS {
        for first_life in 0..LIFE {
            for second_life in 0..LIFE {
                let (mut world, old, new) = World::new(*from, *to);
                let _ = world.live(first_life);
                let _ = world.live(second_life);
                assert!(world.live(FOREVER).is_ok(), "{first_life} {second_life}");
                assert_eq!(world.ledger.0, None);
                assert_eq!(world.keys, BTreeSet::from([new]));
                assert!(world.headers.values().all(|keys| *keys == BTreeSet::from([new])));
                assert_eq!(world.ledger.1.current(), Some(new));
                assert!(world.ledger.1.key(old).is_none());
            }
        }
    }
}

#[test]
fn a_rekey_given_up_after_any_step_leaves_no_trace_or_goes_on() {
    let mut given_up = BTreeSet::new();
    for (from, to) in DIRECTIONS {
        for first_life in 0..LIFE {
            for second_life in 0..LIFE {
                let (mut world, old, new) = World::new(*from, *to);
                let _ = world.live(first_life);
                let untouched = world.headers.values().all(|keys| keys.contains(&old));
                let retired = world.ledger.1.retired(old).is_some();
                let abandoned = world.give_up();
                assert!(untouched || !abandoned, "after the first old wrapping was removed");
                assert!(
                    abandoned || !untouched || retired || world.ledger.1.current() == Some(new)
                );
                let _ = world.live(second_life);
                assert!(world.live(FOREVER).is_ok());
                let left = if abandoned { old } else { new };
                if abandoned {
                    given_up.insert(first_life);
                }
                assert_eq!(world.ledger.0, None);
                assert_eq!(world.keys, BTreeSet::from([left]));
                assert!(world.headers.values().all(|keys| *keys == BTreeSet::from([left])));
                assert_eq!(world.ledger.1.keys().count(), 1);
            }
        }
    }
    // Reach; create, commit; two steps a drive, commit; the proof's commit ends it.
    let last = 1 + 2 + 2 * DRIVES + 1;
    assert_eq!(given_up, (0..=last).collect::<BTreeSet<_>>());
}

#[test]
fn a_key_whose_destruction_is_not_confirmed_stays_on_the_ring() {
    for abandon in [false, true] {
        let (mut world, old, new) = World::new(PROVIDER_1, PROVIDER_2);
        world.confirms = false;
        if abandon {
            let _ = world.live(5);
            assert!(world.give_up());
        }
        assert!(world.live(FOREVER).is_ok());
        assert_eq!(world.ledger.0, None);
        let (left, not_confirmed) = if abandon { (old, new) } else { (new, old) };
        assert_eq!(world.ledger.1.current(), Some(left));
        let retired: Vec<_> = world.ledger.1.all_retired().map(|key| key.key_id()).collect();
        assert_eq!(retired, [not_confirmed]);
        assert_eq!(world.ledger.1.active_providers(), [1, 2].into());
    }
}

#[test]
fn the_states_are_those_of_element_in_their_order() {
    use RekeyState as S;
    let (new, old) = (KeyId::random(), KeyId::random());
    let mut job = RekeyJob::new(new, old);
    let table = [
        (S::CreateNewMasterKey, Some(Effect::ReachKeyPlace(new))),
        (S::CreateNewMasterKey, Some(Effect::EnsureMasterKey(new))),
        (S::RewrapDataEncryptionKeys, Some(Effect::AddWrappings(new))),
        (S::RewrapDataEncryptionKeys, Some(Effect::ProveMasterKey(new))),
        (S::DecommissionOldMasterKey, Some(Effect::RemoveWrappings { removed: old, kept: new })),
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
fn the_way_back_removes_what_the_way_there_added() {
    let (new, old) = (KeyId::random(), KeyId::random());
    let remove = Effect::RemoveWrappings { removed: new, kept: old };
    let destroy = Effect::DestroyMasterKey(new);
    let table: [(u32, &[Effect]); 7] = [
        (0, &[]),
        (1, &[destroy]),
        (2, &[remove, destroy]),
        (3, &[remove, destroy]),
        (4, &[]),
        (5, &[]),
        (6, &[]),
    ];
    for (advances, effects) in table {
        let mut job = RekeyJob::new(new, old);
        (0..advances).for_each(|_| job.advance());
        let possible = advances < 4;
        assert_eq!(job.can_be_abandoned(), possible, "after {advances} steps");
        assert_eq!(job.abandon(), possible, "after {advances} steps");
        assert_eq!(job.is_abandoned(), possible, "after {advances} steps");
        for effect in effects {
            assert_eq!(job.effect(), Some(*effect), "after {advances} steps");
            job.advance();
        }
        assert_eq!(job.effect().is_none(), possible || advances == 6, "after {advances} steps");
    }
}
