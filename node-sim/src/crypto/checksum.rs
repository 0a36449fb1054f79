//! Keyed checksums: HMAC-SHA-256, truncated to 16 bytes (RFC 2104, 5), under a key that HKDF
//! (RFC 5869) derives from another.
//!
//! Without the key nobody can make a checksum that holds, nor learn from it what it is for.

use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

/// Length of a checksum.
pub(crate) const CHECKSUM_LEN: usize = 16;

const KEY_LEN: usize = 32;

/// A checksum.
pub(crate) type Checksum = [u8; CHECKSUM_LEN];

/// Key of checksums.
pub(crate) struct ChecksumKey(hmac::Key);

/// Length of a key that HKDF gives.
struct KeyLen;

impl hkdf::KeyType for KeyLen {
    fn len(&self) -> usize {
        KEY_LEN
    }
}

impl ChecksumKey {
    /// Derives the key for this use from a secret key; `None` if the library refuses.
    #[must_use]
    pub(crate) fn derive(secret: &[u8], purpose: &str) -> Option<Self> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(secret)
            .expand(&[purpose.as_bytes()], KeyLen)
            .and_then(|derived| derived.fill(key.as_mut_slice()))
            .ok()?;
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())))
    }

    /// Returns the checksum of the parts, one after the other. The caller sees to it that no two
    /// inputs are equal as a whole.
    #[must_use]
    pub(crate) fn checksum(&self, parts: &[&[u8]]) -> Checksum {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let tag = context.sign();
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::ChecksumKey;

    /// RFC 5869 and RFC 2104, computed with OpenSSL 3: `openssl kdf -keylen 32 -kdfopt
    /// digest:SHA256 -kdfopt hexkey:2a..2a -kdfopt info:test HKDF`, then `openssl mac -digest
    /// SHA256 -macopt hexkey:... HMAC`.
    #[test]
    fn checksum_is_a_truncated_hmac_under_a_derived_key() {
        let key = ChecksumKey::derive(&[0x2A; 64], "test").unwrap();
        let checksum = key.checksum(&[b"what do ya want ", b"for nothing?"]);
        let hex: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "a201cb2214e6a861136c6943a8641b0c");
    }

    #[test]
    fn checksum_differs_by_secret_purpose_and_text() {
        let checksum = |secret: u8, purpose, text: &[u8]| {
            ChecksumKey::derive(&[secret; 64], purpose).unwrap().checksum(&[text])
        };
        let one = checksum(1, "a", b"x");
        assert_eq!(one, checksum(1, "a", b"x"));
        for other in [checksum(2, "a", b"x"), checksum(1, "b", b"x"), checksum(1, "a", b"y")] {
            assert_ne!(one, other);
        }
    }
}
