//! Ed25519 (RFC 8032) and X25519 (RFC 7748), by aws-lc-rs.

use aws_lc_rs::agreement;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{NonZero, Odd, U256};
use kmip::SecretBytes;
use zeroize::Zeroizing;

use crate::crypto::asymmetric::ecc::agree_fast;
use crate::crypto::keys::{EDWARDS_LEN, Edwards, Misfit};
use crate::crypto::{Error, Result};

fn unfit<T>(_: T) -> Error {
    Error::data("the key is not 32 bytes that make a key of Ed25519 or X25519")
}

/// Makes a private key: any bytes are one.
pub(crate) fn generate() -> Result<SecretBytes> {
    let mut seed = Zeroizing::new([0; EDWARDS_LEN]);
    aws_lc_rs::rand::fill(seed.as_mut()).map_err(|_| Error::Internal("make a random number"))?;
    Ok(SecretBytes::new(seed.as_ref()))
}

/// The public bytes of private ones.
pub(crate) fn public_of(curve: Edwards, seed: &SecretBytes) -> Result<[u8; EDWARDS_LEN]> {
    match curve {
        Edwards::Ed25519 => {
            let pair = pair(seed)?;
            pair.public_key().as_ref().try_into().map_err(unfit)
        }
        Edwards::X25519 => {
            let algorithm = &agreement::X25519;
            let private = agreement::PrivateKey::from_private_key(algorithm, seed.as_bytes());
            let public = private.map_err(unfit)?.compute_public_key().map_err(unfit)?;
            public.as_ref().try_into().map_err(unfit)
        }
    }
}

/// 2^255 - 19 (RFC 8032, 5.1).
const PRIME: &str = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";

/// (2^255 - 20) / 2, by whose power the squares are known.
const HALF: &str = "3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff6";

/// The number d of the curve (RFC 8032, 5.1).
const CURVE_D: &str = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";

/// Checks that public bytes are those of a point: x^2 = (y^2 - 1) / (d y^2 + 1) has a root (RFC
/// 8032, 5.1.3).
pub(crate) fn check_public(public: &[u8; EDWARDS_LEN]) -> core::result::Result<(), Misfit> {
    match is_point(public) {
        Some(true) => Ok(()),
        Some(false) | None => Err("the public bytes are not those of a point of Ed25519"),
    }
}

fn is_point(public: &[u8; EDWARDS_LEN]) -> Option<bool> {
    let [prime, half, d] = [PRIME, HALF, CURVE_D].map(U256::from_be_hex);
    let mut bytes = *public;
    let last = bytes.last_mut()?;
    let is_negative = *last & 0x80 != 0;
    *last &= 0x7F;
    let y = U256::from_le_slice(&bytes);
    if y >= prime {
        return Some(false);
    }
    let modulus: NonZero<U256> = Option::from(NonZero::new(prime))?;
    let odd: Odd<U256> = Option::from(Odd::new(prime))?;
    let square = y.mul_mod(&y, &modulus);
    let above = square.sub_mod(&U256::ONE, &modulus);
    let below = d.mul_mod(&square, &modulus).add_mod(&U256::ONE, &modulus);
    // A fraction is a square if the product of its terms is one.
    let product = above.mul_mod(&below, &modulus);
    let power = FixedMontyForm::new(&product, &FixedMontyParams::new_vartime(odd)).pow(&half);
    Some(match product == U256::ZERO {
        true => !is_negative,
        false => power.retrieve() == U256::ONE,
    })
}

fn pair(seed: &SecretBytes) -> Result<Ed25519KeyPair> {
    // Longer bytes would be cut by the library.
    match seed.as_bytes().len() == EDWARDS_LEN {
        true => Ed25519KeyPair::from_seed_unchecked(seed.as_bytes()).map_err(unfit),
        false => Err(unfit(())),
    }
}

/// Signs data with Ed25519.
pub(crate) fn sign(seed: &SecretBytes, data: &[u8]) -> Result<Vec<u8>> {
    Ok(pair(seed)?.sign(data).as_ref().to_vec())
}

/// Is it the signature of the data?
pub(crate) fn verify(public: &[u8; EDWARDS_LEN], data: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(data, signature).is_ok()
}

/// The secret that two parties share. A public key that makes it zero is refused (RFC 7748, 6.1).
pub(crate) fn agree(seed: &SecretBytes, public: &[u8; EDWARDS_LEN]) -> Result<SecretBytes> {
    agree_fast(&agreement::X25519, seed.as_bytes(), public)
}
