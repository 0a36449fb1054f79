//! A node's share of an internal master key, as it lies in the node's folder.
//!
//! The master key is sealed under a sealing key; every node holds the sealed master key and one
//! share of the sealing key. Neither one node's folder nor fewer than the threshold of them opens
//! it. Each time a key is dealt anew, the dealing has another name, so that shares of different
//! polynomials are never taken together.

use crate::crypto::aead::{self, SealError};
use crate::crypto::master_key::MasterKey;
use crate::crypto::shamir::{self, SECRET_LEN, Share, ShareError};
use crate::state::checked_json;
use crate::state::durable_file::{self, Steps};
use crate::state::key_ring::KeyId;
use crate::state::ledger::Stamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// The folder of the shares in a node's folder.
pub(super) const FOLDER_NAME: &str = "shares";

const FORMAT: u32 = 2;

/// Subsets of shares that are tried before a key is given up for damaged.
const SUBSETS_MAX: usize = 2_000;
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
    #[serde(flatten)]
    stamp: Stamp,
    share: String,
    sealed_master_key: String,
}

/// A master key that was made whole.
pub(crate) struct CombinedKey {
    /// The key.
    pub(crate) key: MasterKey,
    /// The holders whose shares do not fit the others.
    pub(crate) wrong: Vec<u8>,
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
    /// Seals the key under a fresh sealing key and deals that out to the holders, of whom so many
    /// shall be needed.
    ///
    /// # Errors
    /// The holders are not fit, or the system gives no random bytes.
    pub(crate) fn deal(
        key_id: KeyId,
        key: &MasterKey,
        (dealing, stamp): (&str, &Stamp),
        (threshold, holders): (usize, &[u8]),
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
            stamp: stamp.clone(),
            share: BASE64.encode(share.values.as_slice()),
            sealed_master_key: BASE64.encode(&sealed),
        };
        Ok(shares.iter().map(file).collect())
    }

    /// Makes the master key whole from the shares of one dealing: from any of them that open it.
    ///
    /// # Errors
    /// There are too few, or no subset that was tried opens it.
    pub(crate) fn combine(key_id: KeyId, files: &[Self]) -> Result<CombinedKey, ShareFileError> {
        let (first, shares) = Self::parse_shares(key_id, files)?;
        let mut error = None;
        for subset in subsets(shares.len(), first.threshold).take(SUBSETS_MAX) {
            let chosen: Vec<_> = subset.iter().filter_map(|i| shares.get(*i)).cloned().collect();
            let sealed = subset.first().and_then(|i| files.get(*i)).unwrap_or(first);
            match sealed.open(&chosen) {
                Ok(key) => {
                    let wrong = shares.iter().filter(|share| !fits(share, &chosen, first));
                    let wrong = wrong.map(|share| share.holder).collect();
                    return Ok(CombinedKey { key, wrong });
                }
                Err(cause) => drop(error.get_or_insert(cause)),
            }
        }
        let (present, threshold) = (shares.len(), first.threshold);
        let too_few =
            ShareFileError::Shares { key_id, cause: ShareError::TooFew { present, threshold } };
        Err(error.unwrap_or(too_few))
    }

    /// Opens the sealed master key with these shares.
    fn open(&self, shares: &[Share]) -> Result<MasterKey, ShareFileError> {
        let key_id = self.key_id;
        let sealing_key = shamir::combine(shares, self.threshold)
            .map_err(|cause| ShareFileError::Shares { key_id, cause })?;
        let damaged = ShareFileError::Sealed { key_id, cause: SealError::DoesNotOpen };
        let Ok(sealed) = BASE64.decode(&self.sealed_master_key) else {
            return Err(damaged);
        };
        let opened = aead::open(&sealing_key, &purpose(key_id, &self.dealing), &sealed)
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
        stamp: &Stamp,
    ) -> Result<Self, ShareFileError> {
        // Proves first that the shares are sound, so that no wrong share is ever made from them.
        let wrong = Self::combine(key_id, files)?.wrong;
        let (first, mut shares) = Self::parse_shares(key_id, files)?;
        shares.retain(|share| !wrong.contains(&share.holder));
        let share = shamir::share_of(&shares, first.threshold, holder)
            .map_err(|cause| ShareFileError::Shares { key_id, cause })?;
        Ok(Self {
            format: FORMAT,
            key_id,
            dealing: first.dealing.clone(),
            threshold: first.threshold,
            holder,
            stamp: stamp.clone(),
            share: BASE64.encode(share.values.as_slice()),
            sealed_master_key: first.sealed_master_key.clone(),
        })
    }

    /// Path of the share of this key in a node's folder.
    pub(super) fn path(node: &Path, key_id: KeyId) -> PathBuf {
        path_of(node, key_id)
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

    /// The ledger's generation when the share was written.
    pub(super) const fn generation(&self) -> u64 {
        self.stamp.generation
    }

    /// The share of this key in the folder of a node of this cluster, if there is one.
    pub(super) fn read(
        node: &Path,
        key_id: KeyId,
        (holder, cluster): (u8, &str),
    ) -> Result<Option<Self>, ShareFileError> {
        let path = path_of(node, key_id);
        let bytes = durable_file::read(&path).map_err(|cause| file_error(&path, cause))?;
        let Some(bytes) = bytes.map(Zeroizing::new) else {
            return Ok(None);
        };
        let malformed = |cause| {
            let path = path.display().to_string();
            Err(ShareFileError::Malformed { path, key_id, cause })
        };
        match checked_json::decode::<Self>(&bytes) {
            Ok(file) if file.format != FORMAT => malformed(format!("format {}", file.format)),
            Ok(file) if file.key_id != key_id => malformed(format!("it is of {}", file.key_id)),
            Ok(file) if file.holder != holder => {
                malformed(format!("it is that of node {}", file.holder))
            }
            Ok(file) if file.stamp.cluster != cluster => {
                malformed(format!("it is of cluster {}", file.stamp.cluster))
            }
            Ok(file) => Ok(Some(file)),
            Err(cause) => malformed(cause),
        }
    }

    /// Writes the share into the node's folder, durably.
    pub(crate) fn write(&self, node: &Path, steps: &Steps) -> Result<(), ShareFileError> {
        let path = path_of(node, self.key_id);
        checked_json::encode(self)
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

/// Whether the share is that of the same polynomials as the chosen ones.
fn fits(share: &Share, chosen: &[Share], first: &ShareFile) -> bool {
    let is_chosen = chosen.iter().any(|other| other.holder == share.holder);
    is_chosen
        || shamir::share_of(chosen, first.threshold, share.holder)
            .is_ok_and(|made| made.values == share.values)
}

/// The subsets of `size` of the numbers below `count`, in ascending order.
fn subsets(count: usize, size: usize) -> impl Iterator<Item = Vec<usize>> {
    let first = (size <= count && size > 0).then(|| (0..size).collect::<Vec<_>>());
    std::iter::successors(first, move |subset| {
        let mut next = subset.clone();
        // The last number that can still grow, and those after it anew.
        let grows = (0..size).rev().find(|i| {
            let last = count.saturating_sub(size).saturating_add(*i);
            next.get(*i).is_some_and(|number| *number < last)
        })?;
        let from = next.get(grows)?.saturating_add(1);
        next.iter_mut().skip(grows).zip(from..).for_each(|(number, value)| *number = value);
        Some(next)
    })
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
    use super::{BASE64, FOLDER_NAME, SUBSETS_MAX, ShareFile, Stamp, Steps, path_of, subsets};
    use crate::crypto::master_key::MasterKey;
    use crate::state::key_ring::KeyId;
    use base64::Engine;

    fn key() -> MasterKey {
        MasterKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|i| u8::try_from(i).unwrap()))
            .unwrap()
    }

    fn stamp() -> Stamp {
        Stamp { cluster: "c".to_owned(), generation: 7 }
    }

    fn deal(key_id: KeyId, dealing: &str, threshold: usize, holders: &[u8]) -> Vec<ShareFile> {
        ShareFile::deal(key_id, &key(), (dealing, &stamp()), (threshold, holders)).unwrap()
    }

    #[test]
    fn a_key_that_was_dealt_out_is_made_whole_by_the_threshold() {
        let key_id = KeyId::random();
        let mut files = deal(key_id, "d", 3, &[1, 2, 3, 4]);
        let whole = ShareFile::combine(key_id, &files).unwrap();
        assert_eq!((whole.key.bytes(), whole.wrong), (key().bytes(), vec![]));
        let lost = files.pop().unwrap();
        let again = ShareFile::for_holder(key_id, &files, 4, &stamp()).unwrap();
        assert_eq!(again.share, lost.share);
        files.pop();
        assert!(ShareFile::combine(key_id, &files).is_err(), "two of three");
        assert!(ShareFile::for_holder(key_id, &files, 4, &stamp()).is_err(), "two of three");
    }

    #[test]
    fn any_shares_that_suffice_open_the_key_and_the_wrong_ones_are_named() {
        let key_id = KeyId::random();
        for holders in [[1, 2, 3].as_slice(), &[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5, 6, 7]] {
            let threshold = holders.len() / 2 + 1;
            for wrong in subsets(holders.len(), holders.len() - threshold) {
                let mut files = deal(key_id, "d", threshold, holders);
                for index in &wrong {
                    files[*index].share = BASE64.encode([u8::try_from(*index).unwrap(); 32]);
                }
                let whole = ShareFile::combine(key_id, &files).unwrap();
                assert_eq!(whole.key.bytes(), key().bytes());
                let named: Vec<_> = wrong.iter().map(|index| holders[*index]).collect();
                assert_eq!(whole.wrong, named);
                let holder = holders[wrong[0]];
                let again = ShareFile::for_holder(key_id, &files, holder, &stamp()).unwrap();
                assert_ne!(again.share, files[wrong[0]].share);
                files[wrong[0]] = again;
                assert!(!ShareFile::combine(key_id, &files).unwrap().wrong.contains(&holder));
            }
        }
    }

    #[test]
    fn subsets_are_all_of_their_size() {
        let found: Vec<_> = subsets(4, 2).collect();
        assert_eq!(found, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        assert_eq!(subsets(40, 21).take(SUBSETS_MAX).count(), SUBSETS_MAX);
        assert_eq!(
            (subsets(3, 3).count(), subsets(2, 3).count(), subsets(3, 0).count()),
            (1, 0, 0)
        );
    }

    #[test]
    fn shares_of_two_dealings_do_not_mix() {
        let key_id = KeyId::random();
        let (mut one, mut two) = (deal(key_id, "one", 2, &[1, 2]), deal(key_id, "two", 2, &[1, 2]));
        let mixed = [one.remove(0), two.remove(1)];
        assert!(ShareFile::combine(key_id, &mixed).is_err());
    }

    #[test]
    fn a_share_file_is_read_by_its_own_node_and_cluster_only() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(FOLDER_NAME)).unwrap();
        let key_id = KeyId::random();
        let files = deal(key_id, "d", 2, &[1, 2]);
        files[0].write(folder.path(), &Steps::new()).unwrap();
        let read = |holder, cluster| ShareFile::read(folder.path(), key_id, (holder, cluster));
        assert_eq!(read(1, "c").unwrap().unwrap().share, files[0].share);
        assert!(read(2, "c").is_err() && read(1, "d").is_err());
        let path = path_of(folder.path(), key_id);
        let sound = std::fs::read(&path).unwrap();
        for bit in 0..sound.len() * 8 {
            let mut damaged = sound.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, damaged).unwrap();
            assert!(read(1, "c").is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_key_is_in_no_share_file() {
        let files = deal(KeyId::random(), "d", 1, &[1]);
        let text = serde_json::to_string(&files).unwrap();
        let base64 = BASE64.encode(key().bytes());
        assert!(!text.contains(&base64));
    }
}
