//! Keys out of keys (1.4, 4.6; 2.1, 6.1.14, 7.12 and 11.14).
//!
//! ```text
//! PBKDF2             a password, a salt, many rounds                      RFC 8018
//! HASH               the hash of the key, or of the data
//! HMAC               the code of the data; with a salt, HKDF              RFC 5869
//! ENCRYPT            the data encrypted
//! NIST800_108_C      K(i) = PRF(key, [i] data)                            SP 800-108, 4.1
//! NIST800_108_F      K(i) = PRF(key, K(i-1) [i] data)    K(0) = IV        SP 800-108, 4.2
//! NIST800_108_DPI    K(i) = PRF(key, A(i) [i] data)      A(i) = PRF(key, A(i-1)), A(0) = data
//! AWSSignatureVersion4    HMAC four times: date, region, service, "aws4_request"
//! HKDF               extract and expand                                   RFC 5869
//! ```
//!
//! `[i]` has four bytes. AsymmetricKey is not here: it needs two keys of a curve.

use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    BlockCipherMode, CryptographicAlgorithm as A, DerivationMethod as Method, HashingAlgorithm as H,
};
use zeroize::Zeroizing;

use super::cipher::block::{cmac, is_block_cipher};
use super::cipher::{Beginning, Cipher};
use super::error::{Error, Result};
use super::hash::incremental::Running;
use super::hash::{hash, hash_of_hmac, hmac, pbkdf2};

/// The longest key that is derived, in bytes: as long as the longest that is made.
pub(crate) const DERIVED_LEN_MAX: usize = 4096;

/// The most rounds of PBKDF2, over all blocks: some seconds of one core. RFC 8018 speaks of
/// 10,000,000 for keys worth the wait; who needs that derives where the password is.
pub(crate) const ROUNDS_MAX: u64 = 4_000_000;

/// What a key is derived from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The key, password or input key material.
    pub key: &'a [u8],
    /// What kind of key it is, if it says.
    pub algorithm: Option<A>,
    /// The Derivation Data, each that there is.
    pub data: &'a [Vec<u8>],
    /// The cipher, the mode, the hash.
    pub parameters: &'a CryptographicParameters,
    /// The initialization vector.
    pub vector: Option<&'a [u8]>,
    /// The salt.
    pub salt: Option<&'a [u8]>,
    /// The rounds of PBKDF2.
    pub iterations: Option<i32>,
}

/// Derives `len` bytes.
pub(crate) fn derive(method: Method, source: Source<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    if len == 0 || len > DERIVED_LEN_MAX {
        return Err(Error::parameters(format!(
            "a derived key has 1 to {DERIVED_LEN_MAX} bytes, and Cryptographic Length says {len}"
        )));
    }
    match method {
        Method::PBKDF2 => from_password(source, len),
        Method::HASH => {
            let mut hash = hash(source.hash_or(H::SHA_256)?)?;
            match source.data {
                [] => hash.update(source.key),
                data => data.iter().for_each(|data| hash.update(data)),
            }
            cut(hash.finish(), len)
        }
        Method::HMAC if source.salt.is_some() => hkdf(source, len),
        Method::HMAC => {
            let mut code = hmac(source.hash_or(H::SHA_256)?, source.key)?;
            code.update(&source.one_data()?);
            cut(code.finish(), len)
        }
        Method::HKDF => hkdf(source, len),
        Method::ENCRYPT => encrypted(source, len),
        Method::NIST800_108_C => counted(source, len),
        Method::NIST800_108_F => fed_back(source, len),
        Method::NIST800_108_DPI => double_pipeline(source, len),
        Method::AWSSignatureVersion4 => aws_signature(source, len),
        _ => Err(Error::unsupported(format!("{method:?} is no derivation of this server"))),
    }
}

impl Source<'_> {
    /// The hash that the parameters name, that of the HMAC they name, or this one.
    fn hash_or(&self, default: H) -> Result<H> {
        let of_algorithm = |algorithm: Option<A>| algorithm.and_then(hash_of_hmac);
        Ok(self
            .parameters
            .hashing_algorithm
            .or_else(|| of_algorithm(self.parameters.cryptographic_algorithm))
            .or_else(|| of_algorithm(self.algorithm))
            .unwrap_or(default))
    }

    /// The data, of which there must be no more than one.
    fn one_data(&self) -> Result<Zeroizing<Vec<u8>>> {
        match self.data {
            [] => Err(Error::parameters("the method needs Derivation Data")),
            [data] => Ok(Zeroizing::new(data.clone())),
            _ => Err(Error::parameters("the method takes Derivation Data once")),
        }
    }

    /// The pseudorandom function of SP 800-108: CMAC of the cipher that is named, or else HMAC.
    fn function(&self) -> Result<Running> {
        let cipher = self.parameters.cryptographic_algorithm.filter(|a| is_block_cipher(*a));
        let is_cmac = self.parameters.block_cipher_mode == Some(BlockCipherMode::CMAC);
        match cipher.or(self.algorithm.filter(|_| is_cmac)) {
            Some(cipher) if is_cmac || self.parameters.hashing_algorithm.is_none() => {
                cmac(cipher, self.key)
            }
            _ => hmac(self.hash_or(H::SHA_256)?, self.key),
        }
    }
}

/// The first bytes, if there are as many as that.
fn cut(mut bytes: Zeroizing<Vec<u8>>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    if bytes.len() < len {
        return Err(Error::parameters(format!(
            "the method gives {} bytes, and Cryptographic Length asks for {len}",
            bytes.len()
        )));
    }
    bytes.truncate(len);
    Ok(bytes)
}

fn from_password(source: Source<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let salt = source.salt.ok_or_else(|| Error::parameters("PBKDF2 needs a Salt"))?;
    let iterations = source
        .iterations
        .and_then(|iterations| u32::try_from(iterations).ok())
        .filter(|iterations| *iterations > 0)
        .ok_or_else(|| Error::parameters("PBKDF2 needs an Iteration Count of 1 or more"))?;
    // The function of RFC 8018 where none is named.
    let algorithm = source.hash_or(H::SHA_1)?;
    let block = hash(algorithm)?.finish().len().max(1);
    let blocks = u64::try_from(len.div_ceil(block)).unwrap_or(u64::MAX);
    if u64::from(iterations).saturating_mul(blocks) > ROUNDS_MAX {
        return Err(Error::parameters(format!(
            "this server does {ROUNDS_MAX} rounds of PBKDF2 for one key and no more"
        )));
    }
    let mut out = Zeroizing::new(vec![0; len]);
    pbkdf2(algorithm, source.key, salt, iterations, &mut out)?;
    Ok(out)
}

fn hkdf(source: Source<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let algorithm = source.hash_or(H::SHA_256)?;
    let information = match source.data {
        [] => Zeroizing::new(Vec::new()),
        _ => source.one_data()?,
    };
    // HMAC fills its key with zeros: an empty salt is the salt of zeros that RFC 5869 wants.
    let mut extract = hmac(algorithm, source.salt.unwrap_or_default())?;
    extract.update(source.key);
    let expand = hmac(algorithm, &extract.finish())?;
    let mut out = Zeroizing::new(Vec::with_capacity(len));
    let mut block = Zeroizing::new(Vec::new());
    for index in 1..=u8::MAX {
        let mut code = expand.clone();
        code.update(&block);
        code.update(&information);
        code.update(&[index]);
        block = code.finish();
        let wanted = len.saturating_sub(out.len());
        out.extend_from_slice(block.get(..wanted).unwrap_or(&block));
        if out.len() == len {
            return Ok(out);
        }
    }
    cut(out, len)
}

fn encrypted(source: Source<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let algorithm = source
        .parameters
        .cryptographic_algorithm
        .or(source.algorithm)
        .ok_or_else(|| Error::parameters("ENCRYPT needs a CryptographicAlgorithm"))?;
    let beginning = Beginning { vector: source.vector, ..Beginning::default() };
    // A vector that nobody knew would make a key that nobody can derive again.
    let parameters =
        CryptographicParameters { random_iv: Some(false), ..source.parameters.clone() };
    let (cipher, _) = Cipher::encryptor(algorithm, source.key, &parameters, beginning)?;
    cut(cipher.finish(&source.one_data()?)?.data, len)
}

/// The blocks K(1), K(2) and so on, each of what `next` feeds it.
fn blocks(
    source: Source<'_>,
    len: usize,
    mut next: impl FnMut(&mut Running, u32, &[u8]),
) -> Result<Zeroizing<Vec<u8>>> {
    let function = source.function()?;
    let mut out = Zeroizing::new(Vec::with_capacity(len));
    let mut block = Zeroizing::new(source.vector.unwrap_or_default().to_vec());
    for index in 1_u32.. {
        let mut code = function.clone();
        next(&mut code, index, &block);
        block = code.finish();
        let wanted = len.saturating_sub(out.len());
        out.extend_from_slice(block.get(..wanted).unwrap_or(&block));
        if out.len() == len {
            break;
        }
    }
    Ok(out)
}

fn counted(source: Source<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let data = source.one_data()?;
    blocks(source, len, |code, index, _| {
        code.update(&index.to_be_bytes());
        code.update(&data);
    })
}

fn fed_back(source: Source<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let data = source.one_data()?;
    blocks(source, len, |code, index, before| {
        code.update(before);
        code.update(&index.to_be_bytes());
        code.update(&data);
    })
}

fn double_pipeline(source: Source<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let data = source.one_data()?;
    let function = source.function()?;
    let mut pipeline = data.clone();
    blocks(source, len, |code, index, _| {
        let mut first = function.clone();
        first.update(&pipeline);
        pipeline = first.finish();
        code.update(&pipeline);
        code.update(&index.to_be_bytes());
        code.update(&data);
    })
}

fn aws_signature(source: Source<'_>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let [date, region, service] = source.data else {
        return Err(Error::parameters(
            "AWSSignatureVersion4 needs Derivation Data three times: date, region and service",
        ));
    };
    let mut key = Zeroizing::new([b"AWS4", source.key].concat());
    for part in [date.as_slice(), region, service, b"aws4_request"] {
        let mut code = hmac(H::SHA_256, &key)?;
        code.update(part);
        key = code.finish();
    }
    cut(key, len)
}
