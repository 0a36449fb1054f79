//! Settings of a cluster, and their limits.

use super::rekey_control::RekeyControlSettings;
use crate::state::durable_file::Steps;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Nodes of a cluster: Element's own limit, and each is a point among the holders of shares.
pub(crate) const NODES_MAX: u32 = 40;

/// Drives of a node: each is a line in a ledger that is written whole.
pub(crate) const DRIVES_PER_NODE_MAX: u32 = 64;

/// Blocks of a drive: 16 TiB, the largest file of ext4.
pub(crate) const BLOCKS_PER_DRIVE_MAX: u64 = 1 << 32;

/// How a cluster is made and kept.
#[derive(Clone, Debug)]
pub(crate) struct ClusterSettings {
    /// The cluster's folder.
    pub(crate) folder: PathBuf,
    /// How many nodes a cluster gets when it is created.
    pub(crate) nodes: u32,
    /// How many drives each node gets.
    pub(crate) drives_per_node: u32,
    /// How many blocks of 4 KiB each drive gets; the file is sparse.
    pub(crate) blocks_per_drive: u64,
    /// The cluster's name.
    pub(crate) name: String,
    /// The address of management, as the API shows it.
    pub(crate) mvip: String,
    /// The address of storage, as the API shows it.
    pub(crate) svip: String,
    /// The wait after the first failure at a key server; it doubles with each further one.
    pub(crate) retry_min: Duration,
    /// The longest wait between two attempts at a key server.
    pub(crate) retry_max: Duration,
    /// How often the key servers that hold a key in use are asked for it.
    pub(crate) key_server_check_interval: Duration,
    /// How late a Create that was given up for lost can still be done by a key server: no longer
    /// than a connection lives without an answer.
    pub(crate) create_late_max: Duration,
    /// Pace and stop of rekeys, until an operator changes them.
    pub(crate) rekey_control: RekeyControlSettings,
    /// Counts durable steps.
    pub(crate) steps: Arc<Steps>,
}

impl Default for ClusterSettings {
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
            key_server_check_interval: Duration::from_secs(30),
            create_late_max: Duration::from_secs(20),
            rekey_control: RekeyControlSettings::default(),
            steps: Arc::new(Steps::new()),
        }
    }
}
