//! What keeps the cluster from going on, and how it is told: a fault, a detail, a wait.
//!
//! None of these is a failure: whoever meets one waits and tries again.

use super::Cluster;
use crate::key_server::{KeyPlace, VaultError};
use crate::node::NodeError;
use crate::state::faults::{FaultKind, FaultPlace, KmipServerFault};
use crate::state::key_ring::{NodeId, RingError};
use crate::state::key_server_registry::KeyServerId;
use crate::state::ledger::{Ledger, LedgerError};
use std::time::Duration;
use time::OffsetDateTime;

/// What keeps the cluster from going on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// A key server does not do its part for a node.
    #[error("node {node_id}: {error}")]
    KeyServer {
        /// The node whose session it was.
        node_id: NodeId,
        /// The server, or 0 if the cluster cannot name one.
        key_server_id: KeyServerId,
        /// Why.
        error: VaultError,
    },
    /// Nodes have to be there first.
    #[error("waiting for nodes {nodes:?} to be switched on")]
    NodesAway {
        /// The nodes.
        nodes: Vec<u32>,
    },
    /// Drives have to be unlocked first.
    #[error("waiting for locked drives {drives:?}")]
    DrivesLocked {
        /// The drives.
        drives: Vec<u32>,
    },
    /// A node's folder does not do.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The ring forbids it. It should never be seen.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The rekey was changed meanwhile, by whoever gave it up.
    #[error("the rekey was changed meanwhile")]
    Overtaken,
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Trouble {
    pub(super) fn key_server(place: &KeyPlace, error: VaultError) -> Self {
        let key_server_id = place.servers.first().map_or(0, |server| server.key_server_id);
        Self::KeyServer { node_id: place.node_id, key_server_id, error }
    }

    /// The cluster fault that it is, if it is one.
    fn fault(&self) -> Option<(FaultKind, FaultPlace, String)> {
        match self {
            Self::KeyServer { node_id, key_server_id, error } => {
                let place = FaultPlace::key_server_of_node(*key_server_id, u64::from(*node_id));
                Some((FaultKind::KmipServer(error.fault), place, error.sentence.clone()))
            }
            Self::Node(NodeError::Drive { node_id, drive_id, cause }) => {
                let node = FaultPlace::node(u64::from(*node_id));
                let place = FaultPlace { drive_id: u64::from(*drive_id), ..node };
                Some((FaultKind::DriveFailed, place, cause.to_string()))
            }
            Self::Node(
                error @ (NodeError::Folder { node_id, .. } | NodeError::Share { node_id, .. }),
            ) => {
                let place = FaultPlace::node(u64::from(*node_id));
                Some((FaultKind::NodeOffline, place, error.to_string()))
            }
            Self::Node(NodeError::Off(_))
            | Self::NodesAway { .. }
            | Self::DrivesLocked { .. }
            | Self::Ring(_)
            | Self::Overtaken
            | Self::Ledger(_) => None,
        }
    }

    /// Whether any change of the cluster may end it, so that there is no sense in sitting it out.
    pub(super) const fn ends_with_a_change(&self) -> bool {
        match self {
            Self::NodesAway { .. } | Self::DrivesLocked { .. } | Self::Overtaken => true,
            Self::KeyServer { .. } | Self::Node(_) | Self::Ring(_) | Self::Ledger(_) => false,
        }
    }
}

/// The wait between two attempts: it doubles from the settings' least to their longest.
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) const fn new(cluster: &Cluster) -> Self {
        Self { next: cluster.settings.retry_min }
    }

    pub(crate) const fn reset(&mut self, cluster: &Cluster) {
        self.next = cluster.settings.retry_min;
    }

    /// Waits until the next attempt makes sense: the time is up, somebody asked for it, or, if a
    /// change may end the trouble, there was one. False when the cluster closes.
    pub(crate) async fn wait(&mut self, cluster: &Cluster, trouble: &Trouble) -> bool {
        let wait = self.next;
        self.next = self.next.saturating_mul(2).min(cluster.settings.retry_max);
        let mut changes = cluster.changes();
        let mut retries = cluster.retries.subscribe();
        let mut closing = cluster.closing.subscribe();
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = retries.changed() => true,
            _ = changes.changed(), if trouble.ends_with_a_change() => true,
            _ = closing.wait_for(|closing| *closing) => false,
        }
    }
}

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
    pub(crate) async fn resolve(&self, place: &KeyPlace) {
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

    /// Changes the ledger if that is news. That it cannot be written is logged where it happens.
    pub(crate) async fn note(&self, news: impl Fn(&mut Ledger) -> bool) {
        // Asked on a copy first, so that what is not news does not queue at the ledger.
        if news(&mut Ledger::clone(&self.ledger())) {
            let _ = self.change(|ledger| Ok::<_, LedgerError>(news(ledger))).await;
        }
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
