//! Errors of a drive.

use crate::crypto::aead::SealError;
use crate::state::key_ring::{DriveId, KeyId};
use std::io;
use std::path::Path;

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
    /// Its data encryption key is wrapped by other master keys.
    #[error(
        "its data encryption key is wrapped by master key {}, not by {offered}", list(.wrapped_by)
    )]
    OtherKey {
        /// The keys of which each would do.
        wrapped_by: Vec<KeyId>,
        /// The key that was offered.
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
    /// Its header could not be used when it was read.
    #[error("{0}")]
    Unusable(String),
    /// Its header names a master key that no drive should need.
    #[error(
        "{path} names master key {key_id}, which by the ledger wraps no drive: it is an older \
         copy. Put the newest header of the drive back"
    )]
    Names {
        /// The file.
        path: String,
        /// The key.
        key_id: KeyId,
    },
    /// Its header names master keys of which none is in use.
    #[error(
        "{path} names no master key that is in use, but {}: it is an older copy. Put the newest \
         header of the drive back", list(.keys)
    )]
    UnknownKeys {
        /// The file.
        path: String,
        /// The keys that it names.
        keys: Vec<KeyId>,
    },
    /// It is locked.
    #[error("it is locked: {0}")]
    Locked(String),
}

impl DriveError {
    pub(super) fn file(path: &Path, cause: io::Error) -> Self {
        Self::File { path: path.display().to_string(), cause }
    }
}

/// The keys in words.
fn list(keys: &[KeyId]) -> String {
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    if keys.is_empty() { "none".to_owned() } else { keys.join(" and ") }
}
