//! Hashes, and HMAC over each of them (1.4, 4.37; 2.1, 6.1.22 and 11.21).
//!
//! One row a hash: the library's type, how the library makes HMAC of it, and the algorithm of keys
//! whose code is HMAC over it.

pub(crate) mod algorithms;
pub(crate) mod incremental;
pub mod mac;

use hmac::{Hmac, KeyInit, SimpleHmac};
use kmip::vocabulary::{CryptographicAlgorithm as A, HashingAlgorithm as H};
use zeroize::Zeroizing;

use super::error::{Error, Result};
use incremental::{Running, RunningHash, RunningMac};

/// A hash under way.
#[derive(Clone)]
pub struct Hash(Running);

impl Hash {
    /// Takes the next part of the data.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The hash of all that was taken.
    pub fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0.finish()
    }
}

macro_rules! hashes {
    ($($name:ident => $ty:ty, $code:ident $(, $hmac:ident)?;)*) => {
        /// Begins a hash.
        pub fn hash(algorithm: H) -> Result<Hash> {
            match algorithm {
                $(H::$name => Ok(Hash(Box::new(RunningHash(<$ty>::default())))),)*
                _ => Err(no_hash(algorithm)),
            }
        }

        /// Begins an HMAC (RFC 2104; FIPS 198-1).
        pub(crate) fn hmac(algorithm: H, key: &[u8]) -> Result<Running> {
            match algorithm {
                $(H::$name => Ok(Box::new(RunningMac(
                    $code::<$ty>::new_from_slice(key).map_err(|_| Error::Internal("key a code"))?,
                ))),)*
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
    };
}

hashes! {
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
    RIPEMD_160 => ripemd::Ripemd160, Hmac;
    Tiger => tiger::Tiger, Hmac;
    Whirlpool => whirlpool::Whirlpool, Hmac;
}

fn no_hash(algorithm: H) -> Error {
    Error::unsupported(format!("{algorithm:?} is no hash of this server"))
}
