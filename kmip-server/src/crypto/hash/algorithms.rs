//! The hashes inside signatures and paddings, each as the type of the library that has it.
//!
//! A padding of a library is made for one type of hash, so [`with_digest!`] turns the word of the
//! vocabulary into the type.

use kmip::vocabulary::HashingAlgorithm;
use zeroize::Zeroizing;

use crate::crypto::{Error, Result};

/// Does something with `$D`, which stands for the type of the hash; fails for a hash that is in no
/// row.
macro_rules! with_digest {
    ($hash:expr, $D:ident => $body:expr) => {{
        use kmip::vocabulary::HashingAlgorithm as H;
        match $hash {
            H::MD5 => {
                type $D = md5::Md5;
                $body
            }
            H::SHA_1 => {
                type $D = sha1::Sha1;
                $body
            }
            H::SHA_224 => {
                type $D = sha2::Sha224;
                $body
            }
            H::SHA_256 => {
                type $D = sha2::Sha256;
                $body
            }
            H::SHA_384 => {
                type $D = sha2::Sha384;
                $body
            }
            H::SHA_512 => {
                type $D = sha2::Sha512;
                $body
            }
            H::SHA_512_224 => {
                type $D = sha2::Sha512_224;
                $body
            }
            H::SHA_512_256 => {
                type $D = sha2::Sha512_256;
                $body
            }
            H::SHA3_224 => {
                type $D = sha3::Sha3_224;
                $body
            }
            H::SHA3_256 => {
                type $D = sha3::Sha3_256;
                $body
            }
            H::SHA3_384 => {
                type $D = sha3::Sha3_384;
                $body
            }
            H::SHA3_512 => {
                type $D = sha3::Sha3_512;
                $body
            }
            other => Err($crate::crypto::Error::unsupported(format!(
                "this server signs and pads with no {other:?}"
            ))),
        }
    }};
}

pub(crate) use with_digest;

/// The bytes of a hash.
pub(crate) fn len(hash: HashingAlgorithm) -> Result<usize> {
    with_digest!(hash, D => Ok(<D as sha2::Digest>::output_size()))
}

/// The hash of all parts one after another.
pub(crate) fn digest(hash: HashingAlgorithm, parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>> {
    let mut running = super::hash(hash)?;
    parts.iter().for_each(|part| running.update(part));
    Ok(running.finish())
}

/// Must be a hash's bytes.
pub(crate) fn check_len(hash: HashingAlgorithm, digest: &[u8]) -> Result<()> {
    match len(hash)? == digest.len() {
        true => Ok(()),
        false => Err(Error::data(format!(
            "the Digested Data has {} bytes, and {hash:?} makes {}",
            digest.len(),
            len(hash)?
        ))),
    }
}
