//! The header of a drive: which drive it is, and its data encryption key, wrapped.
//!
//! During a rekey the data encryption key is wrapped by two master keys at once, each wrapping
//! opens it alone. Each wrapping is bound to the drive and to its master key, so it opens in no
//! other drive's header and under no other key's name.

use super::drive_error::DriveError;
use crate::crypto::aead::{self, SealError};
use crate::crypto::aes_xts;
use crate::crypto::master_key::MasterKey;
use crate::state::checked_json;
use crate::state::durable_file::{self, Steps};
use crate::state::key_ring::{DriveId, KeyId};
use crate::state::ledger::{DriveRecord, Stamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The format of a header; another is refused.
const FORMAT: u32 = 2;
const FILE_NAME: &str = "drive.json";
const CIPHER: &str = "AES-256-XTS";

/// A data encryption key in the clear.
pub(super) type DataEncryptionKey = Box<Zeroizing<[u8; aes_xts::KEY_LEN]>>;

/// What is kept on disk beside the blocks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    format: u32,
    #[serde(rename = "driveID")]
    drive_id: DriveId,
    serial: String,
    blocks: u64,
    cipher: String,
    #[serde(flatten)]
    stamp: Stamp,
    wrap_algorithm: String,
    /// The data encryption key, wrapped by each of these master keys, in base64.
    wrapped_data_encryption_keys: BTreeMap<KeyId, String>,
}

impl Header {
    /// The header of a new drive, without a wrapping.
    pub(super) fn new(record: &DriveRecord, stamp: &Stamp) -> Self {
        Self {
            format: FORMAT,
            drive_id: record.drive_id,
            serial: record.serial.clone(),
            blocks: record.blocks,
            cipher: CIPHER.to_owned(),
            stamp: stamp.clone(),
            wrap_algorithm: aead::ALGORITHM.to_owned(),
            wrapped_data_encryption_keys: BTreeMap::new(),
        }
    }

    /// Path of the header in the drive's folder.
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join(FILE_NAME)
    }

    /// The master keys that wrap the data encryption key.
    pub(super) fn master_keys(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.wrapped_data_encryption_keys.keys().copied()
    }

    /// Whether this master key wraps the data encryption key.
    pub(super) fn is_wrapped_by(&self, key_id: KeyId) -> bool {
        self.wrapped_data_encryption_keys.contains_key(&key_id)
    }

    /// The ledger's generation when the header was written.
    pub(super) const fn generation(&self) -> u64 {
        self.stamp.generation
    }

    /// UUID of the cluster that the header in this folder is of, if it is sound.
    pub(super) fn cluster(folder: &Path) -> Option<String> {
        let header: Self = checked_json::decode(&std::fs::read(Self::path(folder)).ok()?).ok()?;
        Some(header.stamp.cluster)
    }

    /// Reads the header of this drive of this cluster.
    ///
    /// # Errors
    /// It cannot be read, it was changed, or it is not that of the drive.
    pub(super) fn read(
        folder: &Path,
        record: &DriveRecord,
        cluster: &str,
    ) -> Result<Self, DriveError> {
        let path = Self::path(folder);
        let wrong = |cause: String| DriveError::Header {
            path: path.display().to_string(),
            drive_id: record.drive_id,
            cause,
        };
        let bytes = std::fs::read(&path).map_err(|cause| DriveError::file(&path, cause))?;
        let header: Self = checked_json::decode(&bytes).map_err(wrong)?;
        if header.format != FORMAT {
            return Err(wrong(format!("format {}, known is {FORMAT}", header.format)));
        }
        if (header.cipher.as_str(), header.wrap_algorithm.as_str()) != (CIPHER, aead::ALGORITHM) {
            return Err(wrong(format!(
                "unknown cipher {} {}",
                header.cipher, header.wrap_algorithm
            )));
        }
        if header.stamp.cluster != cluster {
            return Err(wrong(format!("it is of cluster {}", header.stamp.cluster)));
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

    /// Writes the header, durably, with the stamp of the ledger.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(
        &mut self,
        folder: &Path,
        stamp: &Stamp,
        steps: &Steps,
    ) -> Result<(), DriveError> {
        let path = Self::path(folder);
        self.stamp = stamp.clone();
        checked_json::encode(self)
            .and_then(|bytes| durable_file::replace(steps, &path, &bytes))
            .map_err(|cause| DriveError::file(&path, cause))
    }

    /// The data encryption key, opened with this master key.
    ///
    /// # Errors
    /// It is not wrapped by this key, or does not open.
    pub(super) fn unwrap(
        &self,
        key_id: KeyId,
        master_key: &MasterKey,
    ) -> Result<DataEncryptionKey, DriveError> {
        let Some(wrapped) = self.wrapped_data_encryption_keys.get(&key_id) else {
            let wrapped_by = self.master_keys().collect();
            return Err(DriveError::OtherKey { wrapped_by, offered: key_id });
        };
        let damaged = |cause| DriveError::Unwrap { key_id, cause };
        let wrapped = BASE64.decode(wrapped).map_err(|_| damaged(SealError::DoesNotOpen))?;
        let opened =
            aead::open(master_key.bytes(), &self.purpose(key_id), &wrapped).map_err(damaged)?;
        let mut key: DataEncryptionKey = Box::new(Zeroizing::new([0; aes_xts::KEY_LEN]));
        if opened.len() != key.len() {
            return Err(damaged(SealError::DoesNotOpen));
        }
        key.copy_from_slice(&opened);
        Ok(key)
    }

    /// Adds a wrapping by this master key, and proves that it opens before anything relies on it.
    ///
    /// # Errors
    /// The system gives no random bytes, or the wrapping does not open.
    pub(super) fn add_wrapping(
        &mut self,
        key: &DataEncryptionKey,
        key_id: KeyId,
        master_key: &MasterKey,
    ) -> Result<(), DriveError> {
        let sealed = aead::seal(master_key.bytes(), &self.purpose(key_id), key.as_slice())
            .map_err(|cause| DriveError::Unwrap { key_id, cause })?;
        self.wrapped_data_encryption_keys.insert(key_id, BASE64.encode(sealed));
        self.prove(key, key_id, master_key)
    }

    /// Proves that this master key opens the data encryption key.
    ///
    /// # Errors
    /// It does not, or opens another.
    pub(super) fn prove(
        &self,
        key: &DataEncryptionKey,
        key_id: KeyId,
        master_key: &MasterKey,
    ) -> Result<(), DriveError> {
        let unwrapped = self.unwrap(key_id, master_key)?;
        if unwrapped.as_slice() == key.as_slice() {
            Ok(())
        } else {
            Err(DriveError::Unwrap { key_id, cause: SealError::DoesNotOpen })
        }
    }

    /// Removes the wrapping by this master key.
    pub(super) fn remove_wrapping(&mut self, key_id: KeyId) {
        self.wrapped_data_encryption_keys.remove(&key_id);
    }

    /// What a wrapped key is bound to.
    fn purpose(&self, key_id: KeyId) -> String {
        let Self { format, drive_id, serial, cipher, .. } = self;
        format!(
            "data encryption key {format}, {cipher}, drive {drive_id} {serial}, master key {key_id}"
        )
    }
}
