//! Master keys where they live: an external one at its key servers, an internal one in shares on
//! the nodes. Here they are fetched, made and given up; whether they may be is decided elsewhere.
//!
//! An internal key is made whole by a majority of the nodes (by both, if there are two), so that
//! the cluster starts with a minority away, and a minority's disks tell nothing. A cluster of one
//! node has nobody to share with: its one folder opens its key.

use super::error::Trouble;
use super::shared_state::Cluster;
use crate::crypto::aead;
use crate::crypto::master_key::{MASTER_KEY_LEN, MasterKey};
use crate::key_server::{KeyProviderAccess, KeyServerError};
use crate::node::{Node, NodeError, ShareFile, ShareFileError};
use crate::state::key_ring::{KeyId, KeyManagement, KeyState, Made, NodeId, RetiredKey, RingError};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// How many of so many nodes make an internal master key whole.
#[must_use]
pub(crate) fn threshold(nodes: usize) -> usize {
    (nodes / 2).saturating_add(1).min(nodes)
}

/// A new master key for internal management.
pub(super) fn fresh_master_key() -> Result<MasterKey, aead::SealError> {
    let mut bytes = Zeroizing::new([0; MASTER_KEY_LEN]);
    aead::random(bytes.as_mut_slice())?;
    MasterKey::from_bytes(bytes.as_slice()).ok_or(aead::SealError::NoRandom)
}

impl Cluster {
    /// The master key, fetched for this node.
    pub(crate) async fn master_key(
        &self,
        node_id: NodeId,
        key_id: KeyId,
    ) -> Result<MasterKey, Trouble> {
        let management = self.management(key_id)?;
        match management {
            KeyManagement::Internal => self.internal_key(key_id).await,
            KeyManagement::External { key_provider_id } => {
                let provider = self.provider(node_id, key_provider_id)?;
                let fetched = self.key_servers.fetch(&provider, key_id).await;
                let key = fetched.map_err(|error| Trouble::key_server(&provider, error))?;
                if self.check(key_id).is_some_and(|check| check != key.check(key_id)) {
                    let error = KeyServerError::server(format!(
                        "The key server gives another key for master key {key_id} than it once \
                         made. Restore the key server from a backup that has the right one."
                    ));
                    return Err(Trouble::key_server(&provider, error));
                }
                self.resolve(&provider).await;
                Ok(key)
            }
        }
    }

    /// Proves that the place where the key shall live can be used. Nothing is made.
    pub(crate) async fn reach(&self, key_id: KeyId) -> Result<(), Trouble> {
        match self.management(key_id)? {
            KeyManagement::Internal => self.enough_nodes().map(drop),
            KeyManagement::External { key_provider_id } => {
                let provider = self.provider(self.master_node()?, key_provider_id)?;
                let tested = self.key_servers.test(&provider).await;
                tested.map_err(|error| Trouble::key_server(&provider, error))?;
                self.resolve(&provider).await;
                Ok(())
            }
        }
    }

    /// Finds the key in its place or makes it, and proves that it can be had from there.
    pub(crate) async fn ensure(&self, key_id: KeyId) -> Result<Made, Trouble> {
        match self.management(key_id)? {
            KeyManagement::Internal => self.deal(key_id).await,
            KeyManagement::External { key_provider_id } => {
                let node_id = self.master_node()?;
                let provider = self.provider(node_id, key_provider_id)?;
                self.step("before the key server makes a key")?;
                let ensured = self.key_servers.ensure(&provider, key_id).await;
                ensured.map_err(|error| Trouble::key_server(&provider, error))?;
                self.step("the key server made a key")?;
                let key = self.master_key(node_id, key_id).await?;
                Ok(Made { dealing: None, check: key.check(key_id) })
            }
        }
    }

    /// Destroys a retired key. Nodes that are away keep their share of an internal key, so it is
    /// not gone before they were back; a key that was never used need not wait for that.
    pub(crate) async fn destroy(&self, key: &RetiredKey, was_used: bool) -> Result<(), Trouble> {
        match key.management() {
            KeyManagement::Internal => {
                // A node that comes back meanwhile still has its share, so it counts as away.
                let nodes = self.nodes_away();
                for node in self.running() {
                    let key_id = key.key_id();
                    on_disk(node, move |node| node.remove_share(key_id)).await?;
                }
                if was_used && !nodes.is_empty() {
                    return Err(Trouble::NodesAway { nodes });
                }
                Ok(())
            }
            KeyManagement::External { key_provider_id } => {
                let provider = self.provider(self.master_node()?, key_provider_id)?;
                self.step("before the key server destroys a key")?;
                let destroyed = self.key_servers.destroy(&provider, key).await;
                destroyed.map_err(|error| Trouble::key_server(&provider, error))?;
                self.step("the key server destroyed a key")?;
                self.resolve(&provider).await;
                Ok(())
            }
        }
    }

    /// Gives the node the shares that it should have and takes those that it should not: it may
    /// have been away when keys were made or given up.
    pub(super) async fn mend_shares(&self, node: &Arc<Node>) -> Result<(), Trouble> {
        // What is listed was there before the ring is looked at, so a share that is written for a
        // key planned in between is not taken away.
        let present = on_disk(Arc::clone(node), |node| node.shares()).await?;
        let ring = self.read(|ledger| ledger.ring.clone());
        for key_id in present.iter().filter(|key_id| ring.key(**key_id).is_none()) {
            let key_id = *key_id;
            on_disk(Arc::clone(node), move |node| node.remove_share(key_id)).await?;
        }
        for (key_id, dealing) in self.dealt_keys() {
            // A damaged share is as good as none: it is made again.
            let share = on_disk(Arc::clone(node), move |node| node.share(key_id)).await;
            if share.is_ok_and(|share| share.is_some_and(|share| share.dealing() == dealing)) {
                continue;
            }
            let others = self.gather(key_id, &dealing).await?;
            let holder = node.holder()?;
            let share = ShareFile::for_holder(key_id, &others, holder)
                .map_err(|cause| NodeError::Share { node_id: node.id(), cause })?;
            on_disk(Arc::clone(node), move |node| node.keep_share(&share)).await?;
        }
        Ok(())
    }

    /// The internal keys in use, each with the dealing that counts.
    pub(super) fn dealt_keys(&self) -> BTreeMap<KeyId, String> {
        let dealt = |ring: &crate::state::key_ring::Ring| {
            ring.keys()
                .filter(|(_, record)| record.state == KeyState::InUse)
                .filter_map(|(key_id, record)| Some((key_id, record.dealing.clone()?)))
                .collect()
        };
        self.read(|ledger| dealt(&ledger.ring))
    }

    async fn internal_key(&self, key_id: KeyId) -> Result<MasterKey, Trouble> {
        let dealing = self.dealt_keys().remove(&key_id).ok_or(RingError::NotInUse(key_id))?;
        let files = self.gather(key_id, &dealing).await?;
        let node_id = self.master_node()?;
        let whole = ShareFile::combine(key_id, &files);
        Ok(whole.map_err(|cause| NodeError::Share { node_id, cause })?)
    }

    /// The shares of this dealing that the running nodes have: at least as many as are needed.
    async fn gather(&self, key_id: KeyId, dealing: &str) -> Result<Vec<ShareFile>, Trouble> {
        let mut files = Vec::new();
        for node in self.running() {
            let found = on_disk(node, move |node| node.share(key_id)).await;
            match found {
                Ok(Some(share)) if share.dealing() == dealing => files.push(share),
                Ok(_) => {}
                // A damaged share is as good as none, as long as there are enough others.
                Err(error) => tracing::warn!(%error, "a share cannot be used"),
            }
        }
        let needed = self.read(|ledger| threshold(ledger.nodes.len()));
        if files.len() < needed {
            return Err(self.too_few_nodes());
        }
        Ok(files)
    }

    /// Makes a new internal key and deals it out to the running nodes. Until the ledger knows the
    /// dealing the key was never used, so after a crash it is simply dealt anew.
    async fn deal(&self, key_id: KeyId) -> Result<Made, Trouble> {
        let nodes = self.enough_nodes()?;
        let needed = self.read(|ledger| threshold(ledger.nodes.len()));
        let holders = nodes.iter().map(|node| node.holder()).collect::<Result<Vec<_>, _>>()?;
        let node_id = self.master_node()?;
        let sealed =
            |cause| NodeError::Share { node_id, cause: ShareFileError::Sealed { key_id, cause } };
        let key = fresh_master_key().map_err(sealed)?;
        let dealing = Uuid::new_v4().to_string();
        let files = ShareFile::deal(key_id, &key, &dealing, needed, &holders)
            .map_err(|cause| NodeError::Share { node_id, cause })?;
        for (node, file) in nodes.into_iter().zip(files) {
            on_disk(node, move |node| node.keep_share(&file)).await?;
        }
        Ok(Made { dealing: Some(dealing), check: key.check(key_id) })
    }

    /// The check value of a key that is known to have been made.
    fn check(&self, key_id: KeyId) -> Option<String> {
        self.read(|ledger| ledger.ring.key(key_id)?.check.clone())
    }

    fn enough_nodes(&self) -> Result<Vec<Arc<Node>>, Trouble> {
        let nodes = self.running();
        let needed = self.read(|ledger| threshold(ledger.nodes.len()));
        if nodes.len() < needed { Err(self.too_few_nodes()) } else { Ok(nodes) }
    }

    fn too_few_nodes(&self) -> Trouble {
        Trouble::NodesAway { nodes: self.nodes_away() }
    }

    fn management(&self, key_id: KeyId) -> Result<KeyManagement, Trouble> {
        let found = self.read(|ledger| ledger.ring.key(key_id).map(|record| record.management));
        Ok(found.ok_or(RingError::UnknownKey(key_id))?)
    }

    fn provider(
        &self,
        node_id: NodeId,
        key_provider_id: u64,
    ) -> Result<KeyProviderAccess, Trouble> {
        self.provider_access(node_id, key_provider_id).map_err(|error| Trouble::KeyServer {
            node_id,
            key_server_id: 0,
            error,
        })
    }

    fn step(&self, step: &'static str) -> Result<(), Trouble> {
        let stopped =
            |cause: io::Error| crate::state::ledger::LedgerError::Stopped(cause.to_string());
        Ok(self.settings.steps.pass(step).map_err(stopped)?)
    }
}

/// Lets a node work on its folder, on a thread that may block.
pub(crate) async fn on_disk<T: Send + 'static>(
    node: Arc<Node>,
    act: impl FnOnce(&Node) -> Result<T, NodeError> + Send + 'static,
) -> Result<T, NodeError> {
    let node_id = node.id();
    let done = tokio::task::spawn_blocking(move || act(&node)).await;
    done.unwrap_or_else(|join| {
        Err(NodeError::Folder { node_id, cause: io::Error::other(join.to_string()) })
    })
}

#[cfg(test)]
mod tests {
    use super::threshold;

    #[test]
    fn the_threshold_is_a_majority_and_two_as_soon_as_there_are_two() {
        let table = [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (40, 21)];
        for (nodes, expected) in table {
            assert_eq!(threshold(nodes), expected, "{nodes} nodes");
        }
    }
}
