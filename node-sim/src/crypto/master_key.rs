//! The master key that wraps data encryption keys.

use aws_lc_rs::hmac;
use std::fmt;
use zeroize::Zeroizing;

/// Length of a master key: AES-256.
pub const MASTER_KEY_LEN: usize = 32;

/// A master key in the clear. It wipes itself and never shows itself.
pub struct MasterKey(Box<Zeroizing<[u8; MASTER_KEY_LEN]>>);

impl MasterKey {
    /// Takes the bytes over; nothing, if they are not as many as a master key has.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Box::new(Zeroizing::new([0; MASTER_KEY_LEN]));
        if bytes.len() != MASTER_KEY_LEN {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; MASTER_KEY_LEN] {
        &self.0
    }

    /// A value that tells this key from all others and tells nothing else of it: an HMAC under the
    /// key. It is written down when the key is made; a key server that later gives another key is
    /// found out before anything is wrapped by that.
    #[must_use]
    pub fn check_value(&self, key_id: impl fmt::Display) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.bytes());
        let tag = hmac::sign(&key, format!("check of master key {key_id}").as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({MASTER_KEY_LEN} bytes)")
    }
}
