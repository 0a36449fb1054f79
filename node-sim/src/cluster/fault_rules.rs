//! Rules by which cluster faults and events follow from the state of the cluster.
//!
//! ```text
//! nodes, drives as last seen, failures as last reported, certificates  ->  faults, events
//! ```
//!
//! They are applied to every change before it is shown, so that a drive that `ListDrives` shows as
//! failed has its fault, for exactly as long, and no fault outlives its cause. Faults of kinds that
//! are not listed in [`is_derived`] are raised and resolved where they are found.

use super::certificate_rules;
use crate::state::events::{EventContent, EventType};
use crate::state::faults::{ExpectedFaults, FaultKind, FaultPlace, Severity};
use crate::state::key_ring::NodeId;
use crate::state::ledger::Ledger;
use crate::state::observations::{DriveState, Failure, Source};
use serde_json::json;
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// Updates the faults and records the events that follow from a change of the cluster.
pub(super) fn apply(before: &Ledger, after: &mut Ledger, now: OffsetDateTime) {
    withdraw_stale(after);
    let expected = expected_faults(after);
    after.faults.update(is_derived, expected, now);
    resolve_orphans(after, now);
    if certificate_rules::must_update(before, after) {
        certificate_rules::update(after, now);
    }
    record_events(before, after, now);
}

/// Whether faults of this kind are raised and resolved by [`expected_faults`] only.
pub(super) const fn is_derived(kind: FaultKind) -> bool {
    match kind {
        FaultKind::KmipServer(_)
        | FaultKind::NodeOffline
        | FaultKind::NodeHardware
        | FaultKind::DriveFailed
        | FaultKind::DriveHealth => true,
        FaultKind::KmipCertificate(..)
        | FaultKind::MasterKeyNotDestroyed(_)
        | FaultKind::KeyShareDamaged
        | FaultKind::GenerationFileDamaged
        | FaultKind::BlocksDegraded => false,
    }
}

/// The faults that the state of the cluster has.
pub(super) fn expected_faults(ledger: &Ledger) -> ExpectedFaults {
    let counts = ledger.drive_counts();
    let no_io = counts.active == 0 && counts.starting == 0;
    let severity = if no_io { Severity::Critical } else { Severity::Error };
    let mut expected = ExpectedFaults::new();
    for (node_id, node) in ledger.nodes.iter().filter(|(_, node)| !node.powered) {
        let place = FaultPlace::node(u64::from(*node_id));
        let details = format!("{} is switched off.", node.name);
        expected.insert((FaultKind::NodeOffline, place), (severity, details));
    }
    for (node_id, drive) in ledger.drives() {
        let place = FaultPlace::drive(u64::from(node_id), u64::from(drive.drive_id));
        let details = match ledger.drive_state(node_id, drive.drive_id) {
            DriveState::Active | DriveState::Starting => continue,
            DriveState::Locked { reason } => format!("The drive is locked: {reason}"),
            DriveState::Absent => "The node of the drive is offline.".to_owned(),
        };
        expected.insert((FaultKind::DriveFailed, place), (severity, details));
    }
    let mut key_servers = BTreeSet::new();
    let mut reported = BTreeSet::new();
    for (source, place, failure) in ledger.observed.failures() {
        let Some(kind) = kind_of(ledger, place, failure) else { continue };
        if source == Source::Monitor && reported.contains(&place.key_server_id) {
            continue;
        }
        if matches!(kind, FaultKind::KmipServer(_)) {
            reported.insert(place.key_server_id);
        }
        if matches!(kind, FaultKind::KmipServer(_)) && !key_servers.insert(place) {
            continue;
        }
        let escalates = no_io && (place.key_server_id == 0 || opens_drives(ledger, place));
        let severity = if escalates { Severity::Critical } else { failure.severity };
        let fault = (severity, failure.details.clone());
        expected.entry((kind, place)).or_insert(fault);
    }
    expected
}

/// The kind of fault that a failure is, with what is known of its node and drive.
fn kind_of(ledger: &Ledger, place: FaultPlace, failure: &Failure) -> Option<FaultKind> {
    match failure.kind {
        // A drive that does not serve has its own fault.
        FaultKind::DriveFailed => {
            let drives = ledger.drives();
            let mut found = drives.filter(|(_, drive)| u64::from(drive.drive_id) == place.drive_id);
            let (node_id, drive) = found.next()?;
            let state = ledger.drive_state(node_id, drive.drive_id);
            (state == DriveState::Active).then_some(FaultKind::DriveHealth)
        }
        FaultKind::NodeOffline => {
            let node_id = u32::try_from(place.node_id).map(NodeId).ok()?;
            let runs = ledger.drive_counts_of(node_id).active > 0;
            Some(if runs { FaultKind::NodeHardware } else { FaultKind::NodeOffline })
        }
        kind @ (FaultKind::KmipServer(_)
        | FaultKind::KmipCertificate(..)
        | FaultKind::MasterKeyNotDestroyed(_)
        | FaultKind::KeyShareDamaged
        | FaultKind::GenerationFileDamaged
        | FaultKind::BlocksDegraded
        | FaultKind::NodeHardware
        | FaultKind::DriveHealth) => Some(kind),
    }
}

/// Whether the key server holds a key that a drive needs.
fn opens_drives(ledger: &Ledger, place: FaultPlace) -> bool {
    let provider = ledger.registry.provider_of(place.key_server_id);
    provider.is_some_and(|provider| {
        let mut keys = ledger.ring.keys();
        keys.any(|(key_id, record)| {
            record.management.key_provider_id() == Some(provider) && ledger.ring.wraps(key_id) > 0
        })
    })
}

/// Withdraws failures whose source or object is not there any more.
fn withdraw_stale(ledger: &mut Ledger) {
    let mut observed = std::mem::take(&mut ledger.observed);
    let active = ledger.ring.active_providers();
    let is_off = |node_id: u64| {
        let found = u32::try_from(node_id).ok().and_then(|id| ledger.nodes.get(&NodeId(id)));
        node_id != 0 && found.is_none_or(|node| !node.powered)
    };
    observed.withdraw(|source, place, failure| {
        let source_is_gone = match source {
            Source::Node(node_id) => is_off(u64::from(node_id)),
            Source::Rekey => ledger.rekey.is_none(),
            Source::Monitor => false,
        };
        let server_is_unused = match (failure.kind, place.key_server_id) {
            (FaultKind::KmipServer(_), 0) => active.is_empty(),
            (FaultKind::KmipServer(_), id) => !ledger.is_key_server_in_use(id),
            _ => false,
        };
        source_is_gone || server_is_unused || is_off(place.node_id)
    });
    ledger.observed = observed;
}

/// Resolves faults that are raised elsewhere and whose object is not there any more.
fn resolve_orphans(ledger: &mut Ledger, now: OffsetDateTime) {
    let servers: BTreeSet<_> = ledger.registry.servers().map(|(id, _)| id).collect();
    let retired: BTreeSet<_> = ledger.ring.all_retired().map(|key| key.key_id()).collect();
    ledger.faults.resolve_where(now, |kind, place| {
        let id = place.key_server_id;
        match kind {
            FaultKind::MasterKeyNotDestroyed(key_id) => !retired.contains(&key_id),
            FaultKind::KmipServer(_)
            | FaultKind::KmipCertificate(..)
            | FaultKind::KeyShareDamaged
            | FaultKind::GenerationFileDamaged
            | FaultKind::BlocksDegraded
            | FaultKind::NodeOffline
            | FaultKind::NodeHardware
            | FaultKind::DriveFailed
            | FaultKind::DriveHealth => id != 0 && !servers.contains(&id),
        }
    });
}

/// Records which drives unlock and lock, as events of their node, and when the last one unlocks.
fn record_events(before: &Ledger, after: &mut Ledger, now: OffsetDateTime) {
    let nodes: Vec<_> = after.nodes.keys().copied().collect();
    for node_id in nodes {
        let (was, is) = (before.drive_counts_of(node_id), after.drive_counts_of(node_id));
        let words = if is.active > was.active {
            format!("{} of {} drives of node {node_id} unlocked", is.active, is.total)
        } else if is.locked > was.locked {
            format!("{} of {} drives of node {node_id} are locked", is.locked, is.total)
        } else {
            continue;
        };
        let details = json!({ "drives": is.total, "locked": is.locked, "unlocked": is.active });
        let content = EventContent::new(EventType::EncryptionAtRestEvent, words);
        after.events.record(content.on_node(u64::from(node_id)).with_details(details), now);
    }
    let serves = |ledger: &Ledger| ledger.is_unlocked() && ledger.drive_counts().active > 0;
    if serves(after) && !serves(before) {
        let content = EventContent::new(EventType::EncryptionAtRestEvent, "Cluster unlocked");
        after.events.record(content, now);
    }
}
