//! Cluster faults of the key servers, nodes and drives, raised and resolved.

use super::error::RetryableError;
use super::shared_state::Cluster;
use crate::key_server::KeyProviderAccess;
use crate::state::faults::{FaultKind, KmipServerFault};
use crate::state::key_ring::{KeyManagement, NodeId};
use crate::state::ledger::Ledger;
use time::OffsetDateTime;

impl Cluster {
    /// Raises the cluster fault of this error, if it has one.
    pub(crate) async fn raise_fault(&self, error: &RetryableError) {
        self.raise_fault_while(error, |_| true).await;
    }

    /// As [`Self::raise_fault`], but only while `holds` returns true: nobody resolves the fault of
    /// a rekey that is over.
    pub(crate) async fn raise_fault_while(
        &self,
        error: &RetryableError,
        holds: impl Fn(&Ledger) -> bool,
    ) {
        tracing::warn!(%error, "waiting");
        let Some((kind, place, details)) = error.fault() else {
            return;
        };
        self.change_if_needed(|ledger| {
            if !holds(ledger) {
                return false;
            }
            let now = OffsetDateTime::now_utc();
            let related = |k| is_kmip_server_fault(k) && is_kmip_server_fault(kind);
            let other = |k: FaultKind, p| k != kind && related(k) && p == place;
            let resolved = ledger.faults.resolve_where(now, other);
            ledger.faults.raise(kind, place, &details, now) || resolved
        })
        .await;
    }

    /// Resolves the faults of these key servers at this node, because its session works.
    pub(crate) async fn resolve_key_server_faults(&self, provider: &KeyProviderAccess) {
        let node_id = u64::from(provider.node_id);
        let servers: Vec<_> = provider.servers.iter().map(|server| server.key_server_id).collect();
        self.change_if_needed(|ledger| {
            ledger.faults.resolve_where(OffsetDateTime::now_utc(), |kind, place| {
                let meant = place.key_server_id == 0 || servers.contains(&place.key_server_id);
                is_kmip_server_fault(kind) && place.node_id == node_id && meant
            })
        })
        .await;
    }

    /// Resolves the faults of this node and its drives, because its folder works.
    pub(super) async fn resolve_node_faults(&self, node_id: NodeId) {
        let node_id = u64::from(node_id);
        self.change_if_needed(|ledger| {
            ledger.faults.resolve_where(OffsetDateTime::now_utc(), |kind, place| {
                let meant = matches!(kind, FaultKind::NodeOffline | FaultKind::DriveFailed);
                meant && place.node_id == node_id
            })
        })
        .await;
    }
}

/// Resolves the faults of the provider's key servers if it holds no key any more.
pub(crate) fn resolve_faults_of_provider(ledger: &mut Ledger, management: KeyManagement) {
    let Some(provider) = management.key_provider_id() else { return };
    if ledger.ring.active_providers().contains(&provider) {
        return;
    }
    let servers = ledger.registry.servers_of(provider).unwrap_or_default();
    let servers: Vec<_> = servers.into_iter().map(|(id, _)| id).collect();
    ledger.faults.resolve_where(OffsetDateTime::now_utc(), |kind, place| {
        is_kmip_server_fault(kind)
            && (place.key_server_id == 0 || servers.contains(&place.key_server_id))
    });
}

const fn is_kmip_server_fault(kind: FaultKind) -> bool {
    match kind {
        FaultKind::KmipServer(
            KmipServerFault::ConnectionFailure
            | KmipServerFault::AuthenticationFailure
            | KmipServerFault::ServerError,
        ) => true,
        FaultKind::KmipCertificate(..)
        | FaultKind::MasterKeyNotDestroyed(_)
        | FaultKind::KeyShareDamaged
        | FaultKind::NodeOffline
        | FaultKind::DriveFailed
        | FaultKind::BlocksDegraded => false,
    }
}
