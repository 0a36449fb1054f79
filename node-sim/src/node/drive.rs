//! One drive: its header, in which its data encryption key is wrapped, and its blocks.
//!
//! The data encryption key is made with the drive and stays the same for its life; what changes is
//! the master key that wraps it, so no block is written anew by a rekey. It is in the clear only in
//! memory and only while the drive is unlocked.

use super::block_error::BlockError;
use super::block_file::{self, BlockFile};
use super::drive_error::DriveError;
use super::drive_header::{DataEncryptionKey, Header};
use crate::crypto::aead;
use crate::crypto::aes_xts;
use crate::crypto::master_key::MasterKey;
use crate::state::durable_file::{self, Steps};
use crate::state::key_ring::{DriveId, KeyId};
use crate::state::ledger::{DriveRecord, Stamp};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use zeroize::Zeroizing;

/// A drive of a node that is switched on.
pub(crate) struct Drive {
    record: DriveRecord,
    /// UUID of the cluster.
    cluster: String,
    folder: PathBuf,
    /// The header, or why it cannot be used.
    header: Mutex<Result<Header, String>>,
    contents: RwLock<Contents>,
}

enum Contents {
    Locked(String),
    Unlocked(Arc<Unlocked>),
}

/// What is in memory only.
struct Unlocked {
    data_encryption_key: DataEncryptionKey,
    blocks: Arc<BlockFile>,
}

impl Drive {
    /// Makes a new drive in the node's folder, under this master key.
    pub(crate) fn create(
        node_folder: &Path,
        record: &DriveRecord,
        (key_id, master_key): (KeyId, &MasterKey),
        stamp: &Stamp,
        steps: &Steps,
    ) -> Result<(), DriveError> {
        let folder = folder_of(node_folder, record.drive_id);
        durable_file::make_folder(&folder).map_err(|cause| DriveError::file(&folder, cause))?;
        let mut key: DataEncryptionKey = Box::new(Zeroizing::new([0; aes_xts::KEY_LEN]));
        aead::random(key.as_mut_slice()).map_err(|cause| DriveError::Unwrap { key_id, cause })?;
        block_file::create(&folder, record.drive_id, &key, record.blocks)
            .map_err(|(path, cause)| DriveError::file(&path, cause))?;
        let mut header = Header::new(record, stamp);
        header.add_wrapping(&key, key_id, master_key)?;
        header.write(&folder, stamp, steps)
    }

    /// Reads the drive's header; the drive is locked. A header that cannot be used is read again
    /// by [`Self::reload`].
    pub(super) fn open(node_folder: &Path, record: &DriveRecord, cluster: &str) -> Self {
        let folder = folder_of(node_folder, record.drive_id);
        let header = Header::read(&folder, record, cluster).map_err(|error| error.to_string());
        let reason = header.as_ref().err().cloned();
        let reason = reason.unwrap_or_else(|| "the node is starting".to_owned());
        Self {
            record: record.clone(),
            cluster: cluster.to_owned(),
            folder,
            header: Mutex::new(header),
            contents: RwLock::new(Contents::Locked(reason)),
        }
    }

    /// Reads the header of a locked drive again: it may have been put back.
    pub(super) fn reload(&self) -> Result<(), DriveError> {
        let mut header = self.header();
        if self.lock_reason().is_none() {
            return Ok(());
        }
        match self.read_header() {
            Ok(fresh) => {
                *header = Ok(fresh);
                Ok(())
            }
            Err(error) => {
                *header = Err(error.to_string());
                Err(error)
            }
        }
    }

    /// Path of the header.
    pub(crate) fn header_path(&self) -> PathBuf {
        Header::path(&self.folder)
    }

    fn read_header(&self) -> Result<Header, DriveError> {
        Header::read(&self.folder, &self.record, &self.cluster)
    }

    /// Its id.
    #[must_use]
    pub(crate) const fn id(&self) -> DriveId {
        self.record.drive_id
    }

    /// The master keys that wrap its data encryption key: one, or two during a rekey.
    #[must_use]
    pub(crate) fn master_keys(&self) -> Vec<KeyId> {
        self.header().as_ref().map_or_else(|_| Vec::new(), |header| header.master_keys().collect())
    }

    /// Whether this master key wraps its data encryption key.
    #[must_use]
    pub(crate) fn is_wrapped_by(&self, key_id: KeyId) -> bool {
        self.header().as_ref().is_ok_and(|header| header.is_wrapped_by(key_id))
    }

    /// Why it is locked, if it is.
    #[must_use]
    pub(crate) fn lock_reason(&self) -> Option<String> {
        match &*self.contents.read().unwrap_or_else(PoisonError::into_inner) {
            Contents::Locked(reason) => Some(reason.clone()),
            Contents::Unlocked(_) => None,
        }
    }

    /// How many bytes of its file are really there: the file is sparse until blocks are written.
    #[must_use]
    pub(crate) fn used_bytes(&self) -> u64 {
        // The unit of `st_blocks` is 512 bytes, whatever the file system's own is.
        std::fs::metadata(block_file::blocks_path(&self.folder))
            .map_or(0, |file| file.blocks().saturating_mul(512))
    }

    /// Forgets the data encryption key. Reads and writes that are under way finish.
    pub(super) fn lock(&self, reason: &str) {
        self.set(Contents::Locked(reason.to_owned()));
    }

    /// Says why it is still locked, and whether that is news; an unlocked drive stays so.
    pub(crate) fn set_lock_reason(&self, why: &str) -> bool {
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *contents {
            Contents::Locked(reason) if reason != why => {
                why.clone_into(reason);
                true
            }
            Contents::Locked(_) | Contents::Unlocked(_) => false,
        }
    }

    /// Unwraps the data encryption key.
    pub(super) fn unlock(&self, key_id: KeyId, master_key: &MasterKey) -> Result<(), DriveError> {
        let key = self.usable(&self.header())?.unwrap(key_id, master_key)?;
        let blocks = BlockFile::open(&self.folder, self.id(), &key, self.record.blocks)
            .map_err(|cause| DriveError::file(&self.folder, cause))?;
        let blocks = Arc::new(blocks);
        self.set(Contents::Unlocked(Arc::new(Unlocked { data_encryption_key: key, blocks })));
        Ok(())
    }

    /// Adds, durably, a wrapping of the data encryption key by this master key to those that are
    /// there; the drive must be unlocked.
    pub(super) fn add_wrapping(
        &self,
        key_id: KeyId,
        master_key: &MasterKey,
        stamp: &Stamp,
        steps: &Steps,
    ) -> Result<(), DriveError> {
        let mut header = self.header();
        if self.usable(&header)?.is_wrapped_by(key_id) {
            return Ok(());
        }
        let unlocked = self.unlocked().map_err(DriveError::Locked)?;
        let mut fresh = self.usable(&header)?.clone();
        fresh.add_wrapping(&unlocked.data_encryption_key, key_id, master_key)?;
        fresh.write(&self.folder, stamp, steps)?;
        *header = Ok(fresh);
        Ok(())
    }

    /// Proves that the header, as it is on disk now, opens with this master key to the data
    /// encryption key that the blocks are encrypted with; the drive must be unlocked.
    pub(super) fn prove_wrapping(
        &self,
        key_id: KeyId,
        master_key: &MasterKey,
    ) -> Result<(), DriveError> {
        let _writer = self.header();
        let unlocked = self.unlocked().map_err(DriveError::Locked)?;
        let on_disk = self.read_header()?;
        on_disk.prove(&unlocked.data_encryption_key, key_id, master_key)
    }

    /// Removes, durably, the wrapping by master key `removed`, after it was proved that the header
    /// opens with `kept`; the drive must be unlocked. If the wrapping is not there, nothing is
    /// done.
    pub(super) fn remove_wrapping(
        &self,
        removed: KeyId,
        (kept, master_key): (KeyId, &MasterKey),
        stamp: &Stamp,
        steps: &Steps,
    ) -> Result<(), DriveError> {
        let mut header = self.header();
        let mut fresh = self.read_header()?;
        if !fresh.is_wrapped_by(removed) {
            *header = Ok(fresh);
            return Ok(());
        }
        let unlocked = self.unlocked().map_err(DriveError::Locked)?;
        if fresh.is_wrapped_by(kept) {
            fresh.prove(&unlocked.data_encryption_key, kept, master_key)?;
        } else {
            // An older header was put back; the data encryption key in memory is the right one.
            fresh.add_wrapping(&unlocked.data_encryption_key, kept, master_key)?;
        }
        fresh.remove_wrapping(removed);
        fresh.write(&self.folder, stamp, steps)?;
        *header = Ok(fresh);
        Ok(())
    }

    /// The master keys that the header on disk names now.
    pub(super) fn master_keys_on_disk(&self) -> Result<Vec<KeyId>, DriveError> {
        let _writer = self.header();
        Ok(self.read_header()?.master_keys().collect())
    }

    /// Returns its blocks.
    ///
    /// # Errors
    /// The drive is locked.
    pub(crate) fn blocks(&self) -> Result<Arc<BlockFile>, BlockError> {
        let unlocked = self.unlocked().map_err(|reason| BlockError::Locked { reason })?;
        Ok(Arc::clone(&unlocked.blocks))
    }

    fn unlocked(&self) -> Result<Arc<Unlocked>, String> {
        match &*self.contents.read().unwrap_or_else(PoisonError::into_inner) {
            Contents::Locked(reason) => Err(reason.clone()),
            Contents::Unlocked(unlocked) => Ok(Arc::clone(unlocked)),
        }
    }

    fn set(&self, contents: Contents) {
        *self.contents.write().unwrap_or_else(PoisonError::into_inner) = contents;
    }

    fn usable<'a>(&self, header: &'a Result<Header, String>) -> Result<&'a Header, DriveError> {
        header.as_ref().map_err(|cause| DriveError::Unusable(cause.clone()))
    }

    fn header(&self) -> MutexGuard<'_, Result<Header, String>> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn folder_of(node_folder: &Path, drive_id: DriveId) -> PathBuf {
    node_folder.join(format!("drive-{drive_id}"))
}
