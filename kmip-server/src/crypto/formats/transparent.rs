//! Keys in the transparent forms: from the structures of `kmip::transparent` to neutral keys and
//! back (1.4, 2.1.7; 2.1, 3.4 to 3.12).

use kmip::transparent as form;
use kmip::vocabulary::{KeyFormatType as F, RecommendedCurve};
use kmip::{BigInteger, SecretBytes, SecretInteger};
use ttlv::Raw;

use crate::crypto::asymmetric::rsa;
use crate::crypto::keys::{
    EDWARDS_LEN, EcPrivate, EcPublic, Edwards, Group, Key, Number, RsaPublic,
};

fn public(number: &BigInteger) -> Option<Number> {
    Number::signed(&number.0)
}

fn secret(number: &SecretInteger) -> Option<Number> {
    Number::signed(number.as_bytes())
}

/// As the number of the first, none if there is none; nothing if it is no natural number.
fn maybe<T>(number: Option<&T>, read: impl Fn(&T) -> Option<Number>) -> Option<Option<Number>> {
    match number {
        Some(number) => read(number).map(Some),
        None => Some(None),
    }
}

/// Reads a transparent form; none when the numbers make no key.
pub(crate) fn read(format: F, material: &Raw) -> Option<Key> {
    Some(match format {
        F::TransparentSymmetricKey => {
            Key::Symmetric(form::read::<form::TransparentSymmetricKey>(material).ok()?.key)
        }
        F::TransparentDSAPrivateKey => {
            let key: form::TransparentDSAPrivateKey = form::read(material).ok()?;
            Key::DsaPrivate(dsa_group(&key.p, &key.q, &key.g)?, secret(&key.x)?)
        }
        F::TransparentDSAPublicKey => {
            let key: form::TransparentDSAPublicKey = form::read(material).ok()?;
            Key::DsaPublic(dsa_group(&key.p, &key.q, &key.g)?, public(&key.y)?)
        }
        F::TransparentRSAPrivateKey => rsa_private(&form::read(material).ok()?)?,
        F::TransparentRSAPublicKey => {
            let key: form::TransparentRSAPublicKey = form::read(material).ok()?;
            Key::RsaPublic(RsaPublic { n: public(&key.modulus)?, e: public(&key.public_exponent)? })
        }
        F::TransparentDHPrivateKey => {
            let key: form::TransparentDHPrivateKey = form::read(material).ok()?;
            let group = dh_group(&key.p, key.q.as_ref(), &key.g, key.j.as_ref())?;
            Key::DhPrivate(group, secret(&key.x)?)
        }
        F::TransparentDHPublicKey => {
            let key: form::TransparentDHPublicKey = form::read(material).ok()?;
            let group = dh_group(&key.p, key.q.as_ref(), &key.g, key.j.as_ref())?;
            Key::DhPublic(group, public(&key.y)?)
        }
        F::TransparentECPrivateKey
        | F::TransparentECDSAPrivateKey
        | F::TransparentECDHPrivateKey
        | F::TransparentECMQVPrivateKey => ec_private(&form::read(material).ok()?)?,
        F::TransparentECPublicKey
        | F::TransparentECDSAPublicKey
        | F::TransparentECDHPublicKey
        | F::TransparentECMQVPublicKey => ec_public(form::read(material).ok()?)?,
        _ => return None,
    })
}

fn dsa_group(p: &BigInteger, q: &BigInteger, g: &BigInteger) -> Option<Group> {
    Some(Group { p: public(p)?, q: Some(public(q)?), g: public(g)?, j: None })
}

fn dh_group(
    p: &BigInteger,
    q: Option<&BigInteger>,
    g: &BigInteger,
    j: Option<&BigInteger>,
) -> Option<Group> {
    Some(Group { p: public(p)?, q: maybe(q, public)?, g: public(g)?, j: maybe(j, public)? })
}

/// The numbers that an RSA private key came with; none when one is negative.
pub(super) fn rsa_given(key: &form::TransparentRSAPrivateKey) -> Option<rsa::Given> {
    Some(rsa::Given {
        n: public(&key.modulus)?,
        e: maybe(key.public_exponent.as_ref(), public)?,
        d: maybe(key.private_exponent.as_ref(), secret)?,
        p: maybe(key.p.as_ref(), secret)?,
        q: maybe(key.q.as_ref(), secret)?,
        dp: maybe(key.prime_exponent_p.as_ref(), secret)?,
        dq: maybe(key.prime_exponent_q.as_ref(), secret)?,
        qinv: maybe(key.crt_coefficient.as_ref(), secret)?,
    })
}

/// An RSA private key may come with few of its numbers; the others are computed.
fn rsa_private(key: &form::TransparentRSAPrivateKey) -> Option<Key> {
    let private = rsa::complete(rsa_given(key)?)?;
    // With another public exponent than the usual one, it is another key.
    let fits = key.public_exponent.is_some()
        || rsa::numbers::check_private(&rsa::Given::of_private(&private)).is_ok();
    fits.then_some(Key::RsaPrivate(private))
}

/// The keys of X25519 are bytes; D holds them as they are, first byte first.
fn ec_private(key: &form::TransparentECPrivateKey) -> Option<Key> {
    let d = Number::unsigned(key.d.as_bytes());
    Some(match key.recommended_curve {
        RecommendedCurve::CURVE25519 => {
            let seed = d.to_padded(EDWARDS_LEN)?;
            Key::EdwardsPrivate(Edwards::X25519, SecretBytes::new(&seed))
        }
        curve => Key::EcPrivate(EcPrivate { curve, d: secret(&key.d)?, point: None }),
    })
}

fn ec_public(key: form::TransparentECPublicKey) -> Option<Key> {
    Some(match key.recommended_curve {
        RecommendedCurve::CURVE25519 => {
            Key::EdwardsPublic(Edwards::X25519, key.q_string.try_into().ok()?)
        }
        curve => Key::EcPublic(EcPublic { curve, point: key.q_string }),
    })
}

fn to_public(number: &Number) -> BigInteger {
    BigInteger(number.to_signed().to_vec())
}

fn to_secret(number: &Number) -> SecretInteger {
    SecretInteger::new(&number.to_signed())
}

/// Writes a key in a transparent form; none when the form is not one for this key.
pub(crate) fn write(format: F, key: &Key) -> Option<Raw> {
    Some(match (format, key) {
        (F::TransparentSymmetricKey, Key::Symmetric(key)) => {
            form::write(&form::TransparentSymmetricKey { key: key.clone() })
        }
        (F::TransparentDSAPrivateKey, Key::DsaPrivate(group, x)) => {
            form::write(&form::TransparentDSAPrivateKey {
                p: to_public(&group.p),
                q: to_public(group.q.as_ref()?),
                g: to_public(&group.g),
                x: to_secret(x),
            })
        }
        (F::TransparentDSAPublicKey, Key::DsaPublic(group, y)) => {
            form::write(&form::TransparentDSAPublicKey {
                p: to_public(&group.p),
                q: to_public(group.q.as_ref()?),
                g: to_public(&group.g),
                y: to_public(y),
            })
        }
        (F::TransparentRSAPrivateKey, Key::RsaPrivate(key)) => {
            form::write(&form::TransparentRSAPrivateKey {
                modulus: to_public(&key.public.n),
                private_exponent: Some(to_secret(&key.d)),
                public_exponent: Some(to_public(&key.public.e)),
                p: Some(to_secret(&key.p)),
                q: Some(to_secret(&key.q)),
                prime_exponent_p: Some(to_secret(&key.dp)),
                prime_exponent_q: Some(to_secret(&key.dq)),
                crt_coefficient: Some(to_secret(&key.qinv)),
            })
        }
        (F::TransparentRSAPublicKey, Key::RsaPublic(key)) => {
            form::write(&form::TransparentRSAPublicKey {
                modulus: to_public(&key.n),
                public_exponent: to_public(&key.e),
            })
        }
        (F::TransparentDHPrivateKey, Key::DhPrivate(group, x)) => {
            form::write(&form::TransparentDHPrivateKey {
                p: to_public(&group.p),
                q: group.q.as_ref().map(to_public),
                g: to_public(&group.g),
                j: group.j.as_ref().map(to_public),
                x: to_secret(x),
            })
        }
        (F::TransparentDHPublicKey, Key::DhPublic(group, y)) => {
            form::write(&form::TransparentDHPublicKey {
                p: to_public(&group.p),
                q: group.q.as_ref().map(to_public),
                g: to_public(&group.g),
                j: group.j.as_ref().map(to_public),
                y: to_public(y),
            })
        }
        (format, key) if is_ec_private(format) => write_ec_private(key)?,
        (format, key) if is_ec_public(format) => write_ec_public(key)?,
        _ => return None,
    })
}

const fn is_ec_private(format: F) -> bool {
    matches!(
        format,
        F::TransparentECPrivateKey
            | F::TransparentECDSAPrivateKey
            | F::TransparentECDHPrivateKey
            | F::TransparentECMQVPrivateKey
    )
}

const fn is_ec_public(format: F) -> bool {
    matches!(
        format,
        F::TransparentECPublicKey
            | F::TransparentECDSAPublicKey
            | F::TransparentECDHPublicKey
            | F::TransparentECMQVPublicKey
    )
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the other keys are on no curve")]
fn write_ec_private(key: &Key) -> Option<Raw> {
    let (recommended_curve, d) = match key {
        Key::EcPrivate(key) => (key.curve, to_secret(&key.d)),
        Key::EdwardsPrivate(Edwards::X25519, seed) => {
            (RecommendedCurve::CURVE25519, to_secret(&Number::unsigned(seed.as_bytes())))
        }
        _ => return None,
    };
    Some(form::write(&form::TransparentECPrivateKey { recommended_curve, d }))
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the other keys are on no curve")]
fn write_ec_public(key: &Key) -> Option<Raw> {
    let (recommended_curve, q_string) = match key {
        Key::EcPublic(key) => (key.curve, key.point.clone()),
        Key::EdwardsPublic(Edwards::X25519, bytes) => {
            (RecommendedCurve::CURVE25519, bytes.to_vec())
        }
        _ => return None,
    };
    Some(form::write(&form::TransparentECPublicKey { recommended_curve, q_string }))
}
