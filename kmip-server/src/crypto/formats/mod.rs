//! The forms in which messages carry keys, and the way from any to any (1.4, 2.1.3 and 9.1.3.2.3;
//! 2.1, 3.2, 4.26 and 11.25).
//!
//! ```text
//! key block -> read -> keys::Key -> write -> key block
//!
//!                    Raw  PKCS_1  PKCS_8  X_509  ECPrivateKey  Transparent...
//! symmetric           x                                          x
//! RSA private                x       x                           x
//! RSA public                 x              x                    x
//! EC private                         x            x              x
//! EC public                                 x                    x
//! Ed25519, X25519     x              x      x                    (X25519)
//! DSA, DH                            x      x                    x
//! ```
//!
//! **A key in the form that was asked for is given as it came, byte for byte.** What cannot be
//! read is kept all the same if it can be what it is said to be (see [`claim`]), and has no other
//! form. PKCS#12 holds more than a key: see [`pkcs12`].

pub(crate) mod claim;
pub(crate) mod pkcs12;
pub(crate) mod pkcs12_names;
pub(crate) mod transparent;

use kmip::SecretBytes;
use kmip::attributes::AttributeList;
use kmip::objects::{KeyBlock, KeyMaterial, KeyValue};
use kmip::vocabulary::{
    CryptographicAlgorithm, KeyCompressionType, KeyFormatType as F, ObjectType, RecommendedCurve,
};

use crate::crypto;
use crate::crypto::asymmetric::ecc;
use crate::crypto::keys::{EDWARDS_LEN, EcPublic, Edwards, Key, pkcs};

/// Why a key is not to be had in a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormatError {
    /// The key is wrapped, or not here.
    #[error("the key is wrapped or kept elsewhere, so that its form is not known")]
    NotPlain,
    /// It is not what its Key Format Type says, or something that this server does not know.
    #[error("the key cannot be read as the {0} that it is said to be")]
    Unreadable(F),
    /// It has no such form.
    #[error("this key has no form {0} here")]
    NoSuchForm(F),
    /// It has no such form of a point.
    #[error("this key has no point in the form {0:?} here")]
    NoSuchPoint(KeyCompressionType),
}

/// What the form alone does not say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hint {
    /// The algorithm that the attributes name.
    pub algorithm: Option<CryptographicAlgorithm>,
    /// The curve that the attributes name.
    pub curve: Option<RecommendedCurve>,
}

/// Reads the key in a block.
pub(crate) fn read(
    object_type: ObjectType,
    block: &KeyBlock,
    hint: Hint,
) -> Result<Key, FormatError> {
    let format = block.key_format_type;
    let unreadable = FormatError::Unreadable(format);
    let (Some(KeyValue::Plain { material, .. }), None) =
        (&block.key_value, &block.key_wrapping_data)
    else {
        return Err(FormatError::NotPlain);
    };
    let bytes = match material {
        KeyMaterial::Bytes(bytes) => bytes.as_bytes(),
        KeyMaterial::Transparent(raw) => return transparent::read(format, raw).ok_or(unreadable),
    };
    let key = match (format, object_type) {
        (F::Raw | F::Opaque, ObjectType::PrivateKey) => edwards_private(bytes, hint, block),
        (F::Raw | F::Opaque, ObjectType::PublicKey) => edwards_public(bytes, hint, block),
        (F::Raw | F::Opaque, _) => Some(Key::Symmetric(SecretBytes::new(bytes))),
        (F::PKCS_1, ObjectType::PublicKey) => pkcs::read_rsa_public(bytes).map(Key::RsaPublic),
        (F::PKCS_1, _) => pkcs::read_rsa_private(bytes).map(Key::RsaPrivate),
        // "Supporting both the RSAPrivateKey syntax and EncryptedPrivateKey" (1.4, 2.1.3): clients
        // send RSA keys so.
        (F::PKCS_8, _) => {
            pkcs::read_pkcs8(bytes).or_else(|| pkcs::read_rsa_private(bytes).map(Key::RsaPrivate))
        }
        (F::X_509, _) => pkcs::read_spki(bytes),
        (F::ECPrivateKey, _) => {
            let outside = hint.curve.and_then(super::keys::curves::of).map(|row| row.oid);
            pkcs::read_ec_private(bytes, outside).map(Key::EcPrivate)
        }
        _ => None,
    };
    let is_public = object_type == ObjectType::PublicKey;
    let fits = |key: &Key| match object_type {
        ObjectType::PublicKey | ObjectType::PrivateKey => key.is_public() == is_public,
        _ => true,
    };
    key.filter(fits).ok_or(unreadable)
}

/// Which curve a raw key is of: its bytes do not say.
fn edwards(hint: Hint, block: &KeyBlock) -> Option<Edwards> {
    match (hint.algorithm.or(block.cryptographic_algorithm)?, hint.curve) {
        (CryptographicAlgorithm::Ed25519, _) => Some(Edwards::Ed25519),
        (
            CryptographicAlgorithm::EC | CryptographicAlgorithm::ECDH,
            Some(RecommendedCurve::CURVE25519),
        ) => Some(Edwards::X25519),
        _ => None,
    }
}

fn edwards_private(bytes: &[u8], hint: Hint, block: &KeyBlock) -> Option<Key> {
    let curve = edwards(hint, block).filter(|_| bytes.len() == EDWARDS_LEN)?;
    Some(Key::EdwardsPrivate(curve, SecretBytes::new(bytes)))
}

fn edwards_public(bytes: &[u8], hint: Hint, block: &KeyBlock) -> Option<Key> {
    Some(Key::EdwardsPublic(edwards(hint, block)?, bytes.try_into().ok()?))
}

/// Writes a key in a form.
pub(crate) fn write(key: &Key, format: F) -> Result<KeyMaterial, FormatError> {
    let bytes = |der: &[u8]| KeyMaterial::Bytes(SecretBytes::new(der));
    let written = match (format, key) {
        // Opaque names no form: the bytes are what they are.
        (F::Raw | F::Opaque, Key::Symmetric(key)) => Some(bytes(key.as_bytes())),
        (F::Raw, Key::EdwardsPrivate(_, seed)) => Some(bytes(seed.as_bytes())),
        (F::Raw, Key::EdwardsPublic(_, public)) => Some(bytes(public)),
        (F::PKCS_1, Key::RsaPrivate(key)) => Some(bytes(&pkcs::write_rsa_private(key))),
        (F::PKCS_1, Key::RsaPublic(key)) => Some(bytes(&pkcs::write_rsa_public(key))),
        (F::PKCS_8, key) => pkcs::write_pkcs8(&with_point(key)).map(|der| bytes(&der)),
        (F::X_509, key) => pkcs::write_spki(key).map(|der| bytes(&der)),
        (F::ECPrivateKey, key) => {
            let key = with_point(key);
            let Key::EcPrivate(key) = &key else { return Err(FormatError::NoSuchForm(format)) };
            pkcs::write_ec_private(key, true).map(|der| bytes(&der))
        }
        (format, key) => transparent::write(format, key).map(KeyMaterial::Transparent),
    };
    written.ok_or(FormatError::NoSuchForm(format))
}

/// A private key on a curve with its point, which DER has room for, where it can be computed.
fn with_point(key: &Key) -> Key {
    let mut key = key.clone();
    if let Key::EcPrivate(private) = &mut key
        && private.point.is_none()
    {
        private.point = ecc::public_of(private).ok().map(|public| public.point);
    }
    key
}

/// A key block around a key in a form.
pub(crate) fn block(key: &Key, format: F) -> Result<KeyBlock, FormatError> {
    Ok(KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain {
            material: write(key, format)?,
            attributes: AttributeList::default(),
        }),
        cryptographic_algorithm: key.algorithm(),
        cryptographic_length: Some(key.length()),
        key_wrapping_data: None,
    })
}

/// The form that a key has when nobody asks for another (2.1, table 81). Ed25519 is in no row
/// there; it has the forms that every client can read.
pub(crate) const fn default_format(key: &Key) -> F {
    match key {
        Key::Symmetric(_) => F::Raw,
        Key::RsaPublic(_) | Key::RsaPrivate(_) => F::PKCS_1,
        Key::DsaPublic(..) => F::TransparentDSAPublicKey,
        Key::DsaPrivate(..) => F::TransparentDSAPrivateKey,
        Key::DhPublic(..) => F::TransparentDHPublicKey,
        Key::DhPrivate(..) => F::TransparentDHPrivateKey,
        Key::EcPublic(_) => F::TransparentECPublicKey,
        Key::EcPrivate(_) => F::TransparentECPrivateKey,
        Key::EdwardsPublic(..) => F::X_509,
        Key::EdwardsPrivate(..) => F::PKCS_8,
    }
}

/// Is the key in a block in this form, with its point as asked for?
pub(crate) fn is_in(block: &KeyBlock, format: F, compression: Option<KeyCompressionType>) -> bool {
    let held = block.key_compression_type;
    block.key_format_type == format && compression.is_none_or(|asked| held == Some(asked))
}

/// Turns the key in a block into a form, with its point as asked for.
pub(crate) fn convert(
    object_type: ObjectType,
    block: &mut KeyBlock,
    hint: Hint,
    format: F,
    compression: Option<KeyCompressionType>,
) -> Result<(), FormatError> {
    let mut key = read(object_type, block, hint)?;
    if let Some(asked) = compression {
        let no_such_point = FormatError::NoSuchPoint(asked);
        let Key::EcPublic(public) = &key else { return Err(no_such_point) };
        let point = ecc::point_in(public, asked).map_err(|_: crypto::Error| no_such_point)?;
        key = Key::EcPublic(EcPublic { curve: public.curve, point });
    }
    let written = write(&key, format)?;
    if let Some(KeyValue::Plain { material, .. }) = &mut block.key_value {
        *material = written;
    }
    block.key_format_type = format;
    block.key_compression_type = compression.or(block.key_compression_type);
    Ok(())
}
