//! The state that all tasks of a cluster share: its ledger, its running nodes and its channels.
//!
//! Whoever reads sees the last durable ledger. Whoever changes it queues at one lock: the change is
//! made on a copy, the copy is written and synced, then it is shown. The file is written on tokio's
//! blocking threads together with the showing, so that a caller who goes away in between leaves
//! disk and memory equal. The lock is never held over a call to a key server.

use super::error::RetryableError;
use super::rekey_control::RekeyControl;
use super::settings::ClusterSettings;
use crate::key_server::KeyServerClient;
use crate::node::Node;
use crate::state::key_ring::NodeId;
use crate::state::key_server_registry::KeyServerId;
use crate::state::ledger::{Ledger, LedgerError};
use crate::state::ledger_file::LedgerFile;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::watch;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// A cluster, as all its tasks share it.
pub(crate) struct Cluster {
    pub(super) settings: ClusterSettings,
    pub(super) ledger: Arc<RwLock<Arc<Ledger>>>,
    pub(super) writer: Arc<tokio::sync::Mutex<LedgerFile>>,
    pub(super) client_key: Arc<RwLock<Option<Zeroizing<String>>>>,
    /// The nodes that are switched on.
    pub(super) nodes: RwLock<BTreeMap<NodeId, Arc<Node>>>,
    pub(super) key_servers: Arc<dyn KeyServerClient>,
    /// Goes up with every change that somebody may wait for.
    pub(super) changes: watch::Sender<u64>,
    /// Goes up when the tasks that wait after an error shall try again at once.
    pub(super) retries: watch::Sender<u64>,
    /// Nodes of which a share was found damaged.
    pub(super) damaged_shares: Mutex<BTreeSet<NodeId>>,
    /// Key servers of which an operator insists on the next change.
    pub(super) unchecked_changes: Mutex<BTreeSet<KeyServerId>>,
    /// Pace and stop of rekeys.
    pub(super) rekey_control: RekeyControl,
    pub(super) closing: watch::Sender<bool>,
    pub(super) tasks: tokio::sync::Mutex<JoinSet<()>>,
    /// Locked as long as the folder is in use.
    pub(super) _lock: File,
}

impl Cluster {
    /// The ledger as it last became durable.
    #[must_use]
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        let shown = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shown)
    }

    /// Reads something from the ledger.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.ledger())
    }

    /// Changes the ledger. The change is made on a copy; if it succeeds the copy is written, and
    /// only then seen by others and answered to the caller. If it is refused nothing happened.
    ///
    /// # Errors
    /// The change was refused, or the ledger could not be written.
    pub(crate) async fn change<T, E>(
        &self,
        change: impl FnOnce(&mut Ledger) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<LedgerError>,
    {
        let mut file = Arc::clone(&self.writer).lock_owned().await;
        let mut ledger = Ledger::clone(&self.ledger());
        let answer = change(&mut ledger)?;
        let shown = Arc::clone(&self.ledger);
        let changes = self.changes.clone();
        let written = tokio::task::spawn_blocking(move || {
            file.write(&mut ledger)?;
            *shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ledger);
            changes.send_modify(|count| *count = count.wrapping_add(1));
            Ok(())
        });
        match written.await {
            Ok(Ok(())) => Ok(answer),
            Ok(Err(error)) => Err(E::from(error)),
            Err(join) => Err(E::from(LedgerError::Stopped(join.to_string()))),
        }
    }

    /// Wakes whoever holds it at every change of the cluster.
    #[must_use]
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Lets whoever waits for a key server or a node try again at once, because something about it
    /// was changed.
    pub(crate) fn retry_now(&self) {
        self.retries.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Something changed that is not in the ledger.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Turns true when the cluster closes.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// The nodes that are switched on and have read their drives.
    pub(crate) fn running_nodes(&self) -> Vec<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn node(&self, node_id: NodeId) -> Option<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).get(&node_id).cloned()
    }

    /// The nodes that are running, and the ids of the others, at one moment.
    pub(crate) fn running_and_offline_nodes(&self) -> (Vec<Arc<Node>>, Vec<u32>) {
        let running = self.nodes.read().unwrap_or_else(PoisonError::into_inner).clone();
        let away = |id: &&NodeId| !running.contains_key(id);
        let offline = self.read(|ledger| ledger.nodes.keys().filter(away).map(|id| id.0).collect());
        (running.into_values().collect(), offline)
    }

    /// The ids of the nodes that are not running.
    pub(crate) fn offline_nodes(&self) -> Vec<u32> {
        self.running_and_offline_nodes().1
    }

    /// Returns the first node that runs, which acts for the cluster.
    ///
    /// # Errors
    /// None runs.
    pub(crate) fn first_running_node(&self) -> Result<NodeId, RetryableError> {
        let (running, offline) = self.running_and_offline_nodes();
        let first = running.first().map(|node| node.id());
        first.ok_or(RetryableError::NodesOffline { nodes: offline })
    }

    /// Returns the pace and the stop of rekeys.
    #[must_use]
    pub(crate) const fn rekey_control(&self) -> &RekeyControl {
        &self.rekey_control
    }

    /// Changes the ledger if `change` returns true. A failed write is logged where it happens.
    pub(crate) async fn change_if_needed(&self, change: impl Fn(&mut Ledger) -> bool) {
        // Tried on a copy first, so that what changes nothing does not queue at the ledger.
        if change(&mut Ledger::clone(&self.ledger())) {
            let _ = self.change(|ledger| Ok::<_, LedgerError>(change(ledger))).await;
        }
    }
}
