//! The state that all tasks of a cluster share: its ledger, its running nodes and its channels.
//!
//! Whoever reads sees the last durable ledger. Whoever changes it queues at one lock: the change is
//! made on a copy, the copy is written and synced, then it is shown. The file is written on tokio's
//! blocking threads together with the showing, so that a caller who goes away in between leaves
//! disk and memory equal. The lock is never held over a call to a key server.

use super::change_log::log_changes;
use super::error::RetryableError;
use super::fault_rules;
use super::rekey_control::RekeyControl;
use super::settings::ClusterSettings;
use crate::key_server::KeyServerClient;
use crate::node::Node;
use crate::state::account_key::AccountKey;
use crate::state::events::{EventContent, EventType};
use crate::state::faults::{FaultKind, FaultPlace};
use crate::state::key_ring::NodeId;
use crate::state::key_server_registry::KeyServerId;
use crate::state::ledger::{Ledger, LedgerError};
use crate::state::ledger_file::LedgerFile;
use crate::state::observations::Observations;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use time::OffsetDateTime;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::{JoinError, JoinSet};
use zeroize::Zeroizing;

/// A cluster, as all its tasks share it.
pub(crate) struct Cluster {
    pub(super) settings: ClusterSettings,
    pub(super) ledger: Arc<RwLock<Arc<Ledger>>>,
    pub(super) writer: Arc<tokio::sync::Mutex<LedgerFile>>,
    pub(super) client_key: Arc<RwLock<Option<Zeroizing<String>>>>,
    pub(super) account_key: AccountKey,
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
    /// Held while a node is switched on or off.
    pub(super) power: tokio::sync::Mutex<()>,
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

    /// The key that seals the accounts' CHAP secrets.
    pub(crate) const fn account_key(&self) -> &AccountKey {
        &self.account_key
    }

    /// Reads something from the ledger.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.ledger())
    }

    /// Changes the ledger. The change is made on a copy; if it succeeds the faults and events that
    /// follow from it are added, the copy is written, and only then seen by others and answered to
    /// the caller. If it is refused nothing happened.
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
        let file = Arc::clone(&self.writer).lock_owned().await;
        let before = self.ledger();
        let mut after = Ledger::clone(&before);
        let answer = change(&mut after)?;
        fault_rules::apply(&before, &mut after, OffsetDateTime::now_utc());
        let (_file, written) = self.write(file, before, after).await;
        written?;
        Ok(answer)
    }

    /// Notes what was seen of drives, nodes and key servers. What is not news is not shown, and
    /// what neither raises nor resolves a fault is not written. A failed write is logged where it
    /// happens.
    pub(crate) async fn observe(&self, observe: impl Fn(&Ledger, &mut Observations)) {
        let news = |before: &Ledger| {
            let mut observed = before.observed.clone();
            observe(before, &mut observed);
            (before.observed != observed).then_some(observed)
        };
        // Tried first, so that what is not news does not queue at the ledger.
        if news(&self.ledger()).is_none() {
            return;
        }
        let file = Arc::clone(&self.writer).lock_owned().await;
        let before = self.ledger();
        let Some(observed) = news(&before) else { return };
        let mut after = Ledger::clone(&before);
        after.observed = observed;
        self.show_observed(file, before, after).await;
    }

    /// Resolves the faults of an earlier run that nothing has shown to be there in this one.
    pub(super) async fn resolve_unseen_faults(&self) {
        let file = Arc::clone(&self.writer).lock_owned().await;
        let before = self.ledger();
        let after = Ledger::clone(&before);
        self.show_observed(file, before, after).await;
    }

    /// Writes the file of the ledger's generation anew if it is damaged, with the next ledgers: the
    /// first has the fault, and the second, which a start after a crash writes too, its end.
    pub(super) async fn renew_generation_file(&self, damage: Option<String>) {
        let (kind, place) = (FaultKind::GenerationFileDamaged, FaultPlace::CLUSTER);
        if let Some(damage) = damage {
            self.change_if_needed(|ledger| {
                let now = OffsetDateTime::now_utc();
                let message = "The file of the ledger's generation was written anew";
                let content = EventContent::new(EventType::ClusterMasterEvent, message);
                ledger.events.record(content, now);
                ledger.faults.raise(kind, place, &damage, now)
            })
            .await;
        }
        self.change_if_needed(|ledger| {
            ledger.faults.resolve(kind, place, OffsetDateTime::now_utc())
        })
        .await;
    }

    async fn show_observed(
        &self,
        file: OwnedMutexGuard<LedgerFile>,
        before: Arc<Ledger>,
        mut after: Ledger,
    ) {
        fault_rules::apply(&before, &mut after, OffsetDateTime::now_utc());
        if before.faults == after.faults && before.events == after.events {
            show(&self.ledger, &self.changes, after);
            return;
        }
        let unwritten = after.clone();
        let (_file, written) = self.write(file, before, after).await;
        if written.is_err() {
            // Drives serve or do not, whatever the disk does: it is shown and not kept.
            show(&self.ledger, &self.changes, unwritten);
        }
    }

    /// Writes the ledger on a blocking thread, and shows it. Gives the file back, so that the
    /// caller holds it as long as it needs to.
    async fn write(
        &self,
        mut file: OwnedMutexGuard<LedgerFile>,
        before: Arc<Ledger>,
        mut after: Ledger,
    ) -> (Option<OwnedMutexGuard<LedgerFile>>, Result<(), LedgerError>) {
        let (ledger, changes) = (Arc::clone(&self.ledger), self.changes.clone());
        let written = tokio::task::spawn_blocking(move || {
            let written = file.write(&mut after);
            if written.is_ok() {
                let after = show(&ledger, &changes, after);
                log_changes(&before, &after);
            }
            (Some(file), written)
        });
        let stopped = |join: JoinError| (None, Err(LedgerError::Stopped(join.to_string())));
        written.await.unwrap_or_else(stopped)
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

    /// Changes the ledger if `change` returns true, and returns whether that was done. A failed
    /// write is logged where it happens.
    pub(crate) async fn change_if_needed(&self, change: impl Fn(&mut Ledger) -> bool) -> bool {
        // Tried on a copy first, so that what changes nothing does not queue at the ledger.
        if !change(&mut Ledger::clone(&self.ledger())) {
            return false;
        }
        let changed = self.change(|ledger| Ok::<_, LedgerError>(change(ledger)));
        changed.await.unwrap_or(false)
    }
}

/// Shows the ledger to all, and wakes those who wait for a change.
fn show(shown: &RwLock<Arc<Ledger>>, changes: &watch::Sender<u64>, ledger: Ledger) -> Arc<Ledger> {
    let ledger = Arc::new(ledger);
    *shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ledger);
    changes.send_modify(|count| *count = count.wrapping_add(1));
    ledger
}
