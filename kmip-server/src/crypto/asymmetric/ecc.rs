//! Elliptic curves over prime fields: ECDSA (FIPS 186-5, 6) and the Diffie-Hellman of SP 800-56A.
//!
//! **What needs the private key is done by aws-lc-rs**, but for P-224, and for key agreement on
//! secp256k1, which it does not have. What it lacks are most pairs of curve and hash; but ECDSA
//! looks at a digest's first bits alone, as many as the order of the curve has, and a shorter one
//! is a number (FIPS 186-5, 6.4.1, steps 2 and 3). So every digest is made as long as the one
//! that the library has for the curve, and is the same number.

use aws_lc_rs::agreement;
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::signature::{self, EcdsaKeyPair, UnparsedPublicKey};
use elliptic_curve::sec1::ToSec1Point;
use kmip::SecretBytes;
use kmip::vocabulary::{HashingAlgorithm, KeyCompressionType, RecommendedCurve as C};
use zeroize::Zeroizing;

use crate::crypto::keys::{EcPrivate, EcPublic, Misfit, Number, OTHER_PAIR, curves};
use crate::crypto::{Error, Result};

/// A curve that is computed with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Curve {
    P224,
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    fn of(curve: C) -> Result<Self> {
        Ok(match curve {
            C::P_224 => Self::P224,
            C::P_256 => Self::P256,
            C::P_384 => Self::P384,
            C::P_521 => Self::P521,
            C::SECP256K1 => Self::Secp256k1,
            other => {
                return Err(Error::unsupported(format!(
                    "keys on the curve {other:?} are kept here and not computed with"
                )));
            }
        })
    }

    /// The bytes of a coordinate.
    const fn len(self) -> usize {
        match self {
            Self::P224 => 28,
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// How aws-lc-rs signs on it and verifies, and how it hashes for that.
    fn fast(self) -> Option<Fast> {
        let (sign, verify, digest) = match self {
            Self::P224 => return None,
            Self::P256 => (
                &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
                &signature::ECDSA_P256_SHA256_ASN1,
                &digest::SHA256,
            ),
            Self::P384 => (
                &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
                &signature::ECDSA_P384_SHA384_ASN1,
                &digest::SHA384,
            ),
            Self::P521 => (
                &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
                &signature::ECDSA_P521_SHA512_ASN1,
                &digest::SHA512,
            ),
            Self::Secp256k1 => (
                &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
                &signature::ECDSA_P256K1_SHA256_ASN1,
                &digest::SHA256,
            ),
        };
        Some(Fast { sign, verify, digest })
    }
}

struct Fast {
    sign: &'static signature::EcdsaSigningAlgorithm,
    verify: &'static signature::EcdsaVerificationAlgorithm,
    digest: &'static digest::Algorithm,
}

impl Fast {
    /// The digest, as long as the curve's own: its first bytes, or zeros before it.
    fn digest(&self, bytes: &[u8]) -> Result<Digest> {
        let len = self.digest.output_len();
        let mut fitted = vec![0; len.saturating_sub(bytes.len())];
        fitted.extend_from_slice(bytes.get(..len).unwrap_or(bytes));
        Digest::import_less_safe(&fitted, self.digest).map_err(|_| Error::Internal("sign"))
    }
}

/// The hash that stands for none named: as strong as the curve (SP 800-57, part 1, table 3).
pub(crate) fn default_hash(curve: C) -> HashingAlgorithm {
    match curves::bits(curve) {
        ..=256 => HashingAlgorithm::SHA_256,
        257..=384 => HashingAlgorithm::SHA_384,
        385.. => HashingAlgorithm::SHA_512,
    }
}

/// Does something with `$T`, the curve as its crate has it.
macro_rules! with_curve {
    ($curve:expr, $T:ident => $body:expr) => {
        match $curve {
            Curve::P224 => {
                type $T = p224::NistP224;
                $body
            }
            Curve::P256 => {
                type $T = p256::NistP256;
                $body
            }
            Curve::P384 => {
                type $T = p384::NistP384;
                $body
            }
            Curve::P521 => {
                type $T = p521::NistP521;
                $body
            }
            Curve::Secp256k1 => {
                type $T = k256::Secp256k1;
                $body
            }
        }
    };
}

fn unfit() -> Error {
    Error::data("the key is not one on its curve")
}

/// The point in the form asked for: uncompressed, or compressed, or hybrid. A point that is not
/// on its curve has none.
pub(crate) fn point_in(key: &EcPublic, form: KeyCompressionType) -> Result<Vec<u8>> {
    use KeyCompressionType as K;
    let compress = match form {
        K::ECPublicKeyTypeUncompressed | K::ECPublicKeyTypeX9_62Hybrid => false,
        K::ECPublicKeyTypeX9_62CompressedPrime => true,
        other => {
            return Err(Error::unsupported(format!(
                "a point on a curve over a prime field has no form {other:?}"
            )));
        }
    };
    let point = from_hybrid(&key.point);
    let mut bytes = with_curve!(Curve::of(key.curve)?, T => {
        let point = elliptic_curve::PublicKey::<T>::from_sec1_bytes(&point);
        point.map_err(|_| unfit())?.to_sec1_point(compress).as_bytes().to_vec()
    });
    if form == K::ECPublicKeyTypeX9_62Hybrid {
        let odd = bytes.last().is_some_and(|last| last & 1 == 1);
        if let Some(first) = bytes.first_mut() {
            *first = if odd { 7 } else { 6 };
        }
    }
    Ok(bytes)
}

/// A hybrid point is an uncompressed one whose first byte tells more (X9.62, 4.3.6).
fn from_hybrid(point: &[u8]) -> Vec<u8> {
    let mut bytes = point.to_vec();
    let odd = bytes.last().is_some_and(|last| last & 1 == 1);
    match (bytes.first_mut(), odd) {
        (Some(first), true) if *first == 7 => *first = 4,
        (Some(first), false) if *first == 6 => *first = 4,
        _ => {}
    }
    bytes
}

fn uncompressed(key: &EcPublic) -> Result<Vec<u8>> {
    point_in(key, KeyCompressionType::ECPublicKeyTypeUncompressed)
}

fn private_bytes(key: &EcPrivate, curve: Curve) -> Result<Zeroizing<Vec<u8>>> {
    key.d.to_padded(curve.len()).ok_or_else(unfit)
}

/// The public key of a private one.
pub(crate) fn public_of(key: &EcPrivate) -> Result<EcPublic> {
    let curve = Curve::of(key.curve)?;
    let bytes = private_bytes(key, curve)?;
    let algorithm = match curve {
        Curve::P256 => Some(&agreement::ECDH_P256),
        Curve::P384 => Some(&agreement::ECDH_P384),
        Curve::P521 => Some(&agreement::ECDH_P521),
        Curve::P224 | Curve::Secp256k1 => None,
    };
    let point = match algorithm {
        Some(algorithm) => {
            let private = agreement::PrivateKey::from_private_key(algorithm, &bytes);
            let private = private.map_err(|_| unfit())?;
            private.compute_public_key().map_err(|_| unfit())?.as_ref().to_vec()
        }
        None => with_curve!(curve, T => {
            let secret = elliptic_curve::SecretKey::<T>::from_slice(&bytes).map_err(|_| unfit())?;
            secret.public_key().to_sec1_point(false).as_bytes().to_vec()
        }),
    };
    Ok(EcPublic { curve: key.curve, point })
}

/// Checks the point of a public key; one on a curve that is not computed with is not judged.
pub(crate) fn check_public(key: &EcPublic) -> core::result::Result<(), Misfit> {
    match Curve::of(key.curve).is_err() || uncompressed(key).is_ok() {
        true => Ok(()),
        false => Err("the point is not on the curve of the key"),
    }
}

/// Checks the number of a private key, and that the point which it carries is its own.
pub(crate) fn check_private(key: &EcPrivate) -> core::result::Result<(), Misfit> {
    let Ok(curve) = Curve::of(key.curve) else { return Ok(()) };
    let is_in_range = |bytes: Zeroizing<Vec<u8>>| {
        with_curve!(curve, T => {
            elliptic_curve::SecretKey::<T>::from_slice(&bytes).is_ok()
        })
    };
    if !private_bytes(key, curve).is_ok_and(is_in_range) {
        return Err("the private number must be from 1 to below the order of the curve");
    }
    let Some(point) = &key.point else { return Ok(()) };
    let carried = uncompressed(&EcPublic { curve: key.curve, point: point.clone() });
    match (carried, public_of(key)) {
        (Ok(carried), Ok(own)) if carried == own.point => Ok(()),
        _ => Err(OTHER_PAIR),
    }
}

/// Makes a key on the curve.
pub(crate) fn generate(curve: C) -> Result<EcPrivate> {
    let known = Curve::of(curve)?;
    let failed = |_| Error::Internal("make a key on a curve");
    let d = match known.fast() {
        Some(fast) => {
            let pair = EcdsaKeyPair::generate(fast.sign).map_err(failed)?;
            let secret: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(failed)?;
            Number::unsigned(secret.as_ref())
        }
        None => random_scalar()?,
    };
    let mut key = EcPrivate { curve, d, point: None };
    key.point = Some(public_of(&key)?.point);
    Ok(key)
}

/// The most draws for a number below the order of P-224: each fails once in 2^112 times.
const DRAWS_MAX: usize = 8;

/// A number from 1 to the order of P-224, by drawing until one is (FIPS 186-5, A.2.2).
fn random_scalar() -> Result<Number> {
    let mut bytes = Zeroizing::new(vec![0; Curve::P224.len()]);
    for _ in 0..DRAWS_MAX {
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Internal("make a random number"))?;
        if elliptic_curve::SecretKey::<p224::NistP224>::from_slice(&bytes).is_ok() {
            return Ok(Number::unsigned(&bytes));
        }
    }
    Err(Error::Internal("make a random number"))
}

/// Signs a digest: the DER of r and s (RFC 3279, 2.2.3).
pub(crate) fn sign(key: &EcPrivate, digest: &[u8]) -> Result<Vec<u8>> {
    let curve = Curve::of(key.curve)?;
    let bytes = private_bytes(key, curve)?;
    let Some(fast) = curve.fast() else { return sign_p224(&bytes, digest) };
    let point = public_of(key)?.point;
    let pair = EcdsaKeyPair::from_private_key_and_public_key(fast.sign, &bytes, &point)
        .map_err(|_| unfit())?;
    let signature = pair.sign_digest(&fast.digest(digest)?).map_err(|_| Error::Internal("sign"))?;
    Ok(signature.as_ref().to_vec())
}

fn sign_p224(bytes: &[u8], digest: &[u8]) -> Result<Vec<u8>> {
    use p224::ecdsa::signature::hazmat::PrehashSigner as _;
    let key = p224::ecdsa::SigningKey::from_slice(bytes).map_err(|_| unfit())?;
    let signature: p224::ecdsa::Signature =
        key.sign_prehash(&p224_digest(digest)).map_err(|_| Error::Internal("sign"))?;
    Ok(signature.to_der().as_bytes().to_vec())
}

/// The crate refuses digests that are less than half as long as a coordinate; a shorter one is
/// a number all the same.
fn p224_digest(digest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; Curve::P224.len().saturating_sub(digest.len())];
    bytes.extend_from_slice(digest);
    bytes
}

/// Is it the signature of a digest?
pub(crate) fn verify(key: &EcPublic, digest: &[u8], signature: &[u8]) -> Result<bool> {
    let curve = Curve::of(key.curve)?;
    let point = uncompressed(key)?;
    let Some(fast) = curve.fast() else { return verify_p224(&point, digest, signature) };
    let key = UnparsedPublicKey::new(fast.verify, &point);
    Ok(key.verify_digest(&fast.digest(digest)?, signature).is_ok())
}

fn verify_p224(point: &[u8], digest: &[u8], signature: &[u8]) -> Result<bool> {
    use p224::ecdsa::signature::hazmat::PrehashVerifier as _;
    let key = p224::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| unfit())?;
    let Ok(signature) = p224::ecdsa::Signature::from_der(signature) else { return Ok(false) };
    Ok(key.verify_prehash(&p224_digest(digest), &signature).is_ok())
}

/// The secret that two parties share: the first coordinate of the common point (SP 800-56A,
/// 5.7.1.2).
pub(crate) fn agree(private: &EcPrivate, public: &EcPublic) -> Result<SecretBytes> {
    if private.curve != public.curve {
        return Err(Error::parameters("the two keys are on different curves"));
    }
    let curve = Curve::of(private.curve)?;
    let bytes = private_bytes(private, curve)?;
    let point = uncompressed(public)?;
    match curve {
        Curve::P256 => agree_fast(&agreement::ECDH_P256, &bytes, &point),
        Curve::P384 => agree_fast(&agreement::ECDH_P384, &bytes, &point),
        Curve::P521 => agree_fast(&agreement::ECDH_P521, &bytes, &point),
        Curve::P224 | Curve::Secp256k1 => with_curve!(curve, T => {
            let secret = elliptic_curve::SecretKey::<T>::from_slice(&bytes).map_err(|_| unfit())?;
            let public = elliptic_curve::PublicKey::<T>::from_sec1_bytes(&point);
            let public = public.map_err(|_| unfit())?;
            Ok(SecretBytes::new(secret.diffie_hellman(&public).raw_secret_bytes()))
        }),
    }
}

/// Key agreement by aws-lc-rs.
pub(crate) fn agree_fast(
    algorithm: &'static agreement::Algorithm,
    private: &[u8],
    public: &[u8],
) -> Result<SecretBytes> {
    let private =
        agreement::PrivateKey::from_private_key(algorithm, private).map_err(|_| unfit())?;
    let public = agreement::UnparsedPublicKey::new(algorithm, public);
    agreement::agree(&private, public, Error::Failed, |secret| Ok(SecretBytes::new(secret)))
}
