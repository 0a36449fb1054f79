//! Cluster faults of the key servers, nodes and drives, raised and resolved.

use super::error::Trouble;
use super::shared_state::Cluster;
use crate::key_server::KeyProviderAccess;
use crate::state::faults::{FaultKind, KmipServerFault};
use crate::state::key_ring::NodeId;
use crate::state::key_server_registry::KeyServerId;
use crate::state::ledger::Ledger;
use time::OffsetDateTime;

impl Cluster {
    /// Tells the trouble as a cluster fault, if it is one and is news.
    pub(crate) async fn raise(&self, trouble: &Trouble) {
        self.raise_while(trouble, |_| true).await;
    }

    /// As [`Self::raise`], but only while this holds: nobody ends a fault of what is over.
    pub(crate) async fn raise_while(&self, trouble: &Trouble, holds: impl Fn(&Ledger) -> bool) {
        tracing::warn!(%trouble, "waiting");
        let Some((kind, place, details)) = trouble.fault() else {
            return;
        };
        self.note(|ledger| {
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

    /// The node's session to the server works: its faults, if there are any, are over.
    pub(crate) async fn resolve(&self, place: &KeyProviderAccess) {
        let node_id = u64::from(place.node_id);
        let servers: Vec<_> = place.servers.iter().map(|server| server.key_server_id).collect();
        self.note(|ledger| {
            ledger.faults.resolve_where(OffsetDateTime::now_utc(), |kind, place| {
                let meant = place.key_server_id == 0 || servers.contains(&place.key_server_id);
                is_kmip_server_fault(kind) && place.node_id == node_id && meant
            })
        })
        .await;
    }

    /// The node works on its folder again: what was wrong with that is over.
    pub(super) async fn resolve_node(&self, node_id: NodeId) {
        let node_id = u64::from(node_id);
        self.note(|ledger| {
            ledger.faults.resolve_where(OffsetDateTime::now_utc(), |kind, place| {
                let meant = matches!(kind, FaultKind::NodeOffline | FaultKind::DriveFailed);
                meant && place.node_id == node_id
            })
        })
        .await;
    }
}

/// Ends the faults of servers that no node needs any more.
pub(crate) fn forget_servers(ledger: &mut Ledger, servers: &[KeyServerId]) {
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
        FaultKind::KmipCertificate(..) | FaultKind::NodeOffline | FaultKind::DriveFailed => false,
    }
}
