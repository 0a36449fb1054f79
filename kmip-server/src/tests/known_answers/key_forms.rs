//! What an object is said to be and cannot be is refused where it comes in, by Register and by
//! Import: each Key Format Type for each Object Type, with keys in every form, and each algorithm
//! (KMIP 1.4, 2.1.3 and 2.2; 2.1, 2 and 3.1).

use kmip::attributes::AllAttributes;
use kmip::objects::{KeyWrappingData, PGPKey, SecretData, SplitKey};
use kmip::payload::ImportRequest;
use kmip::structures::CryptographicDomainParameters;
use kmip::vocabulary::{RecommendedCurve, SecretDataType, SplitKeyMethod, WrappingMethod};

use crate::crypto::formats::pkcs12::{self, Contents};
use crate::crypto::formats::{self, Hint};
use crate::crypto::keys::der as write;
use crate::objects::key_lengths;
use crate::tests::harness::*;
use crate::tests::known_answers::stanzas::{Stanza, of_kind};
use AttributeValue as A;

const CASES: &str = include_str!("formats.txt");

/// One row a Key Format Type: the objects that can have it (KMIP 1.4, 2.1.3 and 2.2; 2.1, 11.25).
const FORMS: &str = "
    Raw                           SymmetricKey PublicKey PrivateKey SecretData SplitKey PGPKey
    Opaque                        SymmetricKey PublicKey PrivateKey SecretData SplitKey PGPKey
    PKCS_1                        PublicKey PrivateKey SplitKey
    PKCS_8                        PrivateKey SplitKey
    X_509                         PublicKey SplitKey
    ECPrivateKey                  PrivateKey SplitKey
    TransparentSymmetricKey       SymmetricKey SplitKey
    TransparentDSAPrivateKey      PrivateKey SplitKey
    TransparentDSAPublicKey       PublicKey SplitKey
    TransparentRSAPrivateKey      PrivateKey SplitKey
    TransparentRSAPublicKey       PublicKey SplitKey
    TransparentDHPrivateKey       PrivateKey SplitKey
    TransparentDHPublicKey        PublicKey SplitKey
    TransparentECDSAPrivateKey    PrivateKey SplitKey
    TransparentECDSAPublicKey     PublicKey SplitKey
    TransparentECDHPrivateKey     PrivateKey SplitKey
    TransparentECDHPublicKey      PublicKey SplitKey
    TransparentECMQVPrivateKey    PrivateKey SplitKey
    TransparentECMQVPublicKey     PublicKey SplitKey
    TransparentECPrivateKey       PrivateKey SplitKey
    TransparentECPublicKey        PublicKey SplitKey
    PKCS_12                       PrivateKey SplitKey
    PKCS_10
";

pub(super) fn rows(table: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    table.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let mut words = line.split_whitespace();
        (words.next().unwrap(), words.collect())
    })
}

/// The objects that have a key block; of the others none is said to be a key.
pub(super) fn kinds() -> Vec<ObjectType> {
    let kinds = ObjectType::ROWS.iter().map(|row| ObjectType(row.value));
    let served = |kind: &ObjectType| Version::SERVED.iter().any(|v| kind.exists_in(*v));
    let kinds = kinds.filter(served);
    kinds.filter(|kind| object(*kind, KeyBlock::plain(KeyFormatType::Raw, b"")).is_some()).collect()
}

pub(super) fn object(kind: ObjectType, key_block: KeyBlock) -> Option<Object> {
    Some(match kind {
        ObjectType::SymmetricKey => Object::SymmetricKey(Key { key_block }),
        ObjectType::PublicKey => Object::PublicKey(Key { key_block }),
        ObjectType::PrivateKey => Object::PrivateKey(Key { key_block }),
        ObjectType::SecretData => {
            Object::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block })
        }
        ObjectType::PGPKey => Object::PGPKey(PGPKey { version: 4, key_block }),
        ObjectType::SplitKey => Object::SplitKey(SplitKey {
            parts: 2,
            part_identifier: 1,
            threshold: 2,
            method: SplitKeyMethod::XOR,
            polynomial: None,
            prime_field_size: None,
            key_block,
        }),
        ObjectType::Certificate
        | ObjectType::CertificateRequest
        | ObjectType::OpaqueObject
        | ObjectType::Template => return None,
        other => panic!("{other:?}: has it a key block?"),
    })
}

/// A key in a form.
struct Held {
    source: String,
    kind: ObjectType,
    algorithm: CryptographicAlgorithm,
    curve: Option<RecommendedCurve>,
    length: i32,
    format: KeyFormatType,
    material: KeyMaterial,
}

impl Held {
    /// The key as it is said to be in another form.
    fn block(&self, format: KeyFormatType) -> KeyBlock {
        KeyBlock {
            key_value: Some(KeyValue::Plain {
                material: self.material.clone(),
                attributes: Default::default(),
            }),
            cryptographic_algorithm: Some(self.algorithm),
            cryptographic_length: Some(self.length),
            ..KeyBlock::plain(format, b"")
        }
    }

    fn values(&self, kind: ObjectType) -> Vec<A> {
        let domain =
            CryptographicDomainParameters { q_length: None, recommended_curve: self.curve };
        let is_of_a_pair = matches!(kind, ObjectType::PublicKey | ObjectType::PrivateKey);
        let domain = self.curve.filter(|_| is_of_a_pair).map(|_| domain);
        domain.into_iter().map(A::CryptographicDomainParameters).collect()
    }

    fn bytes(&self) -> Option<&[u8]> {
        match &self.material {
            KeyMaterial::Bytes(bytes) => Some(bytes.as_bytes()),
            KeyMaterial::Transparent(_) => None,
        }
    }

    fn is_on_25519(&self) -> bool {
        self.algorithm == CryptographicAlgorithm::Ed25519
            || self.curve == Some(RecommendedCurve::CURVE25519)
    }

    /// Can it be an object of this kind in this form?
    fn can_be(&self, kind: ObjectType, format: KeyFormatType) -> bool {
        use KeyFormatType as F;
        let name = format.name().unwrap();
        let (_, kinds) = rows(FORMS).find(|(form, _)| *form == name).unwrap();
        if !kinds.contains(&kind.name().unwrap()) {
            return false;
        }
        let is_symmetric = self.algorithm == CryptographicAlgorithm::AES;
        let bytes = self.bytes();
        match (kind, format, bytes) {
            (ObjectType::SplitKey, _, None) => name.starts_with("Transparent"),
            (ObjectType::SplitKey, _, Some(_)) => true,
            (ObjectType::SecretData, _, bytes) => bytes.is_some(),
            (ObjectType::PGPKey, F::Opaque, bytes) => bytes.is_some(),
            (ObjectType::PGPKey, _, bytes) => bytes.is_some_and(|bytes| bytes[0] >= 0x80),
            (ObjectType::SymmetricKey, F::Raw | F::Opaque, bytes) => {
                is_symmetric && bytes.is_some_and(|bytes| bytes.len() == 32)
            }
            (ObjectType::SymmetricKey, ..) => is_symmetric && self.format == format,
            _ if is_symmetric => false,
            (_, F::Opaque, bytes) => bytes.is_some(),
            // Some programs call DER raw; the numbers of an RSA key have no such form.
            (_, F::Raw, Some(bytes)) if self.algorithm == CryptographicAlgorithm::RSA => {
                bytes[0] == 0x30
            }
            // The seed of RFC 8410, 10.3, is no point of the curve.
            (ObjectType::PublicKey, F::Raw, Some(bytes))
                if self.algorithm == CryptographicAlgorithm::Ed25519 =>
            {
                kind == self.kind && bytes.len() == 32
            }
            (_, F::Raw, bytes) => {
                bytes.is_some_and(|bytes| !self.is_on_25519() || bytes.len() == 32)
            }
            // "Supporting both the RSAPrivateKey syntax and EncryptedPrivateKey" (KMIP 1.4, 2.1.3).
            (_, F::PKCS_8, _) if self.format == F::PKCS_1 => kind == self.kind,
            _ => kind == self.kind && shape(format) == shape(self.format),
        }
    }
}

/// Forms whose structures are the same, up to the name.
fn shape(format: KeyFormatType) -> String {
    let name = format.name().unwrap_or("none");
    ["ECDSA", "ECDH", "ECMQV"].iter().fold(name.to_owned(), |name, old| {
        name.replace(&format!("Transparent{old}"), "TransparentEC")
    })
}

/// Keys of every algorithm in every form that they have, and bytes that are none.
fn all() -> Vec<Held> {
    let mut all = Vec::new();
    for kind in [ObjectType::PrivateKey, ObjectType::PublicKey] {
        for stanza in of_kind(CASES, &format!("{kind:?}")) {
            all.extend(of_stanza(kind, &stanza));
        }
    }
    let symmetric = formats::write(
        &crate::crypto::keys::Key::Symmetric(SecretBytes::new(&[7; 32])),
        KeyFormatType::TransparentSymmetricKey,
    );
    for (format, material) in [
        (KeyFormatType::Raw, KeyMaterial::Bytes(SecretBytes::new(&[7; 32]))),
        (KeyFormatType::TransparentSymmetricKey, symmetric.unwrap()),
    ] {
        all.push(Held {
            source: "32 bytes".to_owned(),
            kind: ObjectType::SymmetricKey,
            algorithm: CryptographicAlgorithm::AES,
            curve: None,
            length: 256,
            format,
            material,
        });
    }
    all.push(Held {
        source: "no key at all".to_owned(),
        kind: ObjectType::PrivateKey,
        algorithm: CryptographicAlgorithm::RSA,
        curve: None,
        length: 2048,
        format: KeyFormatType(0x8000_0001),
        material: KeyMaterial::Bytes(SecretBytes::new(b"garbage")),
    });
    all
}

fn of_stanza(kind: ObjectType, stanza: &Stanza) -> Vec<Held> {
    let algorithm = CryptographicAlgorithm::from_name(stanza.word("algorithm")).unwrap();
    let curve = RecommendedCurve::from_name(stanza.word("curve"));
    let length = stanza.word("length").parse().unwrap();
    let hint = Hint { algorithm: Some(algorithm), curve };
    let held = |format, material| Held {
        source: stanza.source().to_owned(),
        kind,
        algorithm,
        curve,
        length,
        format,
        material,
    };
    let mut all = Vec::new();
    let mut key = None;
    for row in KeyFormatType::ROWS.iter().filter(|row| !stanza.word(row.name).is_empty()) {
        let format = KeyFormatType(row.value);
        let block = KeyBlock::plain(format, &stanza.bytes(row.name));
        key = key.or_else(|| formats::read(kind, &block, hint).ok());
        all.push(held(format, KeyMaterial::Bytes(SecretBytes::new(&stanza.bytes(row.name)))));
    }
    let key = key.unwrap();
    if let Some(format) = KeyFormatType::from_name(stanza.word("transparent")) {
        all.push(held(format, formats::write(&key, format).unwrap()));
    }
    if stanza.source().contains("prime256v1") {
        let contents =
            Contents { key: Some(&key), certificates: &[], friendly_name: "a", password: "b" };
        let container = pkcs12::write(&contents).unwrap();
        all.push(held(KeyFormatType::PKCS_12, KeyMaterial::Bytes(SecretBytes::new(&container))));
    }
    all
}

/// Keys of every algorithm in every form that they have, as objects of their kind, and each kind of
/// object with symmetric ones; with the attributes that they need.
pub(super) fn every_key() -> Vec<(Object, Vec<A>)> {
    let mut keys = Vec::new();
    for held in all() {
        let is_own = |kind| kind == held.kind || held.kind == ObjectType::SymmetricKey;
        for kind in kinds().into_iter().filter(|kind| is_own(*kind)) {
            let is_known = held.format.name().is_some();
            if is_known && held.can_be(kind, held.format) {
                keys.extend(object(kind, held.block(held.format)).map(|o| (o, held.values(kind))));
            }
        }
    }
    keys
}

pub(super) fn import(object: Object, values: Vec<A>) -> ImportRequest {
    let mask = A::CryptographicUsageMask(CryptographicUsageMask(0));
    ImportRequest {
        unique_identifier: "imported".to_owned(),
        object_type: Some(object.object_type()),
        replace_existing: Some(true),
        key_wrap_type: None,
        attributes: AllAttributes(values.into_iter().chain([mask]).map(Attribute::from).collect()),
        object,
    }
}

pub(super) fn register(object: Object, values: Vec<A>) -> RegisterRequest {
    let mask = A::CryptographicUsageMask(CryptographicUsageMask(0));
    RegisterRequest {
        object_type: object.object_type(),
        attributes: Attributes::new(values.into_iter().chain([mask])),
        object,
        protection_storage_masks: None,
    }
}

pub(super) type Outcome = Result<(), ResultReason>;

/// What comes of the object by Register and by Import.
pub(super) async fn bring(harness: &Harness, object: Object, values: Vec<A>) -> [Outcome; 2] {
    let registered = harness.ask(NEWEST, register(object.clone(), values.clone())).await;
    let imported = harness.ask(NEWEST, import(object, values)).await;
    [registered.map(drop), imported.map(drop)]
}

#[test]
fn every_form_is_classified() {
    let named: Vec<&str> = rows(FORMS).map(|(name, _)| name).collect();
    let known: Vec<&str> = KeyFormatType::ROWS.iter().map(|row| row.name).collect();
    assert_eq!(named, known);
}

/// Every key in every form, said to be in every other form and an object of every kind.
#[tokio::test]
async fn key_that_cannot_be_in_its_form_is_refused() {
    let harness = Harness::new();
    let refused = [Err(ResultReason::InvalidField), Err(ResultReason::InvalidAttributeValue)];
    for held in all() {
        for kind in kinds() {
            for row in KeyFormatType::ROWS {
                let format = KeyFormatType(row.value);
                let object = object(kind, held.block(format)).unwrap();
                let [registered, imported] = bring(&harness, object, held.values(kind)).await;
                let case = format!("{} {:?}, as {kind:?} {format:?}", held.source, held.format);
                let expected = match held.can_be(kind, format) {
                    true => [Ok(()), Ok(())],
                    false => refused,
                };
                assert_eq!(imported, expected[1], "{case}: Import");
                // A container is registered with a link to its password.
                if format != KeyFormatType::PKCS_12 || kind != ObjectType::PrivateKey {
                    assert_eq!(registered, expected[0], "{case}: Register");
                }
            }
        }
    }
}

/// Of a key that is elsewhere, or wrapped with a key that is elsewhere, only the form is known.
#[tokio::test]
async fn form_of_a_key_that_is_not_here_is_checked() {
    let harness = Harness::new();
    for kind in kinds() {
        for (name, can) in rows(FORMS) {
            let format = KeyFormatType::from_name(name).unwrap();
            let elsewhere = KeyBlock { key_value: None, ..KeyBlock::plain(format, b"") };
            let wrapping = KeyWrappingData {
                wrapping_method: WrappingMethod::Encrypt,
                encryption_key_information: None,
                mac_signature_key_information: None,
                mac_signature: None,
                iv_counter_nonce: None,
                encoding_option: None,
            };
            let wrapped = KeyBlock {
                key_value: Some(KeyValue::Wrapped(SecretBytes::new(&[1; 40]))),
                key_wrapping_data: Some(Box::new(wrapping)),
                ..elsewhere.clone()
            };
            for block in [elsewhere, wrapped] {
                let object = object(kind, block).unwrap();
                let imported = harness.ask(NEWEST, import(object, vec![])).await.map(drop);
                let expected = match can.contains(&kind.name().unwrap()) {
                    true => Ok(()),
                    false => Err(ResultReason::InvalidAttributeValue),
                };
                assert_eq!(imported, expected, "{kind:?} {name}");
            }
        }
    }
}

/// One row a key that this server cannot compute with, and keeps.
#[tokio::test]
async fn keys_that_are_only_kept() {
    use KeyFormatType as F;
    let one = write::small(1);
    let numbers: Vec<&[u8]> = core::iter::repeat_n(one.as_slice(), 9).collect();
    let three_primes = [numbers, vec![&[0x30, 0]]].concat();
    let encrypted = [&write::sequence(&[&write::oid("1.2.840.113549.1.5.13")])[..], &[4, 1, 7]];
    let curve = write::oid("1.2.3.4");
    let elliptic = write::sequence(&[&write::oid("1.2.840.10045.2.1"), &curve]);
    let ec_private = write::sequence(&[&one, &write::octets(&[7; 32])]);
    let other = write::sequence(&[&write::oid("1.2.643.7.1.1.1.1")]);
    let zero: &[u8] = &[2, 1, 0];
    let private =
        |algorithm: &[u8], key: &[u8]| write::sequence(&[zero, algorithm, &write::octets(key)]);
    let rows = [
        ("RSA of three primes", F::PKCS_1, ObjectType::PrivateKey, write::sequence(&three_primes)),
        ("encrypted", F::PKCS_8, ObjectType::PrivateKey, write::sequence(&encrypted)),
        ("unknown curve", F::PKCS_8, ObjectType::PrivateKey, private(&elliptic, &ec_private)),
        ("unknown algorithm", F::PKCS_8, ObjectType::PrivateKey, private(&other, &[4, 1, 7])),
        ("no curve", F::ECPrivateKey, ObjectType::PrivateKey, ec_private.clone()),
        (
            "unknown curve",
            F::X_509,
            ObjectType::PublicKey,
            write::sequence(&[&elliptic, &write::bits(&[4, 1, 2])]),
        ),
        (
            "unknown algorithm",
            F::X_509,
            ObjectType::PublicKey,
            write::sequence(&[&other, &write::bits(&[4, 1, 2])]),
        ),
        ("an extension", F(0x8000_0001), ObjectType::SymmetricKey, write::octets(b"x")),
    ];
    let harness = Harness::new();
    for (what, format, kind, bytes) in rows {
        let object = object(kind, KeyBlock::plain(format, &bytes)).unwrap();
        let values = match kind {
            ObjectType::SymmetricKey => {
                vec![A::CryptographicAlgorithm(CryptographicAlgorithm::ARIA)]
            }
            _ => vec![],
        };
        let kept = bring(&harness, object, values).await;
        assert_eq!(kept, [Ok(()), Ok(())], "{what}, {format:?}");
    }
}

/// One row an algorithm: the keys that can be said to be for it. `-` is one that says nothing here.
const ALGORITHMS: &str = "
    DES S, DES3 S, AES S, RSA R, DSA D, ECDSA C, HMAC_SHA1 S, HMAC_SHA224 S, HMAC_SHA256 S,
    HMAC_SHA384 S, HMAC_SHA512 S, HMAC_MD5 S, DH H, ECDH C, ECMQV C, Blowfish S, Camellia S,
    CAST5 S, IDEA S, MARS S, RC2 S, RC4 S, RC5 S, SKIPJACK S, Twofish S, EC C, OneTimePad S,
    ChaCha20 S, Poly1305 S, ChaCha20Poly1305 S, SHA3_224 -, SHA3_256 -, SHA3_384 -, SHA3_512 -,
    HMAC_SHA3_224 S, HMAC_SHA3_256 S, HMAC_SHA3_384 S, HMAC_SHA3_512 S, SHAKE_128 -, SHAKE_256 -,
    ARIA S, SEED S, SM2 C, SM3 -, SM4 S, GOSTR34_10_2012 -, GOSTR34_11_2012 -, GOSTR34_13_2015 S,
    GOST28147_89 S, XMSS -, SPHINCS_256 -, McEliece -, McEliece_6960119 -, McEliece_8192128 -,
    Ed25519 C, Ed448 C, ML_KEM_512 -, ML_KEM_768 -, ML_KEM_1024 -, ML_DSA_44 -, ML_DSA_65 -,
    ML_DSA_87 -, SLH_DSA_SHA2_128s -, SLH_DSA_SHA2_128f -, SLH_DSA_SHA2_192s -,
    SLH_DSA_SHA2_192f -, SLH_DSA_SHA2_256s -, SLH_DSA_SHA2_256f -, SLH_DSA_SHAKE_128s -,
    SLH_DSA_SHAKE_128f -, SLH_DSA_SHAKE_192s -, SLH_DSA_SHAKE_192f -, SLH_DSA_SHAKE_256s -,
    SLH_DSA_SHAKE_256f -
";

fn families() -> Vec<(CryptographicAlgorithm, &'static str)> {
    let words = ALGORITHMS.split(',').map(|word| word.trim().split_once(' ').unwrap());
    words
        .map(|(name, family)| (CryptographicAlgorithm::from_name(name).expect(name), family))
        .collect()
}

/// Every key, said to be for every algorithm.
#[tokio::test]
async fn key_that_cannot_be_for_its_algorithm_is_refused() {
    let families = families();
    let known: Vec<_> = families.iter().map(|(algorithm, _)| algorithm.0).collect();
    let rows: Vec<_> = CryptographicAlgorithm::ROWS.iter().map(|row| row.value).collect();
    assert_eq!(known, rows, "an algorithm is not classified");
    let harness = Harness::new();
    let family = |wanted| families.iter().find(|(algorithm, _)| *algorithm == wanted).unwrap().1;
    for held in all().into_iter().filter(|held| held.format.row().is_some()) {
        // The bytes of a raw key, and those in a container, do not say what they are for.
        let is_silent = matches!(held.format, KeyFormatType::Raw | KeyFormatType::PKCS_12);
        for (algorithm, said) in &families {
            let mut block = held.block(held.format);
            block.cryptographic_algorithm = Some(*algorithm);
            if held.kind == ObjectType::SymmetricKey {
                // As long as keys of the algorithm are.
                let bits = key_lengths::symmetric_length(*algorithm, None).unwrap_or(256);
                let bytes = vec![7; key_lengths::key_bytes(*algorithm, bits)];
                let key = crate::crypto::keys::Key::Symmetric(SecretBytes::new(&bytes));
                block = formats::block(&key, held.format).unwrap();
                block.cryptographic_algorithm = Some(*algorithm);
                block.cryptographic_length = Some(bits);
            }
            let own = family(held.algorithm);
            let is_for = match held.kind {
                ObjectType::SymmetricKey => matches!(*said, "S" | "-"),
                _ if held.format == KeyFormatType::Raw && *said == "R" => false,
                _ => *said == own || *said == "-" || (is_silent && *said != "S"),
            };
            let object = object(held.kind, block).unwrap();
            let [registered, imported] = bring(&harness, object, held.values(held.kind)).await;
            let case = format!("{} {:?} for {algorithm:?}", held.source, held.format);
            // A raw key on one of the two curves that are 32 bytes is read by its algorithm alone.
            if held.format == KeyFormatType::Raw && held.is_on_25519() && *said == "C" {
                continue;
            }
            assert_eq!(imported.is_ok(), is_for, "{case}: Import {imported:?}");
            if held.format != KeyFormatType::PKCS_12 {
                assert_eq!(registered.is_ok(), is_for, "{case}: Register {registered:?}");
            }
        }
    }
}
