//! Keys out of keys, against RFCs, NIST and AWS.

use crate::crypto::Error;
use crate::crypto::key_derivation::{DERIVED_LEN_MAX, Source, derive};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode, DerivationMethod, HashingAlgorithm};

use kmip::objects::SecretData;
use kmip::payload::{DerivationParameters, DeriveKeyRequest};
use kmip::vocabulary::SecretDataType;

use crate::tests::harness::*;
use crate::tests::known_answers::table::{bytes, rows};

#[test]
fn what_others_have_derived() {
    for row in rows(include_str!("derivations.txt")) {
        let mut cipher = row.text(1).unwrap_or_default().split('/');
        let parameters = CryptographicParameters {
            cryptographic_algorithm: cipher.next().and_then(CryptographicAlgorithm::from_name),
            block_cipher_mode: cipher.next().and_then(BlockCipherMode::from_name),
            hashing_algorithm: row.named(2, HashingAlgorithm::from_name),
            ..CryptographicParameters::default()
        };
        let data: Vec<Vec<u8>> = row.text(4).map_or_else(Vec::new, |data| {
            data.split(',').map(|data| bytes(data, row.source)).collect()
        });
        let (key, salt, vector) = (row.bytes(3), row.optional_bytes(5), row.optional_bytes(7));
        let source = Source {
            key: &key,
            algorithm: None,
            data: &data,
            parameters: &parameters,
            vector: vector.as_deref(),
            salt: salt.as_deref(),
            iterations: row.text(6).map(|rounds| rounds.parse().unwrap()),
        };
        let method = row.named(0, DerivationMethod::from_name).unwrap();
        let expected = row.bytes(8);
        let found = derive(method, source, expected.len())
            .unwrap_or_else(|e| panic!("{}: {e}", row.source));
        assert_eq!(found.as_slice(), expected, "{}", row.source);
        // A shorter key is the beginning of a longer one.
        let half = derive(method, source, expected.len() / 2).unwrap();
        assert_eq!(half.as_slice(), &expected[..expected.len() / 2], "{}", row.source);
    }
}

/// One row a request that cannot be done: method, data, salt, rounds, bytes asked for.
#[test]
fn what_cannot_be_derived_says_so() {
    use DerivationMethod as M;
    type Row = (&'static str, M, Option<&'static [u8]>, Option<&'static [u8]>, Option<i32>, usize);
    let rows: &[Row] = &[
        ("longer than the hash", M::HASH, Some(b"x"), None, None, 33),
        ("longer than the code", M::HMAC, Some(b"x"), None, None, 33),
        ("longer than HKDF gives", M::HKDF, Some(b"x"), Some(b""), None, DERIVED_LEN_MAX + 1),
        ("nothing", M::HASH, Some(b"x"), None, None, 0),
        ("PBKDF2 without salt", M::PBKDF2, None, None, Some(1), 16),
        ("PBKDF2 without rounds", M::PBKDF2, None, Some(b"salt"), None, 16),
        ("PBKDF2 with rounds for a day", M::PBKDF2, None, Some(b"salt"), Some(i32::MAX), 16),
        ("no data", M::NIST800_108_C, None, None, None, 16),
        ("encrypted by nothing", M::ENCRYPT, Some(b"x"), None, None, 1),
        ("one datum of three", M::AWSSignatureVersion4, Some(b"x"), None, None, 32),
        ("two keys of a curve", M::AsymmetricKey, None, None, None, 32),
    ];
    for (what, method, data, salt, iterations, len) in rows {
        let parameters = CryptographicParameters::default();
        let data: Vec<Vec<u8>> = data.iter().map(|data| data.to_vec()).collect();
        let source = Source {
            key: b"a key",
            algorithm: None,
            data: &data,
            parameters: &parameters,
            vector: None,
            salt: *salt,
            iterations: *iterations,
        };
        let error = derive(*method, source, *len).err().unwrap_or_else(|| panic!("{what}"));
        assert!(matches!(error, Error::Parameters(_) | Error::Unsupported(_)), "{what}: {error:?}");
    }
}

/// Registers a secret to derive from.
async fn base(harness: &Harness, secret: &[u8]) -> String {
    let request = RegisterRequest {
        object_type: ObjectType::SecretData,
        attributes: Attributes::new([
            AttributeValue::CryptographicUsageMask(CryptographicUsageMask::DeriveKey),
            AttributeValue::ActivationDate(DateTime(0)),
        ]),
        object: Object::SecretData(SecretData {
            secret_data_type: SecretDataType::Password,
            key_block: KeyBlock::plain(KeyFormatType::Raw, secret),
        }),
        protection_storage_masks: None,
    };
    harness.ask(NEWEST, request).await.unwrap().unique_identifier
}

fn request(method: DerivationMethod, bases: &[&str], bits: usize) -> DeriveKeyRequest {
    DeriveKeyRequest {
        object_type: ObjectType::SecretData,
        unique_identifiers: bases.iter().map(|id| Identifier::from(*id)).collect(),
        derivation_method: method,
        derivation_parameters: Box::default(),
        attributes: Attributes::new([AttributeValue::CryptographicLength(
            i32::try_from(bits).unwrap(),
        )]),
    }
}

/// The same answers from Derive Key, each as a secret that is linked to its base.
#[tokio::test]
async fn derive_key_answers_the_same() {
    let harness = Harness::new();
    for row in rows(include_str!("derivations.txt")) {
        let id = base(&harness, &row.bytes(3)).await;
        let mut cipher = row.text(1).unwrap_or_default().split('/');
        let expected = row.bytes(8);
        let method = row.named(0, DerivationMethod::from_name).unwrap();
        let data = row.text(4).map_or_else(Vec::new, |data| {
            data.split(',').map(|data| SecretBytes::new(&bytes(data, row.source))).collect()
        });
        let mut asked = request(method, &[&id], expected.len() * 8);
        *asked.derivation_parameters = DerivationParameters {
            cryptographic_parameters: Some(CryptographicParameters {
                cryptographic_algorithm: cipher.next().and_then(CryptographicAlgorithm::from_name),
                block_cipher_mode: cipher.next().and_then(BlockCipherMode::from_name),
                hashing_algorithm: row.named(2, HashingAlgorithm::from_name),
                ..CryptographicParameters::default()
            }),
            initialization_vector: row.optional_bytes(7),
            derivation_data: data,
            salt: row.optional_bytes(5).map(|salt| SecretBytes::new(&salt)),
            iteration_count: row.text(6).map(|rounds| rounds.parse().unwrap()),
        };
        let answer = harness.ask(NEWEST, asked).await;
        let derived = answer.unwrap_or_else(|e| panic!("{}: {e:?}", row.source)).unique_identifier;
        let object = harness.ask(NEWEST, get(&derived)).await.unwrap().object;
        assert_eq!(key_bytes(&object), expected, "{}", row.source);
        for (of, to, link_type) in [
            (&id, &derived, LinkType::DerivedKeyLink),
            (&derived, &id, LinkType::DerivationBaseObjectLink),
        ] {
            let Some(AttributeValue::Link(link)) = attribute(&harness, of, "Link").await else {
                panic!("{}: no link", row.source);
            };
            assert_eq!(link.link_type, link_type);
            assert_eq!(link.linked_object_identifier, Identifier::from(to.as_str()));
        }
    }
}

/// PyKMIP's clients derive with HMAC and a salt, and mean HKDF: RFC 5869, A.7.
#[tokio::test]
async fn hmac_with_a_salt_is_hkdf() {
    let harness = Harness::new();
    let id = base(&harness, &[0x0C; 22]).await;
    let mut asked = request(DerivationMethod::HMAC, &[&id], 42 * 8);
    asked.derivation_parameters.cryptographic_parameters = Some(CryptographicParameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA_1),
        ..CryptographicParameters::default()
    });
    asked.derivation_parameters.derivation_data = vec![SecretBytes::new(b"")];
    asked.derivation_parameters.salt = Some(SecretBytes::new(b""));
    let derived = harness.ask(Version::V1_2, asked).await.unwrap().unique_identifier;
    let object = harness.ask(Version::V1_2, get(&derived)).await.unwrap().object;
    let expected = bytes(
        "2c91117204d745f3500d636a62f64f0ab3bae548aa53d423b0d1f27ebba6f5e5673a081d70cce7acfc48",
        "RFC 5869, A.7",
    );
    assert_eq!(key_bytes(&object), expected);
}

/// KMIP 1.4, 4.6 and 11.6: a Secret Data object stands for Derivation Data, and not beside it; what
/// is derived has a length, and a key an algorithm; every base must be one.
#[tokio::test]
async fn the_rules_of_derive_key() {
    let harness = Harness::new();
    let key = base(&harness, b"Jefe").await;
    let data = base(&harness, b"what do ya want for nothing?").await;
    let asked = request(DerivationMethod::HMAC, &[&key, &data], 256);
    let derived = harness.ask(V1_4, asked.clone()).await.unwrap().unique_identifier;
    let object = harness.ask(V1_4, get(&derived)).await.unwrap().object;
    assert_eq!(key_bytes(&object)[..4], [0x5B, 0xDC, 0xC1, 0x46], "RFC 4231, 4.3");

    let mut both = asked.clone();
    both.derivation_parameters.derivation_data = vec![SecretBytes::new(b"x")];
    assert_eq!(harness.ask(V1_4, both).await.err(), Some(ResultReason::InvalidMessage));
    let lengthless = DeriveKeyRequest { attributes: Attributes::new([]), ..asked.clone() };
    assert_eq!(harness.ask(V1_4, lengthless).await.err(), Some(ResultReason::MissingData));
    let a_key = DeriveKeyRequest { object_type: ObjectType::SymmetricKey, ..asked.clone() };
    assert_eq!(harness.ask(V1_4, a_key).await.err(), Some(ResultReason::MissingData));
    let longer = request(DerivationMethod::HMAC, &[&key, &data], 264);
    let reason = harness.ask(NEWEST, longer).await.err();
    assert_eq!(reason, Some(ResultReason::BadCryptographicParameters));
    let other = harness.create(V1_4, vec![AttributeValue::ActivationDate(DateTime(0))]).await;
    let wrong = request(DerivationMethod::HASH, &[&other], 256);
    let reason = harness.ask(NEWEST, wrong).await.err();
    assert_eq!(reason, Some(ResultReason::IncompatibleCryptographicUsageMask));
}

const V1_4: Version = Version::V1_4;
