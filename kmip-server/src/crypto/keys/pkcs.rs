//! Keys in the forms of the PKCS standards: PKCS#1 (RFC 8017, A.1), ECPrivateKey (RFC 5915),
//! PKCS#8 (RFC 5958) and the SubjectPublicKeyInfo of X.509 (RFC 5280, 4.1.2.7), with the
//! algorithms of RFC 3279, RFC 5480 and RFC 8410.
//!
//! What cannot be read here is kept as the bytes that came, and used for nothing.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode, Reader, SliceReader, TagNumber};
use kmip::SecretBytes;

use super::der as write;
use super::der::{Der, tag};
use super::{
    EDWARDS_LEN, EcPrivate, EcPublic, Edwards, Group, Key, Number, RsaPrivate, RsaPublic, curves,
};

/// What DER calls the algorithms.
pub(super) mod oid {
    pub(crate) const RSA: &str = "1.2.840.113549.1.1.1";
    pub(crate) const RSA_PSS: &str = "1.2.840.113549.1.1.10";
    pub(crate) const EC: &str = "1.2.840.10045.2.1";
    pub(crate) const DSA: &str = "1.2.840.10040.4.1";
    /// Diffie-Hellman of PKCS#3, whose parameters are p and g.
    pub(crate) const DH: &str = "1.2.840.113549.1.3.1";
    /// Diffie-Hellman of X9.42, whose parameters are p, g, q and j.
    pub(crate) const DH_X9_42: &str = "1.2.840.10046.2.1";
    pub(crate) const X25519: &str = "1.3.101.110";
    pub(crate) const ED25519: &str = "1.3.101.112";
}

fn number(reader: &mut SliceReader<'_>) -> der::Result<Number> {
    Ok(Number::unsigned(UintRef::decode(reader)?.as_bytes()))
}

fn octets<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    Ok(<&OctetStringRef>::decode(reader)?.as_bytes())
}

fn bits<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    BitStringRef::decode(reader)?.as_bytes().ok_or_else(|| der::Tag::BitString.value_error().into())
}

fn skip_rest(reader: &mut SliceReader<'_>) -> der::Result<()> {
    while !reader.is_finished() {
        AnyRef::decode(reader)?;
    }
    Ok(())
}

/// RSAPublicKey.
pub(crate) fn read_rsa_public(bytes: &[u8]) -> Option<RsaPublic> {
    write::read(bytes, |r| Ok(RsaPublic { n: number(r)?, e: number(r)? })).ok()
}

/// RSAPublicKey.
pub(crate) fn write_rsa_public(key: &RsaPublic) -> Der {
    write::sequence(&[&write::integer(&key.n), &write::integer(&key.e)])
}

/// RSAPrivateKey of two primes.
pub(crate) fn read_rsa_private(bytes: &[u8]) -> Option<RsaPrivate> {
    let key = write::read(bytes, |r| {
        if u8::decode(r)? != 0 {
            return Err(der::Tag::Integer.value_error().into());
        }
        Ok(RsaPrivate {
            public: RsaPublic { n: number(r)?, e: number(r)? },
            d: number(r)?,
            p: number(r)?,
            q: number(r)?,
            dp: number(r)?,
            dq: number(r)?,
            qinv: number(r)?,
        })
    });
    key.ok()
}

/// RSAPrivateKey.
pub(crate) fn write_rsa_private(key: &RsaPrivate) -> Der {
    let public = &key.public;
    let numbers = [&public.n, &public.e, &key.d, &key.p, &key.q, &key.dp, &key.dq, &key.qinv];
    let numbers = numbers.map(write::integer);
    let mut parts: Vec<&[u8]> = vec![&[tag::INTEGER, 1, 0]];
    parts.extend(numbers.iter().map(|number| number.as_slice()));
    write::sequence(&parts)
}

/// ECPrivateKey. `outside` is the curve that stands around it, where one does.
pub(crate) fn read_ec_private(bytes: &[u8], outside: Option<&str>) -> Option<EcPrivate> {
    let (d, inside, point) = write::read(bytes, |r| {
        if u8::decode(r)? != 1 {
            return Err(der::Tag::Integer.value_error().into());
        }
        let d = Number::unsigned(octets(r)?);
        let curve = r.context_specific::<ObjectIdentifier>(TagNumber(0), der::TagMode::Explicit)?;
        let point = r.context_specific::<BitStringRef<'_>>(TagNumber(1), der::TagMode::Explicit)?;
        Ok((d, curve, point.and_then(|point| point.as_bytes().map(<[u8]>::to_vec))))
    })
    .ok()?;
    let curve = match (inside, outside) {
        (Some(inside), _) => curves::of_oid(&inside.to_string())?,
        (None, Some(outside)) => curves::of_oid(outside)?,
        (None, None) => return None,
    };
    Some(EcPrivate { curve: curve.curve, d, point })
}

/// ECPrivateKey; with the curve inside, or without when it stands around. None for a curve that
/// DER does not name.
pub(crate) fn write_ec_private(key: &EcPrivate, with_curve: bool) -> Option<Der> {
    let row = curves::of(key.curve)?;
    let d = write::octets(&key.d.to_padded(curves::coordinate_len(row.bits))?);
    let curve = match with_curve {
        true => write::element(tag::CONSTRUCTED_0, &[&write::oid(row.oid)]),
        false => Der::default(),
    };
    let point = match &key.point {
        Some(point) => write::element(tag::CONSTRUCTED_1, &[&write::bits(point)]),
        None => Der::default(),
    };
    Some(write::sequence(&[&write::small(1), &d, &curve, &point]))
}

/// An AlgorithmIdentifier: the algorithm, and the DER of its parameters.
pub(super) struct Algorithm<'a> {
    /// Which.
    pub oid: String,
    parameters: Option<AnyRef<'a>>,
}

pub(super) fn algorithm<'a>(reader: &mut SliceReader<'a>) -> der::Result<Algorithm<'a>> {
    reader.sequence(|r| {
        let oid: ObjectIdentifier = r.decode()?;
        let oid = oid.to_string();
        let parameters = match r.is_finished() {
            true => None,
            false => Some(AnyRef::decode(r)?),
        };
        Ok(Algorithm { oid, parameters })
    })
}

impl Algorithm<'_> {
    fn curve(&self) -> Option<String> {
        let oid = self.parameters?.decode_as::<ObjectIdentifier>().ok()?;
        Some(oid.to_string())
    }

    /// The numbers of a group, in the order that this algorithm has them.
    fn group(&self) -> Option<Group> {
        let parameters = self.parameters?;
        let mut reader = SliceReader::new(parameters.value()).ok()?;
        let r = &mut reader;
        let p = number(r).ok()?;
        let (q, g, j) = match self.oid.as_str() {
            oid::DSA => {
                let q = number(r).ok()?;
                (Some(q), number(r).ok()?, None)
            }
            oid::DH_X9_42 => {
                let g = number(r).ok()?;
                let q = number(r).ok()?;
                (Some(q), g, number(r).ok())
            }
            _ => (None, number(r).ok()?, None),
        };
        Some(Group { p, q, g, j })
    }
}

fn edwards(oid: &str) -> Option<Edwards> {
    match oid {
        oid::ED25519 => Some(Edwards::Ed25519),
        oid::X25519 => Some(Edwards::X25519),
        _ => None,
    }
}

const fn edwards_oid(curve: Edwards) -> &'static str {
    match curve {
        Edwards::Ed25519 => oid::ED25519,
        Edwards::X25519 => oid::X25519,
    }
}

/// PrivateKeyInfo, or its successor OneAsymmetricKey.
pub(crate) fn read_pkcs8(bytes: &[u8]) -> Option<Key> {
    let (algorithm, inside) = write::read(bytes, |r| {
        u8::decode(r)?;
        let found = (algorithm(r)?, octets(r)?);
        // Attributes and the public key may follow.
        skip_rest(r)?;
        Ok(found)
    })
    .ok()?;
    Some(match algorithm.oid.as_str() {
        oid::RSA | oid::RSA_PSS => Key::RsaPrivate(read_rsa_private(inside)?),
        oid::EC => Key::EcPrivate(read_ec_private(inside, algorithm.curve().as_deref())?),
        oid::DSA => Key::DsaPrivate(algorithm.group()?, one_number(inside)?),
        oid::DH | oid::DH_X9_42 => Key::DhPrivate(algorithm.group()?, one_number(inside)?),
        other => {
            let mut reader = SliceReader::new(inside).ok()?;
            let seed = octets(&mut reader).ok().filter(|seed| seed.len() == EDWARDS_LEN)?;
            Key::EdwardsPrivate(edwards(other)?, SecretBytes::new(seed))
        }
    })
}

/// The public key that an OneAsymmetricKey carries (RFC 5958, 2).
pub(crate) fn pkcs8_public(bytes: &[u8]) -> Option<Vec<u8>> {
    let found = write::read(bytes, |r| {
        u8::decode(r)?;
        algorithm(r)?;
        octets(r)?;
        let mut found = None;
        while !r.is_finished() {
            let field = AnyRef::decode(r)?;
            let tag = der::Tagged::tag(&field);
            if tag.is_context_specific() && tag.number() == TagNumber(1) {
                found = Some(field.value());
            }
        }
        Ok(found)
    });
    // The first byte counts the bits that the last one lacks.
    let (unused, public) = found.ok()??.split_first()?;
    (*unused == 0).then(|| public.to_vec())
}

fn one_number(bytes: &[u8]) -> Option<Number> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let found = number(&mut reader).ok()?;
    reader.is_finished().then_some(found)
}

/// PrivateKeyInfo; none for a key that has no such form.
pub(crate) fn write_pkcs8(key: &Key) -> Option<Der> {
    let (algorithm, inside) = match key {
        Key::RsaPrivate(key) => (rsa_identifier(), write_rsa_private(key)),
        Key::EcPrivate(key) => (ec_identifier(key.curve)?, write_ec_private(key, false)?),
        Key::DsaPrivate(group, x) => (group_identifier(oid::DSA, group)?, write::integer(x)),
        Key::DhPrivate(group, x) => (dh_identifier(group)?, write::integer(x)),
        Key::EdwardsPrivate(curve, seed) => {
            (write::sequence(&[&write::oid(edwards_oid(*curve))]), write::octets(seed.as_bytes()))
        }
        Key::Symmetric(_)
        | Key::RsaPublic(_)
        | Key::DsaPublic(..)
        | Key::DhPublic(..)
        | Key::EcPublic(_)
        | Key::EdwardsPublic(..) => return None,
    };
    Some(write::sequence(&[&[tag::INTEGER, 1, 0], &algorithm, &write::octets(&inside)]))
}

/// SubjectPublicKeyInfo.
pub(crate) fn read_spki(bytes: &[u8]) -> Option<Key> {
    let (algorithm, inside) = write::read(bytes, |r| Ok((algorithm(r)?, bits(r)?))).ok()?;
    Some(match algorithm.oid.as_str() {
        oid::RSA | oid::RSA_PSS => Key::RsaPublic(read_rsa_public(inside)?),
        oid::EC => Key::EcPublic(EcPublic {
            curve: curves::of_oid(&algorithm.curve()?)?.curve,
            point: inside.to_vec(),
        }),
        oid::DSA => Key::DsaPublic(algorithm.group()?, one_number(inside)?),
        oid::DH | oid::DH_X9_42 => Key::DhPublic(algorithm.group()?, one_number(inside)?),
        other => Key::EdwardsPublic(edwards(other)?, inside.try_into().ok()?),
    })
}

/// SubjectPublicKeyInfo; none for a key that has no such form.
pub(crate) fn write_spki(key: &Key) -> Option<Der> {
    let (algorithm, inside) = match key {
        Key::RsaPublic(key) => (rsa_identifier(), write_rsa_public(key)),
        Key::EcPublic(key) => (ec_identifier(key.curve)?, Der::new(key.point.clone())),
        Key::DsaPublic(group, y) => (group_identifier(oid::DSA, group)?, write::integer(y)),
        Key::DhPublic(group, y) => (dh_identifier(group)?, write::integer(y)),
        Key::EdwardsPublic(curve, bytes) => {
            (write::sequence(&[&write::oid(edwards_oid(*curve))]), Der::new(bytes.to_vec()))
        }
        Key::Symmetric(_)
        | Key::RsaPrivate(_)
        | Key::DsaPrivate(..)
        | Key::DhPrivate(..)
        | Key::EcPrivate(_)
        | Key::EdwardsPrivate(..) => return None,
    };
    Some(write::sequence(&[&algorithm, &write::bits(&inside)]))
}

fn rsa_identifier() -> Der {
    write::sequence(&[&write::oid(oid::RSA), &write::null()])
}

fn ec_identifier(curve: kmip::vocabulary::RecommendedCurve) -> Option<Der> {
    Some(write::sequence(&[&write::oid(oid::EC), &write::oid(curves::of(curve)?.oid)]))
}

/// Diffie-Hellman with q is X9.42's, without PKCS#3's.
fn dh_identifier(group: &Group) -> Option<Der> {
    group_identifier(if group.q.is_some() { oid::DH_X9_42 } else { oid::DH }, group)
}

fn group_identifier(algorithm: &str, group: &Group) -> Option<Der> {
    let (p, g) = (write::integer(&group.p), write::integer(&group.g));
    let q = group.q.as_ref().map(write::integer).unwrap_or_default();
    let j = group.j.as_ref().map(write::integer).unwrap_or_default();
    let parameters = match algorithm {
        // DSA has a q always (RFC 3279, 2.3.2).
        oid::DSA if group.q.is_none() => return None,
        oid::DSA => write::sequence(&[&p, &q, &g]),
        oid::DH_X9_42 => write::sequence(&[&p, &g, &q, &j]),
        _ => write::sequence(&[&p, &g]),
    };
    Some(write::sequence(&[&write::oid(algorithm), &parameters]))
}
