//! Opening a cluster: as it was left, or, the first time, creating it.

use super::{Cluster, Settings};
use crate::durable;
use crate::key_pair::{KeyPairRecord, remove_unnamed};
use crate::ledger::{DriveRecord, Identity, Ledger, LedgerError, LedgerFile, NodeRecord};
use crate::ring::{DriveId, NodeId};
use crate::vault::KeyVault;
use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use tokio::sync::watch;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Why a cluster cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder cannot be used.
    #[error("cannot use the cluster's folder {folder}: {cause}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The settings ask for what cannot be.
    #[error("{0}")]
    Settings(String),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Cluster {
    /// Opens the cluster in its folder, as it was left; creates it if there is none.
    ///
    /// # Errors
    /// The folder or the ledger cannot be used, or the settings make no cluster.
    pub async fn open(
        settings: Settings,
        vault: Arc<dyn KeyVault>,
    ) -> Result<Arc<Self>, OpenError> {
        durable::make_folder(&settings.folder).map_err(|cause| OpenError::Folder {
            folder: settings.folder.display().to_string(),
            cause,
        })?;
        let mut file = LedgerFile::new(&settings.folder, Arc::clone(&settings.steps));
        let ledger = match file.read()? {
            Some(ledger) => ledger,
            None => {
                let mut ledger = first_ledger(&settings);
                file.write(&mut ledger)?;
                ledger
            }
        };
        let client_key = read_client_key(&settings, ledger.key_pair.as_ref())?;
        Ok(Arc::new(Self {
            client_key: Arc::new(RwLock::new(client_key)),
            settings,
            ledger: Arc::new(RwLock::new(Arc::new(ledger))),
            writer: Arc::new(tokio::sync::Mutex::new(file)),
            vault,
            changes: watch::Sender::new(0),
        }))
    }
}

/// The private key of the pair that the ledger names; what it does not name is removed.
fn read_client_key(
    settings: &Settings,
    named: Option<&KeyPairRecord>,
) -> Result<Option<Zeroizing<String>>, OpenError> {
    let failed = |verb| move |cause| LedgerError::file(verb, &settings.folder, cause);
    remove_unnamed(&settings.steps, &settings.folder, named).map_err(failed("tidy"))?;
    let key = named.map(|record| record.private_key(&settings.folder)).transpose();
    Ok(key.map_err(failed("read the private key for key servers in"))?)
}

fn first_ledger(settings: &Settings) -> Ledger {
    let identity = Identity::fresh(&settings.name, &settings.mvip, &settings.svip);
    let mut next_drive = 1..;
    let nodes: BTreeMap<NodeId, NodeRecord> = (1..=settings.nodes)
        .map(|number| {
            let drives = (0..settings.drives_per_node)
                .zip(&mut next_drive)
                .map(|(slot, drive)| DriveRecord {
                    drive_id: DriveId(drive),
                    serial: format!("{}{drive:06}", identity.unique_id.to_uppercase()),
                    slot,
                    blocks: settings.blocks_per_drive,
                })
                .collect();
            let node = NodeRecord {
                name: format!("{}-node-{number}", settings.name),
                uuid: Uuid::new_v4().to_string(),
                powered: true,
                drives,
            };
            (NodeId(number), node)
        })
        .collect();
    Ledger::new(identity, nodes)
}
