//! Message authentication codes (1.4, 4.33 and 4.34; 2.1, 6.1.31 and 6.1.32).
//!
//! ```text
//! HMAC        over each hash                      RFC 2104
//! CMAC        any block cipher                    SP 800-38B
//! CBC_MAC     any block cipher                    FIPS 113: for messages of one length alone
//! Poly1305    a key for one message               RFC 8439
//! ```

use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode as Mode, CryptographicAlgorithm as A, PaddingMethod};
use poly1305::Poly1305;
use poly1305::universal_hash::common::KeyInit;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::cipher::block::{block, cmac, is_block_cipher};
use crate::crypto::cipher::block_chaining::{Chain, Link};
use crate::crypto::cipher::padding;
use crate::crypto::error::{Error, Result};
use crate::crypto::hash::incremental::{FieldHash, Run, Running};
use crate::crypto::hash::{hash_of_hmac, hmac};

/// A code under way.
#[derive(Clone)]
pub(crate) struct Mac(Running);

impl Mac {
    /// Begins a code with the key. The parameters say which, or else the algorithm of the key.
    pub(crate) fn new(
        algorithm: Option<A>,
        key: &[u8],
        parameters: &CryptographicParameters,
    ) -> Result<Self> {
        let algorithm = parameters.cryptographic_algorithm.or(algorithm);
        if let Some(hash) = algorithm.and_then(hash_of_hmac) {
            return hmac(hash, key).map(Self);
        }
        let mode = parameters.block_cipher_mode;
        match (algorithm, mode, parameters.hashing_algorithm) {
            (Some(A::Poly1305), _, _) => poly1305(key).map(Self),
            (Some(cipher), Some(Mode::CMAC), _) => cmac(cipher, key).map(Self),
            (Some(cipher), Some(Mode::CBC_MAC), _) => {
                cbc_mac(cipher, key, parameters.padding_method).map(Self)
            }
            (_, _, Some(hash)) => hmac(hash, key).map(Self),
            // A cipher's code is CMAC, unless the parameters say something else.
            (Some(cipher), None, None) if is_block_cipher(cipher) => cmac(cipher, key).map(Self),
            (_, Some(mode), None) => Err(Error::parameters(format!(
                "{mode:?} is no mode that makes a code: name CMAC, CBC_MAC or an HMAC"
            ))),
            (Some(algorithm), None, None) => Err(Error::unsupported(format!(
                "{algorithm:?} makes no code: name an HMAC, or a HashingAlgorithm"
            ))),
            (None, None, None) => Err(Error::parameters(
                "neither the request nor the object names an algorithm for the code",
            )),
        }
    }

    /// Takes the next part of the data.
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The code of all that was taken.
    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0.finish()
    }

    /// Is this the code of all that was taken? Takes as long whatever differs.
    pub(crate) fn verify(self, code: &[u8]) -> bool {
        let made = self.finish();
        made.len() == code.len() && made.ct_eq(code).into()
    }
}

fn poly1305(key: &[u8]) -> Result<Running> {
    let poly = Poly1305::new_from_slice(key)
        .map_err(|_| Error::parameters("Poly1305 has keys of 32 bytes"))?;
    Ok(Box::new(FieldHash::new(poly)))
}

fn cbc_mac(algorithm: A, key: &[u8], padding: Option<PaddingMethod>) -> Result<Running> {
    let padding = padding.unwrap_or(PaddingMethod::Zeros);
    if !matches!(padding, PaddingMethod::Zeros | PaddingMethod::PKCS5 | PaddingMethod::ANSIX9_23) {
        return Err(Error::parameters(format!(
            "{padding:?} fills no block of a code that is to come out the same again"
        )));
    }
    let cipher = block(algorithm, key)?;
    let zeros = Zeroizing::new(vec![0; cipher.len()]);
    let last = zeros.clone();
    let chain = Chain::new(cipher, Link::Cipher, &zeros);
    Ok(Box::new(CbcMac { chain, padding, held: Zeroizing::new(Vec::new()), last }))
}

/// The last block of CBC from a vector of zeros.
#[derive(Clone)]
struct CbcMac {
    chain: Chain,
    padding: PaddingMethod,
    held: Zeroizing<Vec<u8>>,
    last: Zeroizing<Vec<u8>>,
}

impl CbcMac {
    fn take(&mut self, mut blocks: Zeroizing<Vec<u8>>) {
        self.chain.encrypt(&mut blocks);
        if let Some(last) = blocks.rchunks_exact(self.chain.block_len()).next() {
            self.last.copy_from_slice(last);
        }
    }
}

impl Run for CbcMac {
    fn update(&mut self, data: &[u8]) {
        let mut joined = Zeroizing::new([self.held.as_slice(), data].concat());
        let over = joined.len().checked_rem(self.chain.block_len()).unwrap_or(0);
        let whole = joined.len().saturating_sub(over);
        self.held = Zeroizing::new(joined.get(whole..).unwrap_or_default().to_vec());
        joined.truncate(whole);
        self.take(joined);
    }

    fn finish(mut self: Box<Self>) -> Zeroizing<Vec<u8>> {
        let mut held = std::mem::take(&mut self.held);
        // The paddings that are let in are those that cannot fail.
        let _ = padding::pad(self.padding, self.chain.block_len(), &mut held);
        self.take(held);
        self.last
    }

    fn copy(&self) -> Running {
        Box::new(self.clone())
    }
}
