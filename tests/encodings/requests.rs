//! Requests of the scenarios.

use kmip::attributes::{
    AllAttributes, AttributeReference, AttributeValue as A, Attributes, VendorAttribute,
};
use kmip::codec::{DateTime, SecretBytes};
use kmip::objects::*;
use kmip::payload::*;
use kmip::structures::*;
use kmip::vocabulary::*;
use kmip::{Identifier, InputData};

/// Every use that all versions have.
pub(crate) const ALL_USES: CryptographicUsageMask = CryptographicUsageMask(0x000F_FFFF);

/// A key of 128 bits.
pub(crate) const AES_KEY: &[u8] = b"sixteen bytes ok";

/// A private key on the curve P-256, as SEC 1 has it (RFC 6979, A.2.5).
const EC_PRIVATE: &str = "30770201010420c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b\
    120f6721a00a06082a8648ce3d030107a1440342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6c\
    e669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

/// Its public key (RFC 5480).
const EC_PUBLIC: &str = "3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c9\
    61eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f\
    5177a3c294d4462299";

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect()
}

pub(crate) fn id(text: &str) -> Option<Identifier> {
    Some(Identifier::from(text))
}

pub(crate) fn name(text: &str) -> A {
    A::Name(Name::text(text))
}

pub(crate) fn data(bytes: &[u8]) -> Option<InputData> {
    Some(InputData::from(bytes))
}

pub(crate) fn active() -> A {
    A::ActivationDate(DateTime(1_000_000_000))
}

pub(crate) fn custom(name: &str, value: ttlv::Raw) -> A {
    A::Vendor(VendorAttribute { vendor: "x".to_owned(), name: name.to_owned(), value })
}

/// A key of 256 bits.
pub(crate) fn create(more: impl IntoIterator<Item = A>) -> CreateRequest {
    let basic = [
        A::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        A::CryptographicLength(256),
        A::CryptographicUsageMask(ALL_USES),
    ];
    CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new(basic.into_iter().chain(more)),
        protection_storage_masks: None,
    }
}

pub(crate) fn register(object: Object, values: impl IntoIterator<Item = A>) -> RegisterRequest {
    RegisterRequest {
        object_type: object.object_type(),
        attributes: Attributes::new(values),
        object,
        protection_storage_masks: None,
    }
}

pub(crate) fn symmetric_key(algorithm: CryptographicAlgorithm, key: &[u8]) -> Object {
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, key);
    key_block.cryptographic_algorithm = Some(algorithm);
    key_block.cryptographic_length = Some(i32::try_from(key.len() * 8).unwrap());
    Object::SymmetricKey(Key { key_block })
}

pub(crate) fn secret(text: &[u8]) -> Object {
    Object::SecretData(SecretData {
        secret_data_type: SecretDataType::Password,
        key_block: KeyBlock::plain(KeyFormatType::Raw, text),
    })
}

pub(crate) fn opaque(bytes: &[u8]) -> Object {
    Object::OpaqueObject(OpaqueObject {
        opaque_data_type: OpaqueDataType(0x8000_0001),
        opaque_data_value: SecretBytes::new(bytes),
    })
}

/// The private and the public key of the RFC.
pub(crate) fn ec_pair() -> (Object, Object) {
    let key = |format: KeyFormatType, hex: &str| {
        let mut key_block = KeyBlock::plain(format, &bytes(hex));
        key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::ECDSA);
        key_block.cryptographic_length = Some(256);
        Key { key_block }
    };
    let private = Object::PrivateKey(key(KeyFormatType::ECPrivateKey, EC_PRIVATE));
    (private, Object::PublicKey(key(KeyFormatType::X_509, EC_PUBLIC)))
}

/// A part of a key that others have split.
pub(crate) fn part(number: i32, bytes: &[u8]) -> Object {
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, bytes);
    key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    key_block.cryptographic_length = Some(i32::try_from(bytes.len() * 8).unwrap());
    Object::SplitKey(SplitKey {
        parts: 2,
        part_identifier: number,
        threshold: 2,
        method: SplitKeyMethod::XOR,
        polynomial: None,
        prime_field_size: None,
        key_block,
    })
}

pub(crate) fn certificate(der: &[u8]) -> Certificate {
    Certificate { certificate_type: CertificateType::X_509, certificate_value: der.to_vec() }
}

pub(crate) fn get(object: Option<&str>) -> GetRequest {
    GetRequest {
        unique_identifier: object.map(Identifier::from),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

pub(crate) fn wrapping(key: &str, names: &[&str]) -> Option<Box<KeyWrappingSpecification>> {
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
        ..CryptographicParameters::default()
    };
    Some(Box::new(KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(WrappingKeyInformation {
            unique_identifier: key.to_owned(),
            cryptographic_parameters: Some(parameters),
        }),
        mac_signature_key_information: None,
        attribute_names: names.iter().map(|name| (*name).to_owned()).collect(),
        encoding_option: Some(EncodingOption::NoEncoding),
    }))
}

/// All attributes of an object, or those with these names.
pub(crate) fn get_attributes(object: Option<&str>, names: &[&str]) -> GetAttributesRequest {
    let attributes = names.iter().map(|name| AttributeReference::from_name(name)).collect();
    GetAttributesRequest { unique_identifier: object.map(Identifier::from), attributes }
}

pub(crate) fn locate(values: impl IntoIterator<Item = A>) -> LocateRequest {
    LocateRequest { attributes: values.into_iter().collect(), ..LocateRequest::default() }
}

pub(crate) fn activate(object: Option<&str>) -> ActivateRequest {
    ActivateRequest { unique_identifier: object.map(Identifier::from) }
}

pub(crate) fn destroy(object: Option<&str>) -> DestroyRequest {
    DestroyRequest { unique_identifier: object.map(Identifier::from) }
}

pub(crate) fn revoke(object: &str, code: RevocationReasonCode) -> RevokeRequest {
    RevokeRequest {
        unique_identifier: id(object),
        revocation_reason: RevocationReason { code, message: Some("because".to_owned()) },
        compromise_occurrence_date: None,
    }
}

pub(crate) fn add(object: Option<&str>, value: A) -> AddAttributeRequest {
    let unique_identifier = object.map(Identifier::from);
    AddAttributeRequest { unique_identifier, attribute: value.into() }
}

pub(crate) fn modify(object: &str, value: A) -> ModifyAttributeRequest {
    let (unique_identifier, attribute) = (id(object), value.into());
    ModifyAttributeRequest { unique_identifier, current_attribute: None, attribute }
}

/// Deletes the attribute with this name; of several, the first.
pub(crate) fn delete(object: &str, name: &str) -> DeleteAttributeRequest {
    DeleteAttributeRequest {
        unique_identifier: id(object),
        current_attribute: None,
        attribute: Some(AttributeReference::from_name(name)),
        attribute_index: None,
    }
}

pub(crate) fn set(object: &str, value: A) -> SetAttributeRequest {
    SetAttributeRequest { unique_identifier: id(object), attribute: value.into() }
}

pub(crate) fn adjust(
    object: &str,
    name: &str,
    adjustment_type: AdjustmentType,
    adjustment_value: Option<AdjustmentValue>,
) -> AdjustAttributeRequest {
    let attribute = AttributeReference::from_name(name);
    let unique_identifier = id(object);
    AdjustAttributeRequest { unique_identifier, attribute, adjustment_type, adjustment_value }
}

pub(crate) fn re_key(object: &str) -> ReKeyRequest {
    ReKeyRequest {
        unique_identifier: id(object),
        offset: None,
        attributes: None,
        protection_storage_masks: None,
    }
}

/// A pair of keys on the curve P-256.
pub(crate) fn create_key_pair(more: impl IntoIterator<Item = A>) -> CreateKeyPairRequest {
    let uses = || Some(Attributes::new([A::CryptographicUsageMask(ALL_USES)]));
    let domain = CryptographicDomainParameters {
        q_length: None,
        recommended_curve: Some(RecommendedCurve::P_256),
    };
    let curve = [
        A::CryptographicAlgorithm(CryptographicAlgorithm::ECDSA),
        A::CryptographicLength(256),
        A::CryptographicDomainParameters(domain),
    ];
    CreateKeyPairRequest {
        common_attributes: Some(Attributes::new(curve.into_iter().chain(more))),
        private_key_attributes: uses(),
        public_key_attributes: uses(),
        ..CreateKeyPairRequest::default()
    }
}

pub(crate) fn re_key_key_pair(private: &str) -> ReKeyKeyPairRequest {
    ReKeyKeyPairRequest {
        private_key_unique_identifier: id(private),
        ..ReKeyKeyPairRequest::default()
    }
}

pub(crate) fn split(key: Option<&str>, method: SplitKeyMethod) -> CreateSplitKeyRequest {
    CreateSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: key.map(Identifier::from),
        split_key_parts: 3,
        split_key_threshold: if method == SplitKeyMethod::XOR { 3 } else { 2 },
        split_key_method: method,
        prime_field_size: None,
        attributes: match key {
            Some(_) => Attributes::default(),
            None => create([]).attributes,
        },
        protection_storage_masks: None,
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

pub(crate) fn derive(
    key: &str,
    method: DerivationMethod,
    more: impl IntoIterator<Item = A>,
) -> DeriveKeyRequest {
    let parameters = CryptographicParameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA_256),
        ..CryptographicParameters::default()
    };
    let is_pbkdf2 = method == DerivationMethod::PBKDF2;
    let text: &[u8] = if is_pbkdf2 { b"" } else { b"what is derived from" };
    let basic = [A::CryptographicLength(256), A::CryptographicUsageMask(ALL_USES)];
    DeriveKeyRequest {
        object_type: ObjectType::SecretData,
        unique_identifiers: vec![Identifier::from(key)],
        derivation_method: method,
        derivation_parameters: Box::new(DerivationParameters {
            cryptographic_parameters: Some(parameters),
            derivation_data: (!text.is_empty())
                .then(|| SecretBytes::new(text))
                .into_iter()
                .collect(),
            salt: is_pbkdf2.then(|| SecretBytes::new(b"salt of this key")),
            iteration_count: is_pbkdf2.then_some(3),
            ..DerivationParameters::default()
        }),
        attributes: Attributes::new(basic.into_iter().chain(more)),
    }
}

pub(crate) fn import(id: &str, object: Object, replace: Option<bool>) -> ImportRequest {
    let values = [A::CryptographicUsageMask(ALL_USES), name(&format!("name of {id}"))];
    ImportRequest {
        unique_identifier: id.to_owned(),
        object_type: Some(object.object_type()),
        replace_existing: replace,
        key_wrap_type: None,
        attributes: AllAttributes(values.into_iter().map(Into::into).collect()),
        object,
    }
}

/// A certificate for a public key.
pub(crate) fn certify(public: &str, common_name: &str) -> CertifyRequest {
    let subject = CertificateSubject {
        distinguished_name: format!("CN={common_name}"),
        alternative_names: Vec::new(),
    };
    CertifyRequest {
        unique_identifier: id(public),
        attributes: Some(Attributes::new([
            A::CertificateType(CertificateType::X_509),
            A::CertificateSubject(subject),
            A::CertificateSubjectCN(common_name.to_owned()),
        ])),
        ..CertifyRequest::default()
    }
}

pub(crate) fn hash(bytes: &[u8]) -> HashRequest {
    HashRequest {
        cryptographic_parameters: Box::new(CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::SHA_256),
            ..CryptographicParameters::default()
        }),
        data: data(bytes),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    }
}

pub(crate) fn cipher(mode: BlockCipherMode) -> Option<Box<CryptographicParameters>> {
    let is_padded = mode == BlockCipherMode::CBC;
    Some(Box::new(CryptographicParameters {
        block_cipher_mode: Some(mode),
        padding_method: is_padded.then_some(PaddingMethod::PKCS5),
        tag_length: (mode == BlockCipherMode::GCM).then_some(16),
        ..CryptographicParameters::default()
    }))
}
