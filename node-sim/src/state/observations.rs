//! What the running program has seen of drives, nodes and key servers.
//!
//! A section of the ledger that is kept in memory only: a program that is started again has seen
//! nothing yet. The states of drives and the faults that follow from them are shown together, as
//! parts of one ledger. Who reports failures does so for itself: the failures of a source are those
//! of its last report.

use crate::state::faults::{FaultKind, FaultPlace, Severity};
use crate::state::key_ring::{DriveId, NodeId};
use std::collections::BTreeMap;

/// State of a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DriveState {
    /// Its data encryption key is there: it serves.
    Active,
    /// Its node has just started, and the key that unlocks it is being acquired.
    Starting,
    /// It is locked: its key cannot be acquired, or does not open it.
    Locked {
        /// Why.
        reason: String,
    },
    /// Its node is switched off.
    Absent,
}

/// What reports failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// The task of a node.
    Node(NodeId),
    /// The rekey that is running.
    Rekey,
    /// The monitor of the key servers. It comes last: what others report is not said twice.
    Monitor,
}

/// A failure as its source reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What it is about.
    pub(crate) kind: FaultKind,
    /// How bad it is, as far as the source knows.
    pub(crate) severity: Severity,
    /// What is wrong and what to do.
    pub(crate) details: String,
}

/// Failures of one source, each at its place.
pub(crate) type Failures = BTreeMap<FaultPlace, Failure>;

/// What the running program has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observations {
    drives: BTreeMap<DriveId, DriveState>,
    failures: BTreeMap<Source, Failures>,
    key_pair_damage: Option<String>,
}

impl Observations {
    /// Why the private key for key servers cannot be used, if the ledger names one and it cannot.
    #[must_use]
    pub(crate) fn key_pair_damage(&self) -> Option<&str> {
        self.key_pair_damage.as_deref()
    }

    /// Notes why the private key for key servers cannot be used, or that it can.
    pub(crate) fn set_key_pair_damage(&mut self, damage: Option<String>) {
        self.key_pair_damage = damage;
    }

    /// State of a drive whose node is switched on.
    #[must_use]
    pub(crate) fn drive(&self, drive_id: DriveId) -> DriveState {
        self.drives.get(&drive_id).cloned().unwrap_or(DriveState::Starting)
    }

    /// Notes the state of a drive.
    pub(crate) fn set_drive(&mut self, drive_id: DriveId, state: DriveState) {
        self.drives.insert(drive_id, state);
    }

    /// Forgets what was seen of a drive, because its node was switched off or on.
    pub(crate) fn forget_drive(&mut self, drive_id: DriveId) {
        self.drives.remove(&drive_id);
    }

    /// Replaces the failures of a source.
    pub(crate) fn report(&mut self, source: Source, failures: Failures) {
        if failures.is_empty() {
            self.failures.remove(&source);
        } else {
            self.failures.insert(source, failures);
        }
    }

    /// Adds a failure to those that the source reports.
    pub(crate) fn report_also(&mut self, source: Source, place: FaultPlace, failure: Failure) {
        self.failures.entry(source).or_default().insert(place, failure);
    }

    /// Removes the failures of which this holds.
    pub(crate) fn withdraw(&mut self, is_over: impl Fn(Source, FaultPlace, &Failure) -> bool) {
        for (source, failures) in &mut self.failures {
            failures.retain(|place, failure| !is_over(*source, *place, failure));
        }
        self.failures.retain(|_, failures| !failures.is_empty());
    }

    /// All failures, in order of their sources.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (Source, FaultPlace, &Failure)> {
        let of = |(source, failures): (&Source, _)| -> Vec<(Source, FaultPlace, &Failure)> {
            let failures: &Failures = failures;
            failures.iter().map(|(place, failure)| (*source, *place, failure)).collect()
        };
        self.failures.iter().flat_map(of)
    }
}
