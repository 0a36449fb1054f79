//! Create Split Key and Join Split Key.

use kmip::BigInteger;
use kmip::objects::SplitKey;
use kmip::payload::{CreateSplitKeyRequest, JoinSplitKeyRequest};
use kmip::vocabulary::SplitKeyMethod;

use crate::tests::harness::*;

const V1_4: Version = Version::V1_4;

/// A part of a secret of so many bits, as a client registers it.
struct Part<'a>(SplitKeyMethod, i32, &'a [u8], Option<&'a [u8]>);

async fn register(harness: &Harness, part: &Part<'_>, threshold: i32, bits: i32) -> String {
    let Part(method, number, bytes, prime) = part;
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, bytes);
    key_block.cryptographic_length = Some(bits);
    let object = Object::SplitKey(SplitKey {
        parts: 32,
        part_identifier: *number,
        threshold,
        method: *method,
        polynomial: None,
        prime_field_size: prime.map(|prime| BigInteger(prime.to_vec())),
        key_block,
    });
    let mask = AttributeValue::CryptographicUsageMask(CryptographicUsageMask(0));
    let request = RegisterRequest {
        object_type: ObjectType::SplitKey,
        attributes: Attributes::new([mask]),
        object,
        protection_storage_masks: None,
    };
    harness.ask(V1_4, request).await.unwrap().unique_identifier
}

async fn join(harness: &Harness, ids: &[String], to: ObjectType) -> Result<Vec<u8>, ResultReason> {
    let request = JoinSplitKeyRequest {
        object_type: to,
        unique_identifiers: ids.iter().map(|id| Identifier::from(id.as_str())).collect(),
        secret_data_type: None,
        attributes: None,
        protection_storage_masks: None,
    };
    let joined = harness.ask(V1_4, request).await?.unique_identifier;
    Ok(key_bytes(&harness.ask(V1_4, get(&joined)).await.unwrap().object))
}

/// One row a secret: source, threshold, parts, the secret that they make.
#[tokio::test]
async fn parts_that_others_made() {
    use SplitKeyMethod as M;
    // The prime of the second row: 1613.
    let prime = Some(&[0x06, 0x4D][..]);
    let rows: &[(&str, i32, &[Part<'_>], &[u8])] = &[
        (
            "FIPS 197, 4.2 and 4.2.1: {57} x {83}, {02}, {04}, {13}, on the secret {2a}",
            2,
            &[
                Part(M::PolynomialSharingGF2_8, 0x02, &[0x2A ^ 0xAE], None),
                Part(M::PolynomialSharingGF2_8, 0x04, &[0x2A ^ 0x47], None),
                Part(M::PolynomialSharingGF2_8, 0x13, &[0x2A ^ 0xFE], None),
            ],
            &[0x2A],
        ),
        (
            "Wikipedia, Shamir's secret sharing: 1234 + 166 x + 94 x^2 modulo 1613",
            3,
            &[
                Part(M::PolynomialSharingPrimeField, 2, &[0x01, 0x49], prime),
                Part(M::PolynomialSharingPrimeField, 4, &[0x00, 0xB0], prime),
                Part(M::PolynomialSharingPrimeField, 5, &[0x04, 0xA4], prime),
            ],
            &[0x04, 0xD2],
        ),
        (
            "KMIP 1.4, 2.2.5: XOR of all parts",
            3,
            &[
                Part(M::XOR, 1, &[0xF0, 0x0F], None),
                Part(M::XOR, 2, &[0x3C, 0xC3], None),
                Part(M::XOR, 3, &[0x55, 0xAA], None),
            ],
            &[0xF0 ^ 0x3C ^ 0x55, 0x0F ^ 0xC3 ^ 0xAA],
        ),
    ];
    let harness = Harness::new();
    for (source, threshold, parts, secret) in rows {
        let bits = i32::try_from(secret.len() * 8).unwrap();
        let mut ids = Vec::new();
        for part in *parts {
            ids.push(register(&harness, part, *threshold, bits).await);
        }
        let joined = join(&harness, &ids, ObjectType::SecretData).await;
        assert_eq!(joined.as_deref(), Ok(*secret), "{source}");
        let too_few = join(&harness, &ids[..1], ObjectType::SecretData).await;
        assert_eq!(too_few, Err(ResultReason::CryptographicFailure), "{source}");
    }
}

/// 1.4, 4.38 and 4.39: a key that stands is split, and enough of its parts make it again.
#[tokio::test]
async fn a_key_comes_back_from_its_parts() {
    let harness = Harness::new();
    let key = harness.create(V1_4, vec![name("whole")]).await;
    let whole = key_bytes(&harness.ask(V1_4, get(&key)).await.unwrap().object);
    let mut prime = vec![0xFF; 66];
    prime[0] = 1;
    for (method, threshold, prime) in [
        (SplitKeyMethod::XOR, 4, None),
        (SplitKeyMethod::PolynomialSharingGF2_8, 3, None),
        (SplitKeyMethod::PolynomialSharingGF2_16, 2, None),
        (SplitKeyMethod::PolynomialSharingPrimeField, 3, Some(BigInteger(prime))),
    ] {
        let request = CreateSplitKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifier: id(&key),
            split_key_parts: 4,
            split_key_threshold: threshold,
            split_key_method: method,
            prime_field_size: prime,
            attributes: Attributes::default(),
            protection_storage_masks: None,
        };
        let ids = harness.ask(V1_4, request).await.unwrap().unique_identifiers;
        assert_eq!(ids.len(), 4);
        let some = &ids[4 - usize::try_from(threshold).unwrap()..];
        let joined = join(&harness, some, ObjectType::SymmetricKey).await;
        assert_eq!(joined.as_ref(), Ok(&whole), "{method:?}");
        let stranger = join(&harness.beside("mallory"), some, ObjectType::SymmetricKey).await;
        assert_eq!(stranger, Err(ResultReason::ItemNotFound), "{method:?}");
    }
}

/// A key that may not leave does not leave in parts.
#[tokio::test]
async fn parts_are_no_freer_than_their_key() {
    let harness = Harness::new();
    let key = harness.create(V1_4, vec![AttributeValue::Extractable(false)]).await;
    let request = CreateSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: id(&key),
        split_key_parts: 2,
        split_key_threshold: 2,
        split_key_method: SplitKeyMethod::XOR,
        prime_field_size: None,
        attributes: Attributes::new([AttributeValue::Extractable(true)]),
        protection_storage_masks: None,
    };
    let ids = harness.ask(V1_4, request).await.unwrap().unique_identifiers;
    for part in &ids {
        let refused = harness.ask(V1_4, get(part)).await.map(drop);
        assert_eq!(refused, Err(ResultReason::NotExtractable));
    }
    let request = JoinSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: ids.iter().map(|id| Identifier::from(id.as_str())).collect(),
        secret_data_type: None,
        attributes: Some(Attributes::new([AttributeValue::Extractable(true)])),
        protection_storage_masks: None,
    };
    let joined = harness.ask(V1_4, request).await.unwrap().unique_identifier;
    let refused = harness.ask(V1_4, get(&joined)).await.map(drop);
    assert_eq!(refused, Err(ResultReason::NotExtractable));
}
