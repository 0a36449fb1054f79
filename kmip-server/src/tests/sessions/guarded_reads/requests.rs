//! Requests of the tables.

use kmip::attributes::AllAttributes;
use kmip::objects::WrappingKeyInformation;
use kmip::payload::{
    CreateKeyPairRequest, CreateSplitKeyRequest, DecryptRequest, DeleteAttributeRequest,
    DerivationParameters, DeriveKeyRequest, EncryptRequest, ImportRequest, JoinSplitKeyRequest,
    KeyWrappingSpecification, MACRequest, MACVerifyRequest, SignRequest, SignatureVerifyRequest,
};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    BlockCipherMode, DerivationMethod, DigitalSignatureAlgorithm, HashingAlgorithm, KeyWrapType,
    SplitKeyMethod, WrappingMethod,
};

use super::{A, ALL};
use crate::tests::harness::*;
use crate::tests::known_answers::served::data;

pub(crate) fn create() -> RequestPayload {
    aes(vec![]).into()
}

pub(crate) fn destroy(object: &str) -> DestroyRequest {
    DestroyRequest { unique_identifier: id(object) }
}

pub(crate) fn compromise(object: &str) -> RevokeRequest {
    revoke(object, RevocationReasonCode::KeyCompromise)
}

pub(crate) fn add_attribute(object: &str, value: A) -> AddAttributeRequest {
    AddAttributeRequest { unique_identifier: id(object), attribute: value.into() }
}

pub(crate) fn add_name(object: &str) -> AddAttributeRequest {
    add_attribute(object, name("added"))
}

pub(crate) fn delete_name(object: &str) -> DeleteAttributeRequest {
    delete(object, name("n"))
}

pub(crate) fn delete(object: &str, value: A) -> DeleteAttributeRequest {
    DeleteAttributeRequest {
        unique_identifier: id(object),
        current_attribute: Some(value.into()),
        attribute: None,
        attribute_index: None,
    }
}

/// A pair of keys on a curve.
pub(crate) fn pair(more: Vec<A>) -> CreateKeyPairRequest {
    let mask = || Some(Attributes::new([A::CryptographicUsageMask(ALL)]));
    let curve =
        [A::CryptographicAlgorithm(CryptographicAlgorithm::EC), A::CryptographicLength(256)];
    CreateKeyPairRequest {
        common_attributes: Some(Attributes::new(curve.into_iter().chain(more))),
        private_key_attributes: mask(),
        public_key_attributes: mask(),
        ..CreateKeyPairRequest::default()
    }
}

pub(crate) fn wrapping(key: &str) -> Option<Box<KeyWrappingSpecification>> {
    let information = WrappingKeyInformation {
        unique_identifier: key.to_owned(),
        cryptographic_parameters: None,
    };
    Some(Box::new(KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(information),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: None,
    }))
}

pub(crate) fn get_wrapped(object: &str, key: &str) -> GetRequest {
    GetRequest { key_wrapping_specification: wrapping(key), ..get(object) }
}

pub(crate) fn import(id: &str, object: Object) -> ImportRequest {
    ImportRequest {
        unique_identifier: id.to_owned(),
        object_type: Some(object.object_type()),
        replace_existing: None,
        key_wrap_type: Some(KeyWrapType::NotWrapped),
        attributes: AllAttributes(vec![A::CryptographicUsageMask(ALL).into()]),
        object,
    }
}

pub(crate) fn join(parts: &[String]) -> JoinSplitKeyRequest {
    JoinSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: parts.iter().map(|id| Identifier::from(id.as_str())).collect(),
        secret_data_type: None,
        attributes: None,
        protection_storage_masks: None,
    }
}

pub(crate) fn split(key: Option<&str>) -> CreateSplitKeyRequest {
    CreateSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: key.map(Identifier::from),
        split_key_parts: 3,
        split_key_threshold: 2,
        split_key_method: SplitKeyMethod::PolynomialSharingGF2_8,
        prime_field_size: None,
        attributes: Attributes::default(),
        protection_storage_masks: None,
    }
}

pub(crate) fn derive(key: &str) -> DeriveKeyRequest {
    let parameters = CryptographicParameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA_256),
        ..CryptographicParameters::default()
    };
    DeriveKeyRequest {
        object_type: ObjectType::SecretData,
        unique_identifiers: vec![Identifier::from(key)],
        derivation_method: DerivationMethod::HMAC,
        derivation_parameters: Box::new(DerivationParameters {
            cryptographic_parameters: Some(parameters),
            derivation_data: vec![SecretBytes::new(b"data")],
            ..DerivationParameters::default()
        }),
        attributes: Attributes::new([A::CryptographicLength(256)]),
    }
}

fn blocks() -> Option<Box<CryptographicParameters>> {
    Some(Box::new(CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::ECB),
        ..CryptographicParameters::default()
    }))
}

fn signs() -> Option<Box<CryptographicParameters>> {
    Some(Box::new(CryptographicParameters {
        digital_signature_algorithm: Some(DigitalSignatureAlgorithm::ECDSAWithSHA256),
        ..CryptographicParameters::default()
    }))
}

fn codes() -> Option<Box<CryptographicParameters>> {
    Some(Box::new(CryptographicParameters {
        cryptographic_algorithm: Some(CryptographicAlgorithm::HMAC_SHA256),
        ..CryptographicParameters::default()
    }))
}

pub(crate) fn encrypt(key: &str) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: blocks(),
        data: data(&[0; 16]),
        ..EncryptRequest::default()
    }
}

pub(crate) fn decrypt(key: &str) -> DecryptRequest {
    DecryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: blocks(),
        data: data(&[0; 16]),
        ..DecryptRequest::default()
    }
}

pub(crate) fn mac(key: &str) -> MACRequest {
    MACRequest {
        unique_identifier: id(key),
        cryptographic_parameters: codes(),
        data: data(b"data"),
        ..MACRequest::default()
    }
}

pub(crate) fn mac_verify(key: &str) -> MACVerifyRequest {
    MACVerifyRequest {
        unique_identifier: id(key),
        cryptographic_parameters: codes(),
        data: data(b"data"),
        mac_data: Some(vec![0; 32]),
        ..MACVerifyRequest::default()
    }
}

pub(crate) fn sign(key: &str) -> SignRequest {
    SignRequest {
        unique_identifier: id(key),
        cryptographic_parameters: signs(),
        data: data(b"data"),
        ..SignRequest::default()
    }
}

pub(crate) fn signature_verify(key: &str) -> SignatureVerifyRequest {
    SignatureVerifyRequest {
        unique_identifier: id(key),
        cryptographic_parameters: signs(),
        data: data(b"data"),
        signature_data: Some(vec![0; 64]),
        ..SignatureVerifyRequest::default()
    }
}
