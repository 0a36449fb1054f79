//! Errors of the cluster.

use crate::key_server::{KeyProviderAccess, KeyServerError};
use crate::node::NodeError;
use crate::state::account_key::AccountKeyError;
use crate::state::async_results::AsyncHandle;
use crate::state::error::ElementError;
use crate::state::faults::{FaultKind, FaultPlace, KmipServerFault};
use crate::state::key_ring::{KeyId, KeyRingError, NodeId};
use crate::state::key_server_registry::KeyServerId;
use crate::state::ledger::LedgerError;
use crate::state::rekey_job::RekeyState;

/// Error of opening a cluster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Its folder cannot be used.
    #[error("cannot use the cluster's folder {folder}: {cause}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Another program has it open.
    #[error("the cluster's folder {folder} is in use by another program: stop it first")]
    InUse {
        /// The folder.
        folder: String,
    },
    /// There are nodes, but nobody knows what of them counts.
    #[error(
        "{folder} holds nodes but no ledger.json: put the ledger back, or choose an empty folder"
    )]
    LedgerMissing {
        /// The folder.
        folder: String,
    },
    /// The settings ask for what cannot be.
    #[error("{0}")]
    Settings(String),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The key of the accounts' CHAP secrets cannot be used.
    #[error(transparent)]
    AccountKey(#[from] AccountKeyError),
    /// A node cannot be made.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The ring forbids it. It should never be seen.
    #[error(transparent)]
    Ring(#[from] KeyRingError),
}

/// Error of starting a rekey.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StartRekeyError {
    /// Software encryption at rest is not enabled.
    #[error("software encryption at rest is not enabled on this cluster")]
    NotEnabled,
    /// One is running.
    #[error("a rekey is running already, see async result {async_handle}")]
    InProgress {
        /// Its async result.
        async_handle: AsyncHandle,
    },
    /// There is no such key provider, or it has no key server.
    #[error(transparent)]
    Provider(#[from] ElementError),
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Error of abandoning a rekey.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum AbandonRekeyError {
    /// None is running.
    #[error("no rekey is running")]
    NotRunning,
    /// It is too late.
    #[error(
        "the rekey is in state {0:?}: it can be given up only until every node has proved the new \
         master key"
    )]
    TooLate(RekeyState),
    /// The ring forbids it.
    #[error(transparent)]
    Ring(#[from] KeyRingError),
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Error of taking a master key off the ledger.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ForgetKeyError {
    /// There is no such key.
    #[error("master key {0} is not in the ledger")]
    Unknown(KeyId),
    /// The key is in use, or a rekey is destroying it.
    #[error("master key {0} is not one whose destruction could not be confirmed")]
    Needed(KeyId),
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Error of releasing a rekey: none is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no rekey is stopped: GET /sim/v1/rekey/control says where the next one stops")]
pub(crate) struct NotStopped;

/// Error of switching a node on or off.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum PowerError {
    /// There is no such node.
    #[error("node {0} does not exist")]
    NoSuchNode(NodeId),
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Error after which a task of the cluster waits and tries again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetryableError {
    /// A key server does not do its part for a node.
    #[error("node {node_id}: {error}")]
    KeyServer {
        /// The node whose session it was.
        node_id: NodeId,
        /// The server, or 0 if the cluster cannot name one.
        key_server_id: KeyServerId,
        /// Why.
        error: KeyServerError,
    },
    /// Nodes have to be there first.
    #[error("waiting for nodes {nodes:?} to be switched on")]
    NodesOffline {
        /// The nodes; at least one.
        nodes: Vec<u32>,
    },
    /// All nodes are there, and too few of their shares are.
    #[error(
        "{usable} of the {needed} shares that are needed for master key {key_id} can be used: \
         restore the shares of the nodes from a backup"
    )]
    SharesUnusable {
        /// The key.
        key_id: KeyId,
        /// How many shares can be used.
        usable: usize,
        /// How many are needed.
        needed: usize,
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
    Ring(#[from] KeyRingError),
    /// The rekey was changed meanwhile, by whoever gave it up.
    #[error("the rekey was changed meanwhile")]
    RekeyChanged,
    /// The ledger cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl RetryableError {
    pub(crate) fn key_server(provider: &KeyProviderAccess, error: KeyServerError) -> Self {
        let key_server_id = provider.servers.first().map_or(0, |server| server.key_server_id);
        Self::KeyServer { node_id: provider.node_id, key_server_id, error }
    }

    /// The cluster fault that it is, if it is one.
    pub(crate) fn fault(&self) -> Option<(FaultKind, FaultPlace, String)> {
        match self {
            Self::KeyServer { node_id, key_server_id, error } => {
                let place = FaultPlace::key_server_of_node(*key_server_id, u64::from(*node_id));
                Some((FaultKind::KmipServer(error.fault), place, error.message.clone()))
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
            | Self::NodesOffline { .. }
            | Self::SharesUnusable { .. }
            | Self::DrivesLocked { .. }
            | Self::Ring(_)
            | Self::RekeyChanged
            | Self::Ledger(_) => None,
        }
    }

    /// Number of refusals of a key server in a row, with this error after so many; `max` if the
    /// refusal is permanent. Any other error is not a refusal and ends the row.
    pub(crate) const fn refusals_after(&self, refusals: u32, max: u32) -> u32 {
        match self {
            Self::KeyServer { error, .. } if error.permanent => max,
            Self::KeyServer { error, .. }
                if matches!(error.fault, KmipServerFault::ServerError) =>
            {
                refusals.saturating_add(1)
            }
            Self::KeyServer { .. }
            | Self::Node(_)
            | Self::NodesOffline { .. }
            | Self::SharesUnusable { .. }
            | Self::DrivesLocked { .. }
            | Self::Ring(_)
            | Self::RekeyChanged
            | Self::Ledger(_) => 0,
        }
    }

    /// Returns whether any change of the cluster may end it, so that there is no need to wait.
    pub(crate) const fn ends_with_a_change(&self) -> bool {
        match self {
            Self::NodesOffline { .. } | Self::DrivesLocked { .. } | Self::RekeyChanged => true,
            Self::KeyServer { .. }
            | Self::SharesUnusable { .. }
            | Self::Node(_)
            | Self::Ring(_)
            | Self::Ledger(_) => false,
        }
    }
}
