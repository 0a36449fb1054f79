//! One drive: its header, in which its data encryption key is wrapped, and its blocks.
//!
//! The data encryption key is made with the drive and stays the same for its life; what changes is
//! the master key that wraps it, so no block is written anew by a rekey. It is in the clear only in
//! memory and only while the drive is unlocked.

use super::block_file::{self, BlockError, BlockFile};
use crate::crypto::aead::{self, SealError};
use crate::crypto::aes_xts;
use crate::crypto::master_key::MasterKey;
use crate::state::durable_file::{self, Steps};
use crate::state::key_ring::{DriveId, KeyId};
use crate::state::ledger::DriveRecord;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use zeroize::Zeroizing;

/// The format of a header; another is refused.
const FORMAT: u32 = 1;
const HEADER_NAME: &str = "drive.json";
const BLOCKS_NAME: &str = "blocks";
const CIPHER: &str = "AES-256-XTS";

/// A drive of a node that is switched on.
pub(crate) struct Drive {
    record: DriveRecord,
    folder: PathBuf,
    header: Mutex<Header>,
    contents: RwLock<Contents>,
}

/// What is kept on disk beside the blocks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    format: u32,
    #[serde(rename = "driveID")]
    drive_id: DriveId,
    serial: String,
    blocks: u64,
    cipher: String,
    #[serde(rename = "keyID")]
    key_id: KeyId,
    wrap_algorithm: String,
    wrapped_data_encryption_key: String,
}

enum Contents {
    Locked(String),
    Unlocked(Arc<Unlocked>),
}

/// What is in memory only.
struct Unlocked {
    data_encryption_key: DataEncryptionKey,
    blocks: BlockFile,
}

type DataEncryptionKey = Box<Zeroizing<[u8; aes_xts::KEY_LEN]>>;

/// Why a drive did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriveError {
    /// Its files cannot be used.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// Its header is not that of this drive.
    #[error("{path} is not the header of drive {drive_id}: {cause}")]
    Header {
        /// The file.
        path: String,
        /// The drive.
        drive_id: DriveId,
        /// What is wrong.
        cause: String,
    },
    /// Its data encryption key is wrapped by another master key.
    #[error("its data encryption key is wrapped by master key {wrapped_by}, not by {offered}")]
    OtherKey {
        /// The key that is needed.
        wrapped_by: KeyId,
        /// The key that was brought.
        offered: KeyId,
    },
    /// Its data encryption key does not unwrap.
    #[error("its data encryption key does not unwrap with master key {key_id}: {cause}")]
    Unwrap {
        /// The master key.
        key_id: KeyId,
        /// Why.
        cause: SealError,
    },
    /// It is locked.
    #[error("it is locked: {0}")]
    Locked(String),
}

impl Drive {
    /// Makes a new drive in the node's folder, under this master key.
    pub(crate) fn create(
        node_folder: &Path,
        record: &DriveRecord,
        key_id: KeyId,
        master_key: &MasterKey,
        steps: &Steps,
    ) -> Result<(), DriveError> {
        let folder = folder_of(node_folder, record.drive_id);
        let path = folder.join(BLOCKS_NAME);
        durable_file::make_folder(&folder)
            .and_then(|()| block_file::create(&path, record.blocks))
            .map_err(|cause| file_error(&path, cause))?;
        let mut key: DataEncryptionKey = Box::new(Zeroizing::new([0; aes_xts::KEY_LEN]));
        aead::random(key.as_mut_slice()).map_err(|cause| DriveError::Unwrap { key_id, cause })?;
        let mut header = Header {
            format: FORMAT,
            drive_id: record.drive_id,
            serial: record.serial.clone(),
            blocks: record.blocks,
            cipher: CIPHER.to_owned(),
            key_id,
            wrap_algorithm: aead::ALGORITHM.to_owned(),
            wrapped_data_encryption_key: String::new(),
        };
        header.wrap(&key, key_id, master_key)?;
        header.write(&folder, steps)
    }

    /// Reads the drive's header; the drive is locked.
    pub(super) fn open(node_folder: &Path, record: &DriveRecord) -> Result<Self, DriveError> {
        let folder = folder_of(node_folder, record.drive_id);
        let header = Header::read(&folder.join(HEADER_NAME), record)?;
        let locked = Contents::Locked("the node is starting".to_owned());
        Ok(Self {
            record: record.clone(),
            folder,
            header: Mutex::new(header),
            contents: RwLock::new(locked),
        })
    }

    /// Its id.
    #[must_use]
    pub(crate) const fn id(&self) -> DriveId {
        self.record.drive_id
    }

    /// The master key that its data encryption key is wrapped by, on disk.
    #[must_use]
    pub(crate) fn wrapped_by(&self) -> KeyId {
        self.header().key_id
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
        std::fs::metadata(self.folder.join(BLOCKS_NAME))
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
        let key = self.header().unwrap(key_id, master_key)?;
        let path = self.folder.join(BLOCKS_NAME);
        let blocks = BlockFile::open(&path, &key, self.record.blocks)
            .map_err(|cause| file_error(&path, cause))?;
        self.set(Contents::Unlocked(Arc::new(Unlocked { data_encryption_key: key, blocks })));
        Ok(())
    }

    /// Wraps the data encryption key with this master key, durably; the drive must be unlocked. If
    /// it is wrapped by it already, nothing is done.
    pub(super) fn rewrap(
        &self,
        key_id: KeyId,
        master_key: &MasterKey,
        steps: &Steps,
    ) -> Result<(), DriveError> {
        let mut header = self.header();
        if header.key_id == key_id {
            return Ok(());
        }
        let unlocked = self.unlocked().map_err(DriveError::Locked)?;
        let mut fresh = header.clone();
        fresh.wrap(&unlocked.data_encryption_key, key_id, master_key)?;
        fresh.write(&self.folder, steps)?;
        *header = fresh;
        Ok(())
    }

    /// Reads whole blocks from `lba` on.
    ///
    /// # Errors
    /// The drive is locked, or there are no such blocks.
    pub(crate) fn read(&self, lba: u64, bytes: &mut [u8]) -> Result<(), BlockError> {
        self.contents()?.blocks.read(lba, bytes)
    }

    /// Writes whole blocks from `lba` on.
    ///
    /// # Errors
    /// The drive is locked, or there are no such blocks.
    pub(crate) fn write(&self, lba: u64, bytes: &[u8]) -> Result<(), BlockError> {
        self.contents()?.blocks.write(lba, bytes)
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// The drive is locked, or the file system refuses.
    pub(crate) fn flush(&self) -> Result<(), BlockError> {
        Ok(self.contents()?.blocks.flush()?)
    }

    fn contents(&self) -> Result<Arc<Unlocked>, BlockError> {
        self.unlocked().map_err(|reason| BlockError::Locked { reason })
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

    fn header(&self) -> MutexGuard<'_, Header> {
        self.header.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Header {
    fn read(path: &Path, record: &DriveRecord) -> Result<Self, DriveError> {
        let wrong = |cause: String| DriveError::Header {
            path: path.display().to_string(),
            drive_id: record.drive_id,
            cause,
        };
        let bytes = std::fs::read(path).map_err(|cause| file_error(path, cause))?;
        let header: Self =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if header.format != FORMAT {
            return Err(wrong(format!("format {}, known is {FORMAT}", header.format)));
        }
        if (header.cipher.as_str(), header.wrap_algorithm.as_str()) != (CIPHER, aead::ALGORITHM) {
            return Err(wrong(format!(
                "unknown cipher {} {}",
                header.cipher, header.wrap_algorithm
            )));
        }
        let found = (header.drive_id, &header.serial, header.blocks);
        if found != (record.drive_id, &record.serial, record.blocks) {
            return Err(wrong(format!(
                "it is that of drive {} {}",
                header.drive_id, header.serial
            )));
        }
        Ok(header)
    }

    fn write(&self, folder: &Path, steps: &Steps) -> Result<(), DriveError> {
        let path = folder.join(HEADER_NAME);
        serde_json::to_vec_pretty(self)
            .map_err(io::Error::other)
            .and_then(|bytes| durable_file::replace(steps, &path, &bytes))
            .map_err(|cause| file_error(&path, cause))
    }

    /// What the wrapped key is bound to: it opens in no other drive's header, nor as wrapped by
    /// another master key.
    fn purpose(&self, key_id: KeyId) -> String {
        let Self { format, drive_id, serial, cipher, .. } = self;
        format!(
            "data encryption key {format}, {cipher}, drive {drive_id} {serial}, master key {key_id}"
        )
    }

    fn unwrap(
        &self,
        key_id: KeyId,
        master_key: &MasterKey,
    ) -> Result<DataEncryptionKey, DriveError> {
        if self.key_id != key_id {
            return Err(DriveError::OtherKey { wrapped_by: self.key_id, offered: key_id });
        }
        let damaged = |cause| DriveError::Unwrap { key_id, cause };
        let wrapped = BASE64
            .decode(&self.wrapped_data_encryption_key)
            .map_err(|_| damaged(SealError::DoesNotOpen))?;
        let opened =
            aead::open(master_key.bytes(), &self.purpose(key_id), &wrapped).map_err(damaged)?;
        let mut key: DataEncryptionKey = Box::new(Zeroizing::new([0; aes_xts::KEY_LEN]));
        if opened.len() != key.len() {
            return Err(damaged(SealError::DoesNotOpen));
        }
        key.copy_from_slice(&opened);
        Ok(key)
    }

    /// Wraps the key, and proves that it unwraps before anybody relies on it.
    fn wrap(
        &mut self,
        key: &DataEncryptionKey,
        key_id: KeyId,
        master_key: &MasterKey,
    ) -> Result<(), DriveError> {
        let sealed = aead::seal(master_key.bytes(), &self.purpose(key_id), key.as_slice())
            .map_err(|cause| DriveError::Unwrap { key_id, cause })?;
        self.key_id = key_id;
        self.wrapped_data_encryption_key = BASE64.encode(sealed);
        let unwrapped = self.unwrap(key_id, master_key)?;
        if unwrapped.as_slice() == key.as_slice() {
            Ok(())
        } else {
            Err(DriveError::Unwrap { key_id, cause: SealError::DoesNotOpen })
        }
    }
}

fn folder_of(node_folder: &Path, drive_id: DriveId) -> PathBuf {
    node_folder.join(format!("drive-{drive_id}"))
}

fn file_error(path: &Path, cause: io::Error) -> DriveError {
    DriveError::File { path: path.display().to_string(), cause }
}
