//! What the API shows of the cluster's encryption: Element's own shapes, made from the ledger.

use super::Cluster;
use crate::asyncs::AsyncHandle;
use crate::ledger::{Ledger, RunningRekey};
use crate::registry::{ActiveProviders, KeyProviderId};
use crate::rekey::RekeyState;
use crate::ring::{DriveId, KeyId, KeyManagement, NodeId, Ring};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Element's `EncryptionKeyInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptionKeyInfo {
    /// When the key was made, by the cluster's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_created_time: Option<String>,
    /// The cluster's name for the key.
    #[serde(rename = "keyID")]
    pub key_id: KeyId,
    /// `internal` or `external`.
    pub key_management_type: String,
    /// The provider of an external key.
    #[serde(rename = "keyProviderID", skip_serializing_if = "Option::is_none")]
    pub key_provider_id: Option<KeyProviderId>,
}

/// What `GetSoftwareEncryptionAtRestInfo` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionInfo {
    /// Whether software encryption at rest is enabled.
    pub enabled: bool,
    /// Goes up by one each time it is enabled.
    pub version: u32,
    /// The current master key.
    pub master_key_info: Option<EncryptionKeyInfo>,
    /// The async result of the current or latest rekey, while it exists.
    pub rekey_async_handle: Option<AsyncHandle>,
}

/// A node and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its id.
    pub node_id: NodeId,
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: String,
    /// Whether it is switched on.
    pub powered: bool,
}

/// How a drive stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriveState {
    /// Its data encryption key is there: it serves.
    Active,
    /// It cannot be read until its data encryption key is unwrapped.
    Locked {
        /// Why it is not yet.
        reason: String,
    },
    /// Its node is switched off.
    Absent,
}

/// A drive and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriveStatus {
    /// Its id.
    pub drive_id: DriveId,
    /// Its node.
    pub node_id: NodeId,
    /// Its serial number.
    pub serial: String,
    /// Its slot, from 0.
    pub slot: u32,
    /// How many blocks of 4 KiB it has.
    pub blocks: u64,
    /// How it stands.
    pub state: DriveState,
    /// The master key that its data encryption key is wrapped by, as last known.
    pub wrapped_by: Option<KeyId>,
}

impl Cluster {
    /// What `GetSoftwareEncryptionAtRestInfo` tells.
    #[must_use]
    pub fn encryption_info(&self) -> EncryptionInfo {
        let ledger = self.ledger();
        let handle = ledger.encryption.rekey_async_handle;
        EncryptionInfo {
            enabled: ledger.encryption.enabled,
            version: ledger.encryption.version,
            master_key_info: ledger
                .ring
                .current()
                .and_then(|key_id| dated_key_info(&ledger.ring, key_id)),
            rekey_async_handle: handle.filter(|handle| ledger.asyncs.is_known(*handle)),
        }
    }

    /// The providers that hold keys which have not been deleted yet.
    #[must_use]
    pub fn active_providers(&self) -> ActiveProviders {
        self.read(|ledger| ledger.ring.active_providers())
    }

    /// The nodes, in order of their ids.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeStatus> {
        let ledger = self.ledger();
        let status = |(node_id, node): (&NodeId, &crate::ledger::NodeRecord)| NodeStatus {
            node_id: *node_id,
            name: node.name.clone(),
            uuid: node.uuid.clone(),
            powered: node.powered,
        };
        ledger.nodes.iter().map(status).collect()
    }
}

/// A key as a rekey's result shows it: without its time.
pub(super) fn key_info(ring: &Ring, key_id: KeyId) -> Option<EncryptionKeyInfo> {
    let management = ring.key(key_id)?.management;
    Some(EncryptionKeyInfo {
        key_created_time: None,
        key_id,
        key_management_type: match management {
            KeyManagement::Internal => "internal".to_owned(),
            KeyManagement::External { .. } => "external".to_owned(),
        },
        key_provider_id: management.key_provider_id(),
    })
}

fn dated_key_info(ring: &Ring, key_id: KeyId) -> Option<EncryptionKeyInfo> {
    let mut info = key_info(ring, key_id)?;
    info.key_created_time = Some(ring.key(key_id)?.created_time.clone());
    Some(info)
}

/// Exactly the documented members of a rekey's result, in this state.
pub(super) fn rekey_info(ring: &Ring, running: &RunningRekey, state: RekeyState) -> Value {
    json!({
        "keyToDecommission": key_info(ring, running.job.key_to_decommission()),
        "newKey": key_info(ring, running.job.new_key()),
        "operation": running.operation,
        "state": state,
    })
}

/// How far the running rekey is: the documented members and how many drives are done.
#[allow(dead_code, reason = "the rekey worker writes it")]
pub(super) fn rekey_progress(ledger: &Ledger, running: &RunningRekey) -> Value {
    let mut details = rekey_info(&ledger.ring, running, running.job.state());
    if let Some(members) = details.as_object_mut() {
        let rewrapped = ledger.ring.wraps(running.job.new_key());
        members.insert("drivesRewrapped".to_owned(), json!(rewrapped));
        members.insert("drivesTotal".to_owned(), json!(ledger.drives().count()));
    }
    details
}

/// What a rekey does, in Element's words; Element documents the way from internal to external.
pub(super) fn operation(from: KeyManagement, to: KeyManagement) -> String {
    let words = |management| match management {
        KeyManagement::Internal => "Internal Key Management".to_owned(),
        KeyManagement::External { key_provider_id } => {
            format!("External Key Management with keyProviderID={key_provider_id}")
        }
    };
    if from == to {
        format!("Rekeying Master Key. Master Key management remaining {}", words(to))
    } else {
        format!(
            "Rekeying Master Key. Master Key management being transferred from {} to {}",
            words(from),
            words(to)
        )
    }
}
