//! Table of hashes (1.4, 4.37; 2.1, 6.1.22 and 11.21).
//!
//! One row per hash: the library's type, how the library makes HMAC of it, and the algorithm
//! of keys whose code is HMAC over it. A signature or padding is compiled for each hash of group
//! `signing`.

use hmac::digest::{Digest, FixedOutput};
use hmac::{Hmac, KeyInit, Mac, SimpleHmac};
use kmip::vocabulary::{CryptographicAlgorithm as A, HashingAlgorithm as H};
use zeroize::Zeroizing;

use super::incremental::{Running, RunningHash, RunningMac};
use crate::crypto::error::{Error, Result};

/// A hash under way.
#[derive(Clone)]
pub(crate) struct Hash(Running);

impl Hash {
    /// Takes the next part of the data.
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The hash of all that was taken.
    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0.finish()
    }
}

macro_rules! hashes {
    (
        $d:tt
        signing { $($name:ident => $ty:ty, $code:ident $(, $hmac:ident)?;)* }
        other { $($other:ident => $other_ty:ty, $other_code:ident;)* }
    ) => {
        /// Begins a hash.
        pub(crate) fn hash(algorithm: H) -> Result<Hash> {
            match algorithm {
                $(H::$name => Ok(Hash(Box::new(RunningHash(<$ty>::default())))),)*
                $(H::$other => Ok(Hash(Box::new(RunningHash(<$other_ty>::default())))),)*
                _ => Err(no_hash(algorithm)),
            }
        }

        /// Begins an HMAC (RFC 2104; FIPS 198-1).
        pub(crate) fn hmac(algorithm: H, key: &[u8]) -> Result<Running> {
            match algorithm {
                $(H::$name => keyed::<$code<$ty>>(key),)*
                $(H::$other => keyed::<$other_code<$other_ty>>(key),)*
                _ => Err(no_hash(algorithm)),
            }
        }

        /// PBKDF2 with HMAC (RFC 8018, 5.2).
        pub(crate) fn pbkdf2(
            algorithm: H,
            password: &[u8],
            salt: &[u8],
            iterations: u32,
            out: &mut [u8],
        ) -> Result<()> {
            let done = match algorithm {
                $(H::$name => pbkdf2::pbkdf2::<$code<$ty>>(password, salt, iterations, out),)*
                $(H::$other => {
                    pbkdf2::pbkdf2::<$other_code<$other_ty>>(password, salt, iterations, out)
                })*
                _ => return Err(no_hash(algorithm)),
            };
            done.map_err(|_| Error::Internal("key a code"))
        }

        /// The hash of an algorithm that is HMAC.
        pub(crate) const fn hash_of_hmac(algorithm: A) -> Option<H> {
            match algorithm {
                $($(A::$hmac => Some(H::$name),)?)*
                _ => None,
            }
        }

        /// Evaluates an expression with `$D` as the type of a hash of group `signing`; fails for
        /// any other hash.
        macro_rules! with_digest {
            ($d hash:expr, $d D:ident => $d body:expr) => {{
                use kmip::vocabulary::HashingAlgorithm as H;
                match $d hash {
                    $(H::$name => {
                        type $d D = $ty;
                        $d body
                    })*
                    other => Err($d crate::crypto::Error::unsupported(format!(
                        "this server signs and pads with no {other:?}"
                    ))),
                }
            }};
        }
    };
}

hashes! {
    $
    signing {
        MD5 => md5::Md5, Hmac, HMAC_MD5;
        SHA_1 => sha1::Sha1, Hmac, HMAC_SHA1;
        SHA_224 => sha2::Sha224, Hmac, HMAC_SHA224;
        SHA_256 => sha2::Sha256, Hmac, HMAC_SHA256;
        SHA_384 => sha2::Sha384, Hmac, HMAC_SHA384;
        SHA_512 => sha2::Sha512, Hmac, HMAC_SHA512;
        SHA_512_224 => sha2::Sha512_224, Hmac;
        SHA_512_256 => sha2::Sha512_256, Hmac;
        SHA3_224 => sha3::Sha3_224, SimpleHmac, HMAC_SHA3_224;
        SHA3_256 => sha3::Sha3_256, SimpleHmac, HMAC_SHA3_256;
        SHA3_384 => sha3::Sha3_384, SimpleHmac, HMAC_SHA3_384;
        SHA3_512 => sha3::Sha3_512, SimpleHmac, HMAC_SHA3_512;
    }
    other {
        RIPEMD_160 => ripemd::Ripemd160, Hmac;
        Tiger => tiger::Tiger, Hmac;
        Whirlpool => whirlpool::Whirlpool, Hmac;
    }
}

#[allow(clippy::single_component_path_imports, reason = "the macro is made by another macro")]
pub(crate) use with_digest;

/// Begins a code of a library with a key.
fn keyed<M>(key: &[u8]) -> Result<Running>
where
    M: Mac + KeyInit + FixedOutput + Clone + Send + Sync + 'static,
{
    let mac = <M as KeyInit>::new_from_slice(key).map_err(|_| Error::Internal("key a code"))?;
    Ok(Box::new(RunningMac(mac)))
}

fn no_hash(algorithm: H) -> Error {
    Error::unsupported(format!("{algorithm:?} is no hash of this server"))
}

/// The bytes of a hash.
pub(crate) fn len(hash: H) -> Result<usize> {
    with_digest!(hash, D => Ok(<D as Digest>::output_size()))
}

/// The hash of all parts one after another.
pub(crate) fn digest(hash: H, parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>> {
    let mut running = self::hash(hash)?;
    parts.iter().for_each(|part| running.update(part));
    Ok(running.finish())
}

/// Must be a hash's bytes.
pub(crate) fn check_len(hash: H, digest: &[u8]) -> Result<()> {
    match len(hash)? == digest.len() {
        true => Ok(()),
        false => Err(Error::data(format!(
            "the Digested Data has {} bytes, and {hash:?} makes {}",
            digest.len(),
            len(hash)?
        ))),
    }
}
