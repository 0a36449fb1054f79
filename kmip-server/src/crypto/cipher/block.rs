//! Block functions: a key and a block of bytes in, a block of bytes out (1.4, 9.1.3.2.13; 2.1,
//! 11.12).
//!
//! One row an algorithm and a length of its key. The functions are libraries'; no mode and no
//! padding is known here.

use std::sync::Arc;

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit};
use cmac::Cmac;
use kmip::vocabulary::CryptographicAlgorithm as A;

use crate::crypto::error::{Error, Result};
use crate::crypto::hash::incremental::{Running, RunningMac};

/// A block cipher with its key. The key schedule is zeroized by its library when it is dropped.
pub(crate) trait Block: Send + Sync {
    /// Bytes of a block.
    fn len(&self) -> usize;

    /// Encrypts each whole block in place.
    fn encrypt(&self, blocks: &mut [u8]);

    /// Decrypts each whole block in place.
    fn decrypt(&self, blocks: &mut [u8]);
}

/// A block cipher that several states share.
pub(crate) type SharedBlock = Arc<dyn Block>;

impl<C: BlockCipherEncrypt + BlockCipherDecrypt + Send + Sync> Block for C {
    fn len(&self) -> usize {
        C::block_size()
    }

    fn encrypt(&self, blocks: &mut [u8]) {
        self.encrypt_blocks(Array::slice_as_chunks_mut(blocks).0);
    }

    fn decrypt(&self, blocks: &mut [u8]) {
        self.decrypt_blocks(Array::slice_as_chunks_mut(blocks).0);
    }
}

/// One row an algorithm: the bytes of its key, and the library's type.
macro_rules! block_ciphers {
    ($($algorithm:ident, $len:pat => $ty:ty;)*) => {
        /// The block cipher of an algorithm under a key.
        pub(crate) fn block(algorithm: A, key: &[u8]) -> Result<SharedBlock> {
            match (algorithm, key.len()) {
                $((A::$algorithm, $len) => Ok(Arc::new(
                    <$ty>::new_from_slice(key).map_err(|_| wrong_length(algorithm, key.len()))?,
                )),)*
                _ => Err(no_block_cipher(algorithm, key.len())),
            }
        }

        /// CMAC of an algorithm under a key (SP 800-38B).
        pub(crate) fn cmac(algorithm: A, key: &[u8]) -> Result<Running> {
            match (algorithm, key.len()) {
                $((A::$algorithm, $len) => Ok(Box::new(RunningMac(
                    Cmac::<$ty>::new_from_slice(key)
                        .map_err(|_| wrong_length(algorithm, key.len()))?,
                ))),)*
                _ => Err(no_block_cipher(algorithm, key.len())),
            }
        }

        /// The algorithms that have a row, and the bytes of their blocks.
        const ALGORITHMS: &[(A, fn() -> usize)] = &[$((A::$algorithm, <$ty>::block_size)),*];
    };
}

block_ciphers! {
    AES, 16 => aes::Aes128;
    AES, 24 => aes::Aes192;
    AES, 32 => aes::Aes256;
    DES3, 24 => des::TdesEde3;
    DES3, 16 => des::TdesEde2;
    DES3, 8 => des::Des;
    DES, 8 => des::Des;
    Camellia, 16 => camellia::Camellia128;
    Camellia, 24 => camellia::Camellia192;
    Camellia, 32 => camellia::Camellia256;
    Blowfish, 4..=56 => blowfish::Blowfish;
    CAST5, 5..=16 => cast5::Cast5;
    IDEA, 16 => idea::Idea;
}

/// Is it the name of a block cipher of this server?
pub(crate) fn is_block_cipher(algorithm: A) -> bool {
    ALGORITHMS.iter().any(|(known, _)| *known == algorithm)
}

/// The bytes of a block; 0 of what is no block cipher.
pub(crate) fn len(algorithm: A) -> usize {
    ALGORITHMS.iter().find(|(known, _)| *known == algorithm).map_or(0, |(_, len)| len())
}

fn wrong_length(algorithm: A, bytes: usize) -> Error {
    Error::parameters(format!("a key of {bytes} bytes is none of {algorithm:?}"))
}

fn no_block_cipher(algorithm: A, bytes: usize) -> Error {
    match is_block_cipher(algorithm) {
        true => wrong_length(algorithm, bytes),
        false => Error::unsupported(format!("{algorithm:?} is no block cipher of this server")),
    }
}
