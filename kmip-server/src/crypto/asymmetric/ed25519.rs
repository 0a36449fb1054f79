//! Ed25519 (RFC 8032) and X25519 (RFC 7748), by aws-lc-rs.

use aws_lc_rs::agreement;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use kmip::SecretBytes;
use zeroize::Zeroizing;

use crate::crypto::asymmetric::ecc::agree_fast;
use crate::crypto::keys::{EDWARDS_LEN, Edwards};
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
