//! Keys whose numbers cannot be right are refused where they come in, by Register and by Import, in
//! every form that they have (KMIP 1.4, 2.1.7; 2.1, 3.4 to 3.12; RFC 8017, 3; SEC 1, 3.2; RFC 8032,
//! 5.1.3). Keys that the server only keeps are not judged.

use kmip::objects::{Certificate, CertificateRequest};
use kmip::transparent::{self, TransparentRSAPrivateKey};
use kmip::vocabulary::{CertificateRequestType, CertificateType, RecommendedCurve};
use kmip::{BigInteger, SecretInteger};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::crypto::formats::{self, Hint};
use crate::crypto::keys::der as write;
use crate::crypto::keys::{Edwards, Key as AnyKey, Number, RsaPrivate, RsaPublic};
use crate::objects::server_attributes::key_hint;
use crate::tests::harness::*;
use crate::tests::known_answers::certificates::{certificate_of_many_names, der};
use crate::tests::known_answers::key_forms::{Outcome, bring, every_key, import, object, register};
use AttributeValue as A;

const REFUSED: [Outcome; 2] =
    [Err(ResultReason::InvalidField), Err(ResultReason::InvalidAttributeValue)];

/// A number with the last byte changed.
fn changed(number: &Number, bits: u8) -> Number {
    let mut bytes = number.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= bits;
    Number::unsigned(&bytes)
}

fn bad_publics(key: &RsaPublic) -> Vec<(&'static str, RsaPublic)> {
    let e = |e: &[u8]| RsaPublic { e: Number::unsigned(e), n: key.n.clone() };
    vec![
        ("even modulus", RsaPublic { n: changed(&key.n, 1), e: key.e.clone() }),
        ("no modulus", RsaPublic { n: Number::unsigned(&[]), e: key.e.clone() }),
        ("e = 0", e(&[])),
        ("e = 1", e(&[1])),
        ("e = 4", e(&[4])),
        ("e = n", RsaPublic { e: key.n.clone(), n: key.n.clone() }),
    ]
}

/// A number of a key.
type Field = fn(&mut RsaPrivate) -> &mut Number;

/// The secret numbers of an RSA key, each with a letter: P and Q are the prime exponents, and i is
/// the CRT coefficient.
const SECRETS: [(&str, Field); 6] = [
    ("d", |key| &mut key.d),
    ("p", |key| &mut key.p),
    ("q", |key| &mut key.q),
    ("P", |key| &mut key.dp),
    ("Q", |key| &mut key.dq),
    ("i", |key| &mut key.qinv),
];

fn bad_privates(key: &RsaPrivate) -> Vec<(&'static str, RsaPrivate)> {
    let mut bad: Vec<_> = bad_publics(&key.public)
        .into_iter()
        .map(|(why, public)| (why, RsaPrivate { public, ..key.clone() }))
        .collect();
    for (name, field) in SECRETS {
        for bits in [2, 1, 0] {
            let mut other = key.clone();
            let number = field(&mut other);
            *number = if bits == 0 { Number::unsigned(&[]) } else { changed(number, bits) };
            bad.push((name, other));
        }
    }
    // Another modulus, of which p and q are no factors.
    let mut other = key.clone();
    other.public.n = changed(&other.public.n, 2);
    bad.push(("p * q", other));
    bad
}

/// The orders of the curves (SEC 2; FIPS 186-4, D.1.2).
const ORDERS: &[(RecommendedCurve, &str)] = &[
    (RecommendedCurve::P_224, "ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d"),
    (RecommendedCurve::P_256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    (
        RecommendedCurve::SECP256K1,
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    ),
    (
        RecommendedCurve::P_384,
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196a\
         ccc52973",
    ),
    (
        RecommendedCurve::P_521,
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7f\
         cc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
];

fn order(curve: RecommendedCurve) -> Vec<u8> {
    let (_, hex) = ORDERS.iter().find(|(known, _)| *known == curve).unwrap();
    crate::tests::known_answers::stanzas::hex(hex)
}

/// The same key with numbers that cannot be right, one after the other.
fn spoiled(key: &AnyKey) -> Vec<(&'static str, AnyKey)> {
    match key {
        AnyKey::RsaPublic(key) => {
            bad_publics(key).into_iter().map(|(why, key)| (why, AnyKey::RsaPublic(key))).collect()
        }
        AnyKey::RsaPrivate(key) => {
            bad_privates(key).into_iter().map(|(why, key)| (why, AnyKey::RsaPrivate(key))).collect()
        }
        AnyKey::EcPublic(key) => {
            let mut off = key.clone();
            *off.point.last_mut().unwrap() ^= 1;
            let mut short = key.clone();
            short.point.pop();
            let mut infinite = key.clone();
            infinite.point = vec![0];
            let rows = [("off the curve", off), ("short", short), ("infinity", infinite)];
            rows.into_iter().map(|(why, key)| (why, AnyKey::EcPublic(key))).collect()
        }
        AnyKey::EcPrivate(key) => {
            let n = order(key.curve);
            let above = vec![0xFF; n.len()];
            let rows: [(&str, &[u8]); 3] = [("d = 0", &[]), ("d = n", &n), ("d > n", &above)];
            rows.into_iter()
                .map(|(why, d)| {
                    let d = Number::unsigned(d);
                    let key = crate::crypto::keys::EcPrivate { d, point: None, ..key.clone() };
                    (why, AnyKey::EcPrivate(key))
                })
                .collect()
        }
        AnyKey::EdwardsPublic(Edwards::Ed25519, _) => {
            let mut two = [0; 32];
            two[0] = 2;
            let mut prime = [0xFF; 32];
            (prime[0], prime[31]) = (0xED, 0x7F);
            let mut minus = [0; 32];
            (minus[0], minus[31]) = (1, 0x80);
            let rows = [("y = 2", two), ("y = p", prime), ("x = -0", minus)];
            rows.into_iter()
                .map(|(why, bytes)| (why, AnyKey::EdwardsPublic(Edwards::Ed25519, bytes)))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn read(held: &Object, values: &[A]) -> Option<AnyKey> {
    let block = held.key_block()?;
    let hint = Hint { algorithm: block.cryptographic_algorithm, ..key_hint(values.iter()) };
    formats::read(held.object_type(), block, hint).ok()
}

/// Every key of a pair that the server computes with, in every form that it has, with each of its
/// numbers wrong, in every version that takes it as it is.
#[tokio::test]
async fn key_with_a_wrong_number_is_refused_in_every_form() {
    let harness = Harness::new();
    let (mut judged, mut refused) = (Vec::new(), 0);
    for (held, values) in every_key() {
        let kind = held.object_type();
        if !matches!(kind, ObjectType::PrivateKey | ObjectType::PublicKey) {
            continue;
        }
        let Some(key) = read(&held, &values) else { continue };
        let own = held.key_block().unwrap().clone();
        for row in KeyFormatType::ROWS {
            let format = KeyFormatType(row.value);
            for (why, bad) in spoiled(&key) {
                let Ok(material) = formats::write(&bad, format) else { continue };
                let attributes = Default::default();
                let block = KeyBlock {
                    key_format_type: format,
                    key_value: Some(KeyValue::Plain { material, attributes }),
                    cryptographic_length: None,
                    ..own.clone()
                };
                let bad = object(kind, block).unwrap();
                let found = bring(&harness, bad.clone(), values.clone()).await;
                let case = format!("{kind:?} {:?} {format:?}: {why}", own.cryptographic_algorithm);
                assert_eq!(found, REFUSED, "{case}");
                refused += 1;
                judged.push(format!("{format:?}"));
                if own.key_format_type != format {
                    continue;
                }
                for version in Version::SERVED {
                    let good = register(held.clone(), values.clone());
                    if harness.ask(*version, good).await.is_ok() {
                        let found = harness.ask(*version, register(bad.clone(), values.clone()));
                        assert_eq!(found.await.map(drop), REFUSED[0], "{case}, {version}");
                    }
                    let good = import(held.clone(), values.clone());
                    if harness.ask(*version, good).await.is_ok() {
                        let found = harness.ask(*version, import(bad.clone(), values.clone()));
                        let older = *version < Version::V2_0;
                        let expected = REFUSED[usize::from(!older)];
                        assert_eq!(found.await.map(drop), expected, "{case}, {version}");
                    }
                }
            }
        }
    }
    judged.sort();
    judged.dedup();
    for format in ["PKCS_1", "PKCS_8", "X_509", "ECPrivateKey", "TransparentRSAPrivateKey"] {
        assert!(judged.iter().any(|judged| judged == format), "{format}: {judged:?}");
    }
    for format in ["TransparentECPrivateKey", "TransparentECPublicKey", "TransparentECDSAPublicKey"]
    {
        assert!(judged.iter().any(|judged| judged == format), "{format}: {judged:?}");
    }
    assert!(refused > 150, "{refused}");
}

/// A private key that carries the public key of another, in each form that carries one.
#[tokio::test]
async fn private_key_with_the_public_key_of_another_is_refused() {
    let harness = Harness::new();
    for (curve, _) in ORDERS {
        let pair = || crate::crypto::asymmetric::Kind::Elliptic(*curve).generate().unwrap();
        let (AnyKey::EcPrivate(own), AnyKey::EcPublic(other)) = (pair().private, pair().public)
        else {
            panic!("keys on a curve")
        };
        for (point, expected) in [(own.point.clone(), [Ok(()); 2]), (Some(other.point), REFUSED)] {
            let key = AnyKey::EcPrivate(crate::crypto::keys::EcPrivate { point, ..own.clone() });
            for format in [KeyFormatType::PKCS_8, KeyFormatType::ECPrivateKey] {
                let block = formats::block(&key, format).unwrap();
                let object = object(ObjectType::PrivateKey, block).unwrap();
                let found = bring(&harness, object, vec![]).await;
                assert_eq!(found, expected, "{curve:?} {format:?}");
            }
        }
    }
    // RFC 5958, 2: the public key behind the private one; of Ed25519 also in the raw bytes.
    let pair = crate::crypto::asymmetric::Kind::Edwards(Edwards::Ed25519).generate().unwrap();
    let (AnyKey::EdwardsPrivate(_, seed), AnyKey::EdwardsPublic(_, public)) =
        (pair.private, pair.public)
    else {
        panic!("keys of Ed25519")
    };
    let mut other = public;
    other[0] ^= 1;
    for (public, expected) in [(public, [Ok(()); 2]), (other, REFUSED)] {
        let algorithm = write::sequence(&[&write::oid("1.3.101.112")]);
        let inside = write::octets(&write::octets(seed.as_bytes()));
        let carried = [&[0x81, 33, 0][..], &public].concat();
        let der = write::sequence(&[&write::small(1), &algorithm, &inside, &carried]);
        let raw = [seed.as_bytes(), &public].concat();
        for (format, bytes) in [(KeyFormatType::PKCS_8, &der[..]), (KeyFormatType::Raw, &raw)] {
            let block = KeyBlock {
                cryptographic_algorithm: Some(CryptographicAlgorithm::Ed25519),
                ..KeyBlock::plain(format, bytes)
            };
            let object = object(ObjectType::PrivateKey, block).unwrap();
            assert_eq!(bring(&harness, object, vec![]).await, expected, "{format:?}");
        }
    }
}

fn some_rsa() -> RsaPrivate {
    let key = every_key().into_iter().find_map(|(held, values)| match read(&held, &values) {
        Some(AnyKey::RsaPrivate(key)) => Some(key),
        _ => None,
    });
    key.unwrap()
}

/// One row a choice of the numbers of a transparent RSA private key (KMIP 1.4, 2.1.7.4; 2.1, 3.9):
/// those that are given must fit together, whichever are left out.
#[tokio::test]
async fn numbers_that_are_left_out_contradict_nothing() {
    let harness = Harness::new();
    let key = some_rsa();
    let object_of = |key: &RsaPrivate, given: &str| {
        let public = |number: &Number| BigInteger(number.to_signed().to_vec());
        let secret = |name: char, number: &Number| {
            given.contains(name).then(|| SecretInteger::new(&number.to_signed()))
        };
        let material = TransparentRSAPrivateKey {
            modulus: public(&key.public.n),
            public_exponent: given.contains('e').then(|| public(&key.public.e)),
            private_exponent: secret('d', &key.d),
            p: secret('p', &key.p),
            q: secret('q', &key.q),
            prime_exponent_p: secret('P', &key.dp),
            prime_exponent_q: secret('Q', &key.dq),
            crt_coefficient: secret('i', &key.qinv),
        };
        let block = KeyBlock {
            key_value: Some(KeyValue::Plain {
                material: KeyMaterial::Transparent(transparent::write(&material)),
                attributes: Default::default(),
            }),
            cryptographic_algorithm: Some(CryptographicAlgorithm::RSA),
            ..KeyBlock::plain(KeyFormatType::TransparentRSAPrivateKey, b"")
        };
        object(ObjectType::PrivateKey, block).unwrap()
    };
    for given in ["d", "ed", "p", "epq", "pq", "edp", "eqd", "edpqPQi", "edpP", "epP", "pqi", "P"] {
        let taken = bring(&harness, object_of(&key, given), vec![]).await;
        assert_eq!(taken, [Ok(()), Ok(())], "{given}");
        for (name, field) in SECRETS.iter().filter(|(name, _)| given.contains(name)) {
            // One exponent that nothing is said of contradicts nothing.
            if matches!(given, "d" | "P") {
                continue;
            }
            let mut other = key.clone();
            *field(&mut other) = changed(field(&mut key.clone()), 2);
            let found = bring(&harness, object_of(&other, given), vec![]).await;
            assert_eq!(found, REFUSED, "{given}: {name}");
        }
    }
}

/// Raw bytes, one row a key: those of an algorithm that the server computes with can be a key of
/// it; those of others can be anything.
#[tokio::test]
async fn raw_bytes_that_cannot_be_a_key_are_refused() {
    use CryptographicAlgorithm as C;
    const PRIVATE: ObjectType = ObjectType::PrivateKey;
    const PUBLIC: ObjectType = ObjectType::PublicKey;
    let harness = Harness::new();
    let p_256 = Some(RecommendedCurve::P_256);
    let ok = [Ok(()), Ok(())];
    type Row<'a> = (C, Option<RecommendedCurve>, ObjectType, &'a [u8], [Outcome; 2]);
    let rows: [Row<'_>; 9] = [
        (C::RSA, None, PRIVATE, b"garbage", REFUSED),
        (C::RSA, None, PUBLIC, b"garbage", REFUSED),
        (C::RSA, None, PRIVATE, b"-----BEGIN RSA PRIVATE KEY-----", ok),
        (C::EC, p_256, PRIVATE, &[0; 32], REFUSED),
        (C::ECDSA, p_256, PRIVATE, &[0xFF; 32], REFUSED),
        (C::ECDSA, p_256, PRIVATE, &[7; 32], ok),
        (C::ECDH, p_256, PUBLIC, &[4; 65], REFUSED),
        (C::EC, Some(RecommendedCurve::B_163), PUBLIC, &[4; 65], ok),
        (C::DSA, None, PRIVATE, b"garbage", ok),
    ];
    for (algorithm, recommended_curve, kind, bytes, expected) in rows {
        let block = KeyBlock {
            cryptographic_algorithm: Some(algorithm),
            ..KeyBlock::plain(KeyFormatType::Raw, bytes)
        };
        let domain =
            kmip::structures::CryptographicDomainParameters { q_length: None, recommended_curve };
        let values: Vec<A> = recommended_curve
            .map(|_| A::CryptographicDomainParameters(domain))
            .into_iter()
            .collect();
        let found = bring(&harness, object(kind, block).unwrap(), values).await;
        assert_eq!(found, expected, "{algorithm:?} {kind:?}");
    }
}

/// The public key in a certificate, and in a request for one, must be a key too.
#[tokio::test]
async fn certificate_whose_public_key_is_none_is_refused() {
    let harness = Harness::new();
    let refused = [Err(ResultReason::InvalidField); 2];
    let good = certificate_of_many_names();
    let spki = X509Certificate::from_der(&good).unwrap().1.public_key().raw.to_vec();
    let at = good.windows(spki.len()).position(|window| window == spki).unwrap();
    let mut bad = good.clone();
    bad[at + spki.len() - 1] ^= 1;
    for (value, expected) in [(good, [Ok(()), Ok(())]), (bad, refused)] {
        let certificate = Object::Certificate(Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: value,
        });
        assert_eq!(bring(&harness, certificate, vec![]).await, expected);
    }
    let good = der("p-256");
    // An uncompressed point of P-256 follows the name of the curve in DER (RFC 5480, 2).
    let name = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7, 3, 0x42, 0, 4];
    let at = good.windows(name.len()).position(|window| window == name).unwrap();
    let mut bad = good.clone();
    bad[at + name.len() + 63] ^= 1;
    for (value, expected) in [(good, [Ok(()), Ok(())]), (bad, refused)] {
        let request = Object::CertificateRequest(CertificateRequest {
            certificate_request_type: CertificateRequestType::PKCS_10,
            certificate_request_value: value,
        });
        assert_eq!(bring(&harness, request, vec![]).await, expected);
    }
}
