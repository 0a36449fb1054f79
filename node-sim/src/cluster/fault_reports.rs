//! Reports of failures by the tasks of the cluster. The cluster faults follow from them by
//! [`super::fault_rules`].

use super::error::RetryableError;
use super::shared_state::Cluster;
use crate::key_server::KeyProviderAccess;
use crate::node::Node;
use crate::state::faults::FaultKind;
use crate::state::key_ring::NodeId;
use crate::state::ledger::{Ledger, NodeRecord};
use crate::state::observations::{DriveState, Failure, Failures, Observations, Source};
use std::sync::Arc;

impl Cluster {
    /// Reports an error of the rekey, but only while `holds` returns true: nobody withdraws the
    /// failure of a rekey that is over.
    pub(crate) async fn raise_fault_while(
        &self,
        error: &RetryableError,
        holds: impl Fn(&Ledger) -> bool,
    ) {
        let Some((kind, place, details)) = error.fault() else { return };
        let failure = Failure { kind, severity: kind.severity(), details };
        self.observe(|ledger, observed| {
            if holds(ledger) {
                observed.report_also(Source::Rekey, place, failure.clone());
            }
        })
        .await;
    }

    /// Withdraws the failures that the rekey has reported, because it went on.
    pub(super) async fn withdraw_rekey_failures(&self) {
        self.observe(|_, observed| observed.report(Source::Rekey, Failures::new())).await;
    }

    /// Withdraws the failures of these key servers at this node, because its session works.
    pub(crate) async fn resolve_key_server_faults(&self, provider: &KeyProviderAccess) {
        let node_id = u64::from(provider.node_id);
        let servers: Vec<_> = provider.servers.iter().map(|server| server.key_server_id).collect();
        self.observe(|_, observed| {
            observed.withdraw(|_, place, failure| {
                let meant = place.key_server_id == 0 || servers.contains(&place.key_server_id);
                let is_kmip = matches!(failure.kind, FaultKind::KmipServer(_));
                is_kmip && place.node_id == node_id && meant
            });
        })
        .await;
    }

    /// Reports what the task of a node has come to: the states of its drives, and its errors.
    pub(super) async fn report_node(&self, node_id: NodeId, errors: &[RetryableError]) {
        let mut failures = Failures::new();
        for (kind, place, details) in errors.iter().filter_map(RetryableError::fault) {
            let failure = Failure { kind, severity: kind.severity(), details };
            failures.entry(place).or_insert(failure);
        }
        let node = self.node(node_id);
        self.observe(|ledger, observed| {
            let Some(record) = ledger.nodes.get(&node_id).filter(|node| node.powered) else {
                return;
            };
            if let Some(node) = &node {
                note_drives(observed, node, errors.first());
            } else if let Some(error) = errors.first() {
                note_missing_drives(observed, record, error);
            }
            observed.report(Source::Node(node_id), failures.clone());
        })
        .await;
    }

    /// Reports the drives of a node that have unlocked so far.
    pub(super) async fn report_unlocked(&self, node: &Arc<Node>) {
        self.observe(|ledger, observed| {
            if ledger.nodes.get(&node.id()).is_some_and(|record| record.powered) {
                note_drives(observed, node, None);
            }
        })
        .await;
    }
}

/// Notes the drives that serve and, if the attempt to unlock all has failed, those that do not.
fn note_drives(observed: &mut Observations, node: &Node, error: Option<&RetryableError>) {
    for drive in node.drives() {
        match (drive.lock_reason(), error) {
            (None, _) => observed.set_drive(drive.id(), DriveState::Active),
            (Some(reason), Some(_)) => {
                observed.set_drive(drive.id(), DriveState::Locked { reason });
            }
            (Some(_), None) => {}
        }
    }
}

/// Notes that no drive of the node can be reached.
fn note_missing_drives(observed: &mut Observations, record: &NodeRecord, error: &RetryableError) {
    for drive in &record.drives {
        let reason = error.to_string();
        observed.set_drive(drive.drive_id, DriveState::Locked { reason });
    }
}
