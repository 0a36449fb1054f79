//! Master keys in their places: external ones at key servers, internal ones in shares on the nodes.
//! They are created, fetched and destroyed here; [`crate::state::rekey_job`] decides when.
//!
//! An internal key is made whole by a majority of the nodes (by both, if there are two), so that
//! the cluster starts with a minority away, and a minority's disks tell nothing. A cluster of one
//! node has nobody to share with: its one folder opens its key.

use super::error::RetryableError;
use super::shared_state::Cluster;
use crate::crypto::aead;
use crate::crypto::master_key::{MASTER_KEY_LEN, MasterKey};
use crate::key_server::{Destruction, DigestProof, FetchedKey, KeyProviderAccess, KeyServerError};
use crate::node::{Node, NodeError};
use crate::state::key_ring::{
    CreatedKey, DriveId, KeyId, KeyManagement, KeyOrigin, KeyRingError, MasterKeyRecord, NodeId,
    RetiredKey,
};
use crate::state::ledger::Ledger;
use std::io;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Number of nodes, of so many, whose shares make an internal master key whole.
#[must_use]
pub(crate) fn threshold(nodes: usize) -> usize {
    (nodes / 2).saturating_add(1).min(nodes)
}

/// Generates a master key for internal management.
pub(super) fn generate_master_key() -> Result<MasterKey, aead::SealError> {
    let mut bytes = Zeroizing::new([0; MASTER_KEY_LEN]);
    aead::random(bytes.as_mut_slice())?;
    MasterKey::from_bytes(bytes.as_slice()).ok_or(aead::SealError::NoRandom)
}

impl Cluster {
    /// Fetches a master key for this node. A key that was proved once must be the same again.
    pub(crate) async fn fetch_master_key(
        &self,
        node_id: NodeId,
        key_id: KeyId,
    ) -> Result<MasterKey, RetryableError> {
        match self.management(key_id)? {
            KeyManagement::Internal => self.combine_internal_key(key_id).await,
            KeyManagement::External { key_provider_id } => {
                let provider = self.key_provider(node_id, key_provider_id)?;
                Ok(self.fetch_external_key(&provider, key_id).await?.key)
            }
        }
    }

    async fn fetch_external_key(
        &self,
        provider: &KeyProviderAccess,
        key_id: KeyId,
    ) -> Result<FetchedKey, RetryableError> {
        let known = self.read(|ledger| ledger.ring.key(key_id).map(MasterKeyRecord::known));
        let known = known.ok_or(KeyRingError::UnknownKey(key_id))?;
        let fetched = self.key_servers.fetch(provider, key_id, &known).await;
        let fetched = fetched.map_err(|error| RetryableError::key_server(provider, error))?;
        tracing::debug!(%key_id, host = fetched.host, digest = ?fetched.digest, "key fetched");
        self.resolve_key_server_faults(provider).await;
        Ok(fetched)
    }

    /// Tests that the place of the key can be used. Creates nothing. Returns, for an external key,
    /// where it is to be created.
    pub(crate) async fn test_key_place(
        &self,
        key_id: KeyId,
    ) -> Result<Option<KeyOrigin>, RetryableError> {
        match self.management(key_id)? {
            KeyManagement::Internal => self.nodes_for_threshold().map(|_| None),
            KeyManagement::External { key_provider_id } => {
                let provider = self.key_provider(self.first_running_node()?, key_provider_id)?;
                let chosen = self.key_servers.choose_host(&provider).await;
                let origin =
                    chosen.map_err(|error| RetryableError::key_server(&provider, error))?;
                self.resolve_key_server_faults(&provider).await;
                Ok(Some(origin))
            }
        }
    }

    /// Finds the key in its place or creates it, and proves it: what the key server gives has the
    /// key server's own Digest of it (KMIP 1.4, 3.17), or, if the server keeps none, is the same in
    /// the sessions of two nodes.
    pub(crate) async fn ensure_master_key(
        &self,
        key_id: KeyId,
    ) -> Result<CreatedKey, RetryableError> {
        let key_provider_id = match self.management(key_id)? {
            KeyManagement::Internal => return self.create_internal_key(key_id).await,
            KeyManagement::External { key_provider_id } => key_provider_id,
        };
        let node_id = self.first_running_node()?;
        let provider = self.key_provider(node_id, key_provider_id)?;
        let origin = self.read(|ledger| ledger.ring.key(key_id)?.origin.clone());
        let origin = origin.ok_or(KeyRingError::UnknownKey(key_id))?;
        self.step("before the key server makes a key")?;
        if let Err(error) = self.key_servers.ensure(&provider, &origin, key_id).await {
            if error.key_exists {
                self.note_created(key_id).await;
            }
            return Err(RetryableError::key_server(&provider, error));
        }
        self.step("the key server made a key")?;
        let proved = self.prove_external_key(&provider, key_provider_id, key_id).await;
        if proved.is_err() {
            self.note_created(key_id).await;
        }
        proved
    }

    /// Notes that a planned key exists, whatever its key server shows from now on.
    async fn note_created(&self, key_id: KeyId) {
        self.change_if_needed(|ledger| {
            let news = ledger.ring.key(key_id).is_some_and(|record| !record.created);
            news && ledger.ring.note_created(key_id).is_ok()
        })
        .await;
    }

    /// Fetches a key that was just created, in the sessions of two nodes if its server keeps no
    /// Digest of it.
    async fn prove_external_key(
        &self,
        provider: &KeyProviderAccess,
        key_provider_id: u64,
        key_id: KeyId,
    ) -> Result<CreatedKey, RetryableError> {
        let node_id = provider.node_id;
        let fetched = self.fetch_external_key(provider, key_id).await?;
        let check = fetched.key.check_value(key_id);
        if fetched.digest == DigestProof::NotGiven {
            let second = self.running_nodes().last().map_or(node_id, |node| node.id());
            let again = self.key_provider(second, key_provider_id)?;
            let key = self.fetch_external_key(&again, key_id).await?.key;
            if key.check_value(key_id) != check {
                let error = KeyServerError::server(format!(
                    "The key server gives nodes {node_id} and {second} different keys for master \
                     key {key_id}."
                ));
                return Err(RetryableError::key_server(&again, error));
            }
        }
        Ok(CreatedKey { dealing: None, identifier: Some(fetched.identifier), check })
    }

    /// Destroys a retired key, after all headers were looked at: none may name it, whatever the
    /// ledger says. A drive that serves loses a wrapping by the key that an older header has. Nodes
    /// that are away may have a share of an internal key and a header that names the key, so they
    /// are waited for.
    pub(crate) async fn destroy_master_key(
        &self,
        key: &RetiredKey,
    ) -> Result<Destruction, RetryableError> {
        let key_id = key.key_id();
        self.remove_stale_wrappings(key_id).await?;
        self.check_unnamed(key_id).await?;
        match key.management() {
            KeyManagement::Internal => {
                for node in self.running_nodes() {
                    run_blocking(node, move |node| node.remove_share(key_id)).await?;
                }
                Ok(Destruction::Confirmed)
            }
            KeyManagement::External { key_provider_id } => {
                let provider = self.key_provider(self.first_running_node()?, key_provider_id)?;
                self.step("before the key server destroys a key")?;
                let destroyed = self.key_servers.destroy(&provider, key).await;
                let outcome =
                    destroyed.map_err(|error| RetryableError::key_server(&provider, error))?;
                self.step("the key server destroyed a key")?;
                self.resolve_key_server_faults(&provider).await;
                Ok(outcome)
            }
        }
    }

    /// Reads the headers of all drives of all nodes.
    ///
    /// # Errors
    /// One names the key, one cannot be read, or a node is off.
    pub(super) async fn check_unnamed(&self, key_id: KeyId) -> Result<(), RetryableError> {
        let nodes = self.offline_nodes();
        if !nodes.is_empty() {
            return Err(RetryableError::NodesOffline { nodes });
        }
        for node in self.running_nodes() {
            run_blocking(node, move |node| node.check_unnamed(key_id)).await?;
        }
        Ok(())
    }

    /// Removes wrappings by a retired key from the headers of drives that serve: an older header
    /// was put back after its drive had lost them. The wrapping by the current key is proved, or
    /// added, before.
    async fn remove_stale_wrappings(&self, key_id: KeyId) -> Result<(), RetryableError> {
        let current = self.read(|ledger| ledger.ring.current());
        let Some(kept) = current.filter(|current| *current != key_id) else { return Ok(()) };
        for node in self.running_nodes() {
            let naming = run_blocking(Arc::clone(&node), move |node| node.drives_naming(key_id));
            let serving = |id: &DriveId| {
                let mut drives = node.drives().iter();
                drives.any(|drive| drive.id() == *id && drive.lock_reason().is_none())
            };
            let stale: Vec<_> = naming.await?.into_iter().filter(serving).collect();
            if stale.is_empty() {
                continue;
            }
            // Without the key the headers stay, and whoever looks at them next is told of them.
            let Ok(key) = self.fetch_master_key(node.id(), kept).await else { continue };
            let key = Arc::new(key);
            for drive_id in stale {
                tracing::warn!(%drive_id, %key_id, "an older header names a retired key");
                let (key, stamp) = (Arc::clone(&key), self.read(Ledger::stamp));
                run_blocking(Arc::clone(&node), move |node| {
                    node.remove_wrapping(drive_id, key_id, (kept, &key), &stamp)
                })
                .await?;
            }
        }
        Ok(())
    }

    fn management(&self, key_id: KeyId) -> Result<KeyManagement, RetryableError> {
        let found = self.read(|ledger| ledger.ring.key(key_id).map(|record| record.management));
        Ok(found.ok_or(KeyRingError::UnknownKey(key_id))?)
    }

    fn key_provider(
        &self,
        node_id: NodeId,
        key_provider_id: u64,
    ) -> Result<KeyProviderAccess, RetryableError> {
        self.provider_access(node_id, key_provider_id).map_err(|error| RetryableError::KeyServer {
            node_id,
            key_server_id: 0,
            error,
        })
    }

    fn step(&self, step: &'static str) -> Result<(), RetryableError> {
        let stopped =
            |cause: io::Error| crate::state::ledger::LedgerError::Stopped(cause.to_string());
        Ok(self.settings.steps.pass(step).map_err(stopped)?)
    }
}

/// Runs an action of a node on a thread that may block.
pub(crate) async fn run_blocking<T: Send + 'static>(
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
