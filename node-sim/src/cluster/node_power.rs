//! Power switch of a node, and the task that brings each node to the state that the ledger wants:
//! its drives read, its shares complete, its drives unlocked.

use super::error::{PowerError, RetryableError};
use super::master_keys::run_blocking;
use super::retry::Backoff;
use super::shared_state::Cluster;
use crate::node::{Drive, DriveError, Node, NodeError};
use crate::state::events::{EventContent, EventType};
use crate::state::faults::{FaultKind, FaultPlace};
use crate::state::key_ring::{KeyId, KeyState, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use time::OffsetDateTime;

/// Keys of the ring, and nodes that were off, when a node's shares were last restored.
type RestoredKeys = Option<(BTreeMap<KeyId, KeyState>, Vec<u32>)>;

/// Runs the task of one node until the cluster closes.
pub(super) async fn run(cluster: Arc<Cluster>, node_id: NodeId) {
    let mut changes = cluster.changes();
    let mut closing = cluster.closing.subscribe();
    let mut backoff = Backoff::new(&cluster);
    let mut restored = None;
    // An earlier run may have left a fault.
    let mut failed = true;
    loop {
        changes.borrow_and_update();
        backoff.begin_attempt();
        let reconciled = tokio::select! {
            reconciled = cluster.reconcile(node_id, &mut restored) => reconciled,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        match reconciled {
            Ok(()) => {
                backoff.reset(&cluster);
                if failed && cluster.node(node_id).is_some() {
                    cluster.resolve_node_faults(node_id).await;
                    failed = false;
                }
                tokio::select! {
                    _ = changes.changed() => {}
                    _ = closing.wait_for(|closing| *closing) => return,
                }
            }
            Err(error) => {
                failed = true;
                cluster.raise_fault(&error).await;
                if !backoff.wait(&cluster, &error).await {
                    return;
                }
            }
        }
    }
}

impl Cluster {
    /// Switches a node on; its drives unlock as soon as it has the master key.
    ///
    /// # Errors
    /// There is no such node, or the ledger could not be written.
    pub(crate) async fn start_node(&self, node_id: NodeId) -> Result<(), PowerError> {
        self.set_power(node_id, true).await?;
        self.retry_now();
        Ok(())
    }

    /// Switches a node off: its memory is lost, and its drives cannot be reached until it starts.
    ///
    /// # Errors
    /// There is no such node, or the ledger could not be written.
    pub(crate) async fn stop_node(&self, node_id: NodeId) -> Result<(), PowerError> {
        self.set_power(node_id, false).await?;
        self.switch_off(node_id).await;
        self.retry_now();
        Ok(())
    }

    async fn set_power(&self, node_id: NodeId, powered: bool) -> Result<(), PowerError> {
        self.change(|ledger| {
            let node = ledger.nodes.get_mut(&node_id).ok_or(PowerError::NoSuchNode(node_id))?;
            let now = OffsetDateTime::now_utc();
            let place = FaultPlace::node(u64::from(node_id));
            if powered {
                ledger.faults.resolve(FaultKind::NodeOffline, place, now);
            } else {
                let sentence = format!("{} is switched off.", node.name);
                ledger.faults.raise(FaultKind::NodeOffline, place, &sentence, now);
            }
            let words = if powered { "switched on" } else { "switched off" };
            let content = EventContent::new(EventType::ServiceEvent, format!("Node {words}"));
            ledger.events.record(content.on_node(u64::from(node_id)), now);
            node.powered = powered;
            Ok(())
        })
        .await
    }

    async fn switch_off(&self, node_id: NodeId) {
        let node = self.nodes.write().unwrap_or_else(PoisonError::into_inner).remove(&node_id);
        if let Some(node) = node {
            // On a blocking thread: the node finishes what it is writing first.
            let _ = tokio::task::spawn_blocking(move || node.switch_off()).await;
        }
        self.changed();
    }

    /// Brings the node to the state that the ledger wants.
    async fn reconcile(
        &self,
        node_id: NodeId,
        restored: &mut RestoredKeys,
    ) -> Result<(), RetryableError> {
        let Some(node) = self.powered_node(node_id).await? else {
            *restored = None;
            return Ok(());
        };
        let unlocked = self.unlock(&node).await;
        let keys =
            self.read(|ledger| ledger.ring.keys().map(|(id, key)| (id, key.state)).collect());
        let keys = (keys, self.offline_nodes());
        if self.take_damaged_share(node_id) || restored.as_ref() != Some(&keys) {
            self.restore_shares(&node).await?;
            *restored = Some(keys);
        }
        unlocked
    }

    /// The node, if its switch is on; it is opened if it does not run yet.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) async fn powered_node(
        &self,
        node_id: NodeId,
    ) -> Result<Option<Arc<Node>>, RetryableError> {
        let record = self.read(|ledger| ledger.nodes.get(&node_id).cloned());
        let Some(record) = record.filter(|record| record.powered) else {
            return Ok(None);
        };
        if let Some(node) = self.node(node_id) {
            return Ok(Some(node));
        }
        let (folder, steps) = (self.settings.folder.clone(), Arc::clone(&self.settings.steps));
        let cluster = self.read(|ledger| ledger.identity.uuid.clone());
        let opened = tokio::task::spawn_blocking(move || {
            Node::open(&folder, node_id, &record, &cluster, &steps)
        });
        let node = Arc::new(opened.await.map_err(|join| {
            let cause = std::io::Error::other(join.to_string());
            NodeError::Folder { node_id, cause }
        })?);
        {
            let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
            // Looked at again under the lock that `switch_off` takes after the ledger was written.
            let still_on = |ledger: &crate::state::ledger::Ledger| {
                ledger.nodes.get(&node_id).is_some_and(|record| record.powered)
            };
            if !self.read(still_on) {
                return Ok(None);
            }
            nodes.insert(node_id, Arc::clone(&node));
        }
        self.changed();
        Ok(Some(node))
    }

    /// Gets the node the master keys that its locked drives need, and unlocks them. A drive that
    /// two keys wrap opens with either; an error of one key or drive does not hold up the others.
    async fn unlock(&self, node: &Arc<Node>) -> Result<(), RetryableError> {
        if locked_drives(node).is_empty() {
            return Ok(());
        }
        let unusable = run_blocking(Arc::clone(node), Node::reload_headers).await?;
        let mut errors: Vec<RetryableError> = unusable.into_iter().map(Into::into).collect();
        let (current, known): (_, BTreeSet<KeyId>) = self
            .read(|ledger| (ledger.ring.current(), ledger.ring.keys().map(|(id, _)| id).collect()));
        let named = locked_drives(node).into_iter().flat_map(Drive::master_keys);
        let mut needed: Vec<KeyId> =
            named.collect::<BTreeSet<_>>().intersection(&known).copied().collect();
        needed.sort_by_key(|key_id| Some(*key_id) != current);
        for key_id in needed {
            if !locked_drives(node).iter().any(|drive| drive.is_wrapped_by(key_id)) {
                continue;
            }
            match self.unlock_with(node, key_id).await {
                Err(error @ RetryableError::Ledger(_)) => return Err(error),
                Err(error) => errors.push(error),
                Ok(()) => {}
            }
        }
        for drive in locked_drives(node) {
            let keys = drive.master_keys();
            if !keys.is_empty() && !keys.iter().any(|key_id| known.contains(key_id)) {
                let path = drive.header_path().display().to_string();
                let cause = DriveError::UnknownKeys { path, keys };
                self.set_lock_reason(drive, &cause.to_string());
                let (node_id, drive_id) = (node.id(), drive.id());
                errors.push(NodeError::Drive { node_id, drive_id, cause }.into());
            }
        }
        if locked_drives(node).is_empty() {
            return Ok(());
        }
        let mut errors = errors.into_iter();
        let first_error = errors.next();
        for error in errors {
            self.raise_fault(&error).await;
        }
        first_error.map_or(Ok(()), Err)
    }

    async fn unlock_with(&self, node: &Arc<Node>, key_id: KeyId) -> Result<(), RetryableError> {
        let key = match self.fetch_master_key(node.id(), key_id).await {
            Ok(key) => key,
            Err(error) => {
                let drives = locked_drives(node);
                for drive in drives.into_iter().filter(|drive| drive.is_wrapped_by(key_id)) {
                    self.set_lock_reason(drive, &error.to_string());
                }
                return Err(error);
            }
        };
        let unlocked = run_blocking(Arc::clone(node), move |node| node.unlock(key_id, &key)).await;
        self.changed();
        self.record_unlocked(node).await;
        self.search_damage(node).await;
        Ok(unlocked?)
    }

    /// Writes down which drives work again and which do not open.
    async fn record_unlocked(&self, node: &Node) {
        let node_id = u64::from(node.id());
        let states: Vec<_> = node.drives().iter().map(|d| (d.id(), d.lock_reason())).collect();
        let count = states.iter().filter(|(_, locked)| locked.is_none()).count();
        self.change_if_needed(|ledger| {
            let now = OffsetDateTime::now_utc();
            for (drive_id, locked) in &states {
                let place =
                    FaultPlace { drive_id: u64::from(*drive_id), ..FaultPlace::node(node_id) };
                match locked {
                    None => ledger.faults.resolve(FaultKind::DriveFailed, place, now),
                    Some(why) => ledger.faults.raise(FaultKind::DriveFailed, place, why, now),
                };
            }
            let message = format!("{count} of {} drives unlocked", states.len());
            let content = EventContent::new(EventType::EncryptionAtRestEvent, message);
            ledger.events.record(content.on_node(node_id), now);
            true
        })
        .await;
    }

    /// Only news wakes those who wait, or two nodes would wake each other for ever.
    fn set_lock_reason(&self, drive: &Drive, reason: &str) {
        if drive.set_lock_reason(reason) {
            self.changed();
        }
    }
}

fn locked_drives(node: &Node) -> Vec<&Drive> {
    node.drives().iter().filter(|drive| drive.lock_reason().is_some()).collect()
}
