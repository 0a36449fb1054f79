//! What the API shows of the cluster's encryption: Element's own shapes, made from the ledger.

use super::shared_state::Cluster;
use crate::state::async_results::AsyncHandle;
use crate::state::key_ring::{DriveId, KeyId, KeyManagement, KeyRing, NodeId};
use crate::state::key_server_registry::KeyProviderId;
use crate::state::ledger::{DriveRecord, Ledger, RunningRekey};
use crate::state::observations::DriveState;
use crate::state::rekey_job::RekeyState;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Element's `EncryptionKeyInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EncryptionKeyInfo {
    /// When the key was made, by the cluster's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_created_time: Option<String>,
    /// The cluster's name for the key.
    #[serde(rename = "keyID")]
    pub(crate) key_id: KeyId,
    /// `internal` or `external`.
    pub(crate) key_management_type: String,
    /// The provider of an external key.
    #[serde(rename = "keyProviderID", skip_serializing_if = "Option::is_none")]
    pub(crate) key_provider_id: Option<KeyProviderId>,
}

/// What `GetSoftwareEncryptionAtRestInfo` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncryptionInfo {
    /// Whether software encryption at rest is enabled.
    pub(crate) enabled: bool,
    /// Goes up by one each time it is enabled.
    pub(crate) version: u32,
    /// The current master key.
    pub(crate) master_key_info: Option<EncryptionKeyInfo>,
    /// The async result of the current or latest rekey, while it exists.
    pub(crate) rekey_async_handle: Option<AsyncHandle>,
}

/// A node and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeStatus {
    /// Its id.
    pub(crate) node_id: NodeId,
    /// Its name.
    pub(crate) name: String,
    /// Its UUID.
    pub(crate) uuid: String,
    /// Whether it is switched on.
    pub(crate) powered: bool,
}

/// A drive and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DriveStatus {
    /// Its id.
    pub(crate) drive_id: DriveId,
    /// Its node.
    pub(crate) node_id: NodeId,
    /// Its serial number.
    pub(crate) serial: String,
    /// Its slot, from 0.
    pub(crate) slot: u32,
    /// How many blocks of 4 KiB it has.
    pub(crate) blocks: u64,
    /// How it stands.
    pub(crate) state: DriveState,
    /// The master key that opens its data encryption key.
    pub(crate) wrapped_by: Option<KeyId>,
    /// The master keys that may wrap its data encryption key: two during a rekey.
    pub(crate) wrappings: Vec<KeyId>,
}

impl Cluster {
    /// What `GetSoftwareEncryptionAtRestInfo` tells.
    #[must_use]
    pub(crate) fn encryption_info(&self) -> EncryptionInfo {
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

    /// The drives, in order of their nodes and slots.
    #[must_use]
    pub(crate) fn drives(&self) -> Vec<DriveStatus> {
        self.read(drives_of)
    }

    /// The nodes, in order of their ids.
    #[must_use]
    pub(crate) fn nodes(&self) -> Vec<NodeStatus> {
        let ledger = self.ledger();
        let status = |(node_id, node): (&NodeId, &crate::state::ledger::NodeRecord)| NodeStatus {
            node_id: *node_id,
            name: node.name.clone(),
            uuid: node.uuid.clone(),
            powered: node.powered,
        };
        ledger.nodes.iter().map(status).collect()
    }
}

/// The drives in this ledger, in order of their nodes and slots.
#[must_use]
pub(crate) fn drives_of(ledger: &Ledger) -> Vec<DriveStatus> {
    let status = |(node_id, drive): (NodeId, &DriveRecord)| DriveStatus {
        drive_id: drive.drive_id,
        node_id,
        serial: drive.serial.clone(),
        slot: drive.slot,
        blocks: drive.blocks,
        state: ledger.drive_state(node_id, drive.drive_id),
        wrapped_by: ledger.ring.wrapped_by(drive.drive_id),
        wrappings: ledger.ring.wrappings(drive.drive_id).collect(),
    };
    ledger.drives().map(status).collect()
}

/// A key as a rekey's result shows it: without its time.
fn key_info(key_id: KeyId, management: KeyManagement) -> EncryptionKeyInfo {
    EncryptionKeyInfo {
        key_created_time: None,
        key_id,
        key_management_type: match management {
            KeyManagement::Internal => "internal".to_owned(),
            KeyManagement::External { .. } => "external".to_owned(),
        },
        key_provider_id: management.key_provider_id(),
    }
}

fn dated_key_info(ring: &KeyRing, key_id: KeyId) -> Option<EncryptionKeyInfo> {
    let record = ring.key(key_id)?;
    let key_created_time = Some(record.created_time.clone());
    Some(EncryptionKeyInfo { key_created_time, ..key_info(key_id, record.management) })
}

/// Exactly the documented members of a rekey's result, in this state.
pub(crate) fn rekey_info(running: &RunningRekey, state: RekeyState) -> Value {
    json!({
        "keyToDecommission": key_info(running.job.key_to_decommission(), running.from),
        "newKey": key_info(running.job.new_key(), running.to),
        "operation": running.operation,
        "state": state,
    })
}

/// How far the running rekey is: the documented members and how many drives are done.
pub(crate) fn rekey_progress(ledger: &Ledger, running: &RunningRekey) -> Value {
    let mut details = rekey_info(running, running.job.state());
    if let Some(members) = details.as_object_mut() {
        let rewrapped = ledger.ring.wraps(running.job.new_key());
        members.insert("drivesRewrapped".to_owned(), json!(rewrapped));
        members.insert("drivesTotal".to_owned(), json!(ledger.drives().count()));
    }
    details
}

/// What a rekey does, in Element's words; Element documents the way from internal to external.
pub(super) fn rekey_operation(from: KeyManagement, to: KeyManagement) -> String {
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
