//! RSA, ECDSA, Ed25519 and key agreement, as the operations ask for them.

use crate::crypto::asymmetric::{self, Input, Scheme};
use crate::crypto::keys::{EcPrivate, EcPublic, Edwards, Key as Neutral, Number, pkcs};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{HashingAlgorithm, PaddingMethod, RecommendedCurve};

use crate::tests::harness::SecretBytes;
use crate::tests::known_answers::stanzas::{Stanza, of_kind};

const CASES: &str = include_str!("asymmetric.txt");

fn hash(stanza: &Stanza, name: &str) -> Option<HashingAlgorithm> {
    let word = stanza.word(name);
    (!word.is_empty()).then(|| HashingAlgorithm::from_name(word).expect("a hash"))
}

fn parameters(stanza: &Stanza, padding: PaddingMethod) -> CryptographicParameters {
    let salt = stanza.word("salt");
    CryptographicParameters {
        padding_method: Some(padding),
        hashing_algorithm: hash(stanza, "hash"),
        mask_generator_hashing_algorithm: hash(stanza, "mask"),
        salt_length: (!salt.is_empty()).then(|| salt.parse().unwrap()),
        p_source: Some(stanza.bytes("label")).filter(|label| !label.is_empty()),
        ..CryptographicParameters::default()
    }
}

fn private(stanza: &Stanza) -> Neutral {
    Neutral::RsaPrivate(pkcs::read_rsa_private(&stanza.bytes("key")).expect("a key"))
}

fn curve(stanza: &Stanza) -> RecommendedCurve {
    RecommendedCurve::from_name(stanza.word("curve")).expect("a curve")
}

/// What others encrypted is decrypted, and what is encrypted here comes back; a bit more or less
/// does not.
#[test]
fn encryption() {
    for (kind, padding) in
        [("oaep", PaddingMethod::OAEP), ("pkcs1-encryption", PaddingMethod::PKCS1V1_5)]
    {
        for stanza in of_kind(CASES, kind) {
            let (key, parameters) = (private(&stanza), parameters(&stanza, padding));
            let (message, encrypted) = (stanza.bytes("message"), stanza.bytes("encrypted"));
            let plain = asymmetric::decrypt(&key, &parameters, &encrypted);
            assert_eq!(plain.as_deref(), Ok(&message), "{}", stanza.source());
            let public = asymmetric::public_of(&key).unwrap();
            let again = asymmetric::encrypt(&public, &parameters, &message).unwrap();
            assert_ne!(again, encrypted);
            let plain = asymmetric::decrypt(&key, &parameters, &again).unwrap();
            assert_eq!(plain.as_slice(), message, "{}", stanza.source());
            let mut spoilt = encrypted;
            spoilt[20] ^= 1;
            let plain = asymmetric::decrypt(&key, &parameters, &spoilt);
            // The crate rsa answers a wrong padding of PKCS#1 1.5 with bytes that mean nothing.
            assert!(plain.is_err() || plain.unwrap().as_slice() != message);
        }
    }
}

#[test]
fn raw_rsa_is_its_own_inverse() {
    let stanza = &of_kind(CASES, "oaep")[1];
    let raw = CryptographicParameters {
        padding_method: Some(PaddingMethod::None),
        ..CryptographicParameters::default()
    };
    let (key, encrypted) = (private(stanza), stanza.bytes("encrypted"));
    let plain = asymmetric::decrypt(&key, &raw, &encrypted).unwrap();
    assert_eq!(plain.first(), Some(&0), "an encoded message begins with zero (RFC 8017, 7.1.1)");
    assert_eq!(asymmetric::encrypt(&key, &raw, &plain).unwrap(), encrypted);
    let modulus = vec![0xFF; encrypted.len()];
    assert!(asymmetric::encrypt(&key, &raw, &modulus).is_err(), "it is no less than the modulus");
}

/// Signatures of PKCS#1 1.5 are the same whoever makes them.
#[test]
fn signatures_that_are_always_the_same() {
    for stanza in of_kind(CASES, "pkcs1-signature") {
        let (key, parameters) = (private(&stanza), parameters(&stanza, PaddingMethod::PKCS1V1_5));
        let scheme = Scheme::of(&key, &parameters).unwrap();
        let message = stanza.bytes("message");
        let signature = asymmetric::sign(&key, &scheme, Input::Data(&message)).unwrap();
        assert_eq!(signature, stanza.bytes("signature"), "{}", stanza.source());
    }
    for stanza in of_kind(CASES, "ed25519") {
        let seed = SecretBytes::new(&stanza.bytes("private"));
        let key = Neutral::EdwardsPrivate(Edwards::Ed25519, seed);
        let public = stanza.bytes("public").try_into().unwrap();
        let public = Neutral::EdwardsPublic(Edwards::Ed25519, public);
        assert!(asymmetric::public_of(&key).unwrap() == public, "{}", stanza.source());
        let (message, expected) = (stanza.bytes("message"), stanza.bytes("signature"));
        let input = Input::Data(&message);
        let signature = asymmetric::sign(&key, &Scheme::Ed25519, input).unwrap();
        assert_eq!(signature, expected, "{}", stanza.source());
        assert!(asymmetric::verify(&public, &Scheme::Ed25519, input, &expected).unwrap());
        assert!(
            !asymmetric::verify(&public, &Scheme::Ed25519, Input::Data(b"?"), &expected).unwrap()
        );
    }
}

/// Signatures with a salt: what others made is valid, and what is made here is; the salt of
/// another length is not, unless no length is named.
#[test]
fn signatures_with_a_salt() {
    for stanza in of_kind(CASES, "pss") {
        let key = private(&stanza);
        let message = stanza.bytes("message");
        let mut parameters = parameters(&stanza, PaddingMethod::PSS);
        let scheme = Scheme::of(&key, &parameters).unwrap();
        let expected = stanza.bytes("signature");
        let verify = |scheme: &Scheme, signature: &[u8]| {
            asymmetric::verify(&key, scheme, Input::Data(&message), signature).unwrap()
        };
        assert!(verify(&scheme, &expected), "{}", stanza.source());
        let own = asymmetric::sign(&key, &scheme, Input::Data(&message)).unwrap();
        assert!(verify(&scheme, &own), "{}", stanza.source());
        for hashes in ["SHA_256", "SHA3_256", "MD5"].map(HashingAlgorithm::from_name) {
            for salt_length in [None, Some(0), Some(7), Some(94)] {
                parameters.hashing_algorithm = hashes;
                parameters.salt_length = salt_length;
                let scheme = Scheme::of(&key, &parameters).unwrap();
                let own = asymmetric::sign(&key, &scheme, Input::Data(&message)).unwrap();
                assert!(verify(&scheme, &own), "{} {hashes:?} {salt_length:?}", stanza.source());
                parameters.salt_length = Some(8);
                let other = Scheme::of(&key, &parameters).unwrap();
                assert!(!verify(&other, &own), "{} {hashes:?} {salt_length:?}", stanza.source());
            }
        }
    }
}

/// The longest salt that there is room for, as in the signature of CS-AC-M-2.
#[test]
fn the_longest_salt() {
    let stanza = &of_kind(CASES, "pss")[1];
    let key = private(stanza);
    let longest = |hash: HashingAlgorithm, salt_length| {
        let parameters = CryptographicParameters {
            padding_method: Some(PaddingMethod::PSS),
            hashing_algorithm: Some(hash),
            salt_length: Some(salt_length),
            ..CryptographicParameters::default()
        };
        let scheme = Scheme::of(&key, &parameters).unwrap();
        let signature = asymmetric::sign(&key, &scheme, Input::Data(b"data")).ok()?;
        let scheme = Scheme::of(&key, &CryptographicParameters { salt_length: None, ..parameters });
        asymmetric::verify(&key, &scheme.unwrap(), Input::Data(b"data"), &signature).ok()
    };
    assert_eq!(longest(HashingAlgorithm::SHA_256, 222), Some(true));
    assert_eq!(longest(HashingAlgorithm::SHA_256, 223), None);
    assert_eq!(longest(HashingAlgorithm::SHA_1, 234), Some(true));
}

#[test]
fn verdicts() {
    for (kind, padding) in
        [("pkcs1-verify", PaddingMethod::PKCS1V1_5), ("pss-verify", PaddingMethod::PSS)]
    {
        for stanza in of_kind(CASES, kind) {
            let key = pkcs::read_rsa_public(&stanza.bytes("key")).expect("a key");
            judge(&stanza, &Neutral::RsaPublic(key), &parameters(&stanza, padding));
        }
    }
    for stanza in of_kind(CASES, "ecdsa") {
        let key = EcPublic { curve: curve(&stanza), point: stanza.bytes("point") };
        let parameters = parameters(&stanza, PaddingMethod::None);
        judge(&stanza, &Neutral::EcPublic(key), &parameters);
    }
}

fn judge(stanza: &Stanza, key: &Neutral, parameters: &CryptographicParameters) {
    let scheme = Scheme::of(key, parameters).unwrap();
    let (message, signature) = (stanza.bytes("message"), stanza.bytes("signature"));
    let found = asymmetric::verify(key, &scheme, Input::Data(&message), &signature);
    assert_eq!(found, Ok(stanza.word("valid") == "yes"), "{}", stanza.source());
}

/// Both sides of an agreement come to the same secret, and the public key of the private one is
/// the one that the source has.
#[test]
fn agreement() {
    for stanza in of_kind(CASES, "ecdh") {
        let curve = curve(&stanza);
        let d = Number::unsigned(&stanza.bytes("private"));
        let private = Neutral::EcPrivate(EcPrivate { curve, d, point: None });
        let own = EcPublic { curve, point: stanza.bytes("own") };
        let public = asymmetric::public_of(&private).unwrap();
        assert!(public == Neutral::EcPublic(own), "{}", stanza.source());
        let other = Neutral::EcPublic(EcPublic { curve, point: stanza.bytes("point") });
        let secret = asymmetric::agree(&private, &other).unwrap();
        assert_eq!(secret.as_bytes(), stanza.bytes("secret"), "{}", stanza.source());
        // A signature of this key, which is another each time, is valid.
        let scheme = Scheme::of(&private, &CryptographicParameters::default()).unwrap();
        let signature = asymmetric::sign(&private, &scheme, Input::Data(b"data")).unwrap();
        let verify = |data| asymmetric::verify(&public, &scheme, Input::Data(data), &signature);
        assert_eq!((verify(b"data"), verify(b"dat")), (Ok(true), Ok(false)), "{}", stanza.source());
    }
    for stanza in of_kind(CASES, "x25519") {
        let seed = SecretBytes::new(&stanza.bytes("private"));
        let private = Neutral::EdwardsPrivate(Edwards::X25519, seed);
        let public = stanza.bytes("public").try_into().unwrap();
        let other = Neutral::EdwardsPublic(Edwards::X25519, public);
        let secret = asymmetric::agree(&private, &other).unwrap();
        assert_eq!(secret.as_bytes(), stanza.bytes("secret"), "{}", stanza.source());
    }
}

/// secp256k1 has no vectors of NIST; both its libraries are asked, each for what it does.
#[test]
fn secp256k1() {
    // SEC 2, 2.4.1: the base point, which is the public key of 1.
    let base = "79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798\
                483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8";
    let point = [&[4][..], &crate::tests::known_answers::stanzas::hex(base)].concat();
    let curve = RecommendedCurve::SECP256K1;
    let one = Neutral::EcPrivate(EcPrivate { curve, d: Number::unsigned(&[1]), point: None });
    let base = Neutral::EcPublic(EcPublic { curve, point: point.clone() });
    assert!(asymmetric::public_of(&one).unwrap() == base);
    let pair = asymmetric::Kind::Elliptic(curve).generate().unwrap();
    let Neutral::EcPublic(public) = &pair.public else { panic!("a point") };
    // Agreement with 1 is the public key's own first coordinate.
    let secret = asymmetric::agree(&one, &pair.public).unwrap();
    assert_eq!(Some(secret.as_bytes()), public.point.get(1..33));
    let scheme = Scheme::of(&pair.private, &CryptographicParameters::default()).unwrap();
    let signature = asymmetric::sign(&pair.private, &scheme, Input::Data(b"data")).unwrap();
    assert_eq!(
        asymmetric::verify(&pair.public, &scheme, Input::Data(b"data"), &signature),
        Ok(true)
    );
    assert_eq!(asymmetric::verify(&base, &scheme, Input::Data(b"data"), &signature), Ok(false));
}
