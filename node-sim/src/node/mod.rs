//! One node of the cluster: a folder with its drives and its shares of internal master keys.
//!
//! ```text
//! node-1/shares/<keyID>.json       this node's share of an internal master key
//! node-1/drive-1/drive.json        the drive's header: its data encryption key, wrapped
//! node-1/drive-1/blocks            the drive's blocks, encrypted
//! node-1/drive-1/checksums         two checksums for each of its blocks
//! ```
//!
//! A node touches no other node's folder and contacts nobody: it is given the keys. Its calls block
//! on the disk, so they are made on blocking threads.

mod block_checksums;
mod block_damage;
mod block_error;
mod block_file;
mod drive;
mod drive_error;
mod drive_file;
mod drive_header;
mod folders;
mod key_share;
mod witness;

use crate::crypto::master_key::MasterKey;
use crate::state::durable_file::{self, Steps};
use crate::state::key_ring::{DriveId, KeyId, NodeId};
use crate::state::ledger::{NodeRecord, Stamp};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use block_damage::Damage;
pub(crate) use block_error::BlockError;
pub(crate) use block_file::{BLOCK_LEN, BlockFile};
pub(crate) use drive::Drive;
pub(crate) use drive_error::DriveError;
pub(crate) use folders::folder_of;
pub(crate) use key_share::{CombinedKey, ShareFile, ShareFileError};
pub(crate) use witness::{foreign_header, newest_witness};

/// A node that is switched on.
pub(crate) struct Node {
    id: NodeId,
    /// UUID of the cluster.
    cluster: String,
    folder: PathBuf,
    drives: Vec<Drive>,
    steps: Arc<Steps>,
    /// Held while the node works on its folder, so that it is never switched off in the middle.
    on: Mutex<bool>,
}

/// Why a node could not work on its folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    /// It is switched off.
    #[error("node {0} is switched off")]
    Off(NodeId),
    /// A drive did not do it.
    #[error("drive {drive_id} of node {node_id}: {cause}")]
    Drive {
        /// The node.
        node_id: NodeId,
        /// The drive.
        drive_id: DriveId,
        /// Why.
        cause: DriveError,
    },
    /// The folder cannot be used.
    #[error("the folder of node {node_id}: {cause}")]
    Folder {
        /// The node.
        node_id: NodeId,
        /// What the system said.
        cause: io::Error,
    },
    /// A share is damaged.
    #[error("a share on node {node_id}: {cause}")]
    Share {
        /// The node.
        node_id: NodeId,
        /// What is wrong with it.
        cause: ShareFileError,
    },
}

impl Node {
    /// Switches the node on: reads its drives' headers. All drives are locked. A drive whose header
    /// cannot be used says so, and does not hold up the others.
    pub(crate) fn open(
        folder: &Path,
        id: NodeId,
        record: &NodeRecord,
        cluster: &str,
        steps: &Arc<Steps>,
    ) -> Self {
        let folder = folder_of(folder, id);
        let drives =
            record.drives.iter().map(|drive| Drive::open(&folder, drive, cluster)).collect();
        let cluster = cluster.to_owned();
        Self { id, cluster, drives, steps: Arc::clone(steps), on: Mutex::new(true), folder }
    }

    /// Makes the node's folder.
    ///
    /// # Errors
    /// The file system refuses.
    pub(crate) fn make_folder(cluster: &Path, id: NodeId) -> Result<PathBuf, NodeError> {
        let folder = folder_of(cluster, id);
        durable_file::make_folder(&folder)
            .and_then(|()| durable_file::make_folder(&folder.join(key_share::FOLDER_NAME)))
            .map_err(|cause| NodeError::Folder { node_id: id, cause })?;
        Ok(folder)
    }

    /// Its id.
    #[must_use]
    pub(crate) const fn id(&self) -> NodeId {
        self.id
    }

    /// Its drives.
    #[must_use]
    pub(crate) fn drives(&self) -> &[Drive] {
        &self.drives
    }

    /// Returns whether the drive at this place among its drives is unlocked.
    #[must_use]
    pub(crate) fn has_unlocked(&self, index: usize) -> bool {
        self.drives.get(index).is_some_and(|drive| drive.lock_reason().is_none())
    }

    /// Unwraps the data encryption keys of the locked drives that this master key wraps.
    ///
    /// # Errors
    /// The node is off, or a drive does not unlock; the others are unlocked all the same.
    pub(crate) fn unlock(&self, key_id: KeyId, master_key: &MasterKey) -> Result<(), NodeError> {
        self.while_on(|| {
            let mut outcome = Ok(());
            let waiting =
                |drive: &&Drive| drive.lock_reason().is_some() && drive.is_wrapped_by(key_id);
            for drive in self.drives.iter().filter(waiting) {
                if let Err(cause) = drive.unlock(key_id, master_key) {
                    drive.set_lock_reason(&cause.to_string());
                    outcome = Err(self.drive_error(drive.id(), cause));
                }
            }
            outcome
        })
    }

    /// Reads the headers of locked drives again. Returns what is wrong with each that cannot be
    /// used.
    ///
    /// # Errors
    /// The node is off.
    pub(crate) fn reload_headers(&self) -> Result<Vec<NodeError>, NodeError> {
        self.while_on(|| {
            let mut errors = Vec::new();
            for drive in &self.drives {
                if let Err(cause) = drive.reload() {
                    drive.set_lock_reason(&cause.to_string());
                    errors.push(self.drive_error(drive.id(), cause));
                }
            }
            Ok(errors)
        })
    }

    /// Adds a wrapping of the drive's data encryption key by this master key, if it is not there.
    ///
    /// # Errors
    /// The node is off, the drive is locked, or its header cannot be written.
    pub(crate) fn add_wrapping(
        &self,
        drive_id: DriveId,
        key_id: KeyId,
        master_key: &MasterKey,
        stamp: &Stamp,
    ) -> Result<(), NodeError> {
        self.while_on(|| {
            self.drive(drive_id)?
                .add_wrapping(key_id, master_key, stamp, &self.steps)
                .map_err(|cause| self.drive_error(drive_id, cause))
        })
    }

    /// Proves that the header of every drive, as it is on disk, opens with this master key.
    ///
    /// # Errors
    /// The node is off, a drive is locked, or its header does not open with the key.
    pub(crate) fn prove_wrappings(
        &self,
        key_id: KeyId,
        master_key: &MasterKey,
    ) -> Result<(), NodeError> {
        self.while_on(|| {
            self.drives.iter().try_for_each(|drive| {
                drive
                    .prove_wrapping(key_id, master_key)
                    .map_err(|cause| self.drive_error(drive.id(), cause))
            })
        })
    }

    /// Removes the drive's wrapping by `removed`, after the one by `kept` was proved.
    ///
    /// # Errors
    /// The node is off, the drive is locked, its header does not open with the kept key, or it
    /// cannot be written.
    pub(crate) fn remove_wrapping(
        &self,
        drive_id: DriveId,
        removed: KeyId,
        kept: (KeyId, &MasterKey),
        stamp: &Stamp,
    ) -> Result<(), NodeError> {
        self.while_on(|| {
            self.drive(drive_id)?
                .remove_wrapping(removed, kept, stamp, &self.steps)
                .map_err(|cause| self.drive_error(drive_id, cause))
        })
    }

    /// The drives whose header on disk names this master key.
    ///
    /// # Errors
    /// The node is off, or a header cannot be read.
    pub(crate) fn drives_naming(&self, key_id: KeyId) -> Result<Vec<DriveId>, NodeError> {
        self.while_on(|| {
            let mut naming = Vec::new();
            for drive in &self.drives {
                let named = drive.master_keys_on_disk();
                if named.map_err(|e| self.drive_error(drive.id(), e))?.contains(&key_id) {
                    naming.push(drive.id());
                }
            }
            Ok(naming)
        })
    }

    /// Looks at the headers of all drives, as they are on disk.
    ///
    /// # Errors
    /// The node is off, a header cannot be read, or one names this master key.
    pub(crate) fn check_unnamed(&self, key_id: KeyId) -> Result<(), NodeError> {
        let Some(drive_id) = self.drives_naming(key_id)?.first().copied() else { return Ok(()) };
        let path = self.drive(drive_id)?.header_path().display().to_string();
        Err(self.drive_error(drive_id, DriveError::Names { path, key_id }))
    }

    /// This node's point among the holders of shares.
    ///
    /// # Errors
    /// Its id is none: a cluster has at most 255 nodes.
    pub(crate) fn holder(&self) -> Result<u8, NodeError> {
        let cause = || io::Error::other("a node's id is from 1 to 255");
        folders::holder_of(self.id)
            .ok_or_else(|| NodeError::Folder { node_id: self.id, cause: cause() })
    }

    /// The node's share of this key, if it has one.
    ///
    /// # Errors
    /// The node is off, or the share is damaged.
    pub(crate) fn share(&self, key_id: KeyId) -> Result<Option<ShareFile>, NodeError> {
        let holder = self.holder()?;
        self.while_on(|| {
            ShareFile::read(&self.folder, key_id, (holder, &self.cluster))
                .map_err(|cause| self.share_error(cause))
        })
    }

    /// The keys of which the node has shares.
    ///
    /// # Errors
    /// The node is off, or its folder cannot be read.
    pub(crate) fn shares(&self) -> Result<Vec<KeyId>, NodeError> {
        self.while_on(|| ShareFile::list(&self.folder).map_err(|e| self.share_error(e)))
    }

    /// Keeps a share, durably, in place of an earlier one of the same key.
    ///
    /// # Errors
    /// The node is off, or the share cannot be written.
    pub(crate) fn store_share(&self, share: &ShareFile) -> Result<(), NodeError> {
        self.while_on(|| share.write(&self.folder, &self.steps).map_err(|e| self.share_error(e)))
    }

    /// Removes the share of this key, durably.
    ///
    /// # Errors
    /// The node is off, or the share cannot be removed.
    pub(crate) fn remove_share(&self, key_id: KeyId) -> Result<(), NodeError> {
        self.while_on(|| {
            ShareFile::remove(&self.folder, key_id, &self.steps).map_err(|e| self.share_error(e))
        })
    }

    /// Switches the node off: its drives lock, and it works on its folder no more.
    pub(crate) fn switch_off(&self) {
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        *on = false;
        for drive in &self.drives {
            drive.lock("the node is switched off");
        }
    }

    fn drive(&self, drive_id: DriveId) -> Result<&Drive, NodeError> {
        let missing = || io::Error::other(format!("it has no drive {drive_id}"));
        let found = self.drives.iter().find(|drive| drive.id() == drive_id);
        found.ok_or_else(|| NodeError::Folder { node_id: self.id, cause: missing() })
    }

    const fn drive_error(&self, drive_id: DriveId, cause: DriveError) -> NodeError {
        NodeError::Drive { node_id: self.id, drive_id, cause }
    }

    const fn share_error(&self, cause: ShareFileError) -> NodeError {
        NodeError::Share { node_id: self.id, cause }
    }

    /// Does something with the node while it cannot be switched off.
    fn while_on<T>(&self, act: impl FnOnce() -> Result<T, NodeError>) -> Result<T, NodeError> {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if *on { act() } else { Err(NodeError::Off(self.id)) }
    }
}
