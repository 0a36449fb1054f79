//! The paddings of PKCS#1 1.5 (RFC 8017, 7.2 and 8.2).
//!
//! Whoever can ask whether a padding was right can decrypt (Bleichenbacher 1998): a client that
//! decrypts for others must not tell them which of their messages failed. Here every failure is
//! the same one.

use aws_lc_rs::rsa as fast;
use aws_lc_rs::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaSignatureEncoding,
};
use kmip::vocabulary::HashingAlgorithm as H;
use rsa::{Pkcs1v15Encrypt, Pkcs1v15Sign};
use zeroize::Zeroizing;

use super::{Random, fast_decrypting, fast_digest, fast_sign, private, public};
use crate::crypto::hash::algorithms;
use crate::crypto::keys::{RsaPrivate, RsaPublic};
use crate::crypto::{Error, Result};

/// Encrypts.
pub(crate) fn encrypt(key: &RsaPublic, data: &[u8]) -> Result<Vec<u8>> {
    public(key)?
        .encrypt(&mut Random, Pkcs1v15Encrypt, data)
        .map_err(|_| Error::data("the data is too long for this key with this padding"))
}

/// Decrypts.
pub(crate) fn decrypt(key: &RsaPrivate, data: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let plain = match fast_decrypting(key) {
        Some(key) => {
            let key = fast::Pkcs1PrivateDecryptingKey::new(key).map_err(|_| Error::Failed)?;
            let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
            let plain = key.decrypt(data, &mut room).map_err(|_| Error::Failed)?;
            plain.to_vec()
        }
        None => private(key)?
            .decrypt_blinded(&mut Random, Pkcs1v15Encrypt, data)
            .map_err(|_| Error::Failed)?,
    };
    Ok(Zeroizing::new(plain))
}

const FAST: [&RsaSignatureEncoding; 3] = [&RSA_PKCS1_SHA256, &RSA_PKCS1_SHA384, &RSA_PKCS1_SHA512];

/// What stands before a digest: the DER of the hash's name (RFC 8017, 9.2, note 1; the same
/// for the hashes that NIST named later).
fn prefix(hash: H) -> Result<Vec<u8>> {
    let nist = |last: u8| vec![0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last];
    let oid = match hash {
        H::MD5 => vec![0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x05],
        H::SHA_1 => vec![0x2B, 0x0E, 0x03, 0x02, 0x1A],
        H::SHA_256 => nist(1),
        H::SHA_384 => nist(2),
        H::SHA_512 => nist(3),
        H::SHA_224 => nist(4),
        H::SHA_512_224 => nist(5),
        H::SHA_512_256 => nist(6),
        H::SHA3_224 => nist(7),
        H::SHA3_256 => nist(8),
        H::SHA3_384 => nist(9),
        H::SHA3_512 => nist(10),
        other => {
            return Err(Error::unsupported(format!("PKCS#1 1.5 has no name for {other:?}")));
        }
    };
    let byte = |len: usize| u8::try_from(len).unwrap_or(u8::MAX);
    let (name, digest) = (byte(oid.len()), byte(algorithms::len(hash)?));
    let algorithm = name.saturating_add(4);
    let whole = algorithm.saturating_add(digest).saturating_add(4);
    let mut bytes = vec![0x30, whole, 0x30, algorithm, 0x06, name];
    bytes.extend_from_slice(&oid);
    bytes.extend_from_slice(&[0x05, 0x00, 0x04, digest]);
    Ok(bytes)
}

fn scheme(hash: H) -> Result<Pkcs1v15Sign> {
    Ok(Pkcs1v15Sign {
        hash_len: Some(algorithms::len(hash)?),
        prefix: prefix(hash)?.into_boxed_slice(),
    })
}

/// Signs a digest.
pub(crate) fn sign(key: &RsaPrivate, hash: H, digest: &[u8]) -> Result<Vec<u8>> {
    if let Some((row, digest)) = fast_digest(hash, digest)
        && let Some(encoding) = FAST.get(row)
        && let Some(signature) = fast_sign(key, encoding, &digest)
    {
        return Ok(signature);
    }
    private(key)?.sign_with_rng(&mut Random, scheme(hash)?, digest).map_err(|_| Error::Failed)
}

/// Is it the signature of a digest?
pub(crate) fn verify(key: &RsaPublic, hash: H, digest: &[u8], signature: &[u8]) -> Result<bool> {
    Ok(public(key)?.verify(scheme(hash)?, digest, signature).is_ok())
}
