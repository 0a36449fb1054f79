//! A small secret, sealed under a key and bound to what it is for (AES-256-GCM).
//!
//! ```text
//! nonce (12, random) | ciphertext | tag (16)
//! ```
//!
//! What it is for is authenticated and not stored: a sealed secret that was copied elsewhere does
//! not open there. Three uses: a data encryption key under a master key, an internal master key
//! under the key whose shares the nodes hold, and the CHAP secrets of accounts under the cluster's
//! key for them. A key seals some thousands of secrets in its life at most, far below where random
//! nonces could meet.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use zeroize::Zeroizing;

/// How this way of sealing is called where it is written down.
pub(crate) const ALGORITHM: &str = "AES-256-GCM";

/// Length of the sealing key.
pub(crate) const KEY_LEN: usize = 32;

const NONCE_LEN: usize = 12;

/// Why something could not be sealed or opened. It says nothing of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
    /// It does not open under this key for this use: another key, another use, or changed bytes.
    #[error("it does not open: sealed under another key or for another use, or changed since")]
    DoesNotOpen,
}

/// Fills the bytes with randomness that is fit for keys.
///
/// # Errors
/// The system gave none.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), SealError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| SealError::NoRandom)
}

/// Seals the secret for this use.
///
/// # Errors
/// The system gave no random bytes.
pub(crate) fn seal(
    key: &[u8; KEY_LEN],
    purpose: &str,
    secret: &[u8],
) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE_LEN];
    random(&mut nonce)?;
    let payload = Payload { msg: secret, aad: purpose.as_bytes() };
    let sealed = Aes256Gcm::new(key.into())
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| SealError::DoesNotOpen)?;
    Ok([&nonce, sealed.as_slice()].concat())
}

/// Opens what was sealed for this use.
///
/// # Errors
/// It does not open.
pub(crate) fn open(
    key: &[u8; KEY_LEN],
    purpose: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError::DoesNotOpen)?;
    let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
    Aes256Gcm::new(key.into())
        .decrypt(&Nonce::from(*nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| SealError::DoesNotOpen)
}

#[cfg(test)]
mod tests {
    use super::{SealError, open, seal};

    #[test]
    fn it_opens_only_whole_under_its_key_and_for_its_use() {
        let sealed = seal(&[1; 32], "drive 1", b"secret").unwrap();
        assert_eq!(open(&[1; 32], "drive 1", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(open(&[2; 32], "drive 1", &sealed), Err(SealError::DoesNotOpen));
        assert_eq!(open(&[1; 32], "drive 2", &sealed), Err(SealError::DoesNotOpen));
        for cut in 0..sealed.len() {
            assert_eq!(open(&[1; 32], "drive 1", &sealed[..cut]), Err(SealError::DoesNotOpen));
            let mut changed = sealed.clone();
            changed[cut] ^= 1;
            assert_eq!(open(&[1; 32], "drive 1", &changed), Err(SealError::DoesNotOpen));
        }
        assert_ne!(seal(&[1; 32], "drive 1", b"secret").unwrap(), sealed, "nonces are fresh");
    }
}
