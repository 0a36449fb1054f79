//! Sign, Signature Verify, Encrypt and Decrypt with the keys of pairs, over messages.

use crate::crypto::keys::{Key as Neutral, pkcs};
use kmip::InputData;
use kmip::payload::{DecryptRequest, EncryptRequest, SignRequest, SignatureVerifyRequest};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{HashingAlgorithm, PaddingMethod, ValidityIndicator};

use crate::tests::harness::*;
use crate::tests::known_answers::stanzas::{Stanza, of_kind};

const CASES: &str = include_str!("asymmetric.txt");

fn parameters(stanza: &Stanza, padding: PaddingMethod) -> CryptographicParameters {
    let hash = |name| HashingAlgorithm::from_name(stanza.word(name));
    CryptographicParameters {
        padding_method: Some(padding),
        hashing_algorithm: hash("hash"),
        mask_generator_hashing_algorithm: hash("mask"),
        salt_length: stanza.word("salt").parse().ok(),
        p_source: Some(stanza.bytes("label")).filter(|label| !label.is_empty()),
        ..CryptographicParameters::default()
    }
}

/// Registers an active key that may be used for anything.
async fn register(
    harness: &Harness,
    object_type: ObjectType,
    format: KeyFormatType,
    bytes: &[u8],
) -> String {
    let mut key_block = KeyBlock::plain(format, bytes);
    key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::RSA);
    let key = Key { key_block };
    let object = match object_type {
        ObjectType::PrivateKey => Object::PrivateKey(key),
        _ => Object::PublicKey(key),
    };
    let request = RegisterRequest {
        object_type,
        attributes: Attributes::new([
            AttributeValue::CryptographicUsageMask(CryptographicUsageMask(0xFF)),
            AttributeValue::ActivationDate(DateTime(1)),
        ]),
        object,
        protection_storage_masks: None,
    };
    harness.ask(NEWEST, request).await.unwrap().unique_identifier
}

async fn register_pair(harness: &Harness, stanza: &Stanza) -> (String, String) {
    let bytes = stanza.bytes("key");
    let private = pkcs::read_rsa_private(&bytes).unwrap();
    let public = pkcs::write_spki(&Neutral::RsaPublic(private.public.clone())).unwrap();
    let format = KeyFormatType::PKCS_1;
    (
        register(harness, ObjectType::PrivateKey, format, &bytes).await,
        register(harness, ObjectType::PublicKey, KeyFormatType::X_509, &public).await,
    )
}

/// A pair at the server that signs and verifies, and how it does.
pub(crate) async fn signing_pair(harness: &Harness) -> (String, String, CryptographicParameters) {
    let stanza = &of_kind(CASES, "pkcs1-signature")[0];
    let (private, public) = register_pair(harness, stanza).await;
    (private, public, parameters(stanza, PaddingMethod::PKCS1V1_5))
}

fn sign(key: &str, data: &[u8]) -> SignRequest {
    SignRequest {
        unique_identifier: id(key),
        data: Some(InputData::from(data)),
        ..SignRequest::default()
    }
}

/// Whole, as a digest, and in parts: RSA Laboratories' signature each time.
#[tokio::test]
async fn a_signature_is_the_same_however_it_is_asked_for() {
    let harness = Harness::new();
    let stanza = &of_kind(CASES, "pkcs1-signature")[0];
    let (private, public) = register_pair(&harness, stanza).await;
    let how = Some(Box::new(parameters(stanza, PaddingMethod::PKCS1V1_5)));
    let (message, expected) = (stanza.bytes("message"), Some(stanza.bytes("signature")));
    let whole = SignRequest { cryptographic_parameters: how.clone(), ..sign(&private, &message) };
    assert_eq!(harness.ask(NEWEST, whole).await.unwrap().signature_data, expected);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &message);
    let digested = SignRequest {
        data: None,
        cryptographic_parameters: how.clone(),
        digested_data: Some(SecretBytes::new(digest.as_ref())),
        ..sign(&private, &[])
    };
    assert_eq!(harness.ask(NEWEST, digested).await.unwrap().signature_data, expected);
    let (first, rest) = message.split_at(message.len() / 3);
    let (second, last) = rest.split_at(5);
    let begin = SignRequest {
        cryptographic_parameters: how.clone(),
        init_indicator: Some(true),
        ..sign(&private, first)
    };
    let begun = harness.ask(NEWEST, begin).await.unwrap();
    assert_eq!(begun.signature_data, None);
    let go_on = |data, last| SignRequest {
        correlation_value: begun.correlation_value.clone(),
        final_indicator: Some(last),
        ..sign(&private, data)
    };
    assert_eq!(harness.ask(NEWEST, go_on(second, false)).await.unwrap().signature_data, None);
    assert_eq!(harness.ask(NEWEST, go_on(last, true)).await.unwrap().signature_data, expected);
    assert!(harness.ask(NEWEST, go_on(last, true)).await.is_err(), "the stream is over");

    let verify = |data: &[u8]| SignatureVerifyRequest {
        unique_identifier: id(&public),
        cryptographic_parameters: how.clone(),
        data: Some(InputData::from(data)),
        signature_data: expected.clone(),
        ..SignatureVerifyRequest::default()
    };
    let begin = SignatureVerifyRequest {
        init_indicator: Some(true),
        signature_data: None,
        ..verify(first)
    };
    let begun = harness.ask(NEWEST, begin).await.unwrap();
    assert_eq!(begun.validity_indicator, None);
    let end = SignatureVerifyRequest {
        correlation_value: begun.correlation_value,
        final_indicator: Some(true),
        cryptographic_parameters: None,
        ..verify(rest)
    };
    let valid = Some(ValidityIndicator::Valid);
    assert_eq!(harness.ask(NEWEST, end).await.unwrap().validity_indicator, valid);
    let other = harness.ask(NEWEST, verify(first)).await.unwrap();
    assert_eq!(other.validity_indicator, Some(ValidityIndicator::Invalid));
}

#[tokio::test]
async fn verdicts_of_nist() {
    let harness = Harness::new();
    for (kind, padding) in
        [("pkcs1-verify", PaddingMethod::PKCS1V1_5), ("pss-verify", PaddingMethod::PSS)]
    {
        for stanza in of_kind(CASES, kind) {
            let (format, key) = (KeyFormatType::PKCS_1, stanza.bytes("key"));
            let request = SignatureVerifyRequest {
                unique_identifier: id(
                    &register(&harness, ObjectType::PublicKey, format, &key).await
                ),
                cryptographic_parameters: Some(Box::new(parameters(&stanza, padding))),
                data: Some(InputData::from(stanza.bytes("message").as_slice())),
                signature_data: Some(stanza.bytes("signature")),
                ..SignatureVerifyRequest::default()
            };
            let expected = match stanza.word("valid") {
                "yes" => ValidityIndicator::Valid,
                _ => ValidityIndicator::Invalid,
            };
            let found = harness.ask(NEWEST, request).await.unwrap().validity_indicator;
            assert_eq!(found, Some(expected), "{}", stanza.source());
        }
    }
}

#[tokio::test]
async fn one_block_is_encrypted_and_decrypted() {
    let harness = Harness::new();
    for (kind, padding) in
        [("oaep", PaddingMethod::OAEP), ("pkcs1-encryption", PaddingMethod::PKCS1V1_5)]
    {
        for stanza in of_kind(CASES, kind) {
            let (private, public) = register_pair(&harness, &stanza).await;
            let how = Some(Box::new(parameters(&stanza, padding)));
            let message = stanza.bytes("message");
            let decrypt = |data: &[u8]| DecryptRequest {
                unique_identifier: id(&private),
                cryptographic_parameters: how.clone(),
                data: Some(InputData::from(data)),
                ..DecryptRequest::default()
            };
            let plain =
                harness.ask(NEWEST, decrypt(&stanza.bytes("encrypted"))).await.unwrap().data;
            assert_eq!(plain, Some(SecretBytes::new(&message)), "{}", stanza.source());
            let encrypt = EncryptRequest {
                unique_identifier: id(&public),
                cryptographic_parameters: how.clone(),
                data: Some(InputData::from(message.as_slice())),
                ..EncryptRequest::default()
            };
            let encrypted = harness.ask(NEWEST, encrypt).await.unwrap().data.unwrap();
            let plain = harness.ask(NEWEST, decrypt(encrypted.as_bytes())).await.unwrap().data;
            assert_eq!(plain, Some(SecretBytes::new(&message)), "{}", stanza.source());
        }
    }
}

/// One row a request that cannot be done: what it lacks, and the reason.
#[tokio::test]
async fn what_cannot_be_signed() {
    let harness = Harness::new();
    let stanza = &of_kind(CASES, "pkcs1-signature")[0];
    let (private, public) = register_pair(&harness, stanza).await;
    let how = Some(Box::new(parameters(stanza, PaddingMethod::PKCS1V1_5)));
    let whole = SignRequest { cryptographic_parameters: how.clone(), ..sign(&private, b"data") };
    let digest = Some(SecretBytes::new(&[7; 19]));
    let rows = [
        (sign(&private, b"data"), ResultReason::BadCryptographicParameters),
        (
            SignRequest { unique_identifier: id(&public), ..whole.clone() },
            ResultReason::BadCryptographicParameters,
        ),
        (
            SignRequest { data: None, digested_data: digest.clone(), ..whole.clone() },
            ResultReason::CryptographicFailure,
        ),
        (
            SignRequest { digested_data: digest, ..whole.clone() },
            ResultReason::BadCryptographicParameters,
        ),
        (SignRequest { data: None, ..whole.clone() }, ResultReason::BadCryptographicParameters),
        (SignRequest { unique_identifier: id("nobody"), ..whole }, ResultReason::ObjectNotFound),
    ];
    for (row, (request, reason)) in rows.into_iter().enumerate() {
        assert_eq!(harness.ask(NEWEST, request).await.err(), Some(reason), "row {row}");
    }
}
