//! The requests of OpenBao's KMIP wrapper (`openbao/go-kms-wrapping`, `wrappers/kmip`), which the
//! library `ovh/kmip-go` encodes, with its four presets and in each version that it speaks; and of
//! the examples of that library.

use kmip::InputData;
use kmip::payload::{CreateKeyPairRequest, DecryptRequest, EncryptRequest};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode, HashingAlgorithm, MaskGenerator, PaddingMethod};

use crate::tests::harness::*;

/// The versions that the wrapper speaks; it takes the newest that the server has.
const VERSIONS: [Version; 3] = [Version::V1_2, Version::V1_3, Version::V1_4];

const PLAIN: &[u8] = b"a data encryption key of 32 byte";

/// `AES_GCM` of both: the lengths are bytes.
fn aes_gcm() -> CryptographicParameters {
    CryptographicParameters {
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        block_cipher_mode: Some(BlockCipherMode::GCM),
        iv_length: Some(12),
        tag_length: Some(16),
        ..CryptographicParameters::default()
    }
}

/// `RSA_OAEP_SHA256` and its like. Up to 1.3 the fields of the mask generator are not sent.
fn rsa_oaep(hash: HashingAlgorithm) -> CryptographicParameters {
    CryptographicParameters {
        cryptographic_algorithm: Some(CryptographicAlgorithm::RSA),
        padding_method: Some(PaddingMethod::OAEP),
        hashing_algorithm: Some(hash),
        mask_generator: Some(MaskGenerator::MGF1),
        mask_generator_hashing_algorithm: Some(hash),
        ..CryptographicParameters::default()
    }
}

/// What the wrapper asks of a key before it uses it: the public key that it is linked to.
async fn verify_key(harness: &Harness, version: Version, key: &str) -> Option<String> {
    let names = ["Object Type", "Cryptographic Algorithm", "Cryptographic Usage Mask", "Link"];
    let request = GetAttributesRequest {
        unique_identifier: id(key),
        attributes: names.map(AttributeReference::from_name).to_vec(),
    };
    let found = harness.ask(version, request).await.unwrap().attributes.0;
    assert!(found.len() >= 3);
    found.iter().find_map(|attribute| match &attribute.value {
        AttributeValue::Link(link) if link.link_type == LinkType::PublicKeyLink => {
            match &link.linked_object_identifier {
                Identifier::Text(id) => Some(id.clone()),
                Identifier::Enumeration(_) | Identifier::Index(_) => None,
            }
        }
        _ => None,
    })
}

/// `encryptKMIP`: the ciphertext with the tag behind it, wherever the answer has it.
async fn encrypt(
    harness: &Harness,
    version: Version,
    key: &str,
    parameters: &CryptographicParameters,
    vector: Option<&[u8]>,
) -> Vec<u8> {
    let request = EncryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: Some(Box::new(parameters.clone())),
        iv_counter_nonce: vector.map(<[u8]>::to_vec),
        data: Some(InputData::from(PLAIN)),
        ..EncryptRequest::default()
    };
    let answer = harness.ask(version, request).await.unwrap();
    let mut out = answer.data.unwrap().as_bytes().to_vec();
    out.extend(answer.authenticated_encryption_tag.unwrap_or_default());
    out
}

/// `decryptKMIP`: from 1.4 on the tag has a field, and before that it is the end of the data.
async fn decrypt(
    harness: &Harness,
    version: Version,
    key: &str,
    parameters: &CryptographicParameters,
    vector: Option<&[u8]>,
    mut encrypted: Vec<u8>,
) -> Vec<u8> {
    let mut tag = None;
    if let (Some(len), true) = (parameters.tag_length, version >= Version::V1_4) {
        tag = Some(encrypted.split_off(encrypted.len() - usize::try_from(len).unwrap()));
    }
    let request = DecryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: Some(Box::new(parameters.clone())),
        iv_counter_nonce: vector.map(<[u8]>::to_vec),
        authenticated_encryption_tag: tag,
        data: Some(InputData::from(encrypted.as_slice())),
        ..DecryptRequest::default()
    };
    harness.ask(version, request).await.unwrap().data.unwrap().as_bytes().to_vec()
}

#[tokio::test]
async fn openbao_wraps_and_unwraps_with_aes_gcm() {
    let harness = Harness::new();
    let active = vec![AttributeValue::ActivationDate(DateTime(0))];
    for version in VERSIONS {
        let key = harness.create(version, active.clone()).await;
        assert_eq!(verify_key(&harness, version, &key).await, None);
        let vector: Option<&[u8]> = Some(b"abcdefghijkl");
        let encrypted = encrypt(&harness, version, &key, &aes_gcm(), vector).await;
        assert_eq!(encrypted.len(), PLAIN.len() + 16, "{version}");
        for later in VERSIONS {
            let encrypted = encrypted.clone();
            let plain = decrypt(&harness, later, &key, &aes_gcm(), vector, encrypted).await;
            assert_eq!(plain, PLAIN, "{version}, and after an upgrade {later}");
        }
    }
}

#[tokio::test]
async fn openbao_wraps_and_unwraps_with_rsa_oaep() {
    let harness = Harness::new();
    let mask = |mask| Attributes::new([AttributeValue::CryptographicUsageMask(mask)]);
    let pair = CreateKeyPairRequest {
        common_attributes: Some(Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::RSA),
            AttributeValue::CryptographicLength(2048),
            AttributeValue::ActivationDate(DateTime(0)),
        ])),
        private_key_attributes: Some(mask(CryptographicUsageMask::Decrypt)),
        public_key_attributes: Some(mask(CryptographicUsageMask::Encrypt)),
        ..CreateKeyPairRequest::default()
    };
    let private = harness.ask(Version::V1_4, pair).await.unwrap().private_key_unique_identifier;
    for hash in [HashingAlgorithm::SHA_256, HashingAlgorithm::SHA_384, HashingAlgorithm::SHA_512] {
        for version in VERSIONS {
            let public = verify_key(&harness, version, &private).await.expect("linked");
            let how = rsa_oaep(hash);
            let encrypted = encrypt(&harness, version, &public, &how, None).await;
            let plain = decrypt(&harness, version, &private, &how, None, encrypted).await;
            assert_eq!(plain, PLAIN, "{hash:?}, KMIP {version}");
        }
    }
}

/// `examples/encrypt_decrypt.go`: a vector and additional data, and the parameters that the key has
/// with Random IV. And the preset `AES_CBC_PKCS5`, whose IV Length is bytes too, with a vector and
/// without.
#[tokio::test]
async fn presets_and_examples_of_kmip_go() {
    let harness = Harness::new();
    let parameters = CryptographicParameters { iv_length: None, tag_length: None, ..aes_gcm() };
    let random = CryptographicParameters { random_iv: Some(true), ..parameters.clone() };
    let more = [
        AttributeValue::ActivationDate(DateTime(0)),
        AttributeValue::CryptographicParameters(Box::new(random)),
    ];
    let key = harness.create(Version::V1_4, more.to_vec()).await;
    let cbc = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        iv_length: Some(16),
        tag_length: None,
        ..aes_gcm()
    };
    let additional = Some(SecretBytes::new(b"toto"));
    let rows = [
        (Some(parameters), Some(b"abcdefghijkl".to_vec()), additional.clone()),
        (None, None, additional),
        (Some(aes_gcm()), Some(vec![1; 12]), None),
        (Some(cbc.clone()), Some(vec![1; 16]), None),
        (Some(cbc), None, None),
    ];
    for (how, vector, additional) in rows {
        let request = EncryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: how.clone().map(Box::new),
            iv_counter_nonce: vector.clone(),
            data: Some(InputData::from(PLAIN)),
            authenticated_encryption_additional_data: additional.clone(),
            ..EncryptRequest::default()
        };
        let encrypted = harness.ask(Version::V1_4, request).await.unwrap();
        let made = encrypted.iv_counter_nonce;
        assert_eq!(made.is_some(), vector.is_none(), "told when the server makes it");
        let request = DecryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: how.map(Box::new),
            iv_counter_nonce: vector.or(made),
            data: encrypted.data.map(|data| InputData::from(data.as_bytes())),
            authenticated_encryption_additional_data: additional,
            authenticated_encryption_tag: encrypted.authenticated_encryption_tag,
            ..DecryptRequest::default()
        };
        let plain = harness.ask(Version::V1_4, request).await.unwrap().data.unwrap();
        assert_eq!(plain.as_bytes(), PLAIN);
    }
}

/// KMIP 1.4, 3.6: IV Length is in bits. Where the server makes the vector, 12 bits are too few for
/// one that does not repeat, and the message says so.
#[tokio::test]
async fn a_preset_without_its_vector_is_refused() {
    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![AttributeValue::ActivationDate(DateTime(0))]).await;
    for iv_length in [8, 12, 16, 64] {
        let request = EncryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: Some(Box::new(CryptographicParameters {
                iv_length: Some(iv_length),
                ..aes_gcm()
            })),
            data: Some(InputData::from(PLAIN)),
            ..EncryptRequest::default()
        };
        let item = harness.batch(NEWEST, vec![request.into()]).await.remove(0);
        assert_eq!(item.result_reason, Some(ResultReason::BadCryptographicParameters));
        let message = item.result_message.unwrap();
        assert!(message.contains("bits"), "{message}");
    }
}
