//! Shares of internal master keys: they are dealt, combined, dealt again where one is lost or
//! damaged, and removed when no drive needs their key.
//!
//! A share is removed only when the header of no drive of any node names its key, whatever the
//! ledger says. A damaged share raises a fault that names the file, and is dealt again from the
//! others.

use super::error::RetryableError;
use super::master_keys::{generate_master_key, run_blocking, threshold};
use super::shared_state::Cluster;
use crate::crypto::aead::SealError;
use crate::crypto::master_key::MasterKey;
use crate::node::{CombinedKey, Node, NodeError, ShareFile, ShareFileError};
use crate::state::events::{EventContent, EventType};
use crate::state::faults::{FaultKind, FaultPlace};
use crate::state::key_ring::{CreatedKey, KeyId, KeyRing, KeyRingError, KeyState, NodeId};
use crate::state::ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use time::OffsetDateTime;
use uuid::Uuid;

impl Cluster {
    /// Gives the node the shares that it lacks, or that are damaged, and removes those of keys that
    /// are gone: it may have been away when keys were created or destroyed.
    pub(super) async fn restore_shares(&self, node: &Arc<Node>) -> Result<(), RetryableError> {
        // What is listed was there before the ring is looked at, so a share that is written for a
        // key planned in between is not taken away.
        let present = run_blocking(Arc::clone(node), |node| node.shares()).await?;
        let ring = self.read(|ledger| ledger.ring.clone());
        for key_id in present.into_iter().filter(|key_id| ring.key(*key_id).is_none()) {
            if self.check_unnamed(key_id).await.is_ok() {
                run_blocking(Arc::clone(node), move |node| node.remove_share(key_id)).await?;
            }
        }
        for (key_id, dealing) in self.dealt_keys() {
            let share = run_blocking(Arc::clone(node), move |node| node.share(key_id)).await;
            match share {
                Ok(Some(share)) if share.dealing() == dealing => {}
                Ok(_) => self.deal_again(node, key_id, &dealing).await?,
                Err(error) => {
                    self.raise_damaged_share(node.id(), &error.to_string()).await;
                    self.deal_again(node, key_id, &dealing).await?;
                }
            }
        }
        self.resolve_damaged_shares(node.id()).await;
        Ok(())
    }

    /// Makes the node's share of this key again from those of the others.
    async fn deal_again(
        &self,
        node: &Arc<Node>,
        key_id: KeyId,
        dealing: &str,
    ) -> Result<(), RetryableError> {
        let node_id = node.id();
        let others = self.collect_shares(key_id, dealing).await?;
        let (holder, stamp) = (node.holder()?, self.read(Ledger::stamp));
        let share = ShareFile::for_holder(key_id, &others, holder, &stamp)
            .map_err(|cause| NodeError::Share { node_id, cause })?;
        run_blocking(Arc::clone(node), move |node| node.store_share(&share)).await?;
        let message = format!("The share of master key {key_id} was dealt again");
        let content = EventContent::new(EventType::EncryptionAtRestEvent, message);
        let content = content.on_node(u64::from(node_id));
        let _ = self
            .change(|ledger| {
                ledger.events.record(content, OffsetDateTime::now_utc());
                Ok::<_, LedgerError>(())
            })
            .await;
        Ok(())
    }

    /// The internal keys in use, each with the dealing that counts.
    pub(super) fn dealt_keys(&self) -> BTreeMap<KeyId, String> {
        let dealt = |ring: &KeyRing| {
            ring.keys()
                .filter(|(_, record)| record.state == KeyState::InUse)
                .filter_map(|(key_id, record)| Some((key_id, record.dealing.clone()?)))
                .collect()
        };
        self.read(|ledger| dealt(&ledger.ring))
    }

    /// Makes an internal key whole from the shares of any nodes that suffice. Shares that do not
    /// fit are dealt again.
    pub(super) async fn combine_internal_key(
        &self,
        key_id: KeyId,
    ) -> Result<MasterKey, RetryableError> {
        let dealing = self.dealt_keys().remove(&key_id).ok_or(KeyRingError::NotInUse(key_id))?;
        let files = self.collect_shares(key_id, &dealing).await?;
        let node_id = self.first_running_node()?;
        let failed = |cause| NodeError::Share { node_id, cause };
        let CombinedKey { key, wrong } = ShareFile::combine(key_id, &files).map_err(failed)?;
        let check = self.read(|ledger| ledger.ring.key(key_id)?.check.clone());
        if check.is_some_and(|check| check != key.check_value(key_id)) {
            let cause = SealError::DoesNotOpen;
            return Err(failed(ShareFileError::Sealed { key_id, cause }).into());
        }
        for holder in wrong {
            let Some(node) = self.node(NodeId(u32::from(holder))) else { continue };
            let text = format!("its share of master key {key_id} does not fit the others");
            self.raise_damaged_share(node.id(), &text).await;
            self.deal_again(&node, key_id, &dealing).await?;
            self.resolve_damaged_shares(node.id()).await;
        }
        Ok(key)
    }

    /// Collects the shares of this dealing from the running nodes; fails if they are too few.
    async fn collect_shares(
        &self,
        key_id: KeyId,
        dealing: &str,
    ) -> Result<Vec<ShareFile>, RetryableError> {
        let mut files = Vec::new();
        let (running, offline) = self.running_and_offline_nodes();
        for node in running {
            let node_id = node.id();
            match run_blocking(node, move |node| node.share(key_id)).await {
                Ok(Some(share)) if share.dealing() == dealing => files.push(share),
                Ok(_) => {}
                // A damaged share is as good as none, as long as there are enough others.
                Err(_) => self.report_damaged_share(node_id),
            }
        }
        let needed = self.read(|ledger| threshold(ledger.nodes.len()));
        if files.len() >= needed {
            return Ok(files);
        }
        if offline.is_empty() {
            return Err(RetryableError::SharesUnusable { key_id, usable: files.len(), needed });
        }
        Err(RetryableError::NodesOffline { nodes: offline })
    }

    /// Creates an internal key and deals its shares to the running nodes. Until the ledger knows
    /// the dealing the key was never used, so after a crash it is simply dealt anew.
    pub(super) async fn create_internal_key(
        &self,
        key_id: KeyId,
    ) -> Result<CreatedKey, RetryableError> {
        let nodes = self.nodes_for_threshold()?;
        for node in &nodes {
            run_blocking(Arc::clone(node), move |node| node.check_unnamed(key_id)).await?;
        }
        let needed = self.read(|ledger| threshold(ledger.nodes.len()));
        let holders = nodes.iter().map(|node| node.holder()).collect::<Result<Vec<_>, _>>()?;
        let node_id = self.first_running_node()?;
        let sealed =
            |cause| NodeError::Share { node_id, cause: ShareFileError::Sealed { key_id, cause } };
        let key = generate_master_key().map_err(sealed)?;
        let (dealing, stamp) = (Uuid::new_v4().to_string(), self.read(Ledger::stamp));
        let files = ShareFile::deal(key_id, &key, (&dealing, &stamp), (needed, &holders))
            .map_err(|cause| NodeError::Share { node_id, cause })?;
        for (node, file) in nodes.into_iter().zip(files) {
            run_blocking(node, move |node| node.store_share(&file)).await?;
        }
        Ok(CreatedKey { dealing: Some(dealing), identifier: None, check: key.check_value(key_id) })
    }

    /// The running nodes, if they are enough for an internal key.
    pub(super) fn nodes_for_threshold(&self) -> Result<Vec<Arc<Node>>, RetryableError> {
        let (nodes, offline) = self.running_and_offline_nodes();
        let needed = self.read(|ledger| threshold(ledger.nodes.len()));
        if nodes.len() < needed {
            return Err(RetryableError::NodesOffline { nodes: offline });
        }
        Ok(nodes)
    }

    /// Lets the task of the node look at its shares again with the next change: it raises the fault
    /// and resolves it, so that a fault never comes after its end.
    fn report_damaged_share(&self, node_id: NodeId) {
        self.damaged_shares.lock().unwrap_or_else(PoisonError::into_inner).insert(node_id);
    }

    /// Whether a share of the node was found damaged since this was last asked.
    pub(super) fn take_damaged_share(&self, node_id: NodeId) -> bool {
        let mut reported = self.damaged_shares.lock().unwrap_or_else(PoisonError::into_inner);
        reported.remove(&node_id)
    }

    async fn raise_damaged_share(&self, node_id: NodeId, text: &str) {
        tracing::warn!(%node_id, text, "a share cannot be used");
        let place = FaultPlace::node(u64::from(node_id));
        self.change_if_needed(|ledger| {
            let now = OffsetDateTime::now_utc();
            ledger.faults.raise(FaultKind::KeyShareDamaged, place, text, now)
        })
        .await;
    }

    async fn resolve_damaged_shares(&self, node_id: NodeId) {
        let place = FaultPlace::node(u64::from(node_id));
        self.change_if_needed(|ledger| {
            ledger.faults.resolve(FaultKind::KeyShareDamaged, place, OffsetDateTime::now_utc())
        })
        .await;
    }
}
