//! Samples of cryptographic operations, and of splitting and deriving keys.

use kmip::payload::*;
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::*;
use kmip::{BigInteger, InputData, SecretBytes};

use super::attributes::cryptographic_parameters;
use super::objects::masks;
use super::{all_attributes, identifier, unique_identifier};

fn parameters() -> Box<CryptographicParameters> {
    Box::new(cryptographic_parameters())
}

fn data() -> InputData {
    InputData::from(&b"plain"[..])
}

fn secret() -> SecretBytes {
    SecretBytes::new(b"hidden")
}

pub(super) fn requests() -> Vec<RequestPayload> {
    let mut requests = data_requests();
    requests.extend(key_requests());
    requests
}

/// Operations on data with a key.
fn data_requests() -> Vec<RequestPayload> {
    vec![
        EncryptRequest {
            unique_identifier: identifier(),
            cryptographic_parameters: Some(parameters()),
            data: Some(data()),
            iv_counter_nonce: Some(vec![1]),
            correlation_value: Some(vec![2]),
            init_indicator: Some(true),
            final_indicator: Some(true),
            authenticated_encryption_additional_data: Some(secret()),
        }
        .into(),
        DecryptRequest {
            unique_identifier: identifier(),
            cryptographic_parameters: Some(parameters()),
            data: Some(data()),
            iv_counter_nonce: Some(vec![1]),
            correlation_value: Some(vec![2]),
            init_indicator: Some(true),
            final_indicator: Some(true),
            authenticated_encryption_additional_data: Some(secret()),
            authenticated_encryption_tag: Some(vec![3]),
        }
        .into(),
        SignRequest {
            unique_identifier: identifier(),
            cryptographic_parameters: Some(parameters()),
            data: Some(data()),
            digested_data: Some(secret()),
            correlation_value: Some(vec![2]),
            init_indicator: Some(true),
            final_indicator: Some(true),
        }
        .into(),
        SignatureVerifyRequest {
            unique_identifier: identifier(),
            cryptographic_parameters: Some(parameters()),
            data: Some(data()),
            digested_data: Some(secret()),
            signature_data: Some(vec![4]),
            correlation_value: Some(vec![2]),
            init_indicator: Some(true),
            final_indicator: Some(true),
        }
        .into(),
        MACRequest {
            unique_identifier: identifier(),
            cryptographic_parameters: Some(parameters()),
            data: Some(data()),
            correlation_value: Some(vec![2]),
            init_indicator: Some(true),
            final_indicator: Some(true),
        }
        .into(),
        MACVerifyRequest {
            unique_identifier: identifier(),
            cryptographic_parameters: Some(parameters()),
            data: Some(data()),
            mac_data: Some(vec![5]),
            correlation_value: Some(vec![2]),
            init_indicator: Some(true),
            final_indicator: Some(true),
        }
        .into(),
    ]
}

/// Operations without a key, and those that produce bytes and keys.
fn key_requests() -> Vec<RequestPayload> {
    vec![
        HashRequest {
            cryptographic_parameters: parameters(),
            data: Some(data()),
            correlation_value: Some(vec![2]),
            init_indicator: Some(true),
            final_indicator: Some(true),
        }
        .into(),
        RNGRetrieveRequest { data_length: 16 }.into(),
        RNGSeedRequest { data: data() }.into(),
        DeriveKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: identifier().into_iter().chain(identifier()).collect(),
            derivation_method: DerivationMethod::PBKDF2,
            derivation_parameters: Box::new(DerivationParameters {
                cryptographic_parameters: Some(cryptographic_parameters()),
                initialization_vector: Some(vec![6]),
                derivation_data: vec![secret(), secret()],
                salt: Some(secret()),
                iteration_count: Some(4096),
            }),
            attributes: all_attributes(),
        }
        .into(),
        CreateSplitKeyRequest {
            object_type: ObjectType::SplitKey,
            unique_identifier: identifier(),
            split_key_parts: 3,
            split_key_threshold: 2,
            split_key_method: SplitKeyMethod::XOR,
            prime_field_size: Some(BigInteger(vec![1; 8])),
            attributes: all_attributes(),
            protection_storage_masks: Some(masks()),
        }
        .into(),
        JoinSplitKeyRequest {
            object_type: ObjectType::SecretData,
            unique_identifiers: identifier().into_iter().chain(identifier()).collect(),
            secret_data_type: Some(SecretDataType::Password),
            attributes: Some(all_attributes()),
            protection_storage_masks: Some(masks()),
        }
        .into(),
        PKCS11Request {
            interface: Some("PKCS 11".to_owned()),
            function: PKCS11Call::Standard(PKCS_11Function::C_Login),
            correlation_value: Some(vec![2]),
            input_parameters: Some(secret()),
        }
        .into(),
    ]
}

pub(super) fn responses() -> Vec<ResponsePayload> {
    vec![
        EncryptResponse {
            unique_identifier: unique_identifier(),
            data: Some(secret()),
            iv_counter_nonce: Some(vec![1]),
            correlation_value: Some(vec![2]),
            authenticated_encryption_tag: Some(vec![3]),
        }
        .into(),
        DecryptResponse {
            unique_identifier: unique_identifier(),
            data: Some(secret()),
            correlation_value: Some(vec![2]),
        }
        .into(),
        SignResponse {
            unique_identifier: unique_identifier(),
            signature_data: Some(vec![4]),
            correlation_value: Some(vec![2]),
        }
        .into(),
        SignatureVerifyResponse {
            unique_identifier: unique_identifier(),
            validity_indicator: Some(ValidityIndicator::Valid),
            data: Some(secret()),
            correlation_value: Some(vec![2]),
        }
        .into(),
        MACResponse {
            unique_identifier: unique_identifier(),
            mac_data: Some(vec![5]),
            correlation_value: Some(vec![2]),
        }
        .into(),
        MACVerifyResponse {
            unique_identifier: unique_identifier(),
            validity_indicator: Some(ValidityIndicator::Invalid),
            correlation_value: Some(vec![2]),
        }
        .into(),
        HashResponse { data: Some(secret()), correlation_value: Some(vec![2]) }.into(),
        RNGRetrieveResponse { data: secret() }.into(),
        RNGSeedResponse { data_length: 16 }.into(),
        DeriveKeyResponse {
            unique_identifier: unique_identifier(),
            template_attribute: Some(all_attributes()),
        }
        .into(),
        CreateSplitKeyResponse {
            unique_identifiers: vec![unique_identifier(), unique_identifier()],
            template_attribute: Some(all_attributes()),
        }
        .into(),
        JoinSplitKeyResponse {
            unique_identifier: unique_identifier(),
            template_attribute: Some(all_attributes()),
        }
        .into(),
        PKCS11Response {
            interface: Some("PKCS 11".to_owned()),
            function: PKCS11Call::Vendor(7),
            correlation_value: Some(vec![2]),
            output_parameters: Some(secret()),
            return_code: PKCS_11ReturnCode::PIN_INCORRECT,
        }
        .into(),
    ]
}
