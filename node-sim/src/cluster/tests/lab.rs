//! A small cluster in a folder of its own, with two key providers in memory.

use super::agreement::assert_faults_agree;
use crate::cluster::error::OpenError;
use crate::cluster::{Cluster, ClusterSettings, DriveState, RekeyTarget};
use crate::key_server::KeyServerClient;
use crate::key_server::client_key_pair::{NewKeyPair, Subject};
use crate::key_server::in_memory::InMemoryKeyServers;
use crate::node::BLOCK_LEN;
use crate::state::durable_file::Steps;
use crate::state::error::ElementError;
use crate::state::key_ring::{DriveId, KeyId, KeyManagement};
use crate::state::key_server_registry::KeyServerKmip;
use crate::state::ledger::{Ledger, LedgerError};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The key server of provider 1, and that of provider 2.
pub(crate) const SERVER_1: u64 = 1;
pub(crate) const SERVER_2: u64 = 2;

/// Longer than anything here takes; only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Lab {
    authority: certs::Authority,
    pub(crate) folder: TempDir,
    pub(crate) key_servers: Arc<InMemoryKeyServers>,
    pub(crate) nodes: u32,
    pub(crate) drives_per_node: u32,
}

/// Why a change of the test's own did not happen.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        Self(error.to_string())
    }
}

impl Lab {
    pub(crate) fn new(nodes: u32, drives_per_node: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = certs::Authority::new("CA of the lab").unwrap();
        Self {
            authority,
            folder,
            key_servers: Arc::new(InMemoryKeyServers::new()),
            nodes,
            drives_per_node,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn node_folder(&self, node: u32) -> PathBuf {
        self.path().join(format!("node-{node}"))
    }

    /// Opens the cluster, without providers.
    pub(crate) async fn open_with(&self, steps: Steps) -> Result<Arc<Cluster>, OpenError> {
        let settings = ClusterSettings {
            folder: self.path().to_owned(),
            nodes: self.nodes,
            drives_per_node: self.drives_per_node,
            blocks_per_drive: 16,
            retry_min: Duration::from_millis(1),
            retry_max: Duration::from_millis(20),
            create_late_max: Duration::from_millis(40),
            key_server_check_interval: Duration::from_secs(3600),
            steps: Arc::new(steps),
            ..ClusterSettings::default()
        };
        let key_servers: Arc<dyn KeyServerClient> = self.key_servers.clone();
        Cluster::open(settings, key_servers).await
    }

    pub(crate) async fn open(&self) -> Arc<Cluster> {
        self.open_with(Steps::new()).await.unwrap()
    }

    /// Adds providers 1 and 2, each with a key server.
    pub(crate) async fn add_providers(&self, cluster: &Cluster) {
        let pair = cluster.read(|ledger| ledger.key_pair.clone());
        let client = pair.map(|pair| self.authority.sign(pair.certificate_sign_request()).unwrap());
        cluster
            .change(|ledger| {
                for name in ["one", "two"] {
                    let provider = ledger.registry.create_provider(name)?;
                    let server =
                        ledger.registry.create_server(self.key_server(name, client.as_deref()))?;
                    ledger.registry.add_to_provider(server, provider)?;
                }
                Ok::<_, Refused>(())
            })
            .await
            .unwrap();
    }

    fn key_server(&self, name: &str, client_certificate: Option<&str>) -> KeyServerKmip {
        KeyServerKmip {
            name: name.to_owned(),
            hostnames: vec![format!("{name}.example")],
            port: 5696,
            ca_certificate: self.authority.cert_pem().to_owned(),
            client_certificate: client_certificate.unwrap_or_default().to_owned(),
        }
    }

    /// Shares that the node has, without those that are being written.
    pub(crate) fn shares(&self, node: u32) -> Vec<PathBuf> {
        let Ok(entries) = self.node_folder(node).join("shares").read_dir() else {
            return Vec::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect()
    }

    /// The only share that the node has.
    pub(crate) fn share(&self, node: u32) -> PathBuf {
        let shares = self.shares(node);
        assert_eq!(shares.len(), 1, "shares of node {node}: {shares:?}");
        shares.into_iter().next().unwrap()
    }

    /// A new cluster with providers 1 and 2, a share on every node and a pattern on every drive.
    pub(crate) async fn create(&self) -> Arc<Cluster> {
        let cluster = self.open().await;
        let subject = Subject { common_name: Some("lab".to_owned()), ..Subject::default() };
        let pair = NewKeyPair::create(&subject).unwrap();
        cluster.adopt_key_pair(pair).await.unwrap();
        self.add_providers(&cluster).await;
        unlocked(&cluster).await;
        let dealt = || (1..=self.nodes).all(|node| self.shares(node).len() == 1);
        at_last("every node has its share", dealt).await;
        write_pattern(&cluster).await;
        cluster
    }
}

impl From<ElementError> for Refused {
    fn from(error: ElementError) -> Self {
        Self(error.to_string())
    }
}

/// Waits until this holds of the cluster; it is looked at after every change.
pub(crate) async fn until(cluster: &Cluster, what: &str, holds: impl Fn(&Cluster) -> bool) {
    let mut changes = cluster.changes();
    let waiting = async {
        loop {
            changes.borrow_and_update();
            assert_faults_agree(cluster);
            if holds(cluster) {
                return;
            }
            changes.changed().await.unwrap();
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(
        waited.is_ok(),
        "never: {what}: {}",
        cluster.read(|ledger| {
            let faults = ledger.faults.list(crate::state::faults::FaultTypes::All);
            json!({ "rekey": ledger.rekey, "asyncs": ledger.asyncs, "faults": faults })
        })
    );
}

/// Waits until this holds, of which no change of the cluster tells.
pub(crate) async fn at_last(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

/// Waits until every drive of every node that is on serves.
pub(crate) async fn unlocked(cluster: &Cluster) {
    until(cluster, "all drives unlocked", |c| c.read(Ledger::is_unlocked)).await;
}

/// Waits until no rekey runs.
pub(crate) async fn rekeyed(cluster: &Cluster) {
    until(cluster, "rekey over", |c| c.read(|ledger| ledger.rekey.is_none())).await;
}

/// Runs a rekey to its end and gives the answer of `GetAsyncResult`.
pub(crate) async fn rekey(cluster: &Cluster, target: RekeyTarget) -> Value {
    let handle = cluster.start_rekey(target).await.unwrap();
    rekeyed(cluster).await;
    answer(cluster, handle)
}

pub(crate) fn answer(cluster: &Cluster, handle: u64) -> Value {
    cluster.read(|ledger| ledger.asyncs.get(handle)).unwrap()
}

/// The codes and details of the faults that last.
pub(crate) fn faults(cluster: &Cluster) -> Vec<(String, String)> {
    use crate::state::faults::FaultTypes;
    let list = cluster.read(|ledger| ledger.faults.list(FaultTypes::Current));
    let text = |fault: &Value, member: &str| fault[member].as_str().unwrap_or_default().to_owned();
    list.iter().map(|fault| (text(fault, "code"), text(fault, "details"))).collect()
}

/// The details of the faults of key servers that last.
pub(crate) fn kmip_faults(cluster: &Cluster) -> Vec<String> {
    let kmip = faults(cluster).into_iter().filter(|(code, _)| code == "kmipServerFault");
    kmip.map(|(_, details)| details).collect()
}

pub(crate) fn current_key(cluster: &Cluster) -> (KeyId, KeyManagement) {
    cluster.read(|ledger| {
        let key_id = ledger.ring.current().unwrap();
        (key_id, ledger.ring.key(key_id).unwrap().management)
    })
}

fn pattern(drive: DriveId) -> Vec<u8> {
    format!("drive {drive} ... ").bytes().cycle().take(2 * BLOCK_LEN).collect()
}

pub(crate) async fn write_pattern(cluster: &Cluster) {
    for drive in cluster.drives() {
        cluster.write_blocks(drive.drive_id, 3, pattern(drive.drive_id)).await.unwrap();
        cluster.flush(drive.drive_id).await.unwrap();
    }
}

/// Every drive that is not absent still holds what was written.
pub(crate) async fn assert_pattern(cluster: &Cluster) {
    for drive in cluster.drives().into_iter().filter(|drive| drive.state != DriveState::Absent) {
        let read = cluster.read_blocks(drive.drive_id, 3, vec![0; 2 * BLOCK_LEN]).await;
        assert_eq!(read.unwrap(), pattern(drive.drive_id), "drive {}", drive.drive_id);
    }
}

/// All files of a folder, also of those in it.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
