//! Power switch of a node, and the task that brings each node to the state that the ledger wants:
//! its drives read, its shares complete, its drives unlocked.

use super::change_log::printable;
use super::error::{PowerError, RetryableError};
use super::master_keys::run_blocking;
use super::retry::Backoff;
use super::shared_state::Cluster;
use crate::node::{Drive, DriveError, Node, NodeError};
use crate::state::events::{EventContent, EventType};
use crate::state::key_ring::{KeyId, KeyState, NodeId};
use crate::state::ledger::Ledger;
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
    let mut known_errors = String::new();
    loop {
        changes.borrow_and_update();
        backoff.begin_attempt();
        let errors = tokio::select! {
            errors = cluster.reconcile(node_id, &mut restored) => errors,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        cluster.report_node(node_id, &errors).await;
        log_errors(&errors, &mut known_errors);
        let Some(first) = errors.first() else {
            backoff.reset(&cluster);
            tokio::select! {
                _ = changes.changed() => {}
                _ = closing.wait_for(|closing| *closing) => return,
            }
            continue;
        };
        let ends_soon = errors.iter().find(|error| error.ends_with_a_change());
        if !backoff.wait(&cluster, ends_soon.unwrap_or(first)).await {
            return;
        }
    }
}

/// Logs what the node waits for, if that is news.
fn log_errors(errors: &[RetryableError], known: &mut String) {
    let texts: Vec<_> = errors.iter().map(|error| printable(&error.to_string())).collect();
    let text = texts.join("; ");
    if text != *known && !text.is_empty() {
        tracing::warn!("waiting: {text}");
    }
    *known = text;
}

impl Cluster {
    /// Switches a node on; its drives unlock as soon as it has the master key.
    ///
    /// # Errors
    /// There is no such node, or the ledger could not be written.
    pub(crate) async fn start_node(&self, node_id: NodeId) -> Result<(), PowerError> {
        let _switch = self.power.lock().await;
        self.set_power(node_id, true).await?;
        self.retry_now();
        Ok(())
    }

    /// Switches a node off: its memory is lost, and its drives cannot be reached until it starts.
    ///
    /// # Errors
    /// There is no such node, or the ledger could not be written.
    pub(crate) async fn stop_node(&self, node_id: NodeId) -> Result<(), PowerError> {
        let _switch = self.power.lock().await;
        self.set_power(node_id, false).await?;
        self.switch_off(node_id).await;
        self.retry_now();
        Ok(())
    }

    /// Sets the switch, and forgets what was seen of the node's drives if that changes it.
    async fn set_power(&self, node_id: NodeId, powered: bool) -> Result<(), PowerError> {
        let is_set = |ledger: &Ledger| {
            let node = ledger.nodes.get(&node_id).ok_or(PowerError::NoSuchNode(node_id))?;
            Ok::<_, PowerError>(node.powered == powered)
        };
        if self.read(is_set)? {
            return Ok(());
        }
        self.change(|ledger| {
            let node = ledger.nodes.get_mut(&node_id).ok_or(PowerError::NoSuchNode(node_id))?;
            node.powered = powered;
            for drive in &node.drives {
                ledger.observed.forget_drive(drive.drive_id);
            }
            let words = if powered { "switched on" } else { "switched off" };
            let message = format!("Node {node_id} {words}");
            let content = EventContent::new(EventType::ServiceEvent, message);
            let content = content.on_node(u64::from(node_id));
            ledger.events.record(content, OffsetDateTime::now_utc());
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

    /// Brings the node to the state that the ledger wants. Returns what it cannot do yet.
    async fn reconcile(&self, node_id: NodeId, restored: &mut RestoredKeys) -> Vec<RetryableError> {
        let node = match self.powered_node(node_id).await {
            Ok(Some(node)) => node,
            Ok(None) => {
                *restored = None;
                return Vec::new();
            }
            Err(error) => return vec![error],
        };
        let mut errors = self.unlock(&node).await;
        let keys =
            self.read(|ledger| ledger.ring.keys().map(|(id, key)| (id, key.state)).collect());
        let keys = (keys, self.offline_nodes());
        if self.take_damaged_share(node_id) || restored.as_ref() != Some(&keys) {
            match self.restore_shares(&node).await {
                Ok(()) => *restored = Some(keys),
                Err(error) => {
                    // What was reported damaged is looked at again too.
                    *restored = None;
                    errors.push(error);
                }
            }
        }
        errors
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
            let still_on =
                |ledger: &Ledger| ledger.nodes.get(&node_id).is_some_and(|record| record.powered);
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
    async fn unlock(&self, node: &Arc<Node>) -> Vec<RetryableError> {
        if locked_drives(node).is_empty() {
            return Vec::new();
        }
        let unusable = match run_blocking(Arc::clone(node), Node::reload_headers).await {
            Ok(unusable) => unusable,
            Err(error) => return vec![error.into()],
        };
        let mut errors: Vec<RetryableError> = unusable.into_iter().map(Into::into).collect();
        let (current, ring) = self.read(|ledger| (ledger.ring.current(), ledger.ring.clone()));
        let known: BTreeSet<KeyId> = ring.keys().map(|(id, _)| id).collect();
        let named = locked_drives(node).into_iter().flat_map(Drive::master_keys);
        let mut needed: Vec<KeyId> =
            named.collect::<BTreeSet<_>>().intersection(&known).copied().collect();
        needed.sort_by_key(|key_id| Some(*key_id) != current);
        for key_id in needed {
            if !locked_drives(node).iter().any(|drive| drive.is_wrapped_by(key_id)) {
                continue;
            }
            match self.unlock_with(node, key_id).await {
                Err(error @ RetryableError::Ledger(_)) => return vec![error],
                Err(error) => errors.push(error),
                Ok(()) => {}
            }
        }
        for drive in locked_drives(node) {
            let keys = drive.master_keys();
            // A retired key may be destroyed; until then it opens an older header.
            let is_in_use = |key_id: &KeyId| {
                ring.key(*key_id).is_some_and(|record| record.state != KeyState::Retired)
            };
            if !keys.is_empty() && !keys.iter().any(is_in_use) {
                let path = drive.header_path().display().to_string();
                let cause = DriveError::UnknownKeys { path, keys };
                drive.set_lock_reason(&cause.to_string());
                let (node_id, drive_id) = (node.id(), drive.id());
                errors.push(NodeError::Drive { node_id, drive_id, cause }.into());
            }
        }
        // A drive that two keys wrap may have been opened by the second.
        if locked_drives(node).is_empty() { Vec::new() } else { errors }
    }

    async fn unlock_with(&self, node: &Arc<Node>, key_id: KeyId) -> Result<(), RetryableError> {
        let key = match self.fetch_master_key(node.id(), key_id).await {
            Ok(key) => key,
            Err(error) => {
                let drives = locked_drives(node);
                for drive in drives.into_iter().filter(|drive| drive.is_wrapped_by(key_id)) {
                    drive.set_lock_reason(&error.to_string());
                }
                return Err(error);
            }
        };
        let unlocked = run_blocking(Arc::clone(node), move |node| node.unlock(key_id, &key)).await;
        self.report_unlocked(node).await;
        self.search_damage(node).await;
        Ok(unlocked?)
    }
}

fn locked_drives(node: &Node) -> Vec<&Drive> {
    node.drives().iter().filter(|drive| drive.lock_reason().is_some()).collect()
}
