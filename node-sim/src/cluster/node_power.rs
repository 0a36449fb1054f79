//! Each node's own life: it is switched on, reads its drives, gets its master key and unlocks them,
//! again and again until it does.

use super::error::{PowerError, Trouble};
use super::master_keys::on_disk;
use super::retry::Backoff;
use super::shared_state::Cluster;
use crate::node::{Node, NodeError};
use crate::state::events::{EventType, Happening};
use crate::state::faults::{FaultKind, FaultPlace};
use crate::state::key_ring::{KeyId, KeyState, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use time::OffsetDateTime;

/// The ring's keys when a node's shares were last looked after.
type Mended = Option<BTreeMap<KeyId, KeyState>>;

/// Keeps one node: as its switch says, with its shares, its drives unlocked. Runs until the cluster
/// closes.
pub(super) async fn keep(cluster: Arc<Cluster>, node_id: NodeId) {
    let mut changes = cluster.changes();
    let mut closing = cluster.closing.subscribe();
    let mut backoff = Backoff::new(&cluster);
    let mut mended = None;
    // An earlier run may have left a fault.
    let mut troubled = true;
    loop {
        changes.borrow_and_update();
        let tended = tokio::select! {
            tended = cluster.tend(node_id, &mut mended) => tended,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        match tended {
            Ok(()) => {
                backoff.reset(&cluster);
                if troubled && cluster.node(node_id).is_some() {
                    cluster.resolve_node(node_id).await;
                    troubled = false;
                }
                tokio::select! {
                    _ = changes.changed() => {}
                    _ = closing.wait_for(|closing| *closing) => return,
                }
            }
            Err(trouble) => {
                troubled = true;
                cluster.explain_locks(node_id, &trouble);
                cluster.raise(&trouble).await;
                if !backoff.wait(&cluster, &trouble).await {
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
            let happening = Happening::new(EventType::ServiceEvent, format!("Node {words}"));
            ledger.events.record(happening.on_node(u64::from(node_id)), now);
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

    /// One round: whatever is to be done for this node now.
    async fn tend(&self, node_id: NodeId, mended: &mut Mended) -> Result<(), Trouble> {
        let Some(node) = self.switched_on(node_id).await? else {
            *mended = None;
            return Ok(());
        };
        let unlocked = self.unlock(&node).await;
        let keys: BTreeMap<_, _> =
            self.read(|ledger| ledger.ring.keys().map(|(id, key)| (id, key.state)).collect());
        if mended.as_ref() != Some(&keys) {
            self.mend_shares(&node).await?;
            *mended = Some(keys);
        }
        unlocked
    }

    /// The node, if its switch is on.
    async fn switched_on(&self, node_id: NodeId) -> Result<Option<Arc<Node>>, Trouble> {
        let record = self.read(|ledger| ledger.nodes.get(&node_id).cloned());
        let Some(record) = record.filter(|record| record.powered) else {
            return Ok(None);
        };
        if let Some(node) = self.node(node_id) {
            return Ok(Some(node));
        }
        let (folder, steps) = (self.settings.folder.clone(), Arc::clone(&self.settings.steps));
        let opened =
            tokio::task::spawn_blocking(move || Node::open(&folder, node_id, &record, &steps));
        let node = Arc::new(opened.await.unwrap_or_else(|join| {
            let cause = std::io::Error::other(join.to_string());
            Err(NodeError::Folder { node_id, cause })
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

    /// Gets the node the master keys that its locked drives need, and unlocks them.
    async fn unlock(&self, node: &Arc<Node>) -> Result<(), Trouble> {
        let locked = |node: &Node| -> BTreeSet<KeyId> {
            let locked = node.drives().iter().filter(|drive| drive.locked().is_some());
            locked.map(crate::node::Drive::wrapped_by).collect()
        };
        for key_id in locked(node) {
            let key = self.master_key(node.id(), key_id).await?;
            let unlocked = on_disk(Arc::clone(node), move |node| node.unlock(key_id, &key)).await;
            self.changed();
            self.note_unlocked(node).await;
            unlocked?;
        }
        Ok(())
    }

    /// Writes down which drives work again and which do not open.
    async fn note_unlocked(&self, node: &Node) {
        let node_id = u64::from(node.id());
        let states: Vec<_> = node.drives().iter().map(|d| (d.id(), d.locked())).collect();
        let count = states.iter().filter(|(_, locked)| locked.is_none()).count();
        self.note(|ledger| {
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
            let happening = Happening::new(EventType::EncryptionAtRestEvent, message);
            ledger.events.record(happening.on_node(node_id), now);
            true
        })
        .await;
    }

    fn explain_locks(&self, node_id: NodeId, trouble: &Trouble) {
        let Some(node) = self.node(node_id) else {
            return;
        };
        let why = trouble.to_string();
        // Only news wakes those who wait, or two nodes would wake each other for ever.
        let news = node.drives().iter().filter(|drive| drive.explain_lock(&why)).count();
        if news > 0 {
            self.changed();
        }
    }
}
