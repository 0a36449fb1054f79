//! Encrypt, Decrypt, MAC, MAC Verify and Hash: what the room of cryptography answers right comes
//! out right at the harness too, whole and in parts.

use kmip::InputData;
use kmip::payload::{DecryptRequest, EncryptRequest, HashRequest, MACRequest, MACVerifyRequest};
use kmip::structures::{CryptographicParameters, UsageLimits};
use kmip::vocabulary::{
    BlockCipherMode, Data, HashingAlgorithm, PaddingMethod, UsageLimitsUnit, ValidityIndicator,
};

use crate::tests::harness::*;
use crate::tests::known_answers::table::{Row, rows};

const V1_4: Version = Version::V1_4;

/// Registers a key that may be used for everything, active since 1970.
pub(crate) async fn register(
    harness: &Harness,
    algorithm: CryptographicAlgorithm,
    key: &[u8],
    more: Vec<AttributeValue>,
) -> String {
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, key);
    key_block.cryptographic_algorithm = Some(algorithm);
    key_block.cryptographic_length = Some(i32::try_from(key.len() * 8).unwrap());
    let basic = [
        AttributeValue::CryptographicUsageMask(CryptographicUsageMask(0x000F_FFFF)),
        AttributeValue::ActivationDate(DateTime(0)),
    ];
    let request = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new(basic.into_iter().chain(more)),
        object: Object::SymmetricKey(Key { key_block }),
        protection_storage_masks: None,
    };
    harness.ask(V1_4, request).await.unwrap().unique_identifier
}

pub(crate) fn data(bytes: &[u8]) -> Option<InputData> {
    Some(InputData::from(bytes))
}

fn secret(bytes: Option<SecretBytes>) -> Vec<u8> {
    bytes.map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default()
}

/// A message of `ciphers.txt`: the request to encrypt it, and the one to decrypt it.
fn requests(row: &Row<'_>, key: &str) -> (EncryptRequest, DecryptRequest) {
    let tag = row.optional_bytes(7);
    let parameters = CryptographicParameters {
        block_cipher_mode: row.named(1, BlockCipherMode::from_name),
        tag_length: tag.as_ref().map(|tag| i32::try_from(tag.len()).unwrap()),
        ..CryptographicParameters::default()
    };
    let additional = row.optional_bytes(4).map(|additional| SecretBytes::new(&additional));
    let encrypt = EncryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: Some(Box::new(parameters.clone())),
        data: data(&row.bytes(5)),
        iv_counter_nonce: row.optional_bytes(3),
        authenticated_encryption_additional_data: additional.clone(),
        ..EncryptRequest::default()
    };
    let decrypt = DecryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: Some(Box::new(parameters)),
        data: data(&row.bytes(6)),
        iv_counter_nonce: row.optional_bytes(3),
        authenticated_encryption_additional_data: additional,
        authenticated_encryption_tag: tag,
        ..DecryptRequest::default()
    };
    (encrypt, decrypt)
}

#[tokio::test]
async fn what_others_have_encrypted() {
    let harness = Harness::new();
    for row in rows(include_str!("ciphers.txt")) {
        let algorithm = row.named(0, CryptographicAlgorithm::from_name).unwrap();
        let key = register(&harness, algorithm, &row.bytes(2), vec![]).await;
        let (encrypt, decrypt) = requests(&row, &key);
        let encrypted = harness.ask(V1_4, encrypt).await.unwrap();
        assert_eq!(secret(encrypted.data), row.bytes(6), "{}", row.source);
        assert_eq!(encrypted.authenticated_encryption_tag, row.optional_bytes(7), "{}", row.source);
        assert_eq!(encrypted.iv_counter_nonce, None, "{}: the client has it", row.source);
        let decrypted = harness.ask(V1_4, decrypt).await.unwrap();
        assert_eq!(secret(decrypted.data), row.bytes(5), "{}", row.source);
    }
}

/// The same messages, in parts of 7 bytes over as many requests.
#[tokio::test]
async fn what_others_have_encrypted_comes_in_parts_too() {
    let harness = Harness::new();
    for row in rows(include_str!("ciphers.txt")).step_by(5) {
        let algorithm = row.named(0, CryptographicAlgorithm::from_name).unwrap();
        let key = register(&harness, algorithm, &row.bytes(2), vec![]).await;
        let (encrypt, _) = requests(&row, &key);
        let plain = row.bytes(5);
        let mut parts: Vec<&[u8]> = plain.chunks(7).collect();
        let last = parts.pop().unwrap_or_default();
        let first = EncryptRequest { data: None, init_indicator: Some(true), ..encrypt };
        let answer = harness.ask(V1_4, first).await.unwrap();
        let correlation = answer.correlation_value.unwrap();
        let mut out = secret(answer.data);
        let part = |data: &[u8], is_last: bool| EncryptRequest {
            unique_identifier: id(&key),
            data: Some(InputData::from(data)),
            correlation_value: Some(correlation.clone()),
            final_indicator: is_last.then_some(true),
            ..EncryptRequest::default()
        };
        for data in parts {
            let answer = harness.ask(V1_4, part(data, false)).await.unwrap();
            assert_eq!(answer.correlation_value.as_ref(), Some(&correlation));
            out.extend(secret(answer.data));
        }
        let answer = harness.ask(V1_4, part(last, true)).await.unwrap();
        out.extend(secret(answer.data));
        assert_eq!(out, row.bytes(6), "{}", row.source);
        assert_eq!(answer.authenticated_encryption_tag, row.optional_bytes(7), "{}", row.source);
        assert_eq!(answer.correlation_value, None);
        let after = harness.ask(Version::V2_0, part(b"more", true)).await;
        assert_eq!(after.err(), Some(ResultReason::InvalidCorrelationValue), "it is at its end");
    }
}

#[tokio::test]
async fn what_must_not_decrypt() {
    let harness = Harness::new();
    for row in rows(include_str!("refused.txt")).step_by(3) {
        let algorithm = row.named(0, CryptographicAlgorithm::from_name).unwrap();
        let key = register(&harness, algorithm, &row.bytes(3), vec![]).await;
        let tag = row.optional_bytes(7);
        let request = DecryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: Some(Box::new(CryptographicParameters {
                block_cipher_mode: row.named(1, BlockCipherMode::from_name),
                padding_method: row.named(2, PaddingMethod::from_name),
                tag_length: tag.as_ref().map(|tag| i32::try_from(tag.len()).unwrap()),
                ..CryptographicParameters::default()
            })),
            data: data(&row.bytes(6)),
            iv_counter_nonce: row.optional_bytes(4),
            authenticated_encryption_additional_data: row
                .optional_bytes(5)
                .map(|additional| SecretBytes::new(&additional)),
            authenticated_encryption_tag: tag,
            ..DecryptRequest::default()
        };
        assert!(harness.ask(V1_4, request).await.is_err(), "{}", row.source);
    }
}

#[tokio::test]
async fn codes_and_hashes() {
    let harness = Harness::new();
    for row in rows(include_str!("codes.txt")).step_by(3) {
        let algorithm = row.named(0, CryptographicAlgorithm::from_name).unwrap();
        if row.bytes(2).len() < 8 {
            continue;
        }
        let parameters = Some(Box::new(CryptographicParameters {
            block_cipher_mode: row.named(1, BlockCipherMode::from_name),
            ..CryptographicParameters::default()
        }));
        let key = register(&harness, algorithm, &row.bytes(2), vec![]).await;
        let request = MACRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: parameters.clone(),
            data: data(&row.bytes(3)),
            ..MACRequest::default()
        };
        let code = harness.ask(V1_4, request).await.unwrap().mac_data.unwrap();
        assert!(code.starts_with(&row.bytes(4)), "{}", row.source);
        let verify = |code: Vec<u8>| MACVerifyRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: parameters.clone(),
            data: data(&row.bytes(3)),
            mac_data: Some(code),
            ..MACVerifyRequest::default()
        };
        let mut other = code.clone();
        other[0] ^= 1;
        for (code, verdict) in
            [(code, ValidityIndicator::Valid), (other, ValidityIndicator::Invalid)]
        {
            let answer = harness.ask(V1_4, verify(code)).await.unwrap();
            assert_eq!(answer.validity_indicator, Some(verdict), "{}", row.source);
        }
    }
    for row in rows(include_str!("digests.txt")).step_by(5) {
        let algorithm = row.named(0, HashingAlgorithm::from_name);
        let digest = harness.ask(V1_4, hash(algorithm, data(&row.bytes(1)))).await.unwrap().data;
        assert_eq!(secret(digest), row.bytes(2), "{}", row.source);
    }
}

pub(crate) fn hash(algorithm: Option<HashingAlgorithm>, data: Option<InputData>) -> HashRequest {
    HashRequest {
        cryptographic_parameters: Box::new(CryptographicParameters {
            hashing_algorithm: algorithm,
            ..CryptographicParameters::default()
        }),
        data,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    }
}

/// FIPS 180-4, the example of 448 bits, in parts: and the code of RFC 4231, 4.3, likewise.
#[tokio::test]
async fn codes_and_hashes_in_parts() {
    let harness = Harness::new();
    let message = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    let first = HashRequest {
        init_indicator: Some(true),
        ..hash(Some(HashingAlgorithm::SHA_256), data(&message[..10]))
    };
    let answer = harness.ask(V1_4, first).await.unwrap();
    assert_eq!(answer.data, None, "it comes with the last part");
    let last = HashRequest {
        correlation_value: answer.correlation_value,
        final_indicator: Some(true),
        ..hash(None, data(&message[10..]))
    };
    let digest = secret(harness.ask(V1_4, last).await.unwrap().data);
    assert_eq!(digest[..4], [0x24, 0x8D, 0x6A, 0x61]);

    let key = register(&harness, CryptographicAlgorithm::HMAC_SHA256, b"JefeJefe", vec![]).await;
    let whole = MACRequest {
        unique_identifier: id(&key),
        data: data(b"what do ya want for nothing?"),
        ..MACRequest::default()
    };
    let code = harness.ask(V1_4, whole).await.unwrap().mac_data;
    let first = MACVerifyRequest {
        unique_identifier: id(&key),
        data: data(b"what do ya want "),
        init_indicator: Some(true),
        ..MACVerifyRequest::default()
    };
    let answer = harness.ask(V1_4, first).await.unwrap();
    assert_eq!(answer.validity_indicator, None);
    let last = MACVerifyRequest {
        unique_identifier: id(&key),
        data: data(b"for nothing?"),
        mac_data: code,
        correlation_value: answer.correlation_value,
        final_indicator: Some(true),
        ..MACVerifyRequest::default()
    };
    let verdict = harness.ask(V1_4, last).await.unwrap().validity_indicator;
    assert_eq!(verdict, Some(ValidityIndicator::Valid));
}

/// MongoDB's drivers: a key that the server made, CBC with PKCS5 and Random IV, and back.
#[tokio::test]
async fn the_server_makes_the_vector_and_tells_it() {
    let harness = Harness::new();
    let key = harness.create(V1_4, vec![AttributeValue::ActivationDate(DateTime(0))]).await;
    let parameters = |random_iv| {
        Some(Box::new(CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::CBC),
            padding_method: Some(PaddingMethod::PKCS5),
            random_iv,
            ..CryptographicParameters::default()
        }))
    };
    // PyKMIP's clients do not say Random IV, and want one all the same.
    for random_iv in [Some(true), None] {
        let request = EncryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: parameters(random_iv),
            data: data(b"a data key of 96 bytes, or nearly"),
            ..EncryptRequest::default()
        };
        let encrypted = harness.ask(V1_4, request).await.unwrap();
        let vector = encrypted.iv_counter_nonce.unwrap();
        assert_eq!(vector.len(), 16);
        let request = DecryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: parameters(None),
            data: data(&secret(encrypted.data)),
            iv_counter_nonce: Some(vector),
            ..DecryptRequest::default()
        };
        let decrypted = harness.ask(V1_4, request).await.unwrap();
        assert_eq!(secret(decrypted.data), b"a data key of 96 bytes, or nearly");
    }
    let refused = EncryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: parameters(Some(false)),
        data: data(b"x"),
        ..EncryptRequest::default()
    };
    assert_eq!(harness.ask(V1_4, refused).await.err(), Some(ResultReason::InvalidMessage));
}

/// KMIP 2.1, 7.9 and 11.13: data that an earlier item of the batch gave, by a word or a number.
#[tokio::test]
async fn an_item_works_on_what_another_gave() {
    let harness = Harness::new();
    let sha = Some(HashingAlgorithm::SHA_256);
    let items = harness
        .batch(
            NEWEST,
            vec![
                hash(sha, data(b"abc")).into(),
                hash(sha, Some(InputData::Enumeration(Data::Hash))).into(),
                hash(sha, Some(InputData::Index(0))).into(),
                hash(sha, Some(InputData::Index(-1))).into(),
                hash(sha, Some(InputData::Enumeration(Data::Encrypt))).into(),
            ],
        )
        .await;
    let given: Vec<Vec<u8>> = items
        .iter()
        .filter_map(|item| item.payload.as_ref())
        .filter_map(|payload| payload.data().map(<[u8]>::to_vec))
        .collect();
    assert_eq!(given.len(), 4);
    assert_eq!(given[1], given[2], "the word and the number mean the first item's");
    assert_ne!(given[3], given[2], "counted from the end it is the third item's");
    assert_eq!(items[4].result_reason, Some(ResultReason::InvalidField));
}

/// KMIP 1.4, 3.21: each byte that is encrypted counts, in parts too; what is decrypted does not.
#[tokio::test]
async fn usage_limits_count_the_parts() {
    let harness = Harness::new();
    let limits = AttributeValue::UsageLimits(UsageLimits {
        total: 20,
        count: None,
        unit: UsageLimitsUnit::Byte,
    });
    let aes = CryptographicAlgorithm::AES;
    let key = register(&harness, aes, &[1; 16], vec![limits]).await;
    let ctr = EncryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: Some(Box::new(CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::CTR),
            ..CryptographicParameters::default()
        })),
        data: data(&[0; 12]),
        iv_counter_nonce: Some(vec![0; 16]),
        init_indicator: Some(true),
        ..EncryptRequest::default()
    };
    let correlation_value = harness.ask(V1_4, ctr).await.unwrap().correlation_value;
    let part = |len: usize| EncryptRequest {
        unique_identifier: id(&key),
        data: data(&vec![0; len]),
        correlation_value: correlation_value.clone(),
        ..EncryptRequest::default()
    };
    assert_eq!(harness.ask(V1_4, part(9)).await.err(), Some(ResultReason::PermissionDenied));
    harness.ask(V1_4, part(8)).await.unwrap();
    assert_eq!(harness.ask(V1_4, part(1)).await.err(), Some(ResultReason::PermissionDenied));
}

/// A stream is its client's own, of one key and one operation; another client's is none.
#[tokio::test]
async fn a_stream_is_of_one_client_one_key_and_one_operation() {
    let harness = Harness::new();
    let aes = CryptographicAlgorithm::AES;
    let (key, other) = (
        register(&harness, aes, &[1; 16], vec![]).await,
        register(&harness, aes, &[2; 16], vec![]).await,
    );
    let first = MACRequest {
        unique_identifier: id(&key),
        data: data(b"a"),
        init_indicator: Some(true),
        ..MACRequest::default()
    };
    let correlation_value = harness.ask(NEWEST, first).await.unwrap().correlation_value;
    let next = |key: &str| MACRequest {
        unique_identifier: id(key),
        data: data(b"b"),
        correlation_value: correlation_value.clone(),
        ..MACRequest::default()
    };
    let unknown = Some(ResultReason::InvalidCorrelationValue);
    assert_eq!(harness.ask(NEWEST, next(&other)).await.err(), unknown, "another key");
    let bob = harness.beside("bob");
    let hers = register(&bob, aes, &[1; 16], vec![]).await;
    assert_eq!(bob.ask(NEWEST, next(&hers)).await.err(), unknown, "another client");
    let another = HashRequest { correlation_value: correlation_value.clone(), ..hash(None, None) };
    assert_eq!(harness.ask(NEWEST, another).await.err(), unknown, "another operation");
    harness.ask(NEWEST, next(&key)).await.unwrap();
}

/// A part that is undone with its batch has not been taken.
#[tokio::test]
async fn a_part_that_is_undone_was_not_taken() {
    let harness = Harness::new();
    let sha = Some(HashingAlgorithm::SHA_256);
    let first = HashRequest { init_indicator: Some(true), ..hash(sha, data(b"a")) };
    let correlation_value = harness.ask(V1_4, first).await.unwrap().correlation_value;
    let part = |bytes: &[u8], last: bool| HashRequest {
        correlation_value: correlation_value.clone(),
        final_indicator: Some(last),
        ..hash(None, data(bytes))
    };
    let undone = vec![part(b"x", false).into(), get("no such object").into()];
    let undo = Some(BatchErrorContinuationOption::Undo);
    harness.batch_with(V1_4, undo, undone).await;
    // Two parts in one batch see each other.
    let items = harness.batch(V1_4, vec![part(b"b", false).into(), part(b"c", true).into()]).await;
    let digest = items[1].payload.as_ref().and_then(ResponsePayload::data).unwrap();
    let whole = harness.ask(V1_4, hash(sha, data(b"abc"))).await.unwrap().data;
    assert_eq!(digest, secret(whole));
}

/// 1.4, 4.29 and 4.30; 2.1, 6.1.11 and 6.1.17: a last part without data that leaves nothing over is
/// answered without Data.
#[tokio::test]
async fn last_part_without_data_is_answered_without_data() {
    let harness = Harness::new();
    let aes = CryptographicAlgorithm::AES;
    let key = register(&harness, aes, &[1; 16], vec![]).await;
    let parameters = Some(Box::new(CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CTR),
        ..CryptographicParameters::default()
    }));
    let encrypt = |data, correlation_value, is_last: bool| EncryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: parameters.clone(),
        data,
        iv_counter_nonce: Some(vec![0; 16]),
        correlation_value,
        init_indicator: (!is_last).then_some(true),
        final_indicator: is_last.then_some(true),
        ..EncryptRequest::default()
    };
    let first = harness.ask(NEWEST, encrypt(data(&[0; 16]), None, false)).await.unwrap();
    let last = encrypt(None, first.correlation_value, true);
    assert_eq!(harness.ask(NEWEST, last).await.unwrap().data, None);
    let decrypt = |data, correlation_value, is_last: bool| DecryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: parameters.clone(),
        data,
        iv_counter_nonce: Some(vec![0; 16]),
        correlation_value,
        init_indicator: (!is_last).then_some(true),
        final_indicator: is_last.then_some(true),
        ..DecryptRequest::default()
    };
    let first = harness.ask(NEWEST, decrypt(data(&[0; 16]), None, false)).await.unwrap();
    let last = decrypt(None, first.correlation_value, true);
    assert_eq!(harness.ask(NEWEST, last).await.unwrap().data, None);
}
