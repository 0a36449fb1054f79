//! What a key block claims: whether its object can have such a Key Format Type, and its bytes can
//! be in that form (1.4, 2.1.3, 2.1.7 and 2.2; 2.1, 2, 3.1 and 11.25).
//!
//! A key on a curve or of an algorithm that this server does not compute with is kept; only what
//! no reader of the form could take is refused.

use kmip::SecretBytes;
use kmip::objects::{KeyBlock, KeyMaterial, KeyValue};
use kmip::transparent as form;
use kmip::vocabulary::{CryptographicAlgorithm as A, KeyFormatType as F, ObjectType as O};
use ttlv::Raw;

use super::transparent::rsa_given;
use super::{Hint, edwards, read};
use crate::crypto::asymmetric::{self, ecc, rsa};
use crate::crypto::keys::shape::{self, Outline, is_open_pgp};
use crate::crypto::keys::{EDWARDS_LEN, EcPrivate, EcPublic, Edwards, Key, Misfit, Number, pkcs};

/// What is known of a key that can be what it is said to be.
#[derive(Default)]
pub(crate) struct Found {
    /// The key, where it can be read.
    pub key: Option<Key>,
    /// Its algorithm or the name of its family, where the form says it.
    pub algorithm: Option<A>,
}

/// Why a key cannot be what it is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimError {
    /// Objects of this type have no such form.
    #[error("an object of this type cannot be in the form {0}")]
    ObjectType(F),
    /// The Key Material is a structure where the form has bytes, or bytes where it has one.
    #[error("the Key Material of a key in the form {0} must be a {1}")]
    Material(F, &'static str),
    /// The bytes have another form.
    #[error("the key is not in the form {0}")]
    Form(F),
    /// The numbers make no key.
    #[error("the key is not one that can be used: {0}")]
    Numbers(Misfit),
}

/// Whether an object of this type can be in this form. Extensions are nobody's to judge.
pub(crate) fn can_have(object_type: O, format: F) -> bool {
    if format.row().is_none() {
        return true;
    }
    match object_type {
        O::SymmetricKey => matches!(format, F::Raw | F::Opaque | F::TransparentSymmetricKey),
        O::PublicKey => {
            matches!(format, F::Raw | F::Opaque | F::PKCS_1 | F::X_509) || is_public(format)
        }
        O::PrivateKey => {
            matches!(
                format,
                F::Raw | F::Opaque | F::PKCS_1 | F::PKCS_8 | F::PKCS_12 | F::ECPrivateKey
            ) || is_private(format)
        }
        O::SecretData | O::PGPKey => matches!(format, F::Raw | F::Opaque),
        // The form of a part is that of the key which the parts make.
        O::SplitKey => format != F::PKCS_10,
        _ => false,
    }
}

const fn is_public(format: F) -> bool {
    matches!(
        format,
        F::TransparentDSAPublicKey
            | F::TransparentRSAPublicKey
            | F::TransparentDHPublicKey
            | F::TransparentECDSAPublicKey
            | F::TransparentECDHPublicKey
            | F::TransparentECMQVPublicKey
            | F::TransparentECPublicKey
    )
}

const fn is_private(format: F) -> bool {
    matches!(
        format,
        F::TransparentDSAPrivateKey
            | F::TransparentRSAPrivateKey
            | F::TransparentDHPrivateKey
            | F::TransparentECDSAPrivateKey
            | F::TransparentECDHPrivateKey
            | F::TransparentECMQVPrivateKey
            | F::TransparentECPrivateKey
    )
}

/// Whether keys in this form are structures of numbers.
pub(crate) const fn is_transparent(format: F) -> bool {
    matches!(format, F::TransparentSymmetricKey) || is_public(format) || is_private(format)
}

/// Checks what a key block claims. Of a key that is wrapped or kept elsewhere only its object type
/// and its form are known.
pub(crate) fn check(object_type: O, block: &KeyBlock, hint: Hint) -> Result<Found, ClaimError> {
    let format = block.key_format_type;
    if !can_have(object_type, format) {
        return Err(ClaimError::ObjectType(format));
    }
    let (Some(KeyValue::Plain { material, .. }), None) =
        (&block.key_value, &block.key_wrapping_data)
    else {
        return Ok(Found::default());
    };
    let is_standard = format.row().is_some();
    match material {
        KeyMaterial::Bytes(_) if is_transparent(format) && object_type != O::SplitKey => {
            return Err(ClaimError::Material(format, "structure"));
        }
        KeyMaterial::Transparent(_) if is_standard && !is_transparent(format) => {
            return Err(ClaimError::Material(format, "Byte String"));
        }
        KeyMaterial::Bytes(_) | KeyMaterial::Transparent(_) => {}
    }
    // A part is no key; of a secret nothing more is said.
    if !is_standard || matches!(object_type, O::SplitKey | O::SecretData) {
        return Ok(Found::default());
    }
    if object_type == O::PGPKey {
        let fits = block.bytes().is_some_and(|bytes| format == F::Opaque || is_open_pgp(bytes));
        return fits.then(Found::default).ok_or(ClaimError::Form(format));
    }
    if let (F::TransparentRSAPrivateKey, KeyMaterial::Transparent(raw)) = (format, material) {
        check_given(raw)?;
    }
    if let Ok(key) = read(object_type, block, hint) {
        check_numbers(&key, block)?;
        let algorithm = key.algorithm();
        return Ok(Found { key: Some(key), algorithm });
    }
    let outline = match material {
        KeyMaterial::Bytes(bytes) => {
            if format == F::Raw {
                check_raw(object_type, block, hint, bytes.as_bytes())?;
            }
            outline(object_type, block, hint, bytes.as_bytes())
        }
        KeyMaterial::Transparent(raw) => transparent(format, raw),
    };
    let Outline { algorithm } = outline.ok_or(ClaimError::Form(format))?;
    Ok(Found { key: None, algorithm })
}

/// The outline of a key that cannot be read; none when its bytes have another form.
fn outline(object_type: O, block: &KeyBlock, hint: Hint, bytes: &[u8]) -> Option<Outline> {
    let of = |algorithm, fits: bool| fits.then_some(Outline { algorithm });
    match (block.key_format_type, object_type) {
        (F::Raw, O::PublicKey) => of(None, edwards(hint, block).is_none()),
        // Some programs keep the public key behind the seed.
        (F::Raw, O::PrivateKey) => {
            let is_with_public = bytes.len() == EDWARDS_LEN.saturating_mul(2);
            of(None, edwards(hint, block).is_none() || is_with_public)
        }
        (F::Raw | F::Opaque, _) => of(None, true),
        (F::PKCS_1, O::PrivateKey) => of(Some(A::RSA), shape::is_rsa_private(bytes)),
        (F::PKCS_8, _) => {
            let is_rsa = shape::is_rsa_private(bytes);
            shape::pkcs8(bytes).or_else(|| of(Some(A::RSA), is_rsa))
        }
        (F::PKCS_12, _) => of(None, shape::is_pkcs12(bytes)),
        (F::X_509, _) => shape::spki(bytes),
        (F::ECPrivateKey, _) => of(Some(A::EC), shape::is_ec_private(bytes)),
        _ => None,
    }
}

/// An RSA private key is kept with any of its secret numbers, also where the others do not follow
/// from them here (1.4, 2.1.7.4; 2.1, 3.9).
fn transparent(format: F, raw: &Raw) -> Option<Outline> {
    if format != F::TransparentRSAPrivateKey {
        return None;
    }
    let key: form::TransparentRSAPrivateKey = form::read(raw).ok()?;
    let secrets = [&key.private_exponent, &key.p, &key.q, &key.prime_exponent_p];
    let has_secret = secrets.iter().any(|number| number.is_some());
    has_secret.then_some(Outline { algorithm: Some(A::RSA) })
}

/// Checks that the numbers of a key fit together, and that it fits the public key which PKCS#8
/// carries. What is opaque, nobody has said to be a key.
fn check_numbers(key: &Key, block: &KeyBlock) -> Result<(), ClaimError> {
    let format = block.key_format_type;
    // Of these the ones that were given have been checked, and the others follow from them.
    if matches!(format, F::Opaque | F::TransparentRSAPrivateKey) {
        return Ok(());
    }
    asymmetric::check(key).map_err(ClaimError::Numbers)?;
    let carried = block.bytes().filter(|_| format == F::PKCS_8);
    match carried.and_then(pkcs::pkcs8_public) {
        Some(carried) => asymmetric::check_carried(key, &carried).map_err(ClaimError::Numbers),
        None => Ok(()),
    }
}

/// Checks the numbers that a transparent RSA private key came with: what can be computed from some
/// of them says nothing of the others.
fn check_given(raw: &Raw) -> Result<(), ClaimError> {
    let unreadable = ClaimError::Form(F::TransparentRSAPrivateKey);
    let key: form::TransparentRSAPrivateKey = form::read(raw).map_err(|_| unreadable)?;
    let given = rsa_given(&key).ok_or(unreadable)?;
    rsa::numbers::check_private(&given).map_err(ClaimError::Numbers)
}

/// Checks the bytes of a key of a pair that has no form of its own. An RSA key has no bytes but
/// those of DER or PEM, which some programs call Raw; a key on a curve has its number or its point
/// besides. Of other algorithms, and on other curves, they can be anything.
fn check_raw(object_type: O, block: &KeyBlock, hint: Hint, bytes: &[u8]) -> Result<(), ClaimError> {
    let numbers = ClaimError::Numbers;
    if shape::is_sequence(bytes) || bytes.starts_with(b"-----BEGIN ") {
        return Ok(());
    }
    match (hint.algorithm.or(block.cryptographic_algorithm), hint.curve) {
        (Some(A::RSA), _) => Err(numbers("Raw is no form of the numbers of an RSA key")),
        // The seed, and the public key behind it.
        (Some(A::Ed25519), _) if bytes.len() == EDWARDS_LEN.saturating_mul(2) => {
            let (seed, public) = bytes.split_at(EDWARDS_LEN);
            let key = Key::EdwardsPrivate(Edwards::Ed25519, SecretBytes::new(seed));
            asymmetric::check_carried(&key, public).map_err(numbers)
        }
        (Some(A::EC | A::ECDSA | A::ECDH | A::ECMQV), Some(curve)) => match object_type {
            O::PublicKey => {
                let point = bytes.to_vec();
                ecc::check_public(&EcPublic { curve, point }).map_err(numbers)
            }
            _ => {
                let d = Number::unsigned(bytes);
                ecc::check_private(&EcPrivate { curve, d, point: None }).map_err(numbers)
            }
        },
        _ => Ok(()),
    }
}
