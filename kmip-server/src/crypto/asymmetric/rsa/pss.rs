//! RSASSA-PSS (RFC 8017, 8.1 and 9.1): signatures with a salt.
//!
//! The encoding is put together here, because no library has each hash with each mask hash, and
//! each length of salt. It is made of public values and of random ones that the signature tells.

use aws_lc_rs::signature::{
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaPssSaltLength, RsaSignatureEncoding,
};
use kmip::vocabulary::HashingAlgorithm;

use super::{fast_digest, fast_sign, raw_private, raw_public};
use crate::crypto::hash::algorithms;
use crate::crypto::keys::{RsaPrivate, RsaPublic};
use crate::crypto::{Error, Result};

/// The parameters of PSS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// The hash.
    pub hash: HashingAlgorithm,
    /// The hash of the mask.
    pub mask_hash: HashingAlgorithm,
    /// The bytes of the salt. Without, a signature is made with as many as the hash has, and is
    /// valid with however many it has.
    pub salt_len: Option<usize>,
}

const FAST: [&RsaSignatureEncoding; 3] = [&RSA_PSS_SHA256, &RSA_PSS_SHA384, &RSA_PSS_SHA512];

/// With the longest salt that there is room for.
const FAST_LONGEST: [&RsaSignatureEncoding; 3] = [
    &const { RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Max) },
    &const { RSA_PSS_SHA384.with_pss_salt_length(RsaPssSaltLength::Max) },
    &const { RSA_PSS_SHA512.with_pss_salt_length(RsaPssSaltLength::Max) },
];

/// The last byte (RFC 8017, 9.1.1, step 12), which is the only trailer that is in use.
const TRAILER: u8 = 0xBC;

/// How the encoded message lies in the bytes of the modulus.
struct Room {
    /// The bytes of the modulus.
    modulus: usize,
    /// The bytes of the encoded message: as many, or one less.
    encoded: usize,
    /// Of the first of these, the bits that may be set.
    first: u8,
    /// The bytes of the hash.
    hash: usize,
    /// The bytes of the masked part.
    masked: usize,
}

impl Room {
    fn new(key: &RsaPublic, hash: HashingAlgorithm) -> Result<Self> {
        let bits = usize::try_from(key.n.bits()).unwrap_or_default().saturating_sub(1);
        let encoded = bits.div_ceil(8);
        let unused = encoded.saturating_mul(8).saturating_sub(bits);
        let first = u8::MAX.checked_shr(u32::try_from(unused).unwrap_or(8)).unwrap_or(0);
        let hash = algorithms::len(hash)?;
        let masked = encoded.checked_sub(hash.saturating_add(1));
        let masked =
            masked.ok_or_else(|| Error::parameters("the hash is too long for this key"))?;
        Ok(Self { modulus: key.n.as_bytes().len(), encoded, first, hash, masked })
    }

    /// The longest salt that there is room for.
    const fn salt_max(&self) -> Option<usize> {
        self.masked.checked_sub(1)
    }
}

/// The mask of RFC 8017, B.2.1, laid over `bytes`.
fn mask(hash: HashingAlgorithm, seed: &[u8], bytes: &mut [u8]) -> Result<()> {
    let len = algorithms::len(hash)?;
    for (counter, block) in (0u32..).zip(bytes.chunks_mut(len)) {
        let digest = algorithms::digest(hash, &[seed, &counter.to_be_bytes()])?;
        block.iter_mut().zip(digest.iter()).for_each(|(byte, mask)| *byte ^= mask);
    }
    Ok(())
}

/// Signs a digest.
pub(crate) fn sign(key: &RsaPrivate, parameters: &Parameters, digest: &[u8]) -> Result<Vec<u8>> {
    algorithms::check_len(parameters.hash, digest)?;
    let room = Room::new(&key.public, parameters.hash)?;
    let salt_len = parameters.salt_len.unwrap_or(room.hash);
    if room.salt_max().is_none_or(|longest| salt_len > longest) {
        return Err(Error::parameters(format!(
            "a salt of {salt_len} bytes is too long for this key with this hash"
        )));
    }
    if let Some(signature) = fast(key, parameters, &room, salt_len, digest) {
        return Ok(signature);
    }
    let mut salt = vec![0; salt_len];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| Error::Internal("make a salt"))?;
    let hashed = algorithms::digest(parameters.hash, &[&[0; 8], digest, &salt])?;
    // Zeros, a one, and the salt.
    let mut encoded = vec![0; room.masked.saturating_sub(salt_len.saturating_add(1))];
    encoded.push(1);
    encoded.extend_from_slice(&salt);
    mask(parameters.mask_hash, &hashed, &mut encoded)?;
    if let Some(first) = encoded.first_mut() {
        *first &= room.first;
    }
    encoded.extend_from_slice(&hashed);
    encoded.push(TRAILER);
    Ok(raw_private(key, &encoded)?.to_vec())
}

/// Signs with aws-lc-rs, if it has this key, these hashes and this salt.
fn fast(
    key: &RsaPrivate,
    parameters: &Parameters,
    room: &Room,
    salt_len: usize,
    digest: &[u8],
) -> Option<Vec<u8>> {
    if parameters.hash != parameters.mask_hash {
        return None;
    }
    let encodings = match salt_len {
        len if len == room.hash => FAST,
        len if Some(len) == room.salt_max() => FAST_LONGEST,
        _ => return None,
    };
    let (row, digest) = fast_digest(parameters.hash, digest)?;
    fast_sign(key, encodings.get(row)?, &digest)
}

/// Is it the signature of a digest?
pub(crate) fn verify(
    key: &RsaPublic,
    parameters: &Parameters,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool> {
    algorithms::check_len(parameters.hash, digest)?;
    let room = Room::new(key, parameters.hash)?;
    algorithms::len(parameters.mask_hash)?;
    if signature.len() != room.modulus {
        return Ok(false);
    }
    let encoded = match raw_public(key, signature) {
        Ok(encoded) => encoded,
        // A number that is no less than the modulus is no signature.
        Err(Error::Data(_)) if super::public(key).is_ok() => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(is_encoding_of(&room, parameters, digest, &encoded)?.is_some())
}

/// Is it an encoding of the digest (RFC 8017, 9.1.2)?
fn is_encoding_of(
    room: &Room,
    parameters: &Parameters,
    digest: &[u8],
    bytes: &[u8],
) -> Result<Option<()>> {
    let Some((zeros, encoded)) = bytes.split_at_checked(bytes.len().saturating_sub(room.encoded))
    else {
        return Ok(None);
    };
    let Some((masked, rest)) = encoded.split_at_checked(room.masked) else { return Ok(None) };
    let Some((hashed, trailer)) = rest.split_at_checked(room.hash) else { return Ok(None) };
    let is_within = masked.first().is_some_and(|first| first & !room.first == 0);
    if zeros.iter().any(|byte| *byte != 0) || trailer != [TRAILER] || !is_within {
        return Ok(None);
    }
    let mut block = masked.to_vec();
    mask(parameters.mask_hash, hashed, &mut block)?;
    if let Some(first) = block.first_mut() {
        *first &= room.first;
    }
    let Some(one) = block.iter().position(|byte| *byte != 0) else { return Ok(None) };
    let (before, salt) = block.split_at_checked(one.saturating_add(1)).unwrap_or_default();
    let is_of_length = parameters.salt_len.is_none_or(|len| len == salt.len());
    if before.last() != Some(&1) || !is_of_length {
        return Ok(None);
    }
    let expected = algorithms::digest(parameters.hash, &[&[0; 8], digest, salt])?;
    Ok((expected.as_slice() == hashed).then_some(()))
}
