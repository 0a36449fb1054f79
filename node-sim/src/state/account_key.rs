//! Key that seals the CHAP secrets of the accounts in the ledger.
//!
//! It is made with the cluster and kept in `account-key.json` beside the ledger, so that a copy of
//! the ledger alone, such as in a support bundle, shows no CHAP secret. Who has the whole folder
//! has the secrets.

use crate::crypto::aead::{self, KEY_LEN, SealError};
use crate::state::checked_json;
use crate::state::durable_file::{self, Steps};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// Name of the file in the cluster's folder.
pub(crate) const FILE_NAME: &str = "account-key.json";

const FORMAT: u32 = 1;

/// Key that seals CHAP secrets. It wipes itself and never shows itself.
pub(crate) struct AccountKey(Zeroizing<[u8; KEY_LEN]>);

/// Error of opening or making the key's file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountKeyError {
    /// Accounts need it, and it is missing, damaged or another one.
    #[error(
        "the key of the accounts' CHAP secrets, {path}, cannot be used: {cause}. Put the file back \
         as it was"
    )]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong.
        cause: String,
    },
    /// It cannot be made.
    #[error("cannot write {path}: {cause}")]
    Write {
        /// The file.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct AccountKeyFile {
    format: u32,
    /// The cluster's UUID.
    cluster: String,
    /// Base64.
    key: String,
}

impl AccountKey {
    /// The key of this cluster in its folder. `is_needed` says whether there is an account, and
    /// `opens` whether a key opens the secrets of all. While there is no account it is made if it
    /// is missing or damaged.
    ///
    /// # Errors
    /// Accounts need it and it cannot be used, or it cannot be written.
    pub(crate) fn open(
        folder: &Path,
        steps: &Steps,
        cluster: &str,
        is_needed: bool,
        opens: impl FnOnce(&Self) -> bool,
    ) -> Result<Self, AccountKeyError> {
        let path = folder.join(FILE_NAME);
        let found = Self::read(&path, cluster).and_then(|key| {
            let other = || "it did not seal the secrets in the ledger".to_owned();
            if opens(&key) { Ok(key) } else { Err(other()) }
        });
        let text = || path.display().to_string();
        match found {
            Ok(key) => Ok(key),
            Err(cause) if is_needed => Err(AccountKeyError::Unusable { path: text(), cause }),
            Err(_) => Self::create(&path, steps, cluster)
                .map_err(|cause| AccountKeyError::Write { path: text(), cause }),
        }
    }

    /// A key that is in no file.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub(crate) fn random() -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        aead::random(key.as_mut_slice())?;
        Ok(Self(key))
    }

    fn read(path: &Path, cluster: &str) -> Result<Self, String> {
        let bytes = durable_file::read(path).map_err(|error| error.to_string())?;
        let bytes = Zeroizing::new(bytes.ok_or_else(|| "it is missing".to_owned())?);
        let file: AccountKeyFile = checked_json::decode(&bytes)?;
        if file.format != FORMAT {
            return Err(format!("it has format {}, and this program reads {FORMAT}", file.format));
        }
        if file.cluster != cluster {
            return Err(format!("it is of cluster {}", file.cluster));
        }
        let text = Zeroizing::new(file.key);
        let decoded = BASE64.decode(text.as_bytes()).map(Zeroizing::new);
        let decoded = decoded.map_err(|_| "it holds no key".to_owned())?;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        if decoded.len() != KEY_LEN {
            return Err("it holds a key of another length".to_owned());
        }
        key.copy_from_slice(&decoded);
        Ok(Self(key))
    }

    fn create(path: &Path, steps: &Steps, cluster: &str) -> io::Result<Self> {
        let key = Self::random().map_err(io::Error::other)?;
        let text = BASE64.encode(key.0.as_slice());
        let mut file = AccountKeyFile { format: FORMAT, cluster: cluster.to_owned(), key: text };
        let encoded = checked_json::encode(&file);
        file.key.zeroize();
        durable_file::replace(steps, path, &encoded?)?;
        Ok(key)
    }

    /// Seals a secret for this use, in Base64.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub(crate) fn seal(&self, purpose: &str, secret: &str) -> Result<String, SealError> {
        aead::seal(&self.0, purpose, secret.as_bytes()).map(|sealed| BASE64.encode(sealed))
    }

    /// Opens what was sealed for this use.
    ///
    /// # Errors
    /// It does not open.
    pub(crate) fn unseal(
        &self,
        purpose: &str,
        sealed: &str,
    ) -> Result<Zeroizing<String>, SealError> {
        let sealed = BASE64.decode(sealed).map_err(|_| SealError::DoesNotOpen)?;
        let secret = aead::open(&self.0, purpose, &sealed)?;
        let secret = std::str::from_utf8(&secret).map_err(|_| SealError::DoesNotOpen)?;
        Ok(Zeroizing::new(secret.to_owned()))
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey({KEY_LEN} bytes)")
    }
}
