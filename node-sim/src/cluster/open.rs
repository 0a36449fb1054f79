//! Opening a cluster, as it was left or, the first time, by creating it; and closing it.

use super::error::OpenError;
use super::rekey_control::RekeyControl;
use super::settings::ClusterSettings;
use super::shared_state::Cluster;
use super::{create, key_server_monitor, node_power, pending_destruction, rekey_worker};
use crate::key_server::KeyServerClient;
use crate::key_server::client_key_pair::{read_private_key, remove_unreferenced_keys};
use crate::node::{foreign_header, newest_witness};
use crate::state::account_key::AccountKey;
use crate::state::durable_file;
use crate::state::ledger::{FILE_NAME, Ledger, LedgerError};
use crate::state::ledger_file::LedgerFile;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::sync::{Arc, Mutex, RwLock};
use tokio::sync::watch;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// The file whose lock says that a program has the cluster's folder open.
const LOCK_FILE_NAME: &str = "lock";

/// Contents of the cluster's folder, locked.
struct OpenedFolder {
    lock: File,
    file: LedgerFile,
    ledger: Ledger,
    /// What is wrong with the file of the ledger's generation, if anything is.
    generation_damage: Option<String>,
    client_key: Option<Zeroizing<String>>,
    account_key: AccountKey,
}

impl Cluster {
    /// Opens the cluster in its folder, as it was left; creates it if there is none. The nodes that
    /// are switched on unlock their drives by themselves from now on, and a rekey that was begun
    /// goes on.
    ///
    /// # Errors
    /// The folder or the ledger cannot be used, or the settings make no cluster.
    pub(crate) async fn open(
        settings: ClusterSettings,
        key_servers: Arc<dyn KeyServerClient>,
    ) -> Result<Arc<Self>, OpenError> {
        let look = settings.clone();
        let found = tokio::task::spawn_blocking(move || open_folder(&look)).await;
        let found =
            found.unwrap_or_else(|join| Err(LedgerError::Stopped(join.to_string()).into()))?;
        let node_ids: Vec<_> = found.ledger.nodes.keys().copied().collect();
        let rekey_control = RekeyControl::new(settings.rekey_control);
        let cluster = Arc::new(Self {
            settings,
            ledger: Arc::new(RwLock::new(Arc::new(found.ledger))),
            writer: Arc::new(tokio::sync::Mutex::new(found.file)),
            client_key: Arc::new(RwLock::new(found.client_key)),
            account_key: found.account_key,
            nodes: RwLock::new(BTreeMap::new()),
            damaged_shares: Mutex::default(),
            unchecked_changes: Mutex::default(),
            key_servers,
            changes: watch::Sender::new(0),
            retries: watch::Sender::new(0),
            rekey_control,
            closing: watch::Sender::new(false),
            power: tokio::sync::Mutex::new(()),
            tasks: tokio::sync::Mutex::new(JoinSet::new()),
            _lock: found.lock,
        });
        cluster.resolve_unseen_faults().await;
        cluster.renew_generation_file(found.generation_damage).await;
        // All nodes run before the first needs the share of another. The task of a node that cannot
        // be opened tries again and reports why.
        for node_id in &node_ids {
            let _ = cluster.powered_node(*node_id).await;
        }
        {
            let mut tasks = cluster.tasks.lock().await;
            for node_id in node_ids {
                tasks.spawn(node_power::run(Arc::clone(&cluster), node_id));
            }
            tasks.spawn(rekey_worker::run(Arc::clone(&cluster)));
            tasks.spawn(pending_destruction::run(Arc::clone(&cluster)));
            tasks.spawn(key_server_monitor::run(Arc::clone(&cluster)));
        }
        Ok(cluster)
    }

    /// Starts nothing more and waits for no key server; what is being written is finished, and
    /// afterwards all drives are locked. A rekey goes on when the cluster is opened again.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        let mut tasks = self.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
        drop(self.writer.lock().await);
        for node in self.running_nodes() {
            let _ = tokio::task::spawn_blocking(move || node.switch_off()).await;
        }
    }
}

fn open_folder(settings: &ClusterSettings) -> Result<OpenedFolder, OpenError> {
    let folder = || settings.folder.display().to_string();
    let unusable = |cause| OpenError::Folder { folder: folder(), cause };
    durable_file::make_folder(&settings.folder).map_err(unusable)?;
    let lock = File::create(settings.folder.join(LOCK_FILE_NAME)).map_err(unusable)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse { folder: folder() },
        TryLockError::Error(cause) => unusable(cause),
    })?;
    let mut file = LedgerFile::new(&settings.folder, Arc::clone(&settings.steps));
    let mut ledger = if let Some(ledger) = file.read()? {
        // Before anything is changed, removed or sent on the ledger's word.
        if let Some(witness) = foreign_header(&settings.folder, &ledger) {
            let path = settings.folder.join(FILE_NAME).display().to_string();
            let witness = witness.display().to_string();
            return Err(LedgerError::Foreign { path, witness }.into());
        }
        if let Some(newest) = newest_witness(&settings.folder, &ledger) {
            file.refuse_older(&ledger, newest.generation, &newest.path)?;
        }
        ledger
    } else {
        create::check(settings)?;
        let mut ledger = create::first_ledger(settings);
        file.write(&mut ledger)?;
        ledger
    };
    if ledger.ring.current().is_none() {
        create::create(settings, &mut file, &mut ledger)?;
    }
    let client_key = read_client_key(settings, &mut ledger)?;
    let account_key = open_account_key(settings, &ledger)?;
    let generation_damage = file.take_generation_damage();
    Ok(OpenedFolder { lock, file, ledger, generation_damage, client_key, account_key })
}

fn open_account_key(settings: &ClusterSettings, ledger: &Ledger) -> Result<AccountKey, OpenError> {
    let accounts = &ledger.inventory;
    let is_needed = accounts.accounts_from(0).next().is_some();
    let opens = |key: &AccountKey| accounts.secrets_open(key).is_ok();
    let (folder, steps) = (&settings.folder, &settings.steps);
    Ok(AccountKey::open(folder, steps, &ledger.identity.uuid, is_needed, opens)?)
}

/// The private key of the pair that the ledger names; what it does not name is removed. Drives
/// under an internal key do not need it: that it cannot be used is a fault, and no refusal.
fn read_client_key(
    settings: &ClusterSettings,
    ledger: &mut Ledger,
) -> Result<Option<Zeroizing<String>>, OpenError> {
    let named = ledger.key_pair.as_ref();
    remove_unreferenced_keys(&settings.steps, &settings.folder, named)
        .map_err(|cause| LedgerError::file("tidy", &settings.folder, cause))?;
    match named.map(|record| read_private_key(&settings.folder, record)).transpose() {
        Ok(key) => Ok(key),
        Err(cause) => {
            tracing::error!(cause, "a file is damaged");
            ledger.observed.set_key_pair_damage(Some(cause));
            Ok(None)
        }
    }
}
