//! The cluster: its ledger, its nodes, and what may be asked of it.
//!
//! Whoever reads sees the last durable ledger. Whoever changes it queues at one lock: the change is
//! made on a copy, the copy is written and synced, then it is shown. The file is written on tokio's
//! blocking threads together with the showing, so that a caller who goes away in between leaves
//! disk and memory equal. The lock is never held over a call to a key server.

mod block_io;
pub mod certificate_monitor;
mod create;
pub(crate) mod encryption_status;
pub(crate) mod master_keys;
mod node_power;
mod open;
mod rekey_worker;
pub(crate) mod retry;

use crate::key_server::client_key_pair::{NewKeyPair, remove_unnamed};
use crate::key_server::{KeyPlace, KeyServerAccess, KeyVault, VaultError};
use crate::node::Node;
use crate::state::async_results::{AsyncHandle, ResultType};
use crate::state::durable_file::Steps;
use crate::state::error::{ElementError, ErrorName};
use crate::state::events::{EventType, Happening};
use crate::state::key_ring::{KeyId, KeyManagement, NodeId, RingError};
use crate::state::key_server_registry::{KeyProviderId, KeyServerId, KeyServerKmip};
use crate::state::ledger::{Ledger, LedgerError, LedgerFile, RunningRekey};
use crate::state::rekey_job::{RekeyJob, RekeyState};
use crate::state::timestamps;
use retry::Trouble;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

pub use create::{BLOCKS_PER_DRIVE_MAX, DRIVES_PER_NODE_MAX, NODES_MAX};
pub use encryption_status::{
    DriveState, DriveStatus, EncryptionInfo, EncryptionKeyInfo, NodeStatus,
};
pub use master_keys::threshold;
pub use open::OpenError;

/// How a cluster is made and kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cluster's folder.
    pub folder: PathBuf,
    /// How many nodes a cluster gets when it is created.
    pub nodes: u32,
    /// How many drives each node gets.
    pub drives_per_node: u32,
    /// How many blocks of 4 KiB each drive gets; the file is sparse.
    pub blocks_per_drive: u64,
    /// The cluster's name.
    pub name: String,
    /// The address of management, as the API shows it.
    pub mvip: String,
    /// The address of storage, as the API shows it.
    pub svip: String,
    /// The wait after the first failure at a key server; it doubles with each further one.
    pub retry_min: Duration,
    /// The longest wait between two attempts at a key server.
    pub retry_max: Duration,
    /// Counts durable steps.
    pub steps: Arc<Steps>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("cluster"),
            nodes: 4,
            drives_per_node: 3,
            blocks_per_drive: 65_536,
            name: "lab".to_owned(),
            mvip: "127.0.0.1".to_owned(),
            svip: "127.0.0.1".to_owned(),
            retry_min: Duration::from_millis(500),
            retry_max: Duration::from_secs(30),
            steps: Arc::new(Steps::new()),
        }
    }
}

/// Where a rekey shall lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new key where the present one is.
    Same,
    /// A key in shares on the cluster's nodes.
    Internal,
    /// A key at this provider.
    External(KeyProviderId),
}

/// Why a rekey was not begun.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RekeyRefusal {
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

/// Why a rekey was not given up.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AbandonRefusal {
    /// None is running.
    #[error("no rekey is running")]
    NotRunning,
    /// It is too late.
    #[error(
        "the rekey is in state {0:?}: it can be given up only before data encryption keys are \
         wrapped by the new master key"
    )]
    TooLate(RekeyState),
    /// The ring forbids it.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a node was not switched on or off.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PowerError {
    /// There is no such node.
    #[error("node {0} does not exist")]
    NoSuchNode(NodeId),
    /// The ledger could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The cluster.
pub struct Cluster {
    settings: Settings,
    ledger: Arc<RwLock<Arc<Ledger>>>,
    writer: Arc<tokio::sync::Mutex<LedgerFile>>,
    client_key: Arc<RwLock<Option<Zeroizing<String>>>>,
    /// The nodes that are switched on.
    nodes: RwLock<BTreeMap<NodeId, Arc<Node>>>,
    vault: Arc<dyn KeyVault>,
    /// Goes up with every change that somebody may wait for.
    changes: watch::Sender<u64>,
    /// Goes up when whoever sits out a trouble shall try again at once.
    retries: watch::Sender<u64>,
    closing: watch::Sender<bool>,
    tasks: tokio::sync::Mutex<JoinSet<()>>,
    /// Locked as long as the folder is in use.
    _lock: File,
}

impl Cluster {
    /// The ledger as it last became durable.
    #[must_use]
    pub fn ledger(&self) -> Arc<Ledger> {
        let shown = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shown)
    }

    /// Reads something from the ledger.
    pub fn read<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.ledger())
    }

    /// Changes the ledger. The change is made on a copy; if it succeeds the copy is written, and
    /// only then seen by others and answered to the caller. If it is refused nothing happened.
    ///
    /// # Errors
    /// The change was refused, or the ledger could not be written.
    pub async fn change<T, E>(
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
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Lets whoever waits for a key server or a node try again at once, because something about it
    /// was changed.
    pub fn retry_now(&self) {
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
    pub(crate) fn running(&self) -> Vec<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn node(&self, node_id: NodeId) -> Option<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).get(&node_id).cloned()
    }

    /// The ids of the nodes that are not running.
    pub(crate) fn nodes_away(&self) -> Vec<u32> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        let away = |id: &&NodeId| !nodes.contains_key(id);
        self.read(|ledger| ledger.nodes.keys().filter(away).map(|id| id.0).collect())
    }

    /// The node that speaks for the cluster: the first that runs.
    ///
    /// # Errors
    /// None runs.
    pub(crate) fn master_node(&self) -> Result<NodeId, Trouble> {
        let running = self.running();
        let first = running.first().map(|node| node.id());
        first.ok_or_else(|| Trouble::NodesAway { nodes: self.nodes_away() })
    }

    /// The keeper of external master keys.
    #[must_use]
    pub fn vault(&self) -> &Arc<dyn KeyVault> {
        &self.vault
    }

    /// The private key that the cluster proves itself with at key servers, PEM; none before it was
    /// stored. It is kept in a file of its own, never in the ledger.
    #[must_use]
    pub fn client_key(&self) -> Option<Zeroizing<String>> {
        self.client_key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes this the cluster's one key pair for key servers. Its private key is durable before
    /// the ledger names it, and the key of an earlier pair is removed after the ledger forgot it.
    ///
    /// # Errors
    /// A provider is active, so the present pair is needed, or a file could not be written.
    pub async fn adopt_key_pair(&self, pair: NewKeyPair) -> Result<(), ElementError> {
        self.read(refuse_while_active)?;
        let (steps, folder) = (Arc::clone(&self.settings.steps), self.settings.folder.clone());
        let kept = tokio::task::spawn_blocking(move || {
            let private_key = pair.private_key().clone();
            pair.keep(&steps, &folder).map(|record| (record, private_key))
        });
        let (record, private_key) = kept
            .await
            .unwrap_or_else(|join| Err(std::io::Error::other(join)))
            .map_err(|cause| LedgerError::file("write", &self.settings.folder, cause))?;
        self.change(|ledger| {
            refuse_while_active(ledger)?;
            ledger.key_pair = Some(record.clone());
            Ok::<_, ElementError>(())
        })
        .await?;
        *self.client_key.write().unwrap_or_else(PoisonError::into_inner) = Some(private_key);
        let (steps, folder) = (Arc::clone(&self.settings.steps), self.settings.folder.clone());
        let removed =
            tokio::task::spawn_blocking(move || remove_unnamed(&steps, &folder, Some(&record)));
        if let Ok(Err(error)) = removed.await {
            tracing::warn!(%error, "a replaced private key could not be removed yet");
        }
        Ok(())
    }

    /// How this key server is reached, with the cluster's own key pair.
    ///
    /// # Errors
    /// The cluster has no key pair yet.
    pub fn access(
        &self,
        key_server_id: KeyServerId,
        server: &KeyServerKmip,
    ) -> Result<KeyServerAccess, VaultError> {
        let client_key = self.client_key().ok_or_else(|| {
            VaultError::authentication(
                "The cluster has no key pair for key servers. Make one with \
                 CreatePublicPrivateKeyPair and have its certificate signed.",
            )
        })?;
        Ok(KeyServerAccess { key_server_id, server: server.clone(), client_key })
    }

    /// Where a node finds the keys of this provider.
    ///
    /// # Errors
    /// The provider does not exist or has no server, or the cluster has no key pair yet.
    pub fn key_place(
        &self,
        node_id: NodeId,
        key_provider_id: KeyProviderId,
    ) -> Result<KeyPlace, VaultError> {
        let ledger = self.ledger();
        let servers = ledger
            .registry
            .servers_of(key_provider_id)
            .map_err(|error| VaultError::server(error.message))?;
        let servers = servers.into_iter().map(|(id, server)| self.access(id, server));
        Ok(KeyPlace { node_id, servers: servers.collect::<Result<_, _>>()? })
    }

    /// The settings it was opened with.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Begins a rekey and gives the handle of its async result. The new key's name is in the
    /// ledger before anybody is asked to make it.
    ///
    /// # Errors
    /// One is running, the target does not exist, or the ledger could not be written.
    pub async fn start_rekey(&self, target: Target) -> Result<AsyncHandle, RekeyRefusal> {
        self.change(|ledger| begin_rekey(ledger, target)).await
    }

    /// Gives up the rekey that is running, if no data encryption key can have been wrapped anew.
    /// Its async result ends with the error `xRekeyAbandoned`, at the latest when the new key, if
    /// it may exist, was destroyed.
    ///
    /// # Errors
    /// None is running, it is too late, or the ledger could not be written.
    pub async fn abandon_rekey(&self) -> Result<AsyncHandle, AbandonRefusal> {
        self.change(|ledger| {
            let mut running = ledger.rekey.clone().ok_or(AbandonRefusal::NotRunning)?;
            if !running.job.abandon() {
                return Err(AbandonRefusal::TooLate(running.job.state()));
            }
            ledger.ring.retire(running.job.new_key())?;
            let handle = running.async_handle;
            if running.job.state() == RekeyState::Ready {
                let never_made = ledger.ring.retired(running.job.new_key());
                rekey_worker::end(ledger, &running, never_made);
            } else {
                ledger.rekey = Some(running);
            }
            Ok(handle)
        })
        .await
    }
}

/// One pair serves all key servers; while one of them holds a key that is in use, the certificate
/// that it knows the cluster by must stay usable.
fn refuse_while_active(ledger: &Ledger) -> Result<(), ElementError> {
    let active = ledger.ring.active_providers();
    let Some(provider) = active.first() else { return Ok(()) };
    let message = format!(
        "Key provider {provider} is active and knows the cluster by its present key pair. \
         Rekey to internal key management first."
    );
    Err(ElementError::new(ErrorName::KeyProviderIsActive, message))
}

fn begin_rekey(ledger: &mut Ledger, target: Target) -> Result<AsyncHandle, RekeyRefusal> {
    if let Some(running) = &ledger.rekey {
        return Err(RekeyRefusal::InProgress { async_handle: running.async_handle });
    }
    let old_key = ledger.ring.current().ok_or(RekeyRefusal::NotEnabled)?;
    let from = ledger.ring.key(old_key).map_or(KeyManagement::Internal, |record| record.management);
    let to = match target {
        Target::Same => from,
        Target::Internal => KeyManagement::Internal,
        Target::External(key_provider_id) => KeyManagement::External { key_provider_id },
    };
    if let KeyManagement::External { key_provider_id } = to {
        ledger.registry.servers_of(key_provider_id)?;
    }
    let new_key = KeyId::fresh();
    let now = OffsetDateTime::now_utc();
    ledger.ring.plan(new_key, to, timestamps::to_the_second(now));
    let running = RunningRekey {
        job: RekeyJob::new(new_key, old_key),
        async_handle: 0,
        operation: encryption_status::operation(from, to),
    };
    let details =
        encryption_status::rekey_info(&ledger.ring, &running, RekeyState::CreateNewMasterKey);
    let async_handle =
        ledger.asyncs.start(ResultType::RekeySoftwareEncryptionAtRestMasterKey, details, now);
    ledger.encryption.rekey_async_handle = Some(async_handle);
    record(ledger, &running.operation);
    ledger.rekey = Some(RunningRekey { async_handle, ..running });
    Ok(async_handle)
}

fn record(ledger: &mut Ledger, message: &str) {
    let happening = Happening::new(EventType::EncryptionAtRestEvent, message);
    ledger.events.record(happening, OffsetDateTime::now_utc());
}
