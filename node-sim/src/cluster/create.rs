//! The making of a cluster: the ledger that says so first, then the nodes, then the ledger that
//! says it is done. A creation that was cut short is done again from the start: nothing was ever
//! stored in it.

use super::error::OpenError;
use super::master_keys::{generate_master_key, threshold};
use super::settings::{BLOCKS_PER_DRIVE_MAX, ClusterSettings, DRIVES_PER_NODE_MAX, NODES_MAX};
use crate::crypto::aead::SealError;
use crate::crypto::master_key::MasterKey;
use crate::node::{Drive, Node, NodeError, ShareFile, ShareFileError, folder_of};
use crate::state::events::{EventContent, EventType};
use crate::state::key_ring::{CreatedKey, DriveId, KeyId, KeyManagement, NodeId};
use crate::state::ledger::{DriveRecord, Identity, Ledger, NodeRecord};
use crate::state::ledger_file::LedgerFile;
use crate::state::timestamps;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// Whether a cluster can be made by these settings.
pub(super) fn check(settings: &ClusterSettings) -> Result<(), OpenError> {
    let table = [
        ("nodes", u64::from(settings.nodes), u64::from(NODES_MAX)),
        ("drives per node", u64::from(settings.drives_per_node), u64::from(DRIVES_PER_NODE_MAX)),
        ("blocks per drive", settings.blocks_per_drive, BLOCKS_PER_DRIVE_MAX),
    ];
    for (what, number, max) in table {
        if number == 0 || number > max {
            let sentence = format!("{number} {what}: a cluster has 1 to {max}");
            return Err(OpenError::Settings(sentence));
        }
    }
    if settings.folder.join("node-1").exists() {
        return Err(OpenError::LedgerMissing { folder: settings.folder.display().to_string() });
    }
    Ok(())
}

/// The ledger of a cluster that is about to be made: its master key is planned.
pub(super) fn first_ledger(settings: &ClusterSettings) -> Ledger {
    let identity = Identity::new(&settings.name, &settings.mvip, &settings.svip);
    let mut next_drive = 1..;
    let mut nodes = BTreeMap::new();
    for number in 1..=settings.nodes {
        let drive = |(slot, drive)| DriveRecord {
            drive_id: DriveId(drive),
            serial: format!("{}{drive:06}", identity.unique_id.to_uppercase()),
            slot,
            blocks: settings.blocks_per_drive,
        };
        let node = NodeRecord {
            name: format!("{}-node-{number}", settings.name),
            uuid: Uuid::new_v4().to_string(),
            powered: true,
            drives: (0..settings.drives_per_node).zip(&mut next_drive).map(drive).collect(),
        };
        nodes.insert(NodeId(number), node);
    }
    let mut ledger = Ledger::new(identity, nodes);
    let now = timestamps::format_seconds(OffsetDateTime::now_utc());
    ledger.ring.plan(KeyId::random(), KeyManagement::Internal, now);
    ledger
}

/// Makes the nodes of a cluster whose ledger has a planned master key, and puts that in use.
pub(super) fn create(
    settings: &ClusterSettings,
    file: &mut LedgerFile,
    ledger: &mut Ledger,
) -> Result<(), OpenError> {
    let Some(key_id) = ledger.ring.keys().map(|(key_id, _)| key_id).next() else {
        return Err(OpenError::Settings("the ledger names no master key".to_owned()));
    };
    let dealing = Uuid::new_v4().to_string();
    let master_key = generate_master_key().map_err(|cause| share_error(key_id, cause))?;
    create_nodes(settings, ledger, key_id, &master_key)?;
    deal(settings, ledger, key_id, &master_key, &dealing)?;
    let check = master_key.check_value(key_id);
    ledger
        .ring
        .put_in_use(key_id, CreatedKey { dealing: Some(dealing), identifier: None, check })?;
    let drives: Vec<_> = ledger.drives().map(|(_, drive)| drive.drive_id).collect();
    for drive_id in drives {
        ledger.ring.note_wrapped(drive_id, key_id)?;
    }
    ledger.ring.make_current(key_id)?;
    let message = "Cluster created, software encryption at rest enabled";
    let content = EventContent::new(EventType::ClusterMasterEvent, message);
    ledger.events.record(content, OffsetDateTime::now_utc());
    Ok(file.write(ledger)?)
}

fn create_nodes(
    settings: &ClusterSettings,
    ledger: &Ledger,
    key_id: KeyId,
    master_key: &MasterKey,
) -> Result<(), NodeError> {
    let stamp = ledger.stamp();
    for (node_id, record) in &ledger.nodes {
        let folder = Node::make_folder(&settings.folder, *node_id)?;
        for drive in &record.drives {
            Drive::create(&folder, drive, (key_id, master_key), &stamp, &settings.steps).map_err(
                |cause| NodeError::Drive { node_id: *node_id, drive_id: drive.drive_id, cause },
            )?;
        }
    }
    Ok(())
}

fn deal(
    settings: &ClusterSettings,
    ledger: &Ledger,
    key_id: KeyId,
    master_key: &MasterKey,
    dealing: &str,
) -> Result<(), NodeError> {
    let nodes: Vec<NodeId> = ledger.nodes.keys().copied().collect();
    let holders: Vec<u8> = nodes.iter().filter_map(|id| u8::try_from(id.0).ok()).collect();
    let needed = threshold(nodes.len());
    let node_id = NodeId(1);
    let stamp = ledger.stamp();
    let files = ShareFile::deal(key_id, master_key, (dealing, &stamp), (needed, &holders))
        .map_err(|cause| NodeError::Share { node_id, cause })?;
    for (node_id, share) in nodes.into_iter().zip(files) {
        share
            .write(&folder_of(&settings.folder, node_id), &settings.steps)
            .map_err(|cause| NodeError::Share { node_id, cause })?;
    }
    Ok(())
}

const fn share_error(key_id: KeyId, cause: SealError) -> NodeError {
    NodeError::Share { node_id: NodeId(1), cause: ShareFileError::Sealed { key_id, cause } }
}
