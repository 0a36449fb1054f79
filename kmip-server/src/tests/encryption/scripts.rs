//! A message in three parts for each operation that has parts.

use kmip::payload::{
    DecryptRequest, EncryptRequest, HashRequest, MACRequest, MACVerifyRequest, SignRequest,
    SignatureVerifyRequest,
};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode, HashingAlgorithm};

use crate::tests::harness::*;
use crate::tests::known_answers::served::{data, register};
use crate::tests::known_answers::signatures::signing_pair;

/// A message in three parts: what the first part says, what it could say instead, and what a later
/// part says that repeats nothing.
pub(super) struct Script {
    pub(super) first: RequestPayload,
    pub(super) other: RequestPayload,
    pub(super) later: RequestPayload,
    pub(super) parts: [&'static [u8]; 3],
}

const PARTS: [&[u8]; 3] = [b"a message ", b"in three ", b"parts"];

pub(super) fn gcm() -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::GCM),
        ..CryptographicParameters::default()
    }
}

fn hashed(algorithm: HashingAlgorithm) -> CryptographicParameters {
    CryptographicParameters {
        hashing_algorithm: Some(algorithm),
        ..CryptographicParameters::default()
    }
}

async fn encrypt(harness: &Harness) -> Script {
    let aes = CryptographicAlgorithm::AES;
    let key = register(harness, aes, &[1; 16], vec![]).await;
    let first = EncryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: Some(Box::new(gcm())),
        iv_counter_nonce: Some(vec![2; 12]),
        authenticated_encryption_additional_data: Some(SecretBytes::new(b"additional")),
        ..EncryptRequest::default()
    };
    let other = EncryptRequest {
        unique_identifier: id(&register(harness, aes, &[2; 16], vec![]).await),
        cryptographic_parameters: Some(Box::new(CryptographicParameters {
            tag_length: Some(12),
            ..gcm()
        })),
        iv_counter_nonce: Some(vec![3; 12]),
        authenticated_encryption_additional_data: Some(SecretBytes::new(b"other")),
        ..EncryptRequest::default()
    };
    let later = EncryptRequest { unique_identifier: id(&key), ..EncryptRequest::default() };
    Script { first: first.into(), other: other.into(), later: later.into(), parts: PARTS }
}

/// The message that the first row encrypts, in parts of the ciphertext.
async fn decrypt(harness: &Harness) -> Script {
    let Script { first, other, .. } = encrypt(harness).await;
    let RequestPayload::Encrypt(mut whole) = first else { panic!("Encrypt") };
    let RequestPayload::Encrypt(other) = other else { panic!("Encrypt") };
    whole.data = data(&PARTS.concat());
    let encrypted = harness.ask(NEWEST, whole.clone()).await.unwrap();
    let bytes = encrypted.data.unwrap().as_bytes().to_vec().leak();
    let (one, rest) = bytes.split_at(10);
    let (two, three) = rest.split_at(7);
    let first = DecryptRequest {
        unique_identifier: whole.unique_identifier.clone(),
        cryptographic_parameters: whole.cryptographic_parameters,
        iv_counter_nonce: whole.iv_counter_nonce,
        authenticated_encryption_additional_data: whole.authenticated_encryption_additional_data,
        authenticated_encryption_tag: encrypted.authenticated_encryption_tag,
        ..DecryptRequest::default()
    };
    let other = DecryptRequest {
        unique_identifier: other.unique_identifier,
        cryptographic_parameters: other.cryptographic_parameters,
        iv_counter_nonce: other.iv_counter_nonce,
        authenticated_encryption_additional_data: other.authenticated_encryption_additional_data,
        authenticated_encryption_tag: Some(vec![0; 16]),
        ..DecryptRequest::default()
    };
    let unique_identifier = whole.unique_identifier;
    let later = DecryptRequest { unique_identifier, ..DecryptRequest::default() };
    Script {
        first: first.into(),
        other: other.into(),
        later: later.into(),
        parts: [one, two, three],
    }
}

async fn sign(harness: &Harness) -> Script {
    let (private, _, parameters) = signing_pair(harness).await;
    let (another, _, _) = signing_pair(harness).await;
    let first = SignRequest {
        unique_identifier: id(&private),
        cryptographic_parameters: Some(Box::new(parameters.clone())),
        ..SignRequest::default()
    };
    let hashing_algorithm = Some(HashingAlgorithm::SHA_512);
    let other = SignRequest {
        unique_identifier: id(&another),
        cryptographic_parameters: Some(Box::new(CryptographicParameters {
            hashing_algorithm,
            ..parameters
        })),
        digested_data: Some(SecretBytes::new(&[1; 20])),
        ..SignRequest::default()
    };
    let later = SignRequest { unique_identifier: id(&private), ..SignRequest::default() };
    Script { first: first.into(), other: other.into(), later: later.into(), parts: PARTS }
}

async fn signature_verify(harness: &Harness) -> Script {
    let (private, public, parameters) = signing_pair(harness).await;
    let (_, another, _) = signing_pair(harness).await;
    let signed = SignRequest {
        unique_identifier: id(&private),
        cryptographic_parameters: Some(Box::new(parameters.clone())),
        data: data(&PARTS.concat()),
        ..SignRequest::default()
    };
    let first = SignatureVerifyRequest {
        unique_identifier: id(&public),
        cryptographic_parameters: Some(Box::new(parameters.clone())),
        signature_data: harness.ask(NEWEST, signed).await.unwrap().signature_data,
        ..SignatureVerifyRequest::default()
    };
    let hashing_algorithm = Some(HashingAlgorithm::SHA_512);
    let other = SignatureVerifyRequest {
        unique_identifier: id(&another),
        cryptographic_parameters: Some(Box::new(CryptographicParameters {
            hashing_algorithm,
            ..parameters
        })),
        digested_data: Some(SecretBytes::new(&[1; 20])),
        signature_data: Some(vec![1; 128]),
        ..SignatureVerifyRequest::default()
    };
    let unique_identifier = id(&public);
    let later = SignatureVerifyRequest { unique_identifier, ..SignatureVerifyRequest::default() };
    Script { first: first.into(), other: other.into(), later: later.into(), parts: PARTS }
}

async fn mac(harness: &Harness) -> Script {
    let hmac = CryptographicAlgorithm::HMAC_SHA256;
    let key = register(harness, hmac, &[1; 32], vec![]).await;
    let first = MACRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: Some(Box::new(hashed(HashingAlgorithm::SHA_256))),
        ..MACRequest::default()
    };
    let other = MACRequest {
        unique_identifier: id(&register(harness, hmac, &[2; 32], vec![]).await),
        cryptographic_parameters: Some(Box::new(hashed(HashingAlgorithm::SHA_512))),
        ..MACRequest::default()
    };
    let later = MACRequest { unique_identifier: id(&key), ..MACRequest::default() };
    Script { first: first.into(), other: other.into(), later: later.into(), parts: PARTS }
}

async fn mac_verify(harness: &Harness) -> Script {
    let Script { first, other, .. } = mac(harness).await;
    let RequestPayload::MAC(mut whole) = first else { panic!("MAC") };
    let RequestPayload::MAC(other) = other else { panic!("MAC") };
    whole.data = data(&PARTS.concat());
    let first = MACVerifyRequest {
        unique_identifier: whole.unique_identifier.clone(),
        cryptographic_parameters: whole.cryptographic_parameters.clone(),
        mac_data: harness.ask(NEWEST, whole.clone()).await.unwrap().mac_data,
        ..MACVerifyRequest::default()
    };
    let other = MACVerifyRequest {
        unique_identifier: other.unique_identifier,
        cryptographic_parameters: other.cryptographic_parameters,
        mac_data: Some(vec![1; 32]),
        ..MACVerifyRequest::default()
    };
    let unique_identifier = whole.unique_identifier;
    let later = MACVerifyRequest { unique_identifier, ..MACVerifyRequest::default() };
    Script { first: first.into(), other: other.into(), later: later.into(), parts: PARTS }
}

fn hash() -> Script {
    let request = |parameters| HashRequest {
        cryptographic_parameters: Box::new(parameters),
        data: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    Script {
        first: request(hashed(HashingAlgorithm::SHA_256)).into(),
        other: request(hashed(HashingAlgorithm::SHA_512)).into(),
        later: request(CryptographicParameters::default()).into(),
        parts: PARTS,
    }
}

/// A message of the operation; a new one fails here until it has one.
pub(super) async fn script(harness: &Harness, operation: Operation) -> Script {
    match operation {
        Operation::Encrypt => encrypt(harness).await,
        Operation::Decrypt => decrypt(harness).await,
        Operation::Sign => sign(harness).await,
        Operation::SignatureVerify => signature_verify(harness).await,
        Operation::MAC => mac(harness).await,
        Operation::MACVerify => mac_verify(harness).await,
        Operation::Hash => hash(),
        other => panic!("{other:?} in parts has no message in this test"),
    }
}
