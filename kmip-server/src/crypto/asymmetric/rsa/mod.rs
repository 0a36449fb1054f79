//! RSA (RFC 8017): keys, and the paddings that make it an encryption or a signature.
//!
//! ```text
//! numbers keys whose numbers fit together (3.1, 3.2)
//! oaep    encryption (7.1), with each hash and each mask hash
//! pkcs1   encryption and signatures (7.2, 8.2)
//! pss     signatures (8.1), with each hash, mask hash and length of salt
//! ```
//!
//! **Who may, uses the constant-time code of aws-lc-rs for what needs the private key.** It has
//! keys of 2048 to 8192 bits and some of the hashes; the rest, and what needs the public key
//! alone, is done by the crate `rsa`, with blinding.

pub(crate) mod numbers;
pub(crate) mod oaep;
pub(crate) mod pkcs1;
pub(crate) mod pss;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa as fast;
use kmip::vocabulary::HashingAlgorithm;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BoxedUint, rand_core};
use zeroize::Zeroizing;

use crate::crypto::keys::{Key, Number, RsaPrivate, RsaPublic, pkcs};
use crate::crypto::{Error, Result};

/// The shortest key that is made or used: shorter ones can be kept and given back, no more.
pub(crate) const LENGTH_MIN: i32 = 1024;

/// The longest key that is made or used. The work grows with the cube of the length: a key of
/// 65,536 bits would take a processor for hours.
pub(crate) const LENGTH_MAX: i32 = 8192;

/// The longest key that is made where aws-lc-rs has none of its length: the other way takes a
/// multiple of the time.
const LENGTH_MAX_SLOW: i32 = 4096;

/// The public exponent of new keys, and of those that came without (FIPS 186-5, A.1.1).
const EXPONENT: [u8; 3] = [1, 0, 1];

/// Random numbers of aws-lc-rs for the crate `rsa`.
struct Random;

impl rand_core::TryRng for Random {
    type Error = aws_lc_rs::error::Unspecified;

    fn try_next_u32(&mut self) -> core::result::Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> core::result::Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        aws_lc_rs::rand::fill(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> core::result::Result<(), Self::Error> {
        aws_lc_rs::rand::fill(dst)
    }
}

impl rand_core::TryCryptoRng for Random {}

/// The numbers that an RSA private key came with. One of d, or p and q, must be there.
pub(crate) struct Given {
    /// The modulus.
    pub n: Number,
    /// The public exponent; 65537 when it is absent.
    pub e: Option<Number>,
    /// The private exponent.
    pub d: Option<Number>,
    /// The first prime.
    pub p: Option<Number>,
    /// The second prime.
    pub q: Option<Number>,
    /// d mod (p - 1).
    pub dp: Option<Number>,
    /// d mod (q - 1).
    pub dq: Option<Number>,
    /// The inverse of q mod p.
    pub qinv: Option<Number>,
}

/// All numbers of a key that came with some. None when they are too few, or of no key.
pub(crate) fn complete(given: Given) -> Option<RsaPrivate> {
    if !(1..=LENGTH_MAX).contains(&given.n.bits()) {
        return None;
    }
    let e = given.e.unwrap_or_else(|| Number::unsigned(&EXPONENT));
    let public = RsaPublic { n: given.n, e };
    match (given.d, given.p, given.q, given.dp, given.dq, given.qinv) {
        (Some(d), Some(p), Some(q), Some(dp), Some(dq), Some(qinv)) => {
            Some(RsaPrivate { public, d, p, q, dp, dq, qinv })
        }
        (d, Some(p), Some(q), ..) => {
            let key = rsa::PrivateKey::from_p_q(uint(&p), uint(&q), uint(&public.e)).ok()?;
            let mut found = numbers(&key)?;
            let same = found.public == public;
            // A key may have come with another of the exponents that do the same.
            found.d = d.unwrap_or(found.d);
            same.then_some(found)
        }
        (Some(d), ..) => {
            let (n, e) = (uint(&public.n), uint(&public.e));
            let key = rsa::PrivateKey::from_components(n, e, uint(&d), Vec::new()).ok()?;
            numbers(&key)
        }
        _ => None,
    }
}

fn uint(number: &Number) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(number.as_bytes())
}

fn number(uint: &BoxedUint) -> Number {
    Number::unsigned(&Zeroizing::new(uint.to_be_bytes()))
}

fn numbers(key: &rsa::PrivateKey) -> Option<RsaPrivate> {
    let [p, q] = key.primes() else { return None };
    Some(RsaPrivate {
        public: RsaPublic { n: number(key.n().as_ref()), e: number(key.e()) },
        d: number(key.d()),
        p: number(p.as_ref()),
        q: number(q.as_ref()),
        dp: number(key.dp()?),
        dq: number(key.dq()?),
        qinv: number(&key.crt_coefficient()?),
    })
}

/// Makes a key of so many bits. It takes from a tenth of a second to many seconds.
pub(crate) fn generate(length: i32) -> Result<RsaPrivate> {
    let failed = Error::Internal("make an RSA key");
    let size = match length {
        2048 => fast::KeySize::Rsa2048,
        3072 => fast::KeySize::Rsa3072,
        4096 => fast::KeySize::Rsa4096,
        8192 => fast::KeySize::Rsa8192,
        _ => {
            check_length(length)?;
            let bits = usize::try_from(length).map_err(|_| failed.clone())?;
            let key = rsa::PrivateKey::new(&mut Random, bits).map_err(|_| failed.clone())?;
            return numbers(&key).ok_or(failed);
        }
    };
    let pair = fast::KeyPair::generate(size).map_err(|_| failed.clone())?;
    let document = pair.as_der().map_err(|_| failed.clone())?;
    match pkcs::read_pkcs8(document.as_ref()) {
        Some(Key::RsaPrivate(key)) => Ok(key),
        _ => Err(failed),
    }
}

/// Is a key of so many bits made here?
pub(crate) fn check_length(length: i32) -> Result<()> {
    let is_fast = matches!(length, 2048 | 3072 | 4096 | 8192);
    let is_slow = (LENGTH_MIN..=LENGTH_MAX_SLOW).contains(&length) && length % 256 == 0;
    match is_fast || is_slow {
        true => Ok(()),
        false => Err(Error::parameters(format!(
            "{length} bits is no length of an RSA key: it is a multiple of 256 from {LENGTH_MIN} \
             to {LENGTH_MAX_SLOW}, or {LENGTH_MAX}"
        ))),
    }
}

/// The key as the crate `rsa` has it.
fn public(key: &RsaPublic) -> Result<rsa::PublicKey> {
    let limits = limits();
    rsa::PublicKey::new_with_size_limits(uint(&key.n), uint(&key.e), limits).map_err(|_| unfit())
}

fn limits() -> core::ops::RangeInclusive<usize> {
    let to_usize = |bits: i32| usize::try_from(bits).unwrap_or_default();
    to_usize(LENGTH_MIN)..=to_usize(LENGTH_MAX)
}

fn private(key: &RsaPrivate) -> Result<rsa::PrivateKey> {
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&key.public.n.bits()) {
        return Err(unfit());
    }
    let primes = vec![uint(&key.p), uint(&key.q)];
    let (n, e) = (uint(&key.public.n), uint(&key.public.e));
    rsa::PrivateKey::from_components(n, e, uint(&key.d), primes).map_err(|_| unfit())
}

/// The key as aws-lc-rs has it; none when it has no such key.
fn fast_private(key: &RsaPrivate) -> Option<fast::KeyPair> {
    let components = fast::KeyPairComponents {
        public_key: fast::PublicKeyComponents {
            n: key.public.n.as_bytes(),
            e: key.public.e.as_bytes(),
        },
        d: key.d.as_bytes(),
        p: key.p.as_bytes(),
        q: key.q.as_bytes(),
        dP: key.dp.as_bytes(),
        dQ: key.dq.as_bytes(),
        qInv: key.qinv.as_bytes(),
    };
    fast::KeyPair::from_components(&components).ok()
}

/// The key as aws-lc-rs has it for decryption; none when it has no such key.
fn fast_decrypting(key: &RsaPrivate) -> Option<fast::PrivateDecryptingKey> {
    let document = fast_private(key)?.as_der().ok()?;
    fast::PrivateDecryptingKey::from_pkcs8(document.as_ref()).ok()
}

fn unfit() -> Error {
    Error::data(format!(
        "the key is no RSA key that can be used: its numbers must fit together, and its length be \
         from {LENGTH_MIN} to {LENGTH_MAX} bits"
    ))
}

/// A hash of aws-lc-rs with its digest, for the three that it signs with.
fn fast_digest(
    hash: HashingAlgorithm,
    digest: &[u8],
) -> Option<(usize, aws_lc_rs::digest::Digest)> {
    use aws_lc_rs::digest::{Digest, SHA256, SHA384, SHA512};
    let (row, algorithm) = match hash {
        HashingAlgorithm::SHA_256 => (0, &SHA256),
        HashingAlgorithm::SHA_384 => (1, &SHA384),
        HashingAlgorithm::SHA_512 => (2, &SHA512),
        _ => return None,
    };
    Some((row, Digest::import_less_safe(digest, algorithm).ok()?))
}

/// Signs a digest with aws-lc-rs; none when it has no such key.
fn fast_sign(
    key: &RsaPrivate,
    encoding: &'static aws_lc_rs::signature::RsaSignatureEncoding,
    digest: &aws_lc_rs::digest::Digest,
) -> Option<Vec<u8>> {
    let pair = fast_private(key)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, digest, &mut signature).ok()?;
    Some(signature)
}

/// The public operation on bytes as long as the modulus (RFC 8017, 5.1.1 and 5.2.2).
pub(crate) fn raw_public(key: &RsaPublic, message: &[u8]) -> Result<Vec<u8>> {
    let key = public(key)?;
    let message = representative(&key, message)?;
    let result = rsa::hazmat::rsa_encrypt(&key, &message).map_err(|_| Error::Failed)?;
    Ok(to_bytes(&result, key.size())?.to_vec())
}

/// The private operation on bytes as long as the modulus (RFC 8017, 5.1.2 and 5.2.1).
pub(crate) fn raw_private(key: &RsaPrivate, message: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let key = private(key)?;
    let message = representative(&key, message)?;
    let result = rsa::hazmat::rsa_decrypt_and_check(&key, Some(&mut Random), &message)
        .map_err(|_| Error::Failed)?;
    to_bytes(&result, key.size())
}

fn representative(key: &impl rsa::traits::PublicKeyParts, message: &[u8]) -> Result<BoxedUint> {
    let unfit = || Error::data("the data must be a number that is less than the modulus");
    if message.len() > key.size() {
        return Err(unfit());
    }
    let number = BoxedUint::from_be_slice(message, key.n_bits_precision()).map_err(|_| unfit())?;
    (number < *key.n().as_ref()).then_some(number).ok_or_else(unfit)
}

fn to_bytes(uint: &BoxedUint, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    number(uint).to_padded(len).ok_or(Error::Internal("write a number"))
}
