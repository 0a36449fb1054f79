//! A node's share of an internal master key, as it lies in the node's folder.
//!
//! The master key is sealed under a sealing key; every node holds the sealed master key and one
//! share of the sealing key. Neither one node's folder nor fewer than the threshold of them opens
//! it. Each time a key is dealt anew, the dealing has another name, so that shares of different
//! polynomials are never taken together.

use crate::crypto::aead::{self, SealError};
use crate::crypto::master_key::MasterKey;
use crate::crypto::shamir::{self, SECRET_LEN, Share, ShareError};
use crate::state::durable_file::{self, Steps};
use crate::state::key_ring::KeyId;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// The folder of the shares in a node's folder.
pub(super) const FOLDER_NAME: &str = "shares";

const FORMAT: u32 = 1;
const SUFFIX: &str = ".json";

/// One node's share of one internal master key.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShareFile {
    format: u32,
    #[serde(rename = "keyID")]
    key_id: KeyId,
    dealing: String,
    threshold: usize,
    holder: u8,
    share: String,
    sealed_master_key: String,
}

impl Drop for ShareFile {
    fn drop(&mut self) {
        self.share.zeroize();
    }
}

/// Why shares are of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShareFileError {
    /// The file cannot be used.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is not a share of this key.
    #[error("{path} is no share of master key {key_id}: {cause}")]
    Malformed {
        /// The file.
        path: String,
        /// The key.
        key_id: KeyId,
        /// What is wrong.
        cause: String,
    },
    /// There are too few, or they do not fit each other.
    #[error("master key {key_id}: {cause}")]
    Shares {
        /// The key.
        key_id: KeyId,
        /// What is wrong.
        cause: ShareError,
    },
    /// What is sealed does not open with the shares.
    #[error("the sealed master key {key_id} does not open with its shares: {cause}")]
    Sealed {
        /// The key.
        key_id: KeyId,
        /// Why.
        cause: SealError,
    },
}

impl ShareFile {
    /// Seals the key under a fresh sealing key and deals that out to the holders.
    ///
    /// # Errors
    /// The holders are not fit, or the system gives no random bytes.
    pub(crate) fn deal(
        key_id: KeyId,
        key: &MasterKey,
        dealing: &str,
        threshold: usize,
        holders: &[u8],
    ) -> Result<Vec<Self>, ShareFileError> {
        let sealed_error = |cause| ShareFileError::Sealed { key_id, cause };
        let mut sealing_key: shamir::SecretBytes = Zeroizing::new([0; SECRET_LEN]);
        aead::random(sealing_key.as_mut_slice()).map_err(sealed_error)?;
        let sealed = aead::seal(&sealing_key, &purpose(key_id, dealing), key.bytes())
            .map_err(sealed_error)?;
        let shares = shamir::split(&sealing_key, threshold, holders)
            .map_err(|cause| ShareFileError::Shares { key_id, cause })?;
        let file = |share: &Share| Self {
            format: FORMAT,
            key_id,
            dealing: dealing.to_owned(),
            threshold,
            holder: share.holder,
            share: BASE64.encode(share.values.as_slice()),
            sealed_master_key: BASE64.encode(&sealed),
        };
        Ok(shares.iter().map(file).collect())
    }

    /// Makes the master key whole from the shares of one dealing.
    ///
    /// # Errors
    /// There are too few, or they are damaged.
    pub(crate) fn combine(key_id: KeyId, files: &[Self]) -> Result<MasterKey, ShareFileError> {
        let (first, shares) = Self::parse_shares(key_id, files)?;
        let sealing_key = shamir::combine(&shares, first.threshold)
            .map_err(|cause| ShareFileError::Shares { key_id, cause })?;
        let damaged = ShareFileError::Sealed { key_id, cause: SealError::DoesNotOpen };
        let Ok(sealed) = BASE64.decode(&first.sealed_master_key) else {
            return Err(damaged);
        };
        let opened = aead::open(&sealing_key, &purpose(key_id, &first.dealing), &sealed)
            .map_err(|cause| ShareFileError::Sealed { key_id, cause })?;
        MasterKey::from_bytes(&opened).ok_or(damaged)
    }

    /// Makes the share of a holder who has none, from those of the others.
    ///
    /// # Errors
    /// There are too few, or they are damaged.
    pub(crate) fn for_holder(
        key_id: KeyId,
        files: &[Self],
        holder: u8,
    ) -> Result<Self, ShareFileError> {
        // Proves first that the shares are sound, so that no wrong share is ever made from them.
        Self::combine(key_id, files)?;
        let (first, shares) = Self::parse_shares(key_id, files)?;
        let share = shamir::share_of(&shares, first.threshold, holder)
            .map_err(|cause| ShareFileError::Shares { key_id, cause })?;
        Ok(Self {
            format: FORMAT,
            key_id,
            dealing: first.dealing.clone(),
            threshold: first.threshold,
            holder,
            share: BASE64.encode(share.values.as_slice()),
            sealed_master_key: first.sealed_master_key.clone(),
        })
    }

    /// The dealing that it is a share of.
    #[must_use]
    pub(crate) fn dealing(&self) -> &str {
        &self.dealing
    }

    fn parse_shares(key_id: KeyId, files: &[Self]) -> Result<(&Self, Vec<Share>), ShareFileError> {
        let too_few = ShareError::TooFew { present: 0, threshold: 1 };
        let first = files.first().ok_or(ShareFileError::Shares { key_id, cause: too_few })?;
        let mut shares = Vec::with_capacity(files.len());
        for file in files {
            let mut values: shamir::SecretBytes = Zeroizing::new([0; SECRET_LEN]);
            let bytes = Zeroizing::new(BASE64.decode(&file.share).unwrap_or_default());
            if bytes.len() != SECRET_LEN || file.dealing != first.dealing {
                let cause = SealError::DoesNotOpen;
                return Err(ShareFileError::Sealed { key_id, cause });
            }
            values.copy_from_slice(&bytes);
            shares.push(Share { holder: file.holder, values });
        }
        Ok((first, shares))
    }

    /// The share of this key in the node's folder, if there is one.
    pub(super) fn read(node: &Path, key_id: KeyId) -> Result<Option<Self>, ShareFileError> {
        let path = path_of(node, key_id);
        let bytes = durable_file::read(&path).map_err(|cause| file_error(&path, cause))?;
        let Some(bytes) = bytes.map(Zeroizing::new) else {
            return Ok(None);
        };
        let malformed = |cause| {
            let path = path.display().to_string();
            Err(ShareFileError::Malformed { path, key_id, cause })
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(file) if file.format != FORMAT => malformed(format!("format {}", file.format)),
            Ok(file) if file.key_id != key_id => malformed(format!("it is of {}", file.key_id)),
            Ok(file) => Ok(Some(file)),
            Err(error) => malformed(error.to_string()),
        }
    }

    /// Writes the share into the node's folder, durably.
    pub(crate) fn write(&self, node: &Path, steps: &Steps) -> Result<(), ShareFileError> {
        let path = path_of(node, self.key_id);
        serde_json::to_vec_pretty(self)
            .map(Zeroizing::new)
            .map_err(io::Error::other)
            .and_then(|bytes| durable_file::replace(steps, &path, &bytes))
            .map_err(|cause| file_error(&path, cause))
    }

    /// Removes the share of this key from the node's folder, durably.
    pub(super) fn remove(node: &Path, key_id: KeyId, steps: &Steps) -> Result<(), ShareFileError> {
        let path = path_of(node, key_id);
        durable_file::remove(steps, &path).map_err(|cause| file_error(&path, cause))
    }

    /// The keys of which there are shares in the node's folder.
    pub(super) fn list(node: &Path) -> Result<Vec<KeyId>, ShareFileError> {
        let folder = node.join(FOLDER_NAME);
        let failed = |cause| file_error(&folder, cause);
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            // One that a crash left half replaced counts too.
            let name = name.to_str().map(|name| name.strip_suffix(".new").unwrap_or(name));
            let stem = name.and_then(|name| name.strip_suffix(SUFFIX));
            keys.extend(stem.and_then(|stem| stem.parse::<KeyId>().ok()));
        }
        Ok(keys)
    }
}

fn purpose(key_id: KeyId, dealing: &str) -> String {
    format!("internal master key {key_id}, dealing {dealing}")
}

fn path_of(node: &Path, key_id: KeyId) -> PathBuf {
    node.join(FOLDER_NAME).join(format!("{key_id}{SUFFIX}"))
}

fn file_error(path: &Path, cause: io::Error) -> ShareFileError {
    ShareFileError::File { path: path.display().to_string(), cause }
}

#[cfg(test)]
mod tests {
    use super::ShareFile;
    use crate::crypto::master_key::MasterKey;
    use crate::state::key_ring::KeyId;

    fn key() -> MasterKey {
        MasterKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|i| u8::try_from(i).unwrap()))
            .unwrap()
    }

    #[test]
    fn a_key_that_was_dealt_out_is_made_whole_by_the_threshold() {
        let key_id = KeyId::random();
        let mut files = ShareFile::deal(key_id, &key(), "d", 3, &[1, 2, 3, 4]).unwrap();
        assert_eq!(ShareFile::combine(key_id, &files).unwrap().bytes(), key().bytes());
        assert!(ShareFile::combine(KeyId::random(), &files).is_err(), "of another key");
        let lost = files.pop().unwrap();
        let again = ShareFile::for_holder(key_id, &files, 4).unwrap();
        assert_eq!(again.share, lost.share);
        files.pop();
        assert!(ShareFile::combine(key_id, &files).is_err(), "two of three");
        assert!(ShareFile::for_holder(key_id, &files, 4).is_err(), "two of three");
    }

    #[test]
    fn shares_of_two_dealings_do_not_mix() {
        let key_id = KeyId::random();
        let mut one = ShareFile::deal(key_id, &key(), "one", 2, &[1, 2]).unwrap();
        let mut two = ShareFile::deal(key_id, &key(), "two", 2, &[1, 2]).unwrap();
        let mixed = [one.remove(0), two.remove(1)];
        assert!(ShareFile::combine(key_id, &mixed).is_err());
    }

    #[test]
    fn the_key_is_in_no_share_file() {
        let files = ShareFile::deal(KeyId::random(), &key(), "d", 1, &[1]).unwrap();
        let text = serde_json::to_string(&files).unwrap();
        let base64 = base64::Engine::encode(&super::BASE64, key().bytes());
        assert!(!text.contains(&base64));
    }
}
