//! The ledger: everything the cluster must remember, in one durable file.
//!
//! Every change writes the whole ledger beside the old one, makes it durable and renames it over
//! the old one; nobody sees a change before that. If it cannot be written, the disk and the memory
//! may differ, so from then on no change is made until the program was started again.
//! No key that opens data is ever in here.

use crate::state::accounts::Accounts;
use crate::state::async_results::{AsyncError, AsyncHandle, AsyncResults};
use crate::state::error::{ElementError, ErrorName};
use crate::state::events::Events;
use crate::state::faults::Faults;
use crate::state::key_pair_record::KeyPairRecord;
use crate::state::key_ring::{DriveId, KeyManagement, KeyRing, NodeId};
use crate::state::key_server_registry::{KeyServerId, KeyServerRegistry};
use crate::state::observations::{DriveState, Observations};
use crate::state::rekey_job::RekeyJob;
use crate::state::timestamps;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// The format that this program writes; it refuses to read another.
pub(crate) const FORMAT: u32 = 2;

/// The ledger's name in the cluster's folder.
pub(crate) const FILE_NAME: &str = "ledger.json";

/// Everything the cluster must remember.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ledger {
    format: u32,
    generation: u64,
    /// Who the cluster is.
    pub(crate) identity: Identity,
    /// Its nodes and their drives.
    pub(crate) nodes: BTreeMap<NodeId, NodeRecord>,
    /// Software encryption at rest.
    pub(crate) encryption: SoftwareEncryptionAtRest,
    /// The master keys.
    pub(crate) ring: KeyRing,
    /// The rekey that is running.
    pub(crate) rekey: Option<RunningRekey>,
    /// Key providers and key servers.
    #[serde(default)]
    pub(crate) registry: KeyServerRegistry,
    /// The key pair that the cluster proves itself with at key servers.
    #[serde(default)]
    pub(crate) key_pair: Option<KeyPairRecord>,
    /// Async results.
    #[serde(default)]
    pub(crate) asyncs: AsyncResults,
    /// Cluster faults.
    #[serde(default)]
    pub(crate) faults: Faults,
    /// Events.
    #[serde(default)]
    pub(crate) events: Events,
    /// Accounts and volumes.
    #[serde(default)]
    pub(crate) inventory: Accounts,
    /// What the running program has seen; not stored.
    #[serde(skip)]
    pub(crate) observed: Observations,
}

/// Who the cluster is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    /// The cluster's name.
    pub(crate) name: String,
    /// Its UUID.
    pub(crate) uuid: UuidText,
    /// Four characters that volumes' names are made with.
    #[serde(rename = "uniqueID")]
    pub(crate) unique_id: String,
    /// The address of management.
    pub(crate) mvip: String,
    /// The address of storage.
    pub(crate) svip: String,
    /// When it was created.
    pub(crate) created: String,
}

/// What ties a file of a node to its cluster's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// UUID of the cluster.
    pub(crate) cluster: UuidText,
    /// The ledger's generation when the file was written: an older ledger does not know of it.
    pub(crate) generation: u64,
}

/// A UUID as text, as JSON shows it.
pub(crate) type UuidText = String;

/// A node as the ledger knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeRecord {
    /// Its name.
    pub(crate) name: String,
    /// Its UUID.
    pub(crate) uuid: UuidText,
    /// Whether it is switched on (the simulated power switch).
    pub(crate) powered: bool,
    /// Its drives.
    pub(crate) drives: Vec<DriveRecord>,
}

/// A drive as the ledger knows it. What wraps its data encryption key is in the ring.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriveRecord {
    /// Its id, unique in the cluster.
    #[serde(rename = "driveID")]
    pub(crate) drive_id: DriveId,
    /// Its serial number.
    pub(crate) serial: String,
    /// Its slot, from 0.
    pub(crate) slot: u32,
    /// How many blocks it has.
    pub(crate) blocks: u64,
}

/// Software encryption at rest: fixed when the cluster is created.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SoftwareEncryptionAtRest {
    /// Whether it is enabled.
    pub(crate) enabled: bool,
    /// Goes up by one each time it is enabled.
    pub(crate) version: u32,
    /// The async result of the current or latest rekey.
    #[serde(default)]
    pub(crate) rekey_async_handle: Option<AsyncHandle>,
}

/// The rekey that is running and where its progress is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunningRekey {
    /// What is decided.
    pub(crate) job: RekeyJob,
    /// Its async result.
    pub(crate) async_handle: AsyncHandle,
    /// What it does, in Element's words.
    pub(crate) operation: String,
    /// Management of the old master key.
    pub(crate) from: KeyManagement,
    /// Management of the new master key.
    pub(crate) to: KeyManagement,
    /// Why it was given up, if it was: its result.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) given_up: Option<AsyncError>,
}

/// Why the ledger cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    /// It cannot be read or written.
    #[error("cannot {verb} {path}: {cause}")]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        cause: Arc<std::io::Error>,
    },
    /// It is not a ledger.
    #[error("the ledger {path} cannot be understood: {cause}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Another version of this program wrote it.
    #[error(
        "the ledger {path} has format {found}, this program knows format {FORMAT}: start the \
         version of the program that wrote it"
    )]
    Format {
        /// The file.
        path: String,
        /// Its format.
        found: u32,
    },
    /// It is older than another file of the cluster.
    #[error(
        "the ledger {path} is of generation {found}, but {witness} is of generation {newest}: it \
         is an older copy. Put the newest ledger back; nothing was changed"
    )]
    Older {
        /// The file.
        path: String,
        /// Its generation.
        found: u64,
        /// The newest file.
        witness: String,
        /// That file's generation.
        newest: u64,
    },
    /// It is the ledger of another cluster.
    #[error(
        "the ledger {path} is of another cluster than the drives, see {witness}: put the ledger of \
         this cluster back; nothing was changed"
    )]
    Foreign {
        /// The file.
        path: String,
        /// A header of a drive.
        witness: String,
    },
    /// An earlier write failed, so nothing is changed any more.
    #[error("no change is made since the ledger could not be written; start again: {0}")]
    Stopped(String),
}

impl LedgerError {
    pub(crate) fn file(verb: &'static str, path: &Path, cause: std::io::Error) -> Self {
        Self::File { verb, path: path.display().to_string(), cause: Arc::new(cause) }
    }
}

impl From<LedgerError> for ElementError {
    /// The cause names a file of the simulator: it goes to the log, not to the client.
    fn from(error: LedgerError) -> Self {
        tracing::error!(%error, "a call failed");
        Self::new(ErrorName::Internal, "The cluster could not write its ledger; see its log.")
    }
}

impl Ledger {
    /// The ledger of a cluster that is about to be created.
    #[must_use]
    pub(crate) fn new(identity: Identity, nodes: BTreeMap<NodeId, NodeRecord>) -> Self {
        Self {
            format: FORMAT,
            generation: 0,
            identity,
            nodes,
            encryption: SoftwareEncryptionAtRest {
                enabled: true,
                version: 1,
                rekey_async_handle: None,
            },
            ring: KeyRing::default(),
            rekey: None,
            registry: KeyServerRegistry::default(),
            key_pair: None,
            asyncs: AsyncResults::default(),
            faults: Faults::default(),
            events: Events::default(),
            inventory: Accounts::default(),
            observed: Observations::default(),
        }
    }

    /// How many times it was written.
    #[must_use]
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// It is about to be written: the next generation.
    pub(super) const fn begin_generation(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }

    /// What files are stamped with that are written now.
    #[must_use]
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { cluster: self.identity.uuid.clone(), generation: self.generation }
    }

    /// Master node: the first that is switched on, as the ensemble elects one that is there.
    #[must_use]
    pub(crate) fn master_node(&self) -> NodeId {
        let powered = self.nodes.iter().find(|(_, node)| node.powered).map(|(id, _)| *id);
        powered.or_else(|| self.nodes.keys().next().copied()).unwrap_or(NodeId(1))
    }

    /// Whether a provider that holds a key of the ring uses this key server.
    #[must_use]
    pub(crate) fn is_key_server_in_use(&self, id: KeyServerId) -> bool {
        let provider = self.registry.provider_of(id);
        provider.is_some_and(|provider| self.ring.active_providers().contains(&provider))
    }

    /// All drives of all nodes, each with its node.
    pub(crate) fn drives(&self) -> impl Iterator<Item = (NodeId, &DriveRecord)> {
        self.nodes
            .iter()
            .flat_map(|(node_id, node)| node.drives.iter().map(|drive| (*node_id, drive)))
    }
}

/// How many drives of a node are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DriveCounts {
    /// All of them.
    pub(crate) total: usize,
    /// Those that serve.
    pub(crate) active: usize,
    /// Those whose key cannot be acquired, or does not open them.
    pub(crate) locked: usize,
    /// Those whose key is being acquired.
    pub(crate) starting: usize,
}

impl Ledger {
    /// State of a drive of this node.
    #[must_use]
    pub(crate) fn drive_state(&self, node_id: NodeId, drive_id: DriveId) -> DriveState {
        if self.nodes.get(&node_id).is_some_and(|node| node.powered) {
            self.observed.drive(drive_id)
        } else {
            DriveState::Absent
        }
    }

    /// Counts the drives of a node.
    #[must_use]
    pub(crate) fn drive_counts_of(&self, node_id: NodeId) -> DriveCounts {
        let drives = self.nodes.get(&node_id).map(|node| node.drives.iter());
        self.count(drives.into_iter().flatten().map(|drive| (node_id, drive)))
    }

    /// Counts all drives.
    #[must_use]
    pub(crate) fn drive_counts(&self) -> DriveCounts {
        self.count(self.drives())
    }

    fn count<'a>(&self, drives: impl Iterator<Item = (NodeId, &'a DriveRecord)>) -> DriveCounts {
        let mut counts = DriveCounts::default();
        for (node_id, drive) in drives {
            counts.total = counts.total.saturating_add(1);
            let count = match self.drive_state(node_id, drive.drive_id) {
                DriveState::Active => &mut counts.active,
                DriveState::Locked { .. } => &mut counts.locked,
                DriveState::Starting => &mut counts.starting,
                DriveState::Absent => continue,
            };
            *count = count.saturating_add(1);
        }
        counts
    }

    /// Whether every drive of every node that is switched on serves.
    #[must_use]
    pub(crate) fn is_unlocked(&self) -> bool {
        let counts = self.drive_counts();
        counts.locked == 0 && counts.starting == 0
    }
}

impl Identity {
    /// Chooses the identity of a new cluster.
    #[must_use]
    pub(crate) fn new(name: &str, mvip: &str, svip: &str) -> Self {
        let uuid = Uuid::new_v4();
        let letters = b"abcdefghijklmnopqrstuvwxyz234567";
        let unique_id = uuid
            .as_bytes()
            .iter()
            .take(4)
            .filter_map(|byte| letters.get(usize::from(byte % 32)))
            .map(|letter| char::from(*letter))
            .collect();
        Self {
            name: name.to_owned(),
            uuid: uuid.to_string(),
            unique_id,
            mvip: mvip.to_owned(),
            svip: svip.to_owned(),
            created: timestamps::format_seconds(OffsetDateTime::now_utc()),
        }
    }
}
